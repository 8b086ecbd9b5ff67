package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// overNotice is what a client is told when its authority is over.
const expiredNotice = `{"type":"error","code":"token_expired","message":"session expired; public topics stay subscribed"}`

// issued is p with an authority given at a time.
func withSession(p hub.Principal, at time.Time) hub.Principal {
	p.Issued, p.Expires = at, at.Add(time.Hour)
	return p
}

func (b *testHub) revoke(user string) int {
	b.t.Helper()
	b.sent = nil
	told, err := b.Revoke(b.t.Context(), user)
	if err != nil {
		b.t.Fatal(err)
	}
	return told
}

func TestRevoke(t *testing.T) {
	b := newTestHub(t)
	b.vendorStock("A", "acme", 250)
	old := withSession(alice, b.now.Add(-time.Minute))
	phone := b.connect("phone", old, "cart", "sku:A")
	b.connect("laptop", old, "cart")
	if _, err := b.IssueTicket(t.Context(), "secret", old); err != nil {
		t.Fatal(err)
	}
	b.connect("bob", bob, "cart")
	seller := b.connect("seller", withSession(acme, b.now.Add(-time.Minute)), "vendor:acme", "sku:A")

	t.Run("every client of the user is told, and no other", func(t *testing.T) {
		equal(t, "told", b.revoke("alice"), 2)
		b.wantGot("phone", expiredNotice, "laptop", expiredNotice)
	})
	t.Run("private topics end, public ones go on", func(t *testing.T) {
		b.changes = nil
		b.set(b.connect("new", withSession(alice, b.now.Add(time.Second))), "A", 1)
		b.vendorStock("A", "acme", 3)
		b.broadcast()
		b.wantGot("phone", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`),
			"seller", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`))
	})
	t.Run("it asks in vain", func(t *testing.T) {
		equal(t, "refused", b.subscribe(phone, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		_, err := b.Add(t.Context(), phone, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("the old token is not taken again", func(t *testing.T) {
		wantCode(t, b.Renew(t.Context(), phone, old), wire.CodeTokenExpired)
		again := b.connect("again", old)
		equal(t, "refused", b.subscribe(again, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		lost := b.connect("lost", old)
		if err := b.store.Forget(t.Context(), "lost"); err != nil {
			t.Fatal(err)
		}
		equal(t, "refused after the row was lost", b.subscribe(lost, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
	})
	t.Run("nor a ticket that was made of it", func(t *testing.T) {
		_, err := b.IssueTicket(t.Context(), "another", old)
		wantCode(t, err, wire.CodeTokenExpired)
		p, err := b.RedeemTicket(t.Context(), "secret")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "refused", b.subscribe(b.connect("ticket", p), "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
	})
	t.Run("a new one is", func(t *testing.T) {
		if err := b.Renew(t.Context(), phone, withSession(alice, b.now.Add(time.Second))); err != nil {
			t.Fatal(err)
		}
		if refused := b.subscribe(phone, "cart").Refused; len(refused) > 0 {
			t.Errorf("refused %v", refused)
		}
	})
	t.Run("a vendor falls back to badges", func(t *testing.T) {
		equal(t, "told", b.revoke("vera"), 1)
		b.changes = nil
		b.vendorStock("A", "acme", 77)
		b.broadcast()
		b.wantGot("phone", delta(`"sku:A":{"version":3,"state":"in"}`), "seller", delta(`"sku:A":{"version":3,"state":"in"}`))
		n := 1
		if _, err := b.VendorStock(t.Context(), withSession(acme, b.now.Add(-time.Minute)), "A", hub.StockChange{Available: &n}); !errors.Is(err, hub.ErrForbidden) {
			t.Errorf("changes stock with the old token: %v, want ErrForbidden", err)
		}
		equal(t, "refused", b.subscribe(seller, "vendor:acme").Refused, map[string]wire.Code{"vendor:acme": "token_expired"})
	})
	t.Run("a guest too", func(t *testing.T) {
		g := b.connect("g", guest, "cart")
		b.add(g, "A", 1, "")
		equal(t, "told", b.revoke(guest.User), 1)
		_, err := b.Add(t.Context(), g, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
		_, err = b.Merge(t.Context(), phone, guest, wire.Request{Policy: wire.PolicySum})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("again, it has nothing to do", func(t *testing.T) {
		equal(t, "sent", len(b.sent), 1)
		b.revoke("nobody")
		equal(t, "sent", len(b.sent), 0)
	})
}

// TestRevokeReachesWhoCannotBeToldNow: the notice is healed like everything else.
func TestRevokeReachesWhoCannotBeToldNow(t *testing.T) {
	b := newTestHub(t)
	b.connect("c", withSession(alice, b.now.Add(-time.Minute)), "cart")
	b.postError = func(hub.Post) error { return hub.ErrThrottled }
	equal(t, "ended", b.revoke("alice"), 1)
	b.postError = nil
	if _, err := b.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wantGot("c", expiredNotice)
}

// afterOwner lets something happen right after an authority was judged.
type afterHolder struct {
	hub.Store
	then *func()
}

func (s afterHolder) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	o, err := s.Store.Holder(ctx, id, after, limit)
	if then := *s.then; then != nil {
		*s.then = nil
		then()
	}
	return o, err
}

// TestRevokeBesideRenew: the old token is offered while it is taken back. Whatever
// comes first, it does not count afterwards.
func TestRevokeBesideRenew(t *testing.T) {
	b := newTestHub(t)
	old := withSession(alice, b.now.Add(-time.Minute))
	c := b.connect("c", old, "cart")
	var then func()
	h := b.withStore(afterHolder{b.store, &then})
	then = func() { b.revoke("alice") } // after Renew found no revocation
	err := h.Renew(t.Context(), c, old)
	if err != nil && !errors.Is(err, hub.ErrForbidden) {
		t.Fatal(err)
	}
	equal(t, "refused", b.subscribe(c, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
	page, _, _ := b.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindCart, Name: "u~alice"}, "", 10)
	equal(t, "subscribers of the cart", len(page), 0)
}

// TestToldOnce: an authority that ends by time is told of with the first change,
// and then no more.
func TestToldOnce(t *testing.T) {
	b := newTestHub(t)
	b.vendorStock("A", "acme", 250)
	b.connect("seller", withSession(acme, b.now), "sku:A")
	b.now = b.now.Add(time.Hour + hub.SessionLeeway + time.Millisecond)
	for i, want := range [][]string{
		{delta(`"sku:A":{"version":2,"state":"low","quantity":1}`), expiredNotice},
		{delta(`"sku:A":{"version":3,"state":"low","quantity":2}`)},
	} {
		b.changes = nil
		b.vendorStock("A", "acme", i+1)
		b.broadcast()
		equal(t, "messages", b.got()["seller"], want)
	}
}

// TestEndSparesARenewal: a broadcast that finds an authority over does not take
// away the one that was brought meanwhile.
func TestEndSparesARenewal(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	c := b.connect("c", withSession(alice, b.now), "cart", "sku:A")
	b.now = b.now.Add(time.Hour + hub.SessionLeeway + time.Millisecond)
	fresh := withSession(alice, b.now)
	h := b.withStore(beforeReplacePrincipal{b.store, func() {
		if err := b.Renew(t.Context(), c, fresh); err != nil {
			t.Error(err)
		}
	}})
	b.changes = nil
	b.stock("A", 3)
	report, err := h.Broadcast(t.Context(), b.changes)
	if err != nil || report.Ended != 0 {
		t.Errorf("%d ended, %v, want none", report.Ended, err)
	}
	row, err := b.store.Connection(t.Context(), "c")
	if err != nil || row.Principal != fresh {
		t.Errorf("got %+v, %v, want the new authority", row.Principal, err)
	}
}

// besidePut lets something happen right before an authority is replaced.
type beforeReplacePrincipal struct {
	hub.Store
	before func()
}

func (s beforeReplacePrincipal) ReplacePrincipal(ctx context.Context, id string, was, is hub.Principal) error {
	s.before()
	return s.Store.ReplacePrincipal(ctx, id, was, is)
}
