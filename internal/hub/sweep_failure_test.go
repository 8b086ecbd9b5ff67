package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// TestSweepGoesOnAfterCrash checks that another environment repeats one page, and no other.
func TestSweepGoesOnAfterCrash(t *testing.T) {
	th, h := crowd(t, 9, 3)
	th.stock("A", 3)
	th.broadcastWith(h)
	failing := th.withStore(&failingSaves{Store: th.store, at: 2, times: 1}).WithPostsPerSecond(3)
	if _, err := failing.Sweep(t.Context(), always); !errors.Is(err, errSave) {
		t.Fatalf("got %v, want %v", err, errSave)
	}
	th.sweep(h, always)
	counts := map[string]int{}
	for _, id := range th.posted() {
		counts[id]++
	}
	twice := 0
	for _, n := range counts {
		if n == 2 {
			twice++
		}
	}
	if len(counts) != 9 || twice != 3 || len(th.sent) != 12 {
		t.Errorf("got %v, want one page twice and the others once", counts)
	}
}

var errSave = errors.New("no store")

// failingSaves fails some saves of a sweep.
type failingSaves struct {
	hub.Store
	at    int // the first save that fails, from 1
	times int // how many fail
}

func (s *failingSaves) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	if s.at--; s.at <= 0 && s.at > -s.times {
		return errSave
	}
	return s.Store.SaveSweep(ctx, sweep, now)
}

// TestPageThatFailsPostsOnce checks that nobody gets a page again each time that it cannot
// be recorded.
func TestPageThatFailsPostsOnce(t *testing.T) {
	th, _ := crowd(t, 9, 3)
	th.stock("A", 3)
	h := th.withStore(&failingSaves{Store: th.store, at: 2, times: 3}).WithPostsPerSecond(3)
	th.broadcastWith(h)
	for range 3 {
		if _, err := h.Sweep(t.Context(), always); !errors.Is(err, errSave) {
			t.Fatalf("got %v, want %v", err, errSave)
		}
	}
	th.sweep(h, always)
	got := th.posted()
	slices.Sort(got)
	if len(got) != 9 || len(slices.Compact(got)) != 9 {
		t.Errorf("got %v, want everybody once", got)
	}
}

// TestPageIsSavedBeforeCleanUp checks that a page is recorded before the connections that
// are gone are removed: that takes longer than the posts.
func TestPageIsSavedBeforeCleanUp(t *testing.T) {
	th, _ := crowd(t, 9, 3)
	th.stock("A", 3)
	th.postError = func(hub.Post) error { return hub.ErrGone }
	order := &callOrder{Store: th.store}
	h := th.withStore(order).WithPostsPerSecond(3)
	th.broadcastWith(h)
	th.sweep(h, func() bool { return false })
	if want := []string{"save", "forget", "forget", "forget"}; !slices.Equal(order.calls, want) {
		t.Errorf("got %v, want %v", order.calls, want)
	}
}

// callOrder records in which order a page is saved and connections are forgotten.
type callOrder struct {
	hub.Store
	calls []string
}

func (s *callOrder) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	s.calls = append(s.calls, "save")
	return s.Store.SaveSweep(ctx, sweep, now)
}

func (s *callOrder) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	s.calls = append(s.calls, "forget")
	return s.Store.Forget(ctx, id, topics...)
}

// TestFailingCrowdStopsNobody checks that a crowd whose viewers cannot be read does not
// stop another one.
func TestFailingCrowdStopsNobody(t *testing.T) {
	th, h := crowd(t, 9, 3)
	for i := range 9 {
		th.connect(fmt.Sprintf("x%02d", i), guest, "sku:X")
	}
	th.stock("A", 1)
	th.stock("X", 1)
	th.broadcastWith(h)
	broken := th.withStore(unreadableViewers{th.store}).WithPostsPerSecond(3)
	report, err := broken.Sweep(t.Context(), always)
	if !errors.Is(err, errSave) || report.Failed != 1 || report.Posts != 9 || report.Ended != 1 {
		t.Errorf("got %+v, %v, want one crowd to fail and the other to be served", report, err)
	}
}

// unreadableViewers fails to read the viewers of A.
type unreadableViewers struct{ hub.Store }

func (s unreadableViewers) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if t.Name == "A" {
		return nil, "", errSave
	}
	return s.Store.Subscribers(ctx, t, after, limit)
}

// TestBatchFailsWithoutSweep checks that a batch that cannot ask for a sweep comes again
// from that change on.
func TestBatchFailsWithoutSweep(t *testing.T) {
	th, _ := crowd(t, 5, 3)
	th.connect("b1", bob, "sku:B")
	th.stock("B", 1)
	th.stock("A", 3)
	th.stock("C", 3)
	h := th.withStore(noAsks{th.store}).WithPostsPerSecond(3)
	report, err := h.Broadcast(t.Context(), th.numbered())
	var failed *hub.BatchError
	if !errors.As(err, &failed) || failed.Index != 1 || !errors.Is(err, errSave) || report.Failed != 2 {
		t.Errorf("got %+v, %v, want the second change to fail", report, err)
	}
	if got := th.posted(); !slices.Equal(got, []string{"b1"}) {
		t.Errorf("the batch posted to %v", got)
	}
}

type noAsks struct{ hub.Store }

func (noAsks) AskSweep(context.Context, hub.Topic, string, string, time.Time) error { return errSave }
