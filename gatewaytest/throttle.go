package gatewaytest

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Throttle is a token bucket: on average Rate requests a second, and up to
// Burst at once. The zero value limits nothing.
//
// A throttled handshake gets 429 (G-HANDSHAKE-9), a throttled request to
// @connections LimitExceededException (G-MGMT-9), and a throttled message an
// error frame "Too Many Requests" (G-ERR-7). After 100 throttled messages in a
// row the client is closed with 1008 (G-CLOSE-9).
type Throttle struct {
	Rate  float64 // tokens a second
	Burst int     // the size of the bucket; by default the Rate, rounded up

	// Closed throttles every request, as a limit of 0 in the settings of a stage
	// does. It excludes Rate and Burst.
	Closed bool
}

func (t Throttle) check() error {
	switch {
	case t.Rate < 0 || math.IsNaN(t.Rate) || math.IsInf(t.Rate, 0) || t.Burst < 0:
		return errors.New("must be a finite number, not negative")
	case t.Burst > 0 && t.Rate == 0:
		return errors.New("a Burst needs a Rate")
	case t.Closed && t.Rate > 0:
		return errors.New("no Rate and no Burst if it is Closed")
	}
	return nil
}

// bucket is the state of a Throttle. A nil bucket limits nothing.
type bucket struct {
	rate, size float64

	mu      sync.Mutex
	tokens  float64
	updated time.Time // when tokens was computed; zero: never
}

func newBucket(t Throttle) *bucket {
	switch {
	case t.Closed:
		return &bucket{}
	case t.Rate == 0:
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
	if !b.updated.IsZero() && now.After(b.updated) {
		b.tokens = min(b.size, b.tokens+now.Sub(b.updated).Seconds()*b.rate)
	}
	if b.updated.IsZero() || now.After(b.updated) {
		b.updated = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// throttled reports whether one of the buckets is empty. The buckets before it
// have then lost a token, because a request that is refused late costs one too.
func throttled(now time.Time, buckets ...*bucket) bool {
	for _, b := range buckets {
		if !b.take(now) {
			return true
		}
	}
	return false
}

// resetThrottled ends a run of throttled messages.
func (c *conn) resetThrottled() { c.throttledInRow.Store(0) }

// throttledResponse is the refusal of a throttled message (G-ERR-7).
func (g *Gateway) throttledResponse() *gatewayResponse {
	refusal := responseThrottled
	refusal.message = g.api.Assumptions.ThrottledText
	return refusal.withDetail("the throttle of the route or the account")
}

// replyThrottled answers a throttled message, and closes the client's
// connection if it continues.
func (c *conn) replyThrottled(ctx context.Context, routeKey, requestID string) {
	closes := c.g.api.Assumptions.ThrottledCloses
	refusal := c.g.throttledResponse()
	answer := Observation{Kind: ObservedAnswer, ConnectionID: c.id, RouteKey: routeKey,
		Status: refusal.status, Code: refusal.kind}
	if !closes {
		answer.Payload = errorFrame(refusal.message, c.id, requestID)
	}
	ctx = c.g.observe(ctx, answer)
	if !closes {
		c.reply(ctx, answer.Payload)
	}
	if c.throttledInRow.Add(1) >= maxThrottled || closes {
		c.startClose(ws.ClosePolicy, c.g.reason(ws.ClosePolicy))
	}
}
