package hub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func (th *testHub) why(c hub.Connection, topic string, version *int64) wire.Why {
	th.t.Helper()
	w, _, err := th.Why(th.t.Context(), c, wire.Request{Action: wire.ActionWhy, Topic: topic, Version: version})
	if err != nil {
		th.t.Fatal(err)
	}
	return w
}

// TestWhy stages each cause that rows tell.
func TestWhy(t *testing.T) {
	for _, tt := range []struct {
		name  string
		stage func(th *testHub) (c hub.Connection, topic string, version *int64)
		want  string // the answer as a terminal has it
	}{
		{"not subscribed", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			return th.connect("c1", alice), "sku:MUG", nil
		}, "sku:MUG  v1  low 3\nnot subscribed: sub MUG"},
		{"not subscribed to a name that needs quotes", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("RED CAP", 40)
			return th.connect("c1", alice), "sku:RED CAP", nil
		}, "\"sku:RED CAP\"  v1  in\nnot subscribed: sub \"sku:RED CAP\""},
		{"an unknown SKU", func(th *testHub) (hub.Connection, string, *int64) {
			return th.connect("c1", alice), "sku:NOPE", nil
		}, "sku:NOPE\ndenied: not yours to see, or no such thing"},
		{"somebody's cart", func(th *testHub) (hub.Connection, string, *int64) {
			return th.connect("c1", alice), "cart:u~bob", nil
		}, "cart:u~bob\ndenied: not yours to see, or no such thing"},
		{"too many SKUs", func(th *testHub) (hub.Connection, string, *int64) {
			c := th.connect("c1", guest)
			for i := range hub.GuestSKUs {
				_, _ = th.Get(th.t.Context(), c, subscribeTo(fmt.Sprint("sku:A", i)))
			}
			th.stock("MUG", 3)
			return c, "sku:MUG", nil
		}, "sku:MUG\nlimit: ask again after 13:00 UTC, or sign in"},
		{"a session that expired", func(th *testHub) (hub.Connection, string, *int64) {
			short := alice
			short.Expires = th.now.Add(time.Minute)
			c := th.connect("c1", short, "cart")
			th.now = th.now.Add(time.Hour)
			return c, "cart", nil
		}, "cart\nsession ended 12:01:00 UTC: hello with a new token"},
		{"a session that was revoked", func(th *testHub) (hub.Connection, string, *int64) {
			c := th.connect("c1", alice, "cart")
			_, err := th.Revoke(th.t.Context(), "alice")
			return c, "cart", noError(th.t, err)
		}, "cart\nsession ended: hello with a new token"},
		{"marked", func(th *testHub) (hub.Connection, string, *int64) {
			return missedDelta(th), "sku:MUG", at(1)
		}, "sku:MUG  v2  out\nmarked: healed by 12:01:00 UTC"},
		{"marked, and healing failed", func(th *testHub) (hub.Connection, string, *int64) {
			c := missedDelta(th)
			_, _, _ = th.Heal(th.t.Context(), "")
			th.now = th.now.Add(time.Minute)
			_, _, _ = th.Heal(th.t.Context(), "")
			return c, "sku:MUG", at(1)
		}, "sku:MUG  v2  out\nmarked: 2 tries failed since 12:00:00 UTC, the next is within a minute"},
		{"marked for another topic", func(th *testHub) (hub.Connection, string, *int64) {
			c := missedDelta(th)
			th.stock("CAP", 3)
			th.subscribe(c, "sku:CAP")
			return c, "sku:CAP", at(1)
		}, "sku:CAP  v1  low 3\nyou have v1, nothing is missing"},
		{"an older version", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			th.stock("MUG", 0)
			return th.connect("c1", guest, "sku:MUG"), "sku:MUG", at(1)
		}, "sku:MUG  v2  out\nyou have v1, the newest is v2: sub MUG"},
		{"a newer version", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			return th.connect("c1", guest, "sku:MUG"), "sku:MUG", at(9)
		}, "sku:MUG  v1  low 3\nyou have v9, the newest is v1: sub MUG"},
		{"the newest version", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			return th.connect("c1", guest, "sku:MUG"), "sku:MUG", at(1)
		}, "sku:MUG  v1  low 3\nyou have v1, nothing is missing"},
		{"no version", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			return th.connect("c1", guest, "sku:MUG"), "sku:MUG", nil
		}, "sku:MUG  v1  low 3\nv1 is the newest; if you have another: sub MUG"},
		{"exact figures, nothing changed", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 40)
			th.now = th.now.Add(2 * time.Hour)
			return th.connect("c1", admin, "sku:MUG"), "sku:MUG", nil
		}, "sku:MUG  v1  in 40  changed 2026-03-01 12:00:00.000 UTC\nnothing changed since you connected"},
		{"a vendor's list, and by it a SKU", func(th *testHub) (hub.Connection, string, *int64) {
			th.vendorStock("MUG", "acme", 40)
			return th.connect("c1", acme, "vendor:acme"), "sku:MUG", at(1)
		}, "sku:MUG  v1  in 40  changed 2026-03-01 12:00:00.000 UTC\nyou have v1, nothing is missing"},
		{"a vendor's list", func(th *testHub) (hub.Connection, string, *int64) {
			return th.connect("c1", acme, "vendor:acme"), "vendor:acme", nil
		}, "vendor:acme\nsubscribed: changes come by SKU"},
		{"a new cart", func(th *testHub) (hub.Connection, string, *int64) {
			return th.connect("c1", alice, "cart"), "cart", at(0)
		}, "cart  v0\nyou have v0, nothing is missing"},
		{"a cart by its id", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			c := th.connect("c1", alice)
			th.add(c, "MUG", 1, "")
			return c, "cart:u~alice", nil
		}, "cart:u~alice  v1  changed 2026-03-01 12:00:00.000 UTC\nnot subscribed: sub cart"},
		{"the connection", func(th *testHub) (hub.Connection, string, *int64) {
			th.stock("MUG", 3)
			return th.connect("c1", guest, "sku:MUG", "cart"), "", nil
		}, "connection\n2 topics, nothing is missing; why TOPIC says more"},
		{"a new connection", func(th *testHub) (hub.Connection, string, *int64) {
			return th.connect("c1", guest), "", nil
		}, "connection\nsubscribed to nothing: sub TOPIC"},
		{"a marked connection", func(th *testHub) (hub.Connection, string, *int64) {
			return missedDelta(th), "", nil
		}, "connection\nmarked: healed by 12:01:00 UTC"},
		{"a connection without a session", func(th *testHub) (hub.Connection, string, *int64) {
			c := th.connect("c1", alice, "cart")
			_, err := th.Revoke(th.t.Context(), "alice")
			return c, "", noError(th.t, err)
		}, "connection\nsession ended: hello with a new token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			c, topic, version := tt.stage(th)
			if got := wire.Pretty(th.why(c, topic, version)); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// noError returns no version.
func noError(t testing.TB, err error) *int64 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return nil
}

