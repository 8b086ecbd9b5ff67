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

// The gateway may deliver messages of one connection concurrently (G-ORDER-2).

func TestRenewDuringSubscribe(t *testing.T) {
	th := newStockedHub(t)
	short, long := alice, alice
	short.Expires, long.Expires = th.now.Add(time.Minute), th.now.Add(time.Hour)
	c := th.connect("c1", short)
	renew := once(func() {
		if err := th.Renew(t.Context(), c, long); err != nil {
			t.Error(err)
		}
	})
	h := th.withStore(hookedStore{Store: th.store, afterSubscribe: renew})
	if _, err := h.Subscribe(t.Context(), c, subscribeTo("cart")); err != nil {
		t.Fatal(err)
	}
	th.now = th.now.Add(10 * time.Minute)
	th.changes = nil
	th.add(th.connect("c2", alice), "A", 1, "")
	th.broadcast()
	if len(th.got()["c1"]) != 1 {
		t.Errorf("got %v, want the delta although the first session has expired", th.got())
	}
}

func TestLoginDuringSubscribe(t *testing.T) {
	for first, wantTopics := range map[string]string{
		"the subscription": "[sku:A]", // a client subscribes again after it signed in
		"the login":        "[sku:A cart:u~alice]",
	} {
		t.Run(first+" is stored first", func(t *testing.T) {
			th := newStockedHub(t)
			c := th.connect("c1", guest)
			login := once(func() {
				if err := th.Renew(t.Context(), c, alice); err != nil {
					t.Error(err)
				}
			})
			s := hookedStore{Store: th.store, afterSubscribe: login}
			if first == "the login" {
				s = hookedStore{Store: th.store, beforeSubscribe: login}
			}
			snapshot, err := th.withStore(s).Subscribe(t.Context(), c, subscribeTo("cart", "sku:A"))
			if err != nil {
				t.Fatal(err)
			}
			th.changes = nil
			th.add(th.connect("g2", guest), "A", 1, "")
			th.add(th.connect("a2", alice), "B", 1, "")
			th.broadcast()
			var want []string // nothing of the guest's cart
			if first == "the login" {
				want = []string{delta(`"cart":{"version":1,"lines":{"B":{"quantity":1,"version":1}}}`)}
			}
			if got := th.got()["c1"]; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v (the answer was %v)", got, want, snapshot.Topics)
			}
			row, _ := th.store.Connection(t.Context(), "c1")
			equal(t, "topics", fmt.Sprint(row.Topics), wantTopics)
		})
	}
}

func TestTopicsLimitDuringSubscribe(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	names := make([]string, 300)
	for i := range names {
		th.stock(fmt.Sprint("S", i), 9)
		names[i] = fmt.Sprint("sku:S", i)
	}
	th.subscribe(c, names[:100]...)
	var inner error
	subscribe := once(func() { _, inner = th.Subscribe(t.Context(), c, subscribeTo(names[100:200]...)) })
	h := th.withStore(hookedStore{Store: th.store, afterSubscribe: subscribe})
	_, outer := h.Subscribe(t.Context(), c, subscribeTo(names[200:]...))
	if (inner == nil) == (outer == nil) {
		t.Errorf("got errors %v and %v, want one", inner, outer)
	}
	wantCode(t, errors.Join(inner, outer), wire.CodeTooManyTopics)
	row, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", len(row.Topics), wire.MaxSubscriptions)
}

// TestConcurrentLogins lets two connections log in for the last place at the same
// time. At most one gets it.
func TestConcurrentLogins(t *testing.T) {
	th := newTestHub(t)
	limited := parseLimits(t, "user=1")
	first := th.connect("c1", guest)
	second := th.connect("c2", guest)
	login := once(func() { // after the first login found no revocation
		if err := th.WithLimits(limited).Renew(t.Context(), second, alice); err != nil {
			t.Error(err)
		}
	})
	h := th.withStore(hookedStore{Store: th.store, afterRevocation: login}).WithLimits(limited)
	wantCode(t, h.Renew(t.Context(), first, alice), wire.CodeLimit)
	holder, err := th.store.Holder(t.Context(), alice.CartID(), "", 9)
	if err != nil || len(holder.Connections) != 1 {
		t.Errorf("alice has connections %v, %v, want one", holder.Connections, err)
	}
}

// TestRevokeDuringRenew renews a connection with the old token while the session is
// revoked. Whichever comes first, the session is revoked afterwards.
func TestRevokeDuringRenew(t *testing.T) {
	th := newTestHub(t)
	old := withSession(alice, th.now.Add(-time.Minute))
	c := th.connect("c", old, "cart")
	revoke := once(func() { th.revoke("alice") }) // after Renew found no revocation
	h := th.withStore(hookedStore{Store: th.store, afterRevocation: revoke})
	err := h.Renew(t.Context(), c, old)
	if err != nil && !errors.Is(err, hub.ErrForbidden) {
		t.Fatal(err)
	}
	equal(t, "refused", th.subscribe(c, "cart").Refused, map[string]wire.Code{"cart": "token_expired"})
	page, _, _ := th.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindCart, Name: "u~alice"}, "", 10)
	equal(t, "subscribers of the cart", len(page), 0)
}

// TestRenewDuringExpiry renews a connection while a broadcast expires its session.
// The new session stays.
func TestRenewDuringExpiry(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	c := th.connect("c", withSession(alice, th.now), "cart", "sku:A")
	th.now = th.now.Add(time.Hour + hub.SessionLeeway + time.Millisecond)
	fresh := withSession(alice, th.now)
	h := th.withStore(hookedStore{Store: th.store, beforeReplacePrincipal: func() {
		if err := th.Renew(t.Context(), c, fresh); err != nil {
			t.Error(err)
		}
	}})
	th.changes = nil
	th.stock("A", 3)
	report, err := h.Broadcast(t.Context(), th.changes)
	if err != nil || report.Expired != 0 {
		t.Errorf("%d sessions ended, %v, want none", report.Expired, err)
	}
	row, err := th.store.Connection(t.Context(), "c")
	if err != nil || row.Principal != fresh {
		t.Errorf("got %+v, %v, want the new session", row.Principal, err)
	}
}
