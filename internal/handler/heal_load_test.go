package handler_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// What a call takes in AWS, in these tests. The microsecond keeps the ends of calls away from
// deadlines.
const (
	storeCall = 5*time.Millisecond + time.Microsecond
	postCall  = 15 * time.Millisecond
	healPosts = 500 // a second, as in template.yaml
)

// distantStore is a memory store whose calls take as long as DynamoDB's requests.
type distantStore struct{ *memstore.Store }

// requests pauses for requests that are made one after the other.
func (s distantStore) requests(ctx context.Context, n int) error {
	return pause(ctx, time.Duration(n)*storeCall)
}

// writers is how many marks dynamostore writes concurrently.
const writers = 10

func (s distantStore) MarkForRetry(ctx context.Context, u []hub.Undelivered, now time.Time) []error {
	_ = s.requests(ctx, (len(u)+writers-1)/writers)
	return s.Store.MarkForRetry(ctx, u, now)
}

func (s distantStore) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	_ = s.requests(ctx, (len(marks)+writers-1)/writers)
	return s.Store.ClearRetryMarks(ctx, marks)
}

func (s distantStore) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if err := s.requests(ctx, 1); err != nil {
		return nil, "", err
	}
	return s.Store.RetryMarks(ctx, after, limit)
}

func (s distantStore) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	if err := s.requests(ctx, (len(ids)+99)/100); err != nil {
		return nil, err
	}
	return s.Store.ConnectionsOf(ctx, ids)
}

func (s distantStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := s.requests(ctx, (len(skus)+99)/100); err != nil {
		return nil, err
	}
	return s.Store.Items(ctx, skus)
}

func (s distantStore) Epoch(ctx context.Context) (hub.Epoch, error) {
	if err := s.requests(ctx, 1); err != nil {
		return hub.Epoch{}, err
	}
	return s.Store.Epoch(ctx)
}

func (s distantStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := s.requests(ctx, 1); err != nil {
		return hub.Cart{}, err
	}
	return s.Store.Cart(ctx, id)
}

func (s distantStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	if err := s.requests(ctx, 4); err != nil { // read, holder, row, subscriptions
		return err
	}
	return s.Store.Forget(ctx, id, topics...)
}

// healingFixture is the broadcast function on a schedule, with marked connections.
type healingFixture struct {
	*testing.T
	store   distantStore
	api     *fakeAPI
	handle  handler.BroadcastFunc
	reports []hub.HealReport
	longest time.Duration // of an invocation
	failed  int           // errors that the next healing shall have
}

func newHealingFixture(t *testing.T) *healingFixture {
	f := &healingFixture{
		T: t, store: distantStore{memstore.New("k3")}, api: &fakeAPI{got: map[string][]int64{}, closed: map[string]bool{}},
	}
	f.api.answer = func(ctx context.Context, _ string) error { return pause(ctx, postCall) }
	h := hub.New(f.store, apigw.New(f.api, apigw.Options{PostsPerSecond: healPosts}), time.Now)
	onHeal := func(_ context.Context, r hub.HealReport) { f.reports = append(f.reports, r) }
	f.handle = handler.Broadcast(h, handler.BroadcastOptions{OnHeal: onHeal}, slog.New(slog.DiscardHandler))
	if err := f.store.Store.PutItem(t.Context(), hub.Item{SKU: "A", Version: 2, Available: 1}, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

// mark connects and marks connections, each with the topic of its number.
func (f *healingFixture) mark(n int, topic func(i int) hub.Topic) {
	f.Helper()
	for i, id := range ids("c", n) {
		c := hub.Connection{
			ID: id, ConnectedAt: time.Now().Add(-time.Hour),
			Principal: hub.Principal{User: fmt.Sprint("user", i), Role: hub.RoleCustomer},
		}
		topics := []hub.Topic{topic(i)}
		err := f.store.PutConnection(f.Context(), c)
		if err == nil {
			err = errOf(f.store.Subscribe(f.Context(), c, topics))
		}
		if err == nil {
			u := []hub.Undelivered{{ConnectionID: id, Topics: topics}}
			err = f.store.Store.MarkForRetry(f.Context(), u, time.Now())[0]
		}
		if err != nil {
			f.Fatal(err)
		}
	}
}

// run invokes the function once.
func (f *healingFixture) run() hub.HealReport {
	f.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(f.Context(), functionTimeout)
	defer cancel()
	if _, err := f.handle(ctx, handler.BroadcastEvent{DynamoDBEvent: events.DynamoDBEvent{}}); err != nil {
		f.Fatal(err)
	}
	f.longest = max(f.longest, time.Since(began))
	report := f.reports[len(f.reports)-1]
	if report.Failed != f.failed {
		f.Errorf("got %+v, want %d errors: time must be left for the store", report, f.failed)
	}
	return report
}

// runEveryMinute runs until no mark is left, for at most some minutes.
func (f *healingFixture) runEveryMinute(minutes int) {
	f.Helper()
	for range minutes {
		began := time.Now()
		f.run()
		if f.left() == 0 {
			return
		}
		<-time.After(time.Minute - time.Since(began))
	}
}

func (f *healingFixture) left() int {
	marks, _, err := f.store.Store.RetryMarks(f.Context(), "", 1_000_000)
	if err != nil {
		f.Fatal(err)
	}
	return len(marks)
}

func badge(int) hub.Topic { return hub.Topic{Kind: hub.KindSKU, Name: "A"} }

func ownCart(i int) hub.Topic { return hub.Topic{Kind: hub.KindCart, Name: fmt.Sprint("u~user", i)} }

// TestHealMany checks how many marked connections are healed within a minute, at the
// default budget. No connection is closed because its turn came late.
func TestHealMany(t *testing.T) {
	for _, tt := range []struct {
		name    string
		marks   int
		topic   func(int) hub.Topic
		minutes int // until all are healed
	}{
		{"1 000 badges", 1_000, badge, 1},
		{"2 000 badges", 2_000, badge, 1},
		{"2 000 carts", 2_000, ownCart, 1},
		{"10 000 badges", 10_000, badge, 1},
		{"20 000 badges", 20_000, badge, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newHealingFixture(t)
				f.mark(tt.marks, tt.topic)
				f.runEveryMinute(10)
				if left := f.left(); left > 0 || len(f.reports) != tt.minutes {
					t.Errorf("%d marks are left after %d minutes, want none after %d", left, len(f.reports), tt.minutes)
				}
				healed := 0
				for _, r := range f.reports {
					healed += r.Healed
				}
				if healed != tt.marks || len(f.api.closed) > 0 {
					t.Errorf("%d were healed and %d closed, want %d and none", healed, len(f.api.closed), tt.marks)
				}
				if f.longest > functionTimeout-400*time.Millisecond {
					t.Errorf("an invocation took %s, want it to end half a second before %s", f.longest, functionTimeout)
				}
				t.Logf("%d marks: the longest invocation took %s", tt.marks, f.longest)
			})
		})
	}
}

