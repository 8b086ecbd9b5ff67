package handler_test

import (
	"context"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// failingStore is a store in which methods can fail.
type failingStore struct {
	*memstore.Store
	errs      map[string]error // by method
	topicErrs map[hub.Topic]error
}

func (f *failingStore) PutConnection(ctx context.Context, c hub.Connection) error {
	return firstError(f.errs["PutConnection"], func() error { return f.Store.PutConnection(ctx, c) })
}

func (f *failingStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := f.errs["Connection"]; err != nil {
		return hub.Connection{}, err
	}
	return f.Store.Connection(ctx, id)
}

func (f *failingStore) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	if err := f.errs["Subscribe"]; err != nil {
		return hub.Connection{}, err
	}
	return f.Store.Subscribe(ctx, c, topics)
}

func (f *failingStore) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (int64, error) {
	if err := f.errs["Unsubscribe"]; err != nil {
		return 0, err
	}
	return f.Store.Unsubscribe(ctx, id, topics)
}

func (f *failingStore) EndConnection(ctx context.Context, id string, now time.Time, spare int) error {
	return firstError(f.errs["EndConnection"], func() error { return f.Store.EndConnection(ctx, id, now, spare) })
}

func (f *failingStore) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	if err := f.errs["ConnectionsOf"]; err != nil {
		return nil, err
	}
	return f.Store.ConnectionsOf(ctx, ids)
}

func (f *failingStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	return firstError(f.errs["Forget"], func() error { return f.Store.Forget(ctx, id, topics...) })
}

func (f *failingStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if err := f.errs["MarkForRetry"]; err != nil {
		return slices.Repeat([]error{err}, len(missed))
	}
	return f.Store.MarkForRetry(ctx, missed, now)
}

func (f *failingStore) MarkOf(ctx context.Context, id string) (hub.RetryMark, error) {
	if err := f.errs["MarkOf"]; err != nil {
		return hub.RetryMark{}, err
	}
	return f.Store.MarkOf(ctx, id)
}

func (f *failingStore) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if err := f.errs["RetryMarks"]; err != nil {
		return nil, "", err
	}
	return f.Store.RetryMarks(ctx, after, limit)
}

func (f *failingStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	return firstError(f.errs["PutCarts"], func() error { return f.Store.PutCarts(ctx, carts, r, sessions...) })
}

func (f *failingStore) PutTicket(ctx context.Context, ticket hub.Ticket) error {
	return firstError(f.errs["PutTicket"], func() error { return f.Store.PutTicket(ctx, ticket) })
}

func (f *failingStore) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	if err := f.errs["TakeTicket"]; err != nil {
		return hub.Ticket{}, err
	}
	return f.Store.TakeTicket(ctx, hash)
}

func (f *failingStore) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if err := f.errs["Holder"]; err != nil {
		return hub.Holder{}, err
	}
	return f.Store.Holder(ctx, id, after, limit)
}

func (f *failingStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if err := f.errs["Revocation"]; err != nil {
		return time.Time{}, err
	}
	return f.Store.Revocation(ctx, holder)
}

func (f *failingStore) Revoke(ctx context.Context, owner string, at time.Time) error {
	return firstError(f.errs["Revoke"], func() error { return f.Store.Revoke(ctx, owner, at) })
}

func (f *failingStore) Epoch(ctx context.Context) (hub.Epoch, error) {
	if err := f.errs["Epoch"]; err != nil {
		return hub.Epoch{}, err
	}
	return f.Store.Epoch(ctx)
}

func (f *failingStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := f.errs["Items"]; err != nil {
		return nil, err
	}
	return f.Store.Items(ctx, skus)
}

func (f *failingStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := f.errs["Cart"]; err != nil {
		return hub.Cart{}, err
	}
	return f.Store.Cart(ctx, id)
}

func (f *failingStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := f.topicErrs[t]; err != nil {
		return nil, "", err
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

// firstError returns err or, if it is nil, the result of do.
func firstError(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}
