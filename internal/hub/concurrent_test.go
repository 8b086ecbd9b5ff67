package hub_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Messages of one connection may be answered side by side (G-ORDER-2).

// beside is a store in which something else happens after one call of Subscribe.
type afterSubscribe struct {
	hub.Store
	then *func()
}

func (s afterSubscribe) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	err := s.Store.Subscribe(ctx, c, topics)
	if then := *s.then; then != nil {
		*s.then = nil
		then()
	}
	return err
}

func TestRenewBesideSubscribe(t *testing.T) {
	b := newStockedHub(t)
	short := alice
	short.Expires = b.now.Add(time.Minute)
	c := b.connect("c1", short)
	long := alice
	long.Expires = b.now.Add(time.Hour)
	then := func() {
		if err := b.Renew(t.Context(), c, long); err != nil {
			t.Error(err)
		}
	}
	h := b.withStore(afterSubscribe{b.store, &then})
	if _, err := h.Subscribe(t.Context(), c, subscribeTo("cart")); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(10 * time.Minute)
	b.changes = nil
	b.add(b.connect("c2", alice), "A", 1, "")
	b.broadcast()
	if len(b.got()["c1"]) != 1 {
		t.Errorf("got %v, want the delta although the first authority has ended", b.got())
	}
}

func TestLoginBesideSubscribe(t *testing.T) {
	for _, first := range []string{"the subscription", "the login"} {
		t.Run(first+" is stored first", func(t *testing.T) {
			b := newStockedHub(t)
			c := b.connect("c1", guest)
			login := func() {
				if err := b.Renew(t.Context(), c, alice); err != nil {
					t.Error(err)
				}
			}
			then := login
			var s hub.Store = afterSubscribe{b.store, &then}
			if first == "the login" {
				s = beforeSubscribe{b.store, &then}
			}
			snapshot, err := b.withStore(s).Subscribe(t.Context(), c, subscribeTo("cart", "sku:A"))
			if err != nil {
				t.Fatal(err)
			}
			b.changes = nil
			b.add(b.connect("g2", guest), "A", 1, "")
			b.add(b.connect("a2", alice), "B", 1, "")
			b.broadcast()
			want := delta(`"cart":{"from":0,"version":1,"lines":{"B":{"quantity":1,"version":1}}}`)
			if got := b.got()["c1"]; len(got) != 1 || got[0] != want {
				t.Errorf("got %v, want alice's cart and nobody else's (the answer was %v)", got, snapshot.Topics)
			}
			row, _ := b.store.Connection(t.Context(), "c1")
			equal(t, "topics", fmt.Sprint(row.Topics), "[sku:A cart:u~alice]")
		})
	}
}

// loginFirst lets the login happen after the connection was read and before its
// subscriptions are written.
type beforeSubscribe struct {
	hub.Store
	login *func()
}

func (s beforeSubscribe) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	if login := *s.login; login != nil {
		*s.login = nil
		login()
	}
	return s.Store.Subscribe(ctx, c, topics)
}

func TestLimitBesideSubscribe(t *testing.T) {
	b := newTestHub(t)
	c := b.connect("c1", alice)
	names := make([]string, 300)
	for i := range names {
		b.stock(fmt.Sprint("S", i), 9)
		names[i] = fmt.Sprint("sku:S", i)
	}
	b.subscribe(c, names[:100]...)
	var inner error
	then := func() { _, inner = b.Subscribe(t.Context(), c, subscribeTo(names[100:200]...)) }
	_, outer := b.withStore(afterSubscribe{b.store, &then}).Subscribe(t.Context(), c, subscribeTo(names[200:]...))
	if (inner == nil) == (outer == nil) {
		t.Errorf("got %v and %v, want one of them refused", inner, outer)
	}
	wantCode(t, errors.Join(inner, outer), wire.CodeTooManyTopics)
	row, _ := b.store.Connection(t.Context(), "c1")
	equal(t, "topics", len(row.Topics), wire.MaxSubscriptions)
}

// TestHealTakesTurns: who stays slow does not keep others from being healed.
func TestHealTakesTurns(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	for i := range 1_000 {
		b.connect(fmt.Sprintf("slow%04d", i), guest, "sku:A")
	}
	b.connect("well", guest, "sku:A") // marked last
	b.postError = func(hub.Post) error { return hub.ErrThrottled }
	b.changes = nil
	b.stock("A", 1)
	b.broadcast()
	b.postError = func(p hub.Post) error {
		if p.ConnectionID == "well" {
			return nil
		}
		return hub.ErrThrottled
	}
	report, err := b.Heal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "report", report, hub.HealReport{Healed: 1, Left: 1_000})
}

func TestHealForgetsWhatIsUnsubscribed(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	b.vendorStock("B", "acme", 9)
	guestConn, vendorConn := b.connect("c1", guest, "sku:A"), b.connect("v", acme, "vendor:acme")
	b.postError = func(hub.Post) error { return hub.ErrThrottled }
	b.changes = nil
	b.stock("A", 1)
	b.vendorStock("B", "acme", 8)
	b.broadcast()
	if _, err := b.Unsubscribe(t.Context(), guestConn, wire.Request{All: true}); err != nil {
		t.Fatal(err)
	}
	b.postError, b.sent = nil, nil
	if _, err := b.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wantGot(vendorConn.ID, delta(`"sku:B":{"version":2,"state":"in","quantity":8}`))
}

func TestFormerVendorIsTold(t *testing.T) {
	b := newTestHub(t)
	b.vendorStock("A", "acme", 100)
	b.connect("v", acme, "vendor:acme")
	other := hub.Principal{User: "otto", Role: hub.RoleVendor, Vendor: "other"}
	b.connect("o", other, "vendor:other")
	b.changes = nil
	b.vendorStock("A", "other", 90)
	b.broadcast()
	b.wantGot("o", delta(`"sku:A":{"version":2,"state":"in","quantity":90}`), "v", delta(`"sku:A":{"version":2,"state":"in"}`))
	b.changes = nil
	b.vendorStock("A", "other", 80)
	b.broadcast()
	b.wantGot("o", delta(`"sku:A":{"version":3,"state":"in","quantity":80}`))
}

// TestAnswersFit: the largest answers to writes are single messages.
func TestAnswersFit(t *testing.T) {
	b := newTestHub(t)
	c := b.connect("c1", alice)
	var wishes []wire.Wish
	for i := range wire.MaxLines {
		sku := fmt.Sprintf("%061d%03d", 0, i)
		b.stock(sku, 1)
		wishes = append(wishes, wire.Wish{SKU: sku, Quantity: wire.MaxQuantity})
	}
	r := wire.Request{Lines: wishes, Key: "k"}
	for range 2 {
		ok, err := b.Set(t.Context(), c, r)
		if err != nil {
			t.Fatal(err)
		}
		if size := len(wire.Encode(ok)); size > wire.MaxMessage || len(ok.Clamped) != wire.MaxLines || len(ok.Again) != 1 {
			t.Errorf("an answer of %d bytes with %d clamped, again %v", size, len(ok.Clamped), ok.Again)
		}
	}
}