// TestHealWhileTheAccountIsThrottled lets every post fail for ten minutes. No connection is
// closed, and all are healed afterwards.
func TestHealWhileTheAccountIsThrottled(t *testing.T) {
	for _, kind := range []int{429, 500, 503} {
		synctest.Test(t, func(t *testing.T) {
			f := newHealingFixture(t)
			f.mark(500, badge)
			works := f.api.answer
			f.api.answer = func(context.Context, string) error { return status(kind) }
			if kind >= 500 {
				f.failed = 1 // no post works
			}
			f.runEveryMinute(10)
			if len(f.api.closed) > 0 || f.left() != 500 {
				t.Errorf("%d: %d were closed and %d are marked, want none and 500", kind, len(f.api.closed), f.left())
			}
			f.api.answer, f.failed = works, 0
			f.runEveryMinute(2)
			if len(f.api.closed) > 0 || f.left() != 0 {
				t.Errorf("%d: %d were closed and %d are left, want none", kind, len(f.api.closed), f.left())
			}
		})
	}
}

// TestHealClosesOnlyWhatFails lets posts to some connections fail and heals others each
// minute. Those are closed after three tries, and nobody else.
func TestHealClosesOnlyWhatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHealingFixture(t)
		f.mark(300, badge)
		works := f.api.answer
		f.api.answer = func(ctx context.Context, id string) error { // a 429 would slow down the others
			if id < "c0150" {
				return status(500)
			}
			return works(ctx, id)
		}
		for minute, want := range []hub.HealReport{
			{Healed: 150, Kept: 150}, {Kept: 150, Failed: 1}, {Healed: 1, Kept: 150}, {Healed: 1, Closed: 100, Kept: 50},
			{Healed: 1, Closed: 50},
		} {
			if minute >= 2 { // evidence that the account works
				u := []hub.Undelivered{{ConnectionID: "c0299", Topics: []hub.Topic{badge(0)}}}
				if err := f.store.Store.MarkForRetry(t.Context(), u, time.Now())[0]; err != nil {
					t.Fatal(err)
				}
			}
			f.failed = want.Failed
			if got := f.run(); got != want {
				t.Errorf("minute %d: got %+v, want %+v", minute, got, want)
			}
			time.Sleep(time.Minute)
		}
		if n := len(f.api.closed); n != 150 || count(closedIDs(f.api), "c00") != 100 || count(closedIDs(f.api), "c01") != 50 {
			t.Errorf("%d were closed, want the 150 that failed", n)
		}
	})
}

func closedIDs(a *fakeAPI) []string {
	var all []string
	for id := range a.closed {
		all = append(all, id)
	}
	return all
}

// TestHealEndsInTime checks that healing against a slow service ends before the deadline,
// goes on where it stopped, and closes nobody.
func TestHealEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHealingFixture(t)
		f.mark(13_000, badge)
		works := f.api.answer
		f.api.answer = func(ctx context.Context, id string) error {
			if err := pause(ctx, 1003*time.Millisecond); err != nil {
				return err
			}
			return works(ctx, id)
		}
		f.runEveryMinute(20)
		if f.left() != 0 || len(f.api.closed) > 0 {
			t.Errorf("%d marks are left and %d were closed, want none", f.left(), len(f.api.closed))
		}
		if f.longest > functionTimeout-400*time.Millisecond {
			t.Errorf("an invocation took %s", f.longest)
		}
		for id, versions := range f.api.got {
			if len(versions) != 1 {
				t.Errorf("%s got %v, want its state once", id, versions)
			}
		}
	})
}
