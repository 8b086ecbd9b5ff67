package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/securecart/hub/gatewaytest"
)

// table is the set of connections. In AWS it is a DynamoDB table.
type table struct {
	mu  sync.Mutex
	ids []string // sorted
}

func (t *table) put(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i, found := slices.BinarySearch(t.ids, id); !found {
		t.ids = slices.Insert(t.ids, i, id)
	}
}

func (t *table) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i, found := slices.BinarySearch(t.ids, id); found {
		t.ids = slices.Delete(t.ids, i, i+1)
	}
}

func (t *table) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ids)
}

// page returns up to limit ids after a key, as a query of DynamoDB does.
func (t *table) page(after string, limit int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, found := slices.BinarySearch(t.ids, after)
	if found {
		i++
	}
	return slices.Clone(t.ids[i:min(i+limit, len(t.ids))])
}

// broadcaster posts to every connection of a table.
type broadcaster struct {
	table    *table
	post     func(ctx context.Context, connectionID string, data []byte) error
	pageSize int
	workers  int // posts at a time
}

// result counts what became of the posts.
type result struct{ pages, sent, gone, failed int }

// send posts data to all connections. It returns the errors of all posts that may
// succeed later.
func (b broadcaster) send(ctx context.Context, data []byte) (result, error) {
	var r result
	var errs []error
	for after := ""; ; r.pages++ {
		ids := b.table.page(after, b.pageSize)
		if len(ids) == 0 {
			return r, errors.Join(errs...)
		}
		after = ids[len(ids)-1]
		for i, err := range b.postAll(ctx, ids, data) {
			switch {
			case err == nil:
				r.sent++
			case errors.Is(err, gatewaytest.ErrGone):
				r.gone++
				b.table.remove(ids[i])
			default:
				r.failed++
				errs = append(errs, fmt.Errorf("post: %w", err))
			}
		}
	}
}

// postAll posts to a page of connections and returns the error of each post.
func (b broadcaster) postAll(ctx context.Context, ids []string, data []byte) []error {
	errs := make([]error, len(ids))
	limit := make(chan struct{}, b.workers)
	var wg sync.WaitGroup
	for i, id := range ids {
		limit <- struct{}{}
		wg.Go(func() {
			errs[i] = b.post(ctx, id, data)
			<-limit
		})
	}
	wg.Wait()
	return errs
}
