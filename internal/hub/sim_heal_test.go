package hub_test

import (
	"context"
	"errors"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// leastTries and fewFailures are closeTries and fewFailures of package hub: how many calls
// of Heal must fail for a connection that is closed, and how many connections may fail in a
// call that serves nobody, without the service being to blame.
const (
	leastTries  = 3
	fewFailures = 10
)

// healing is one call of Heal, for its judge. Others may overlap it: each is judged by the
// marks that it read.
type healing struct {
	tries   map[string]int  // of the marks that it read
	failed  map[string]bool // connections with a post that failed
	refused map[string]bool // those that are not gone
	served  bool            // a post was accepted
}

// heal heals from where the call before ended.
func (sim *simulation) heal(ctx context.Context) (report hub.HealReport, err error) {
	outer, h := sim.healing, &healing{tries: map[string]int{}, failed: map[string]bool{}, refused: map[string]bool{}}
	if sim.chance(2) {
		ctx = healContext{sim.invokeWithDeadline()}
	}
	sim.healing = h
	report, sim.healed, err = sim.hub.Heal(ctx, sim.healed)
	sim.healing = outer
	sim.trace("heal: %+v, service failed: %t, %v", report, h.serviceFailed(), err)
	return report, err
}

// serviceFailed reports whether the account or the service failed. Then no connection is to
// blame.
func (h *healing) serviceFailed() bool { return len(h.refused) > fewFailures && !h.served }

// read notes the marks that Heal read. It may read one again when it comes to where it began,
// and goes by what it read first.
func (h *healing) read(marks []hub.RetryMark) {
	if h == nil {
		return
	}
	for _, m := range marks {
		if _, again := h.tries[m.ConnectionID]; !again {
			h.tries[m.ConnectionID] = m.Tries
		}
	}
}

// posted notes the posts of Heal that failed. One that is not sent for lack of time does
// not fail.
func (h *healing) posted(posts []hub.Post, errs []error) {
	if h == nil {
		return
	}
	for i, post := range posts {
		switch err := errs[i]; {
		case err == nil:
			h.served = true
		case !errors.Is(err, context.DeadlineExceeded):
			h.failed[post.ConnectionID] = true
			if !errors.Is(err, hub.ErrGone) {
				h.refused[post.ConnectionID] = true
			}
		}
	}
}

// judgeTry checks that Heal counts a failed try only of a connection whose posts failed.
func (sim *simulation) judgeTry(u hub.Undelivered) {
	if h := sim.healing; h != nil && u.Failed && (!h.failed[u.ConnectionID] || h.serviceFailed()) {
		sim.problem("healing counts a failed try of %s, which is not to blame", u.ConnectionID)
	}
}

// judgeClosing checks that Heal closes only a connection whose posts kept failing.
func (sim *simulation) judgeClosing(id string) {
	h := sim.healing
	if h == nil {
		return
	}
	sim.meet("connection that healing closes")
	switch tries := h.tries[id] + 1; {
	case !h.failed[id] || h.serviceFailed():
		sim.problem("healing closes %s, which is not to blame", id)
	case tries < leastTries:
		sim.problem("healing closes %s after %d failed tries", id, tries)
	}
}

// stopReading lets a client read nothing for some minutes, while an item changes and the hub
// heals: posts to it stay throttled until the hub closes it.
func (c *client) stopReading(ctx context.Context) {
	if c.socket == nil || !c.socket.open || c.sim.nesting > 0 {
		return
	}
	c.sim.meet("client that reads nothing")
	c.socket.stuck = true
	c.sim.changeStock(ctx)
	c.sim.healForLong(ctx)
}

// healForLong delivers what waits, and then heals for some minutes.
func (sim *simulation) healForLong(ctx context.Context) {
	for range 3 {
		sim.stepAll(ctx)
	}
	for range 4 {
		_, _ = sim.heal(ctx)
		sim.advance(40 * time.Second)
	}
}
