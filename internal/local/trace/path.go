package trace

import (
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// path returns the steps of a change to a connection, as far as they are known. first and
// accepted are posts of it; nil: there is none.
func (c *change) path(asked hub.Asked, first, accepted *post) []wire.Step {
	var steps []wire.Step
	add := func(name wire.StepName, at int64, note string) {
		steps = append(steps, wire.NewStep(name, time.Duration(at-c.at)*time.Microsecond, note))
	}
	if c.row {
		add(wire.StepCommit, c.at, c.versions(asked))
	}
	if c.stream != nil {
		add(wire.StepStream, c.stream.At, "")
	}
	if c.batch != nil {
		add(wire.StepBatch, c.batch.At, c.batches(asked))
	}
	if first != nil {
		add(wire.StepPost, first.At-first.Took, retried(first, accepted))
	}
	if accepted != nil {
		add(wire.StepAccepted, accepted.At, "")
	}
	return steps
}

// batches says how a change was broadcast, if it was not at once. How many people watch an
// item is not for those who see only its badge.
func (c *change) batches(asked hub.Asked) string {
	switch {
	case c.swept && asked.Shape != hub.ShapeBadge:
		return "then a sweep, because many watch"
	case c.attempts > 1:
		return fmt.Sprintf("%d attempts", c.attempts)
	}
	return ""
}

// versions says from which version to which a change led, to those who see each of them.
func (c *change) versions(asked hub.Asked) string {
	if asked.Shape == hub.ShapeBadge || c.images.Was == nil {
		return fmt.Sprintf("v%d", c.version)
	}
	return fmt.Sprintf("v%d -> v%d", c.images.Was.Version, c.version)
}

// retried says what became of the first post.
func retried(first, accepted *post) string {
	if first == accepted {
		return first.fault // a slow post
	}
	note := fmt.Sprint(first.Event.Status)
	if first.fault != "" {
		note += ", " + first.fault
	}
	if accepted != nil {
		after := time.Duration(accepted.At-accepted.Took-first.At) * time.Microsecond
		note += fmt.Sprintf(", tried again after %d ms", after.Milliseconds())
	}
	return note
}
