package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

var errBroken = errors.New("broken")

func isBroken(id string) bool { return strings.HasPrefix(id, "broken") }

// partlyFailing is a store in which one method fails for connections named broken,
// or for the SKU that only they watch.
type partlyFailing struct {
	hub.Store
	method string
}

func (s partlyFailing) fails(method, id string) error {
	if s.method == method && isBroken(id) {
		return errBroken
	}
	return nil
}

func (s partlyFailing) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	for _, id := range ids {
		if err := s.fails("ConnectionsOf", id); err != nil {
			return nil, err
		}
	}
	return s.Store.ConnectionsOf(ctx, ids)
}

func (s partlyFailing) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if s.method == "Items" && slices.Contains(skus, "BROKEN") {
		return nil, errBroken
	}
	return s.Store.Items(ctx, skus)
}

func (s partlyFailing) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	return errors.Join(s.fails("Forget", id), s.Store.Forget(ctx, id, topics...)) // fails although it was carried out
}

func (s partlyFailing) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	errs := s.Store.ClearRetryMarks(ctx, slices.DeleteFunc(slices.Clone(marks), func(m hub.RetryMark) bool {
		return s.fails("ClearRetryMarks", m.ConnectionID) != nil
	}))
	for i, m := range marks {
		if err := s.fails("ClearRetryMarks", m.ConnectionID); err != nil {
			errs = slices.Insert(errs, i, err)
		}
	}
	return errs
}

// TestHealSkipsBrokenMarks sets a full batch of marks that can never be settled.
// The same call still heals the mark behind them, and each mark counts once.
func TestHealSkipsBrokenMarks(t *testing.T) {
	const broken = 100
	failures := []struct {
		name            string
		method          string // of the store, which fails
		postError       error
		disconnectError error
	}{
		{"connections unreadable", "ConnectionsOf", nil, nil},
		{"state unreadable", "Items", nil, nil},
		{"gone, Forget fails", "Forget", hub.ErrGone, nil},
		{"closed, Forget fails", "Forget", hub.ErrTooLarge, nil},
		{"healed, ClearRetryMarks fails", "ClearRetryMarks", nil, nil},
		{"throttled, Disconnect fails", "", hub.ErrThrottled, hub.ErrThrottled},
		{"forbidden", "", hub.ErrForbidden, hub.ErrForbidden},
	}
	for _, tt := range failures {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			th.stock("BROKEN", 9)
			th.stock("A", 9)
			for i := range broken {
				th.connect(fmt.Sprintf("broken%03d", i), guest, "sku:BROKEN")
			}
			th.connect("healthy", guest, "sku:A")
			th.postError = func(hub.Post) error { return hub.ErrThrottled }
			th.changes = nil
			th.stock("BROKEN", 1)
			th.broadcast()
			th.stock("A", 1)
			th.broadcast() // marked last

			var tried []hub.Undelivered
			for i := range broken {
				tried = append(tried, hub.Undelivered{ConnectionID: fmt.Sprintf("broken%03d", i), Failed: true})
			}
			for range 2 {
				if err := errors.Join(th.store.MarkForRetry(t.Context(), tried, th.now)...); err != nil {
					t.Fatal(err)
				}
			}
			th.now = th.now.Add(2 * time.Minute)
			th.postError = func(p hub.Post) error {
				if isBroken(p.ConnectionID) {
					return tt.postError
				}
				return nil
			}
			th.disconnectError = func(string) error { return tt.disconnectError }
			report, _, err := th.withStore(partlyFailing{th.store, tt.method}).Heal(t.Context(), "")
			if err == nil {
				t.Error("got no error")
			}
			equal(t, "report", report, hub.HealReport{Healed: 1, Kept: broken, Failed: broken})
			marks, _, err := th.store.RetryMarks(t.Context(), "", 2*broken)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "marks", len(marks), broken)
		})
	}
}

// TestHealTakesTurns checks that slow connections do not keep others from being
// healed.
func TestHealTakesTurns(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	for i := range 1_000 {
		th.connect(fmt.Sprintf("slow%04d", i), guest, "sku:A")
	}
	th.connect("healthy", guest, "sku:A") // marked last
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 1)
	th.broadcast()
	th.postError = func(p hub.Post) error {
		if p.ConnectionID == "healthy" {
			return nil
		}
		return hub.ErrThrottled
	}
	report, _, err := th.Heal(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "report", report, hub.HealReport{Healed: 1, Kept: 1_000})
}

