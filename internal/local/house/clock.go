package house

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// maxWarp is the most that the clock moves at once: a year, which is longer than the notice
// of a deprecation. Our own choice.
const maxWarp = 366 * 24 * time.Hour

// clock is the machine's clock plus what Warp added. The gateway has one too.
type clock struct{ ahead atomic.Int64 }

// Now is the time by this clock.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Now is the house's clock.
func (h *House) Now() time.Time { return h.clock.Now() }

// Ahead is by how much Warp has moved the house's clock.
func (h *House) Ahead() time.Duration { return time.Duration(h.clock.ahead.Load()) }

// Warp moves the clock of the whole house forward: connections, tokens and rows
// become older at once. A house with bootstraps refuses, since they have their own
// clocks, and one with a journal, since it would keep times that have not come.
func (h *House) Warp(by time.Duration) error {
	switch {
	case h.opts.Functions.BootstrapDir != "":
		return errors.New("bootstraps have their own clocks")
	case h.opts.Rows.Journal != nil:
		return errors.New("rows in a file would keep times that have not come")
	case by <= 0 || by > maxWarp:
		return fmt.Errorf("%s: the clock moves forward, by at most %s at once", by, maxWarp)
	}
	h.clock.ahead.Add(int64(by))
	h.gateway.Warp(by)
	h.expire()
	return nil
}
