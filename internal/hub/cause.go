package hub

import "context"

// causeKey is the key of a cause in a context.
type causeKey struct{}

// WithCause returns the context of a request, by its id in API Gateway's access log. The
// carts that the request writes keep the id as [Cart.Cause].
func WithCause(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, causeKey{}, id)
}

// CauseOf returns the id of the request, "" if it is unknown.
func CauseOf(ctx context.Context) string {
	id, _ := ctx.Value(causeKey{}).(string)
	return id
}

// cause returns the request that made the change, "" if that is unknown. A writer of the
// shop leaves the cause of an earlier write in the row.
func (c Change) cause() string {
	if c.NewCart == nil || c.OldCart != nil && c.OldCart.Cause == c.NewCart.Cause {
		return ""
	}
	return c.NewCart.Cause
}