// missedDelta returns a connection that did not receive a delta of MUG.
func missedDelta(th *testHub) hub.Connection {
	th.t.Helper()
	th.stock("MUG", 3)
	c := th.connect("c1", guest, "sku:MUG")
	th.broadcast()
	th.postError = func(hub.Post) error { return hub.ErrThrottled }
	th.stock("MUG", 0)
	th.broadcast()
	return c
}

// TestWhyOfAnotherEpoch: versions of another epoch are not compared.
func TestWhyOfAnotherEpoch(t *testing.T) {
	th := newTestHub(t)
	th.stock("MUG", 3)
	c := th.connect("c1", guest, "sku:MUG")
	for epoch, want := range map[string]wire.WhyReason{"": wire.WhyAhead, "k1": wire.WhyAhead, "k0": wire.WhyBehind} {
		w, asked, err := th.Why(t.Context(), c, wire.Request{Topic: "sku:MUG", Version: at(7), Epoch: epoch})
		if err != nil || w.Reason != want || (asked.Version == nil) != (epoch == "k0") {
			t.Errorf("epoch %q: got %s, %v, %v, want %s", epoch, w.Reason, asked.Version, err, want)
		}
	}
}

// TestWhyTellsWhatGetTells: for each role and topic, why refuses what get refuses, has the
// version that get has, and nothing else of what get leaves out.
func TestWhyTellsWhatGetTells(t *testing.T) {
	refusals := map[wire.Code]wire.WhyReason{
		wire.CodeDenied: wire.WhyDenied, wire.CodeSlowDown: wire.WhyLimit, wire.CodeTokenExpired: wire.WhyExpired,
	}
	th := newTestHub(t)
	th.vendorStock("MUG", "acme", 40)
	th.vendorStock("GONE", "acme", 40)
	if _, err := th.DeleteStock(t.Context(), "GONE"); err != nil {
		t.Fatal(err)
	}
	expired := alice
	expired.Expires = th.now.Add(-time.Hour)
	for i, p := range []hub.Principal{guest, alice, bob, acme, admin, expired} {
		c := th.connect(fmt.Sprint("c", i), p)
		for _, topic := range []string{
			"sku:MUG", "sku:NOPE", "sku:GONE", "cart", "cart:u~alice", "cart:g~g1", "vendor:acme", "vendor:nobody",
		} {
			s, err := th.Get(t.Context(), c, subscribeTo(topic))
			if err != nil {
				t.Fatal(err)
			}
			w := th.why(c, topic, nil)
			if code, refused := s.Refused[topic]; refused {
				want := wire.Why{Epoch: "k1", Topic: topic, Reason: refusals[code], Message: w.Message}
				equal(t, fmt.Sprintf("%s: why %s", p.User, topic), w, want)
				continue
			}
			for _, value := range s.Topics {
				switch value := value.(type) {
				case wire.Badge:
					equal(t, fmt.Sprintf("%s: badge of %s", p.User, topic), w.Badge, value)
				case wire.Cart:
					equal(t, fmt.Sprintf("%s: version of %s", p.User, topic), w.Version, value.Version)
				}
			}
			if onlyBadge := w.Badge != nil && w.Badge.Quantity == nil; onlyBadge && topic == "sku:MUG" && w.Changed != 0 {
				t.Errorf("%s: why %s tells when the row changed: %+v", p.User, topic, w)
			}
		}
	}
}

