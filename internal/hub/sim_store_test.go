package hub_test

import (
	"context"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// faultyStore is the memory store as the simulated hub reaches it: every access
// may fail, before or after it did its work, and other events may come first.
type faultyStore struct {
	hub.Store
	w *world

	late  []func() // subscriptions held back by the defect
	cache map[hub.Topic][]hub.Subscriber
}

// enter lets other events happen and may fail the access.
func (s *faultyStore) enter() error {
	s.w.interrupt()
	if s.w.chance(60) {
		return errInjected
	}
	return nil
}

// leave may fail an access that was done: its caller cannot know.
func (s *faultyStore) leave(err error) error {
	if err == nil && s.w.chance(60) {
		return errInjected
	}
	return err
}

func (s *faultyStore) PutConnection(ctx context.Context, c hub.Connection) error {
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.PutConnection(ctx, c))
}

func (s *faultyStore) ReplacePrincipal(ctx context.Context, id string, was, is hub.Principal) error {
	if s.w.overNotRecorded {
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.ReplacePrincipal(ctx, id, was, is))
}

func (s *faultyStore) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if err := s.enter(); err != nil {
		return hub.Holder{}, err
	}
	return s.Store.Holder(ctx, id, after, min(limit, 2))
}

func (s *faultyStore) Revoke(ctx context.Context, owner string, at time.Time) error {
	if s.w.revocationForgotten {
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.Revoke(ctx, owner, at))
}

func (s *faultyStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if strings.HasPrefix(id, stuck) {
		return hub.Connection{}, errInjected // without end
	}
	if err := s.enter(); err != nil {
		return hub.Connection{}, err
	}
	return s.Store.Connection(ctx, id)
}

func (s *faultyStore) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	if s.w.snapshotBeforeSubscribe {
		s.late = append(s.late, func() { _ = s.Store.Subscribe(ctx, c, topics) })
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.Subscribe(ctx, c, topics))
}

func (s *faultyStore) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) error {
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.Unsubscribe(ctx, id, topics))
}

func (s *faultyStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.Forget(ctx, id, topics...))
}

func (s *faultyStore) EndConnection(ctx context.Context, id string, now time.Time) error {
	if s.w.endForgotten {
		return s.Store.Forget(ctx, id)
	}
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.EndConnection(ctx, id, now))
}

func (s *faultyStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(missed))
	for i := range missed {
		if s.w.stuckInFront && strings.HasPrefix(missed[i].ConnectionID, stuck) {
			continue
		}
		if errs[i] = s.enter(); errs[i] == nil {
			errs[i] = s.leave(s.Store.MarkForRetry(ctx, missed[i:i+1], now)[0])
		}
	}
	return errs
}

func (s *faultyStore) RetryMarks(ctx context.Context, _ int) ([]hub.RetryMark, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	return s.Store.RetryMarks(ctx, stuckCount) // few, so that somebody is in front
}

func (s *faultyStore) ClearRetryMark(ctx context.Context, m hub.RetryMark) error {
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.ClearRetryMark(ctx, m))
}

func (s *faultyStore) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	if err := s.enter(); err != nil {
		return nil, "", err
	}
	if s.w.staleSubscriberList {
		page, known := s.cache[t]
		if !known {
			page, _, _ = s.Store.Subscribers(ctx, t, "", 1000)
			s.cache[t] = page
		}
		return page, "", nil
	}
	// Small pages, so that paging happens.
	page, next, err := s.Store.Subscribers(ctx, t, after, min(limit, 2))
	for i := range page {
		if s.w.ownerNotChecked {
			page[i].Principal.Expires = time.Time{}
		}
		if s.w.subscribedInConnect {
			page[i].ConnectedAt = page[i].ConnectedAt.Add(-time.Minute)
		}
	}
	return page, next, err
}

func (s *faultyStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	items, err := s.Store.Items(ctx, skus)
	s.flush()
	return items, err
}

func (s *faultyStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := s.enter(); err != nil {
		return hub.Cart{}, err
	}
	cart, err := s.Store.Cart(ctx, id)
	s.flush()
	return cart, err
}

// flush stores the subscriptions that the defect held back, after others had
// their turn.
func (s *faultyStore) flush() {
	if len(s.late) == 0 {
		return
	}
	s.w.interrupt()
	for _, subscribe := range s.late {
		subscribe()
	}
	s.late = nil
}

func (s *faultyStore) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	if err := s.enter(); err != nil {
		return hub.Receipt{}, err
	}
	if s.w.duplicateAppliedTwice {
		return hub.Receipt{}, hub.ErrGone
	}
	return s.Store.Receipt(ctx, cartID, key)
}

func (s *faultyStore) PutItem(ctx context.Context, item hub.Item, was int64) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.w.versionResetOnRecreate {
		old, _ := s.Store.Items(ctx, []string{item.SKU})
		if old[item.SKU].Deleted && !item.Deleted {
			item.Version = 1
		}
	}
	return s.leave(s.Store.PutItem(ctx, item, was))
}

func (s *faultyStore) IndexItem(ctx context.Context, item hub.Item, former []string) error {
	if err := s.enter(); err != nil {
		return err
	}
	return s.leave(s.Store.IndexItem(ctx, item, former))
}

func (s *faultyStore) PutCarts(ctx context.Context, carts []hub.CartWrite, request *hub.Receipt) error {
	if err := s.enter(); err != nil {
		return err
	}
	if s.w.duplicateAppliedTwice {
		request = nil
	}
	return s.leave(s.Store.PutCarts(ctx, carts, request))
}
