package handler_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// sweepFixture is the broadcast function with a crowd of seven, of which it serves three at a time.
type sweepFixture struct {
	store *memstore.Store
	hub   *hub.Hub
	posts int
	rung  int
	swept []hub.SweepReport
	fails error // of the store, at a save of a sweep
}

// Post implements [hub.Poster].
func (f *sweepFixture) Post(_ context.Context, posts []hub.Post) []error {
	f.posts += len(posts)
	return make([]error, len(posts))
}

// Disconnect implements [hub.Poster].
func (f *sweepFixture) Disconnect(context.Context, string, string) error { return nil }

// failingSweeps is the store of a sweepFixture.
type failingSweeps struct {
	hub.Store
	f *sweepFixture
}

func (s failingSweeps) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	if s.f.fails != nil {
		return s.f.fails
	}
	return s.Store.SaveSweep(ctx, sweep, now)
}

func newSweepFixture(t *testing.T) (*sweepFixture, handler.BroadcastFunc) {
	t.Helper()
	f := &sweepFixture{store: memstore.New("k1")}
	f.store.FollowSweeps(func(hub.Topic) { f.rung++ })
	f.hub = hub.New(failingSweeps{f.store, f}, f, time.Now).WithPostsPerSecond(3)
	topic := hub.Topic{Kind: hub.KindSKU, Name: "A"}
	err := f.store.PutItem(t.Context(), hub.Item{SKU: "A", Version: 1, Available: 3}, 0)
	for i := range 7 {
		c := hub.Connection{
			ID: fmt.Sprint("c", i), Principal: hub.Principal{User: "alice", Role: hub.RoleCustomer}, ConnectedAt: time.Now(),
		}
		err = errors.Join(err, f.store.PutConnection(t.Context(), c),
			errOf(f.store.Subscribe(t.Context(), c, []hub.Topic{topic})))
	}
	if err := errors.Join(err, f.store.AskSweep(t.Context(), topic, "100", "", time.Now())); err != nil {
		t.Fatal(err)
	}
	f.rung = 0
	return f, handler.Broadcast(f.hub, handler.BroadcastOptions{
		SweepTable: "shop-sweeps",
		OnSweep:    func(_ context.Context, r hub.SweepReport) { f.swept = append(f.swept, r) },
	}, slog.New(slog.DiscardHandler))
}

// bells returns an event with records of a table.
func bells(table string, sequences ...string) (e handler.BroadcastEvent) {
	for _, sequence := range sequences {
		e.Records = append(e.Records, events.DynamoDBEventRecord{
			EventSourceArn: "arn:aws:dynamodb:eu-central-1:123456789012:table/" + table + "/stream/2026-01-01T00:00:00.000",
			Change: events.DynamoDBStreamRecord{SequenceNumber: sequence, Keys: map[string]events.DynamoDBAttributeValue{
				"pk": events.NewStringAttribute("S"), "sk": events.NewStringAttribute("sku:A"),
			}},
		})
	}
	return e
}

func TestBellSweeps(t *testing.T) {
	f, broadcast := newSweepFixture(t)
	answer, err := broadcast(t.Context(), bells("shop-sweeps", "5", "6"))
	if err != nil || len(answer.BatchItemFailures) > 0 || f.posts != 7 {
		t.Errorf("got %v, %v and %d posts, want 7", answer, err, f.posts)
	}
	if want := (hub.SweepReport{Begun: 1, Ended: 1, Pages: 3, Posts: 7}); len(f.swept) != 1 || f.swept[0] != want {
		t.Errorf("got reports %+v, want %+v", f.swept, want)
	}
}

// TestRecordOfAnotherTableIsNoBell checks that only records of the table of sweeps sweep.
func TestRecordOfAnotherTableIsNoBell(t *testing.T) {
	f, broadcast := newSweepFixture(t)
	if _, err := broadcast(t.Context(), bells("shop-inventory", "5")); err != nil || len(f.swept) > 0 || f.posts > 0 {
		t.Errorf("got %v, %d sweeps, %d posts, want none", err, len(f.swept), f.posts)
	}
}

// TestSweepThatFailsComesAgain checks that all bells come again after an error.
func TestSweepThatFailsComesAgain(t *testing.T) {
	f, broadcast := newSweepFixture(t)
	f.fails = errors.New("no table")
	answer, err := broadcast(t.Context(), bells("shop-sweeps", "5", "6"))
	if err != nil || len(answer.BatchItemFailures) != 1 || answer.BatchItemFailures[0].ItemIdentifier != "5" {
		t.Errorf("got %v, %v, want the first bell", answer, err)
	}
	if len(f.swept) != 1 || f.swept[0].Failed != 1 {
		t.Errorf("got %+v, want one failed page", f.swept)
	}
}

// TestSweepStopsInTime checks that no page begins when little time is left, and that the
// work that is left has rung its bell.
func TestSweepStopsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, broadcast := newSweepFixture(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		answer, err := broadcast(ctx, bells("shop-sweeps", "5"))
		if err != nil || len(answer.BatchItemFailures) > 0 || f.posts != 3 || f.rung != 1 {
			t.Errorf("got %v, %v, %d posts and %d bells, want one page and one bell", answer, err, f.posts, f.rung)
		}
		if _, err := broadcast(t.Context(), bells("shop-sweeps", "6")); err != nil || f.posts != 7 {
			t.Errorf("got %v and %d posts, want the other four", err, f.posts)
		}
	})
}

// TestScheduleRingsBells checks that the schedule rings for a sweep without progress, and
// sweeps nothing itself.
func TestScheduleRingsBells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, broadcast := newSweepFixture(t)
		for _, want := range []int{0, 1, 1} {
			if _, err := broadcast(t.Context(), handler.BroadcastEvent{}); err != nil || f.rung != want || f.posts != 0 {
				t.Errorf("got %v, %d bells and %d posts, want %d bells and no post", err, f.rung, f.posts, want)
			}
			if f.rung == 0 {
				time.Sleep(time.Minute + time.Second)
			}
		}
	})
}
