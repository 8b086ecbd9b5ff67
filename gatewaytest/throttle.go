package gatewaytest

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Throttle is a token bucket: Rate requests a second in the long run, and Burst
// of them at once. The zero value bounds nothing.
//
// A throttled handshake is answered 429 (G-HANDSHAKE-9), a throttled request to
// @connections is LimitExceededException (G-MGMT-9), and a throttled message
// gets an error frame "Too Many Requests" (G-ERR-7). A client that keeps on is
// closed with 1008 (G-CLOSE-9), after 100 messages refused in a row.
type Throttle struct {
	Rate  float64 // tokens a second
	Burst int     // the size of the bucket; 0 with a Rate: the Rate, rounded up
}

func (t Throttle) check() error {
	switch {
	case t.Rate < 0 || math.IsNaN(t.Rate) || math.IsInf(t.Rate, 0) || t.Burst < 0:
		return errors.New("negative, or not a number")
	case t.Burst > 0 && t.Rate == 0:
		return errors.New("a Burst needs a Rate")
	}
	return nil
}

// bucket is a Throttle at work. A nil bucket bounds nothing.
type bucket struct {
	rate, size float64

	mu     sync.Mutex
	tokens float64
	at     time.Time // when tokens was right; zero: never asked
}

func newBucket(t Throttle) *bucket {
	if t.Rate == 0 {
		return nil
	}
	size := float64(t.Burst)
	if size == 0 {
		size = math.Ceil(t.Rate)
	}
	return &bucket{rate: t.Rate, size: size, tokens: size}
}

// take takes a token, or reports false if there is none.
func (b *bucket) take(now time.Time) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() && now.After(b.at) {
		b.tokens = min(b.size, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	if b.at.IsZero() || now.After(b.at) {
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// throttled reports whether one of the buckets has no token left. Those before
// it have then lost theirs, as a request that is refused late costs as well.
func throttled(now time.Time, buckets ...*bucket) bool {
	for _, b := range buckets {
		if !b.take(now) {
			return true
		}
	}
	return false
}

// allow ends a run of throttled messages.
func (c *conn) resetThrottled() { c.throttledInRow.Store(0) }

// tooMany is the refusal of a throttled message (G-ERR-7).
func (g *Gateway) throttledResponse() *gatewayResponse {
	refusal := responseThrottled
	refusal.message = g.api.Assumptions.ThrottledText
	return &refusal
}

// throttle answers a message that was throttled, and closes a client that keeps
// on.
func (c *conn) replyThrottled(requestID string) {
	closes := c.g.api.Assumptions.ThrottledCloses
	if !closes {
		c.reply(errorFrame(c.g.throttledResponse().message, c.id, requestID))
	}
	if c.throttledInRow.Add(1) >= maxThrottled || closes {
		c.startClose(ws.ClosePolicy, c.g.reason(ws.ClosePolicy))
	}
}