func TestHealSkipsUnsubscribedTopics(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.vendorStock("B", "acme", 9)
	guestConn, vendorConn := th.connect("c1", guest, "sku:A"), th.connect("v", acme, "vendor:acme")
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 1)
	th.vendorStock("B", "acme", 8)
	th.broadcast()
	if _, err := th.Unsubscribe(t.Context(), guestConn, wire.Request{All: true}); err != nil {
		t.Fatal(err)
	}
	th.postError, th.sent = nil, nil
	if _, _, err := th.Heal(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	th.wantGot(vendorConn.ID, delta(`"sku:B":{"version":2,"state":"in","quantity":8}`))
}

func TestHealClosesAfterAMinute(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.connect("c1", guest, "sku:A")
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 1)
	th.broadcast()
	for _, tt := range []struct {
		after time.Duration
		want  hub.HealReport
	}{
		{time.Second, hub.HealReport{Kept: 1}},
		{58 * time.Second, hub.HealReport{Kept: 1}},
		{2 * time.Second, hub.HealReport{Closed: 1}},
		{time.Second, hub.HealReport{}},
	} {
		th.now = th.now.Add(tt.after)
		report, _, err := th.Heal(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("after another ", tt.after), report, tt.want)
	}
	equal(t, "disconnected", th.disconnected, []string{"c1"})
}

func TestHealChecksRights(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 100)
	expiring := acme
	expiring.Expires = th.now.Add(time.Minute)
	th.connect("v", expiring, "vendor:acme")
	customer := alice
	customer.Expires = th.now.Add(time.Minute)
	c := th.connect("c", customer, "cart")
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 99)
	th.add(c, "A", 1, "")
	th.broadcast()
	th.postError, th.sent = nil, nil
	th.now = th.now.Add(time.Minute + hub.SessionLeeway + time.Second)
	if _, _, err := th.Heal(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	th.wantGot("v", delta(`"sku:A":{"version":2,"state":"in"}`))
}

// TestHealReachesEachMarkOnce begins at different places of the list. Each call posts once
// to each marked connection, and returns the last one that it reached.
func TestHealReachesEachMarkOnce(t *testing.T) {
	const marked = 250
	th := newTestHub(t)
	th.stock("A", 9)
	for i := range marked {
		th.connect(fmt.Sprintf("c%04d", i), guest, "sku:A")
	}
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 1)
	th.broadcast()
	for after, last := range map[string]string{
		"": "c0249", "c0000": "c0000", "c0099": "c0099", "c0100x": "c0100", "c0249": "c0249", "unknown": "c0249",
	} {
		posts := map[string]int{}
		th.postError = func(p hub.Post) error {
			posts[p.ConnectionID]++
			return hub.ErrThrottled
		}
		report, next, err := th.Heal(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report after "+after, report, hub.HealReport{Kept: marked})
		equal(t, "last after "+after, next, last)
		for id, n := range posts {
			if n != 1 || len(posts) != marked {
				t.Fatalf("after %s: %d posts to %s, and to %d connections", after, n, id, len(posts))
			}
		}
	}
}

// TestHealGoesOnAfterAnError lets the list fail at its second page. The next call begins
// behind the first, and reaches what was left.
func TestHealGoesOnAfterAnError(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	for i := range 150 {
		th.connect(fmt.Sprintf("c%04d", i), guest, "sku:A")
	}
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.changes = nil
	th.stock("A", 1)
	th.broadcast()
	th.postError = nil
	report, next, err := th.withStore(secondPageFails{th.store}).Heal(t.Context(), "")
	equal(t, "report", report, hub.HealReport{Healed: 100, Failed: 1})
	equal(t, "last", next, "c0099")
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v, want the error of the list", err)
	}
	report, next, err = th.Heal(t.Context(), next)
	equal(t, "report", report, hub.HealReport{Healed: 50})
	equal(t, "last", next, "c0149")
	if err != nil {
		t.Error(err)
	}
}

// secondPageFails is a store that lists only the first page of marks.
type secondPageFails struct{ hub.Store }

func (s secondPageFails) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if after != "" {
		return nil, "", errBroken
	}
	return s.Store.RetryMarks(ctx, after, limit)
}
