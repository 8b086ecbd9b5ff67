package hub_test

import (
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
	b := newTestHub(t)
	b.connect("c1", guest)
	b.stock("A", 9)
	b.subscribe(hub.Connection{ID: "c1", Principal: guest}, "sku:A")
	b.changes = nil

	t.Run("a delta is the whole new value with its version", func(t *testing.T) {
		b.stock("A", 3)
		b.broadcast()
		b.wantGot("c1", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`))
	})
	t.Run("an item made again goes on counting", func(t *testing.T) {
		if _, err := b.DeleteStock(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
		b.broadcast()
		b.wantGot("c1", delta(`"sku:A":{"version":3,"state":"out"}`))
		b.stock("A", 4)
		b.broadcast()
		b.wantGot("c1", delta(`"sku:A":{"version":4,"state":"low","quantity":4}`))
	})
	t.Run("versions of another epoch count as none", func(t *testing.T) {
		r := subscribeTo("sku:A")
		r.Topics[0].Version, r.Epoch = 4, "k0"
		s, err := b.Subscribe(t.Context(), hub.Connection{ID: "c1", Principal: guest}, r)
		if err != nil || len(s.Topics) != 1 || s.Epoch != "k1" {
			t.Errorf("got %+v, %v, want the value and epoch k1", s, err)
		}
	})
}

func TestRuleSubscribeThenRead(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	b.changes = nil
	// A change comes right before the snapshot is read: the subscription has to be
	// there by then.
	subscribed := false
	h := b.withStore(failingStore{Store: b.store, beforeItems: func() {
		page, _, _ := b.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindSKU, Name: "A"}, "", 10)
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
	b := newTestHub(t)
	b.stock("A", 9)
	c := b.connect("c1", alice, "sku:A", "cart")
	b.add(c, "A", 1, "k")
	b.set(c, "A", 2)
	if _, err := b.Get(t.Context(), c, subscribeTo("sku:A")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Unsubscribe(t.Context(), c, wire.Request{All: true}); err != nil {
		t.Fatal(err)
	}
	if err := b.Disconnect(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if len(b.sent) != 0 {
		t.Errorf("requests pushed %d messages, want none", len(b.sent))
	}
}

func TestRuleOneBadListenerHurtsNobody(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	for _, id := range []string{"gone", "good1", "slow", "good2", "young"} {
		b.connect(id, guest, "sku:A")
	}
	young := hub.Connection{ID: "young", Principal: guest, ConnectedAt: b.now.Add(-10 * time.Second)}
	if err := b.store.Subscribe(t.Context(), young, []hub.Topic{{Kind: hub.KindSKU, Name: "A"}}); err != nil {
		t.Fatal(err)
	}
	b.postError = func(p hub.Post) error {
		switch p.ConnectionID {
		case "gone", "young":
			return fmt.Errorf("post: %w", hub.ErrGone)
		case "slow":
			return hub.ErrThrottled
		}
		return nil
	}
	b.changes = nil
	b.stock("A", 0)
	report := b.broadcast()

	news := delta(`"sku:A":{"version":2,"state":"out"}`)
	b.wantGot("good1", news, "good2", news)
	equal(t, "report", report, hub.Report{Changes: 1, Posts: 2, Gone: 1, Marked: 2, Throttled: 1, Latencies: []time.Duration{0}})
	if _, err := b.store.Connection(t.Context(), "gone"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("the connection that was gone: got %v, want it forgotten", err)
	}
	var marked []string
	marks, _ := b.store.RetryMarks(t.Context(), 10)
	for _, m := range marks {
		marked = append(marked, m.ConnectionID)
	}
	slices.Sort(marked)
	equal(t, "marked", marked, []string{"slow", "young"})

	t.Run("what was missed is brought later", func(t *testing.T) {
		b.postError, b.sent = nil, nil
		report, err := b.Heal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", report, hub.HealReport{Healed: 2})
		b.wantGot("slow", news, "young", news)
		report, _ = b.Heal(t.Context())
		equal(t, "a second time", report, hub.HealReport{})
	})
}

func TestRuleInOrderPerItemAtLeastOnce(t *testing.T) {
	b := newTestHub(t)
	for _, sku := range []string{"A", "BAD", "C"} {
		b.stock(sku, 9)
	}
	b.connect("c1", guest, "sku:A", "sku:BAD", "sku:C")
	b.changes = nil
	b.stock("A", 1)
	b.stock("BAD", 1)
	b.stock("C", 1)
	b.stock("BAD", 2)

	t.Run("a failure to read the audience", func(t *testing.T) {
		h := b.withStore(failingStore{Store: b.store, subscribers: errors.New("down")})
		_, err := h.Broadcast(t.Context(), b.changes)
		var failed *hub.BatchError
		if !errors.As(err, &failed) || failed.Index != 1 {
			t.Fatalf("got %v, want the second change to have failed first", err)
		}
		b.wantGot("c1", delta(`"sku:A":{"version":2,"state":"low","quantity":1},"sku:C":{"version":2,"state":"low","quantity":1}`))
	})
	t.Run("a failure to record a mark", func(t *testing.T) {
		b.postError = func(hub.Post) error { return hub.ErrThrottled }
		h := b.withStore(failingStore{Store: b.store, markForRetry: errors.New("down")})
		_, err := h.Broadcast(t.Context(), b.changes[2:])
		var failed *hub.BatchError
		if !errors.As(err, &failed) || failed.Index != 0 {
			t.Fatalf("got %v, want the first change to have failed", err)
		}
	})
	t.Run("failed posts do not fail the batch", func(t *testing.T) {
		b.postError = func(hub.Post) error { return errors.New("500") }
		if _, err := b.Broadcast(t.Context(), b.changes); err != nil {
			t.Errorf("got %v, want none", err)
		}
	})
	t.Run("delivered again, the newest is sent again", func(t *testing.T) {
		b.postError, b.sent = nil, nil
		if _, err := b.Broadcast(t.Context(), b.changes[1:]); err != nil {
			t.Fatal(err)
		}
		b.wantGot("c1", delta(`"sku:BAD":{"version":3,"state":"low","quantity":2},"sku:C":{"version":2,"state":"low","quantity":1}`))
	})
}

func TestRuleDisconnectIsACourtesy(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)

	t.Run("without it a 410 cleans up", func(t *testing.T) {
		b.connect("c1", guest, "sku:A")
		b.postError = func(hub.Post) error { return hub.ErrGone }
		b.changes = nil
		b.stock("A", 1)
		b.broadcast()
		page, _, _ := b.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindSKU, Name: "A"}, "", 10)
		equal(t, "subscribers", len(page), 0)
	})
	t.Run("without it rows expire", func(t *testing.T) {
		b.postError = nil
		b.connect("c2", guest, "sku:A")
		b.now = b.now.Add(hub.ConnectionLife)
		b.changes = nil
		b.stock("A", 2)
		b.broadcast()
		b.wantGot()
	})
	t.Run("twice is as once", func(t *testing.T) {
		b.connect("c3", guest, "sku:A")
		if err := errors.Join(b.Disconnect(t.Context(), "c3"), b.Disconnect(t.Context(), "c3"), b.Disconnect(t.Context(), "never")); err != nil {
			t.Error(err)
		}
	})
	t.Run("it may overtake messages, which bring nothing back", func(t *testing.T) {
		c := b.connect("c5", alice)
		if err := b.Disconnect(t.Context(), "c5"); err != nil {
			t.Fatal(err)
		}
		_, subscribe := b.Subscribe(t.Context(), c, subscribeTo("cart"))
		for what, err := range map[string]error{"subscribe": subscribe, "renew": b.Renew(t.Context(), c, alice)} {
			if !errors.Is(err, hub.ErrGone) {
				t.Errorf("%s: got %v, want ErrGone", what, err)
			}
		}
		o, err := b.store.Holder(t.Context(), alice.CartID(), "", 10)
		if err != nil || len(o.Connections) > 0 {
			t.Errorf("its user has %v, %v, want no connection", o.Connections, err)
		}
	})
	t.Run("a connection forgotten too early is recorded again", func(t *testing.T) {
		c := b.connect("c4", alice)
		if err := b.store.Forget(t.Context(), "c4"); err != nil {
			t.Fatal(err)
		}
		b.subscribe(c, "sku:A")
		again, err := b.store.Connection(t.Context(), "c4")
		if err != nil || again.Principal.User != "alice" || len(again.Topics) != 1 {
			t.Errorf("got %+v, %v, want alice with one topic", again, err)
		}
	})
}

func TestRuleACartHasOneOwner(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 99)
	hers := b.connect("hers", alice, "cart")
	his := b.connect("his", bob, "cart")
	b.connect("watch", admin, "cart:u~alice")
	expiring := alice
	expiring.Expires = b.now.Add(time.Minute)
	old := b.connect("old", expiring, "cart")

	t.Run("at subscribe", func(t *testing.T) {
		equal(t, "refused", b.subscribe(his, "cart:u~alice", "vendor:acme").Refused,
			map[string]wire.Code{"cart:u~alice": "denied", "vendor:acme": "denied"})
	})
	t.Run("at send", func(t *testing.T) {
		b.changes = nil
		b.add(hers, "A", 1, "")
		b.broadcast()
		line := `{"from":0,"version":1,"lines":{"A":{"quantity":1,"version":1}}}`
		b.wantGot("hers", delta(`"cart":`+line), "old", delta(`"cart":`+line), "watch", delta(`"cart:u~alice":`+line))
	})
	t.Run("it ends with the authority", func(t *testing.T) {
		b.now = expiring.Expires.Add(hub.SessionLeeway + time.Millisecond)
		b.changes = nil
		b.add(hers, "A", 1, "")
		report := b.broadcast()
		equal(t, "sent to who has no authority any more", b.got()["old"], []string{expiredNotice})
		if report.Denied != 1 || report.Ended != 1 {
			t.Errorf("%d denied and %d told, want one each", report.Denied, report.Ended)
		}
		equal(t, "refused", b.subscribe(old, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		_, err := b.Add(t.Context(), old, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("and goes on with a new one", func(t *testing.T) {
		if err := b.Renew(t.Context(), old, alice); err != nil {
			t.Fatal(err)
		}
		b.subscribe(old, "cart")
		b.changes = nil
		b.add(hers, "A", 1, "")
		b.broadcast()
		equal(t, "messages to the renewed", len(b.got()["old"]), 1)
	})
	t.Run("a token of another user is refused", func(t *testing.T) {
		if err := b.Renew(t.Context(), his, alice); !errors.Is(err, hub.ErrForbidden) {
			t.Errorf("got %v, want ErrForbidden", err)
		}
	})
	t.Run("a guest who logs in leaves the guest's cart", func(t *testing.T) {
		g := b.connect("g", guest, "cart", "sku:A")
		if err := b.Renew(t.Context(), g, bob); err != nil {
			t.Fatal(err)
		}
		c, _ := b.store.Connection(t.Context(), "g")
		equal(t, "topics", fmt.Sprint(c.Topics), "[sku:A]")
	})
}
