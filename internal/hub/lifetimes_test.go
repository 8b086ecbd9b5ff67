package hub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestLifetimes checks each lifetime on both sides of its end, to the millisecond.
// The durations are written out: a constant that changes is a change of the
// protocol.
func TestLifetimes(t *testing.T) {
	const tick = time.Millisecond
	for name, tt := range map[string]struct {
		life  time.Duration // at this age it is still valid
		begin func(th *testHub) (valid func() bool)
	}{
		"a session, 60 s after its expiry": {time.Hour + 60*time.Second, func(th *testHub) func() bool {
			c := th.connect("c", withSession(alice, th.now))
			return func() bool {
				_, err := th.Add(th.t.Context(), c, wire.Request{SKU: "A", Quantity: 1})
				return err == nil
			}
		}},
		"a ticket, up to 30 s": {30*time.Second - tick, func(th *testHub) func() bool {
			expires, err := th.IssueTicket(th.t.Context(), "secret", alice)
			if want := th.now.Add(30 * time.Second); err != nil || !expires.Equal(want) {
				th.t.Fatalf("the ticket expires at %s, %v, want %s", expires, err, want)
			}
			return func() bool {
				_, err := th.RedeemTicket(th.t.Context(), "secret")
				return err == nil
			}
		}},
		"a receipt, for 24 hours": {24 * time.Hour, func(th *testHub) func() bool {
			c := th.connect("c", alice)
			th.add(c, "A", 1, "k")
			return func() bool { return th.add(c, "A", 1, "k").Duplicate }
		}},
		"a revocation, for 31 days": {31 * 24 * time.Hour, func(th *testHub) func() bool {
			old := withSession(alice, th.now.Add(-time.Second))
			th.revoke("alice")
			return func() bool {
				th.store.Expire(th.now)
				revoked, err := th.Revoked(th.t.Context(), old)
				return err == nil && revoked
			}
		}},
		"a connection whose post got 410, for 30 s": {30 * time.Second, func(th *testHub) func() bool {
			c := hub.Connection{ID: "c", Principal: guest, ConnectedAt: th.now}
			if err := th.Connect(th.t.Context(), c); err != nil {
				th.t.Fatal(err)
			}
			th.subscribe(c, "sku:A")
			th.postError = func(hub.Post) error { return hub.ErrGone }
			return func() bool {
				th.stock("A", 7)
				th.broadcast()
				_, err := th.store.Connection(th.t.Context(), "c")
				return !errors.Is(err, hub.ErrGone)
			}
		}},
		"the rows of a connection, for 2 hours and 10 minutes": {130 * time.Minute, func(th *testHub) func() bool {
			c := hub.Connection{ID: "c", Principal: guest, ConnectedAt: th.now}
			if err := th.Connect(th.t.Context(), c); err != nil {
				th.t.Fatal(err)
			}
			return func() bool {
				th.store.Expire(th.now)
				_, err := th.store.Connection(th.t.Context(), "c")
				return err == nil
			}
		}},
		"the messages of a client, to the end of 10 s": {10*time.Second - tick, func(th *testHub) func() bool {
			c := th.connect("c", guest)
			admit(t, th.Hub, c, hub.GuestMessages)
			return func() bool { _, err := th.Admit(th.t.Context(), c, 1); return err != nil }
		}},
		"the SKUs of a guest, to the end of an hour": {time.Hour - tick, func(th *testHub) func() bool {
			h := th.WithLimits(parseLimits(t, "skus=1"))
			c := th.connect("c", guest)
			look := func(sku string) bool {
				s, err := h.Get(th.t.Context(), c, subscribeTo("sku:"+sku))
				return err == nil && len(s.Refused) == 0
			}
			if !look("A") {
				th.t.Fatal("the first SKU is refused")
			}
			return func() bool { return !look("B") }
		}},
	} {
		for age, want := range map[time.Duration]bool{tt.life: true, tt.life + tick: false} {
			t.Run(fmt.Sprint(name, "/", age), func(t *testing.T) {
				th := newStockedHub(t)
				valid := tt.begin(th)
				th.now = th.now.Add(age)
				if got := valid(); got != want {
					t.Errorf("after %s: valid %t, want %t", age, got, want)
				}
			})
		}
	}
}
