package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// The seven rules of the package comment.

func TestRuleAbsoluteAndVersioned(t *testing.T) {
	th := newTestHub(t)
	th.connect("c1", guest)
	th.stock("A", 9)
	th.subscribe(hub.Connection{ID: "c1", Principal: guest}, "sku:A")
	th.changes = nil

	t.Run("a delta is the whole new value with its version", func(t *testing.T) {
		th.stock("A", 3)
		th.broadcast()
		th.wantGot("c1", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`))
	})
	t.Run("an item that is created again continues its versions", func(t *testing.T) {
		if _, err := th.DeleteStock(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
		th.broadcast()
		th.wantGot("c1", delta(`"sku:A":{"version":3,"state":"out"}`))
		th.stock("A", 4)
		th.broadcast()
		th.wantGot("c1", delta(`"sku:A":{"version":4,"state":"low","quantity":4}`))
	})
	t.Run("versions of another epoch do not count", func(t *testing.T) {
		r := subscribeTo("sku:A")
		r.Topics[0].Version, r.Epoch = 4, "k0"
		s, err := th.Subscribe(t.Context(), hub.Connection{ID: "c1", Principal: guest}, r)
		if err != nil || len(s.Topics) != 1 || s.Epoch != "k1" {
			t.Errorf("got %+v, %v, want the value and epoch k1", s, err)
		}
	})
}

func TestRuleSubscribeThenRead(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.changes = nil
	// Right before the snapshot is read, the subscription must exist.
	subscribed := false
	h := th.withStore(hookedStore{Store: th.store, beforeItems: func() {
		page, _, _ := th.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindSKU, Name: "A"}, "", 10)
		subscribed = len(page) == 1
	}})
	if _, err := h.Subscribe(t.Context(), hub.Connection{ID: "c1", Principal: guest}, subscribeTo("sku:A")); err != nil {
		t.Fatal(err)
	}
	if !subscribed {
		t.Error("the snapshot was read before the subscription was stored")
	}
}

func TestRuleRepliesRideOnTheRequest(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	c := th.connect("c1", alice, "sku:A", "cart")
	th.add(c, "A", 1, "k")
	th.set(c, "A", 2)
	if _, err := th.Get(t.Context(), c, subscribeTo("sku:A")); err != nil {
		t.Fatal(err)
	}
	if _, err := th.Unsubscribe(t.Context(), c, wire.Request{All: true}); err != nil {
		t.Fatal(err)
	}
	if err := th.Disconnect(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if len(th.sent) != 0 {
		t.Errorf("requests pushed %d messages, want none", len(th.sent))
	}
}

func TestRuleOneBadListenerHurtsNobody(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	for _, id := range []string{"gone", "good1", "slow", "good2", "young"} {
		th.connect(id, guest, "sku:A")
	}
	young := hub.Connection{ID: "young", Principal: guest, ConnectedAt: th.now.Add(-10 * time.Second)}
	if err := errOf(th.store.Subscribe(t.Context(), young, []hub.Topic{{Kind: hub.KindSKU, Name: "A"}})); err != nil {
		t.Fatal(err)
	}
	th.postError = func(p hub.Post) error {
		switch p.ConnectionID {
		case "gone", "young":
			return fmt.Errorf("post: %w", hub.ErrGone)
		case "slow":
			return hub.ErrThrottled
		}
		return nil
	}
	th.changes = nil
	th.now = th.now.Add(time.Millisecond)
	th.stock("A", 0)
	report := th.broadcast()

	news := delta(`"sku:A":{"version":2,"state":"out"}`)
	th.wantGot("good1", news, "good2", news)
	equal(t, "report", report, hub.Report{Changes: 1, Posts: 2, Gone: 1, Marked: 2, Throttled: 1,
		Latencies: []time.Duration{0}})
	if _, err := th.store.Connection(t.Context(), "gone"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("gone connection: got %v, want ErrGone", err)
	}
	var marked []string
	marks, _, _ := th.store.RetryMarks(t.Context(), "", 10)
	for _, m := range marks {
		marked = append(marked, m.ConnectionID)
	}
	slices.Sort(marked)
	equal(t, "marked", marked, []string{"slow", "young"})

	t.Run("missed changes are healed", func(t *testing.T) {
		th.postError, th.sent = nil, nil
		report, _, err := th.Heal(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", report, hub.HealReport{Healed: 2})
		th.wantGot("slow", news, "young", news)
		report, _, _ = th.Heal(t.Context(), "")
		equal(t, "second report", report, hub.HealReport{})
	})
}

func TestRuleInOrderPerItemAtLeastOnce(t *testing.T) {
	th := newTestHub(t)
	for _, sku := range []string{"A", "BAD", "C"} {
		th.stock(sku, 9)
	}
	th.connect("c1", guest, "sku:A", "sku:BAD", "sku:C")
	th.changes = nil
	th.stock("A", 1)
	th.stock("BAD", 1)
	th.stock("C", 1)
	th.stock("BAD", 2)

	t.Run("a failure to read subscribers", func(t *testing.T) {
		h := th.withStore(failingStore{Store: th.store, subscribers: errors.New("down")})
		_, err := h.Broadcast(t.Context(), th.changes)
		var failed *hub.BatchError
		if !errors.As(err, &failed) || failed.Index != 1 {
			t.Fatalf("got %v, want the second change as the first that failed", err)
		}
		th.wantGot("c1", delta(`"sku:A":{"version":2,"state":"low","quantity":1},`+
			`"sku:C":{"version":2,"state":"low","quantity":1}`))
	})
	t.Run("a failure to record a mark", func(t *testing.T) {
		th.postError = func(hub.Post) error { return hub.ErrThrottled }
		h := th.withStore(failingStore{Store: th.store, markForRetry: errors.New("down")})
		_, err := h.Broadcast(t.Context(), th.changes[2:])
		var failed *hub.BatchError
		if !errors.As(err, &failed) || failed.Index != 0 {
			t.Fatalf("got %v, want the first change as the first that failed", err)
		}
	})
	t.Run("failed posts do not fail the batch", func(t *testing.T) {
		th.postError = func(hub.Post) error { return errors.New("500") }
		if _, err := th.Broadcast(t.Context(), th.changes); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
	t.Run("a repeated batch sends the newest state", func(t *testing.T) {
		th.postError, th.sent = nil, nil
		if _, err := th.Broadcast(t.Context(), th.changes[1:]); err != nil {
			t.Fatal(err)
		}
		th.wantGot("c1", delta(`"sku:BAD":{"version":3,"state":"low","quantity":2},`+
			`"sku:C":{"version":2,"state":"low","quantity":1}`))
	})
}

func TestRuleDisconnectIsACourtesy(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)

	t.Run("a 410 cleans up", func(t *testing.T) {
		th.connect("c1", guest, "sku:A")
		th.postError = func(hub.Post) error { return hub.ErrGone }
		th.changes = nil
		th.stock("A", 1)
		th.broadcast()
		page, _, _ := th.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindSKU, Name: "A"}, "", 10)
		equal(t, "subscribers", len(page), 0)
	})
	t.Run("rows expire", func(t *testing.T) {
		th.postError = nil
		th.connect("c2", guest, "sku:A")
		th.now = th.now.Add(hub.ConnectionLife)
		th.changes = nil
		th.stock("A", 2)
		th.broadcast()
		th.wantGot()
	})
	t.Run("Disconnect is idempotent", func(t *testing.T) {
		th.connect("c3", guest, "sku:A")
		if err := errors.Join(th.Disconnect(t.Context(), "c3"), th.Disconnect(t.Context(), "c3"),
			th.Disconnect(t.Context(), "never")); err != nil {
			t.Error(err)
		}
	})
	t.Run("late messages do not bring a connection back", func(t *testing.T) {
		c := th.connect("c5", alice)
		if err := th.Disconnect(t.Context(), "c5"); err != nil {
			t.Fatal(err)
		}
		_, subscribeErr := th.Subscribe(t.Context(), c, subscribeTo("cart"))
		for what, err := range map[string]error{"subscribe": subscribeErr, "renew": th.Renew(t.Context(), c, alice)} {
			if !errors.Is(err, hub.ErrGone) {
				t.Errorf("%s: got %v, want ErrGone", what, err)
			}
		}
		holder, err := th.store.Holder(t.Context(), alice.CartID(), "", 10)
		if err != nil || len(holder.Connections) > 0 {
			t.Errorf("its user has connections %v, %v, want none", holder.Connections, err)
		}
	})
	t.Run("a connection that was forgotten too early is recorded again", func(t *testing.T) {
		c := th.connect("c4", alice)
		if err := th.store.Forget(t.Context(), "c4"); err != nil {
			t.Fatal(err)
		}
		th.subscribe(c, "sku:A")
		again, err := th.store.Connection(t.Context(), "c4")
		if err != nil || again.Principal.User != "alice" || len(again.Topics) != 1 {
			t.Errorf("got %+v, %v, want alice with one topic", again, err)
		}
	})
}

func TestRuleACartHasOneOwner(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 99)
	aliceConn := th.connect("hers", alice, "cart")
	bobConn := th.connect("his", bob, "cart")
	th.connect("watch", admin, "cart:u~alice")
	expiring := alice
	expiring.Expires = th.now.Add(time.Minute)
	old := th.connect("old", expiring, "cart")

	t.Run("at subscribe", func(t *testing.T) {
		equal(t, "refused", th.subscribe(bobConn, "cart:u~alice", "vendor:acme").Refused,
			map[string]wire.Code{"cart:u~alice": "denied", "vendor:acme": "denied"})
	})
	t.Run("at send", func(t *testing.T) {
		th.changes = nil
		th.add(aliceConn, "A", 1, "")
		th.broadcast()
		line := `{"version":1,"lines":{"A":{"quantity":1,"version":1}}}`
		th.wantGot("hers", delta(`"cart":`+line), "old", delta(`"cart":`+line), "watch", delta(`"cart:u~alice":`+line))
	})
	t.Run("access ends with the session", func(t *testing.T) {
		th.now = expiring.Expires.Add(hub.SessionLeeway + time.Millisecond)
		th.changes = nil
		th.add(aliceConn, "A", 1, "")
		report := th.broadcast()
		equal(t, "sent to the expired connection", th.got()["old"], []string{expiredNotice})
		if report.Denied != 1 || report.Expired != 1 {
			t.Errorf("%d denied and %d ended, want one each", report.Denied, report.Expired)
		}
		equal(t, "refused", th.subscribe(old, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		_, err := th.Add(t.Context(), old, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("access continues with a new session", func(t *testing.T) {
		if err := th.Renew(t.Context(), old, alice); err != nil {
			t.Fatal(err)
		}
		th.subscribe(old, "cart")
		th.changes = nil
		th.add(aliceConn, "A", 1, "")
		th.broadcast()
		equal(t, "messages to the renewed connection", len(th.got()["old"]), 1)
	})
	t.Run("a token of another user is refused", func(t *testing.T) {
		if err := th.Renew(t.Context(), bobConn, alice); !errors.Is(err, hub.ErrForbidden) {
			t.Errorf("got %v, want ErrForbidden", err)
		}
	})
	t.Run("a guest who logs in leaves the guest's cart", func(t *testing.T) {
		g := th.connect("g", guest, "cart", "sku:A")
		if err := th.Renew(t.Context(), g, bob); err != nil {
			t.Fatal(err)
		}
		c, _ := th.store.Connection(t.Context(), "g")
		equal(t, "topics", fmt.Sprint(c.Topics), "[sku:A]")
	})
}

// failingStore is a store whose methods fail with the given errors.
type failingStore struct {
	hub.Store
	subscribers  error // of the SKU BAD
	markForRetry error
}

func (f failingStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if f.subscribers != nil && t.Name == "BAD" {
		return nil, "", f.subscribers
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

func (f failingStore) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	if f.markForRetry != nil {
		return slices.Repeat([]error{f.markForRetry}, len(undelivered))
	}
	return f.Store.MarkForRetry(ctx, undelivered, now)
}
