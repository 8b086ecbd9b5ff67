package crowd_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/parallel"
)

const (
	callTime     = 5 * time.Millisecond // of a request to DynamoDB
	bytesOfRow   = 100                  // of a subscription
	bytesOfSweep = 300
	bytesPerUnit = 4096 // of a strongly consistent read
	markWriters  = 10   // dynamostore writes so many marks at once
	maxTogether  = 10   // and makes so many calls
)

// countingStore is a store behind a network: each call takes time and costs units, as
// package dynamostore and DynamoDB bill them. It counts what the broadcast function calls.
type countingStore struct {
	*memstore.Store
	reads, writes atomic.Int64 // units
}

// call takes the time of some requests one after the other.
func (s *countingStore) call(ctx context.Context, requests, reads, writes int) error {
	s.reads.Add(int64(reads))
	s.writes.Add(int64(writes))
	return pause(ctx, time.Duration(requests)*callTime)
}

// Together makes some calls at the same time, as package dynamostore does.
func (s *countingStore) Together(calls ...func()) {
	parallel.Each(len(calls), maxTogether, func(i int) { calls[i]() })
}

func (s *countingStore) Epoch(ctx context.Context) (hub.Epoch, error) {
	if err := s.call(ctx, 1, 1, 0); err != nil {
		return hub.Epoch{}, err
	}
	return s.Store.Epoch(ctx)
}

func (s *countingStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.Subscribers(ctx, t, after, limit)
	if callErr := s.call(ctx, 1, 1+len(page)*bytesOfRow/bytesPerUnit, 0); callErr != nil {
		return nil, "", callErr
	}
	return page, next, err
}

func (s *countingStore) ExactSubscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.ExactSubscribers(ctx, t, after, limit)
	if callErr := s.call(ctx, 1, 1+len(page)*bytesOfRow/bytesPerUnit, 0); callErr != nil {
		return nil, "", callErr
	}
	return page, next, err
}

func (s *countingStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := s.call(ctx, 1, len(skus), 0); err != nil {
		return nil, err
	}
	return s.Store.Items(ctx, skus)
}

func (s *countingStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := s.call(ctx, 1, 1, 0); err != nil {
		return hub.Cart{}, err
	}
	return s.Store.Cart(ctx, id)
}

func (s *countingStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := s.call(ctx, 1, 1, 0); err != nil {
		return hub.Connection{}, err
	}
	return s.Store.Connection(ctx, id)
}

func (s *countingStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	if err := s.call(ctx, 4, 1, 4); err != nil {
		return err
	}
	return s.Store.Forget(ctx, id, topics...)
}

func (s *countingStore) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	if err := s.call(ctx, 1, len(ids), 0); err != nil {
		return nil, err
	}
	return s.Store.ConnectionsOf(ctx, ids)
}

func (s *countingStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	errs := make([]error, 0, len(missed))
	for len(missed) > 0 {
		some := missed[:min(markWriters, len(missed))]
		missed = missed[len(some):]
		if err := s.call(ctx, 1, 0, len(some)); err != nil {
			for range some {
				errs = append(errs, err)
			}
			continue
		}
		errs = append(errs, s.Store.MarkForRetry(ctx, some, now)...)
	}
	return errs
}

func (s *countingStore) RetryMarks(
	ctx context.Context, after string, limit int,
) ([]hub.RetryMark, string, error) {
	marks, next, err := s.Store.RetryMarks(ctx, after, limit)
	if callErr := s.call(ctx, 1, 1+len(marks)*bytesOfRow/bytesPerUnit, 0); callErr != nil {
		return nil, "", callErr
	}
	return marks, next, err
}

func (s *countingStore) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	if err := s.call(ctx, (len(marks)+markWriters-1)/markWriters, 0, len(marks)); err != nil {
		errs := make([]error, len(marks))
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	return s.Store.ClearRetryMarks(ctx, marks)
}

func (s *countingStore) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	if err := s.call(ctx, 1, 0, 1); err != nil {
		return err
	}
	return s.Store.AskSweep(ctx, t, sequence, rev, now)
}

func (s *countingStore) Sweeps(ctx context.Context) ([]hub.Sweep, error) {
	sweeps, err := s.Store.Sweeps(ctx)
	if callErr := s.call(ctx, 1, 1+len(sweeps)*bytesOfSweep/bytesPerUnit, 0); callErr != nil {
		return nil, callErr
	}
	return sweeps, err
}

func (s *countingStore) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	if err := s.call(ctx, 1, 0, 1); err != nil {
		return err
	}
	return s.Store.SaveSweep(ctx, sweep, now)
}

func (s *countingStore) EndSweep(ctx context.Context, sweep hub.Sweep) error {
	if err := s.call(ctx, 1, 0, 1); err != nil {
		return err
	}
	return s.Store.EndSweep(ctx, sweep)
}
