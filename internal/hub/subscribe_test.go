package hub_test

import (
	"fmt"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func resume(epoch string, topics ...wire.Topic) wire.Request {
	return wire.Request{Action: wire.ActionSubscribe, Epoch: epoch, Topics: topics}
}

func TestSubscribeResume(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.stock("B", 9)
	c := th.connect("c1", alice)
	th.add(c, "A", 1, "") // cart version 1
	th.add(c, "B", 1, "") // 2
	th.set(c, "A", 0)     // 3
	const cart = `"cart":{"version":3,"lines":{"B":{"quantity":1,"version":2}}}`
	for _, tt := range []struct {
		name      string
		request   wire.Request
		topics    string
		unchanged int
	}{
		{"the current version of a SKU is left out", resume("k1", wire.Topic{Name: "sku:A", Version: 1}), `{}`, 1},
		{"a cart is whole for its current version", resume("k1", wire.Topic{Name: "cart", Version: 3}), `{` + cart + `}`, 0},
		{"and for an older one", resume("k1", wire.Topic{Name: "cart", Version: 1}), `{` + cart + `}`, 0},
		{"and for a newer one", resume("k1", wire.Topic{Name: "cart", Version: 9}), `{` + cart + `}`, 0},
		{"another epoch gets everything", resume("k0", wire.Topic{Name: "cart", Version: 3},
			wire.Topic{Name: "sku:A", Version: 1}), `{` + cart + `,"sku:A":{"version":1,"state":"in"}}`, 0},
		{"versions without an epoch do not count", resume("", wire.Topic{Name: "sku:A", Version: 1}),
			`{"sku:A":{"version":1,"state":"in"}}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := th.Subscribe(t.Context(), c, tt.request)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "topics", mustJSON(t, s.Topics), tt.topics)
			equal(t, "unchanged", s.Unchanged, tt.unchanged)
		})
	}
}

func TestSubscribeOnlyReplaces(t *testing.T) {
	th := newTestHub(t)
	for _, sku := range []string{"A", "B", "C"} {
		th.stock(sku, 9)
	}
	c := th.connect("c1", alice, "sku:A", "sku:B", "cart")
	r := subscribeTo("sku:B", "sku:C")
	r.Only = true
	if _, err := th.Subscribe(t.Context(), c, r); err != nil {
		t.Fatal(err)
	}
	got, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", fmt.Sprint(got.Topics), "[sku:B sku:C]")
	r.Topics = nil
	if _, err := th.Subscribe(t.Context(), c, r); err != nil {
		t.Fatal(err)
	}
	got, _ = th.store.Connection(t.Context(), "c1")
	equal(t, "topics after only with no topics", len(got.Topics), 0)
}

func TestSubscribeLimit(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	names := make([]string, wire.MaxSubscriptions+1)
	for i := range names {
		th.stock(fmt.Sprint("S", i), 9)
		names[i] = fmt.Sprint("sku:S", i)
	}
	th.subscribe(c, names[:100]...)
	th.subscribe(c, names[100:200]...)
	th.subscribe(c, names[:100]...) // again: adds none
	_, err := th.Subscribe(t.Context(), c, subscribeTo(names[200]))
	wantCode(t, err, wire.CodeTooManyTopics)
	got, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", len(got.Topics), wire.MaxSubscriptions)
	r := subscribeTo(names[200])
	r.Only = true
	if _, err := th.Subscribe(t.Context(), c, r); err != nil {
		t.Errorf("one topic instead of all: %v", err)
	}
}

func TestSubscribeRefusesUnknownSKUs(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	c := th.connect("c1", guest)
	s := th.subscribe(c, "sku:A", "sku:NOPE")
	equal(t, "refused", s.Refused, map[string]string{"sku:NOPE": "denied"})
	got, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", fmt.Sprint(got.Topics), "[sku:A]")
	s = th.subscribe(c, "sku:A", "nonsense")
	equal(t, "refused", s.Refused, map[string]string{"nonsense": "bad_topic"})
}

func TestUnsubscribe(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	c := th.connect("c1", alice, "sku:A", "cart")
	if _, err := th.Unsubscribe(t.Context(), c, subscribeTo("cart", "sku:NEVER")); err != nil {
		t.Fatal(err)
	}
	got, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", fmt.Sprint(got.Topics), "[sku:A]")
	s, err := th.Unsubscribe(t.Context(), c, wire.Request{All: true})
	got, _ = th.store.Connection(t.Context(), "c1")
	if err != nil || len(got.Topics) != 0 || s.Epoch != "k1" {
		t.Errorf("all: got %v, %+v, %v", got.Topics, s, err)
	}
}

func TestGetSubscribesToNothing(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	c := th.connect("c1", alice)
	s, err := th.Get(t.Context(), c, subscribeTo("sku:A", "cart", "sku:NOPE"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "snapshot", string(wire.Encode(s)),
		`{"type":"snapshot","epoch":"k1","topics":{"cart":{"version":0,"lines":{}},"sku:A":{"version":1,"state":"in"}},`+
			`"refused":{"sku:NOPE":"denied"}}`)
	got, _ := th.store.Connection(t.Context(), "c1")
	equal(t, "topics", len(got.Topics), 0)
}

func TestSKUByRole(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 250)
	other := acme
	other.Vendor = "other"
	expired := admin
	expired.Expires = th.now.Add(-hub.SessionLeeway - 1)
	for name, tt := range map[string]struct {
		p    hub.Principal
		want string
	}{
		"guest":            {guest, `{"version":1,"state":"in"}`},
		"customer":         {alice, `{"version":1,"state":"in"}`},
		"its vendor":       {acme, `{"version":1,"state":"in","quantity":250}`},
		"another vendor":   {other, `{"version":1,"state":"in"}`},
		"admin":            {admin, `{"version":1,"state":"in","quantity":250}`},
		"an expired admin": {expired, `{"version":1,"state":"in"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := th.subscribe(th.connect(name, tt.p), "sku:A")
			equal(t, "value", mustJSON(t, s.Topics["sku:A"]), tt.want)
		})
	}
}

func TestVendorTopic(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 250)
	th.vendorStock("B", "acme", 0)
	th.vendorStock("C", "other", 1)
	c := th.connect("v", acme)
	s := th.subscribe(c, "vendor:acme", "sku:A")
	equal(t, "list", mustJSON(t, s.Topics["vendor:acme"]), `{"skus":["A","B"]}`)
	th.connect("a", admin, "vendor:other")
	th.changes = nil
	th.vendorStock("A", "acme", 249)  // on two topics of v: sent once
	th.vendorStock("C", "other", 100) // on a's
	th.vendorStock("D", "acme", 7)    // new
	th.broadcast()
	th.wantGot(
		"a", delta(`"sku:C":{"version":2,"state":"in","quantity":100}`),
		"v", delta(`"sku:A":{"version":2,"state":"in","quantity":249},"sku:D":{"version":1,"state":"in","quantity":7}`))
}
