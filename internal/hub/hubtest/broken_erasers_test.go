package hubtest_test

import (
	"context"
	"errors"

	"github.com/securecart/hub/internal/hub"
)

// The stores that break a promise of erasure.
type (
	anySession       struct{ hub.Store } // writes carts although a session was revoked
	keptCart         struct{ hub.Store } // erases a user, but not the cart
	keptReceipts     struct{ hub.Store } // erases one receipt of a user
	erasedByPrefix   struct{ hub.Store } // erases the cart of another user too
	erasedHolder     struct{ hub.Store } // erases the list of a user's connections too
	noRelease        struct{ hub.Store } // keeps a connection in the list of its holder
	endedSubscribers struct{ hub.Store } // subscribes connections that have ended
)

func (s anySession) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, _ ...hub.Session,
) error {
	return s.Store.PutCarts(ctx, carts, r)
}

func (s keptCart) Erase(ctx context.Context, id string) error {
	c, err := s.Store.Cart(ctx, id)
	if err != nil || c.Version == 0 {
		return err
	}
	if err := s.Store.Erase(ctx, id); err != nil {
		return err
	}
	return s.Store.PutCarts(ctx, []hub.CartWrite{{Cart: c}}, nil)
}

func (s keptReceipts) Erase(ctx context.Context, id string) error {
	r, err := s.Store.Receipt(ctx, id, "k29")
	if err != nil {
		return nil
	}
	if err := s.Store.Erase(ctx, id); err != nil {
		return err
	}
	return s.Store.PutCarts(ctx, nil, &r)
}

func (s erasedByPrefix) Erase(ctx context.Context, id string) error {
	if err := s.Store.Erase(ctx, id+"2"); err != nil {
		return err
	}
	return s.Store.Erase(ctx, id)
}

func (s erasedHolder) Erase(ctx context.Context, id string) error {
	if err := s.Store.Release(ctx, id, "c1"); err != nil {
		return err
	}
	return s.Store.Erase(ctx, id)
}

func (s noRelease) Release(context.Context, string, string) error { return nil }

func (s endedSubscribers) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.Subscribers(ctx, t, after, limit)
	ended := hub.Connection{ID: "c1"}
	if putErr := s.Store.PutConnection(ctx, ended); errors.Is(putErr, hub.ErrGone) {
		page = append(page, ended.Subscriber(t))
	}
	return page, next, err
}
