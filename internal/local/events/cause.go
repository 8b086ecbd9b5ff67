package events

import (
	"context"
	"sync"
)

type causeKey struct{}

// cause is what a context carries.
type cause struct {
	ids []uint64

	once sync.Once
	add  func() uint64 // nil: ids are known
}

// With returns a context for work that the events with these ids led to. The events of
// that work name them.
func With(ctx context.Context, ids ...uint64) context.Context {
	return context.WithValue(ctx, causeKey{}, &cause{ids: ids})
}

// WithLate is With for an event that add adds when it first is the cause of another.
// So work that leads to nothing is not logged.
func WithLate(ctx context.Context, add func() uint64) context.Context {
	return context.WithValue(ctx, causeKey{}, &cause{add: add})
}

// Cause returns the ids that a context carries, or nil.
func Cause(ctx context.Context) []uint64 {
	c, _ := ctx.Value(causeKey{}).(*cause)
	if c == nil {
		return nil
	}
	c.once.Do(func() {
		if c.add != nil {
			c.ids = []uint64{c.add()}
		}
	})
	return c.ids
}