// TestWhyHidesQuietChanges: who sees only the badge gets the same answer whether the row
// changed without the badge or before the client subscribed.
func TestWhyHidesQuietChanges(t *testing.T) {
	for _, p := range []hub.Principal{guest, alice, {User: "otto", Role: hub.RoleVendor, Vendor: "other"}} {
		for _, version := range []*int64{nil, at(1), at(2)} {
			var answers []string
			for _, quiet := range []bool{false, true} {
				th := newTestHub(t)
				th.vendorStock("MUG", "acme", 40)
				if !quiet {
					th.vendorStock("MUG", "acme", 39)
				}
				th.broadcast()
				c := th.connect("c1", p, "sku:MUG")
				th.now = th.now.Add(time.Minute)
				if quiet {
					th.vendorStock("MUG", "acme", 39)
				}
				th.broadcast()
				answers = append(answers, string(wire.Encode(th.why(c, "sku:MUG", version))))
			}
			if answers[0] != answers[1] {
				t.Errorf("%s sees a difference:\n%s\n%s", p.User, answers[0], answers[1])
			}
		}
	}
}

// TestWhyCountsAsLooking: a guest cannot use why to look at more SKUs than get permits.
func TestWhyCountsAsLooking(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", guest)
	for i := range hub.GuestSKUs {
		if w := th.why(c, fmt.Sprint("sku:A", i), nil); w.Reason != wire.WhyDenied {
			t.Fatalf("SKU %d: got %+v, want denied", i, w)
		}
	}
	if s, err := th.Get(t.Context(), c, subscribeTo("sku:B")); err != nil || s.Refused["sku:B"] != wire.CodeSlowDown {
		t.Errorf("get of one more: got %+v, %v, want slow_down", s, err)
	}
}

func TestWhyRefuses(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	wantCode(t, errOf2(th.Why(t.Context(), c, wire.Request{Topic: "hub"})), wire.CodeBadField)
	broken := th.withStore(unreadableCartStore{th.store, alice.CartID()})
	if _, _, err := broken.Why(t.Context(), c, wire.Request{Topic: "cart"}); !errors.Is(err, hub.ErrUnreadable) {
		t.Errorf("a cart that cannot be read: got %v, want ErrUnreadable", err)
	}
	th.stock("MUG", 3)
	w, _, err := th.withStore(unreadableItem{th.store, "MUG"}).Why(t.Context(), c, wire.Request{Topic: "sku:MUG"})
	if err != nil || w.Reason != wire.WhyDenied || w.Badge != nil {
		t.Errorf("a row that cannot be read: got %+v, %v, want denied", w, err)
	}
}

// errOf2 returns the error of a call with two results.
func errOf2[A, B any](_ A, _ B, err error) error { return err }
