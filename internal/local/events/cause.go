package events

import (
	"context"
	"sync"
)

type causeKey struct{}

// causeContext is a context with the ids of events.
type causeContext struct {
	context.Context
	ids   []uint64
	frame *Frame // of the message that is handed to the network next; nil: none

	once sync.Once
	add  func() uint64 // nil: ids are known
}

// Value implements [context.Context].
func (c *causeContext) Value(key any) any {
	if key == (causeKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// With returns a context for work that the events with these ids led to. The events of
// that work name them.
func With(ctx context.Context, ids ...uint64) context.Context {
	return &causeContext{Context: ctx, ids: ids}
}

// WithLate is With for an event that add adds when it first is the cause of another.
// So work that leads to nothing is not logged.
func WithLate(ctx context.Context, add func() uint64) context.Context {
	return &causeContext{Context: ctx, add: add}
}

// Cause returns the ids that a context carries, or nil.
func Cause(ctx context.Context) []uint64 {
	c, _ := ctx.Value(causeKey{}).(*causeContext)
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

// frameOf returns the frame of the message that a context belongs to, or nil.
func frameOf(ctx context.Context) *Frame {
	if c, ok := ctx.Value(causeKey{}).(*causeContext); ok {
		return c.frame
	}
	return nil
}
