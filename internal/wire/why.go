package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// Why says why a topic, or all of a connection, is as its client sees it: what came, or why
// nothing did. It has nothing that a get would not tell the same client, except the state of
// its own connections.
type Why struct {
	ID      json.RawMessage `json:"id,omitempty"`
	Epoch   string          `json:"epoch"`
	Topic   string          `json:"topic,omitempty"`   // as the request names it; "": the connection
	Version *int64          `json:"version,omitempty"` // the newest, as get tells it
	Badge   *Badge          `json:"badge,omitempty"`   // of a SKU, as get tells it
	Changed int64           `json:"changed,omitempty"` // ms since 1970; 0: unknown, or not for this client
	Reason  WhyReason       `json:"reason"`
	Message string          `json:"message"`        // for people, with what to do; the wording may change
	Path    []Step          `json:"path,omitempty"` // of the last change to this connection, as far as it is known
}

// WhyReason tells a program what a [Why] found. The list is closed.
type WhyReason string

// The reasons that rows tell.
const (
	WhyCurrent      WhyReason = "current"      // nothing is missing
	WhyUnchanged    WhyReason = "unchanged"    // no change since the client subscribed, as far as it may see
	WhyBehind       WhyReason = "behind"       // the client has a version that is not the newest
	WhyAhead        WhyReason = "ahead"        // the client has a version that is newer than the newest
	WhyUnsubscribed WhyReason = "unsubscribed" // the connection does not follow the topic
	WhyDenied       WhyReason = "denied"       // not allowed, or does not exist: one reason for both
	WhyLimit        WhyReason = "limit"        // the client has looked at too many SKUs
	WhyExpired      WhyReason = "expired"      // the session has ended
	WhyMarked       WhyReason = "marked"       // a change did not arrive; the hub sends the state again
)

// The reasons that only a hub tells which has seen the change go by: a local one.
const (
	WhyPending   WhyReason = "pending"   // the change is on its way
	WhyThrottled WhyReason = "throttled" // API Gateway refused the message with 429
	WhyFailed    WhyReason = "failed"    // it refused the message with another status
	WhyWaiting   WhyReason = "waiting"   // the client does not read what waits for it
	WhyLost      WhyReason = "lost"      // it went to a connection of this user that is gone
	WhyCoalesced WhyReason = "coalesced" // several changes were sent as one
	WhyQuiet     WhyReason = "quiet"     // the badge looks as before; for those who see exact figures
	WhyUncounted WhyReason = "uncounted" // a change did not raise the version; for the same
)

// StepName names a step of a change on its way to a connection.
type StepName string

// The steps, in their order.
const (
	StepCommit   StepName = "commit"   // the row was written
	StepStream   StepName = "stream"   // its record is in the stream
	StepBatch    StepName = "batch"    // a function got the record
	StepPost     StepName = "post"     // the first attempt to post it to the connection
	StepAccepted StepName = "accepted" // API Gateway accepted it: not yet that a person saw it
)

// Step is one step.
type Step struct {
	Step StepName `json:"step"`
	MS   float64  `json:"ms"` // after the first step, to 0.1
	Note string   `json:"note,omitempty"`
}

// NewStep returns the step that came some time after the first one.
func NewStep(name StepName, after time.Duration, note string) Step {
	return Step{Step: name, MS: math.Round(float64(after)/float64(time.Millisecond)*10) / 10, Note: note}
}

// Clock writes a time as answers to people have it, in UTC.
func Clock(t time.Time) string { return t.UTC().Format("15:04:05") + " UTC" }

func prettyWhy(w Why) string {
	first := "connection"
	if w.Topic != "" {
		first = typedTopic(w.Topic)
	}
	if w.Version != nil {
		first += fmt.Sprintf("  v%d", *w.Version)
	}
	if b := w.Badge; b != nil {
		first += "  " + string(b.State)
		if b.Quantity != nil {
			first += fmt.Sprintf(" %d", *b.Quantity)
		}
		if b.Until != "" {
			first += " until " + b.Until
		}
	}
	if w.Changed != 0 && len(w.Path) == 0 {
		first += "  changed " + time.UnixMilli(w.Changed).UTC().Format("2006-01-02 15:04:05.000") + " UTC"
	}
	lines := []string{first, w.Message}
	for i, s := range w.Path {
		when := fmt.Sprintf("+%.1f ms", s.MS)
		if i == 0 && w.Changed != 0 {
			when = time.UnixMilli(w.Changed).UTC().Format("15:04:05.000")
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-9s %-14s %s", s.Step, when, s.Note), " "))
	}
	return strings.Join(lines, "\n")
}
