package hub_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// expiredNotice is the message that a client gets when its session has expired.
const expiredNotice = `{"type":"error","code":"token_expired",` +
	`"message":"session expired; public topics stay subscribed"}`

// withSession returns p with a session of one hour from start.
func withSession(p hub.Principal, start time.Time) hub.Principal {
	p.Issued, p.Expires = start, start.Add(time.Hour)
	return p
}

func (th *testHub) revoke(user string) int {
	th.t.Helper()
	th.sent = nil
	notified, err := th.Revoke(th.t.Context(), user)
	if err != nil {
		th.t.Fatal(err)
	}
	return notified
}

func TestRevoke(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 250)
	old := withSession(alice, th.now.Add(-time.Minute))
	phone := th.connect("phone", old, "cart", "sku:A")
	th.connect("laptop", old, "cart")
	if _, err := th.IssueTicket(t.Context(), "secret", old); err != nil {
		t.Fatal(err)
	}
	th.connect("bob", bob, "cart")
	seller := th.connect("seller", withSession(acme, th.now.Add(-time.Minute)), "vendor:acme", "sku:A")

	t.Run("only the clients of the user are notified", func(t *testing.T) {
		equal(t, "notified", th.revoke("alice"), 2)
		th.wantGot("phone", expiredNotice, "laptop", expiredNotice)
	})
	t.Run("private topics end, public topics stay", func(t *testing.T) {
		th.changes = nil
		th.set(th.connect("new", withSession(alice, th.now.Add(time.Second))), "A", 1)
		th.vendorStock("A", "acme", 3)
		th.broadcast()
		th.wantGot("phone", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`),
			"seller", delta(`"sku:A":{"version":2,"state":"low","quantity":3}`))
	})
	t.Run("requests are refused", func(t *testing.T) {
		equal(t, "refused", th.subscribe(phone, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		_, err := th.Add(t.Context(), phone, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("the old token is not accepted again", func(t *testing.T) {
		wantCode(t, th.Renew(t.Context(), phone, old), wire.CodeTokenExpired)
		again := th.connect("again", old)
		equal(t, "refused", th.subscribe(again, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
		forgotten := th.connect("forgotten", old)
		if err := th.store.Forget(t.Context(), "forgotten"); err != nil {
			t.Fatal(err)
		}
		equal(t, "refused after the row was forgotten", th.subscribe(forgotten, "cart").Refused,
			map[string]wire.Code{"cart": "token_expired"})
	})
	t.Run("nor a ticket for it", func(t *testing.T) {
		_, err := th.IssueTicket(t.Context(), "another", old)
		wantCode(t, err, wire.CodeTokenExpired)
		p, err := th.RedeemTicket(t.Context(), "secret")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "refused", th.subscribe(th.connect("ticket", p), "cart").Refused,
			map[string]wire.Code{"cart": "token_expired"})
	})
	t.Run("a new token is accepted", func(t *testing.T) {
		if err := th.Renew(t.Context(), phone, withSession(alice, th.now.Add(time.Second))); err != nil {
			t.Fatal(err)
		}
		if refused := th.subscribe(phone, "cart").Refused; len(refused) > 0 {
			t.Errorf("got refused %v, want none", refused)
		}
	})
	t.Run("a vendor gets badges", func(t *testing.T) {
		equal(t, "notified", th.revoke("vera"), 1)
		th.changes = nil
		th.vendorStock("A", "acme", 77)
		th.broadcast()
		th.wantGot("phone", delta(`"sku:A":{"version":3,"state":"in"}`), "seller",
			delta(`"sku:A":{"version":3,"state":"in"}`))
		n := 1
		if _, err := th.VendorStock(t.Context(), withSession(acme, th.now.Add(-time.Minute)), "A",
			hub.StockChange{Available: &n}); !errors.Is(err, hub.ErrForbidden) {
			t.Errorf("stock change with the old token: got %v, want ErrForbidden", err)
		}
		equal(t, "refused", th.subscribe(seller, "vendor:acme").Refused, map[string]wire.Code{"vendor:acme": "token_expired"})
	})
	t.Run("guests can be revoked", func(t *testing.T) {
		g := th.connect("g", guest, "cart")
		th.add(g, "A", 1, "")
		equal(t, "notified", th.revoke(guest.User), 1)
		_, err := th.Add(t.Context(), g, wire.Request{SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeTokenExpired)
		_, err = th.Merge(t.Context(), phone, guest, wire.Request{Policy: wire.PolicySum})
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("a user without connections gets no post", func(t *testing.T) {
		equal(t, "sent", len(th.sent), 1)
		th.revoke("nobody")
		equal(t, "sent", len(th.sent), 0)
	})
}

// TestRevokeNoticeIsHealed checks that a notice that could not be posted is healed
// like any other message.
func TestRevokeNoticeIsHealed(t *testing.T) {
	th := newTestHub(t)
	th.connect("c", withSession(alice, th.now.Add(-time.Minute)), "cart")
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	equal(t, "notified", th.revoke("alice"), 1)
	th.postError = nil
	if _, _, err := th.Heal(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	th.wantGot("c", expiredNotice)
}

// TestExpiryIsNotifiedOnce checks that the first change after the expiry of a
// session brings the notice, and later changes do not.
func TestExpiryIsNotifiedOnce(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 250)
	th.connect("seller", withSession(acme, th.now), "sku:A")
	th.now = th.now.Add(time.Hour + hub.SessionLeeway + time.Millisecond)
	for i, want := range [][]string{
		{delta(`"sku:A":{"version":2,"state":"low","quantity":1}`), expiredNotice},
		{delta(`"sku:A":{"version":3,"state":"low","quantity":2}`)},
	} {
		th.changes = nil
		th.vendorStock("A", "acme", i+1)
		th.broadcast()
		equal(t, "messages", th.got()["seller"], want)
	}
}
