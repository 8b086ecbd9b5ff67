package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func parseLimits(t *testing.T, text string) hub.Limits {
	t.Helper()
	l, err := hub.ParseLimits(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestParseLimits(t *testing.T) {
	l := parseLimits(t, "user=5, address=50,guest=20,skus=0,topics=9,bytes=8000,idle=30")
	equal(t, "limits", l, hub.Limits{
		ConnectionsPerUser: 5, NewGuestsPerAddress: 50, GuestSKUs: 0, Topics: 9, MessageBytes: 8000, Idle: 30 * time.Second,
		Messages: map[hub.Role]int{"guest": 20, "customer": hub.CustomerMessages, "vendor": hub.VendorMessages,
			"admin": hub.AdminMessages},
	})
	equal(t, "none set", parseLimits(t, ""), hub.DefaultLimits())
	const number, none, bounds = `the limit "user" needs a whole number from 0, as in user=20`,
		"; there are user, address, guest, customer, vendor, admin, skus, topics, bytes and idle",
		"topics must be 1 to 200, bytes 1 to 32000"
	for text, want := range map[string]string{
		"user": number, "user=": number, "user=-1": number, "user=x": number, "users=5": `there is no limit "users"` + none,
		"user=5,": `there is no limit ""` + none, "topics=0": bounds, "topics=201": bounds, "bytes=32001": bounds,
		"bytes=0": bounds,
	} {
		if _, err := hub.ParseLimits(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for name := range strings.SplitSeq("user address guest customer vendor admin skus topics bytes idle", " ") {
		parseLimits(t, name+"=1")
	}
}

func guestNamed(name string) hub.Principal {
	return hub.Principal{User: hub.GuestUserPrefix + name, Role: hub.RoleGuest}
}

// admit sends n messages. It returns how many were accepted, and the last error.
func admit(t *testing.T, h *hub.Hub, c hub.Connection, n int) (accepted int, refused *hub.Error) {
	t.Helper()
	for range n {
		if _, err := h.Admit(t.Context(), c, 10); err != nil {
			refused = wantCode(t, err, wire.CodeSlowDown)
			continue
		}
		accepted++
	}
	return accepted, refused
}

func TestAdmitByRole(t *testing.T) {
	th := newTestHub(t)
	h := th.WithLimits(parseLimits(t, "guest=3,customer=5,vendor=7,admin=0"))
	for name, tt := range map[string]struct {
		p    hub.Principal
		want int
	}{"guest": {guest, 3}, "customer": {alice, 5}, "vendor": {acme, 7}, "admin": {admin, 20}} {
		c := th.connect(name, tt.p)
		accepted, refused := admit(t, h, c, 20)
		equal(t, name+": accepted", accepted, tt.want)
		if tt.want < 20 && (refused == nil || !refused.Retry || refused.After != 10*time.Second) {
			t.Errorf("%s: got error %+v, want a retry after 10 s", name, refused)
		}
	}
	t.Run("clients wait for the next window", func(t *testing.T) {
		c := th.connect("again", guestNamed("again"))
		th.now = th.now.Add(3*time.Second + 999*time.Millisecond)
		accepted, refused := admit(t, h, c, 4)
		equal(t, "accepted", accepted, 3)
		equal(t, "wait", refused.After, 6_001*time.Millisecond)
		th.now = th.now.Add(refused.After)
		accepted, _ = admit(t, h, c, 4)
		equal(t, "accepted after the wait", accepted, 3)
	})
	t.Run("the role is the one in the row, not of the handshake", func(t *testing.T) {
		c := th.connect("login", guestNamed("login"))
		if err := th.Renew(t.Context(), c, alice); err != nil {
			t.Fatal(err)
		}
		accepted, _ := admit(t, h, c, 20)   // c is still the guest of the handshake
		equal(t, "accepted", accepted, 2+5) // two as the guest's own part, then as the customer's
	})
	t.Run("hubs with the same store count together", func(t *testing.T) {
		c := th.connect("two", guestNamed("two"))
		admit(t, h, c, 2)
		accepted, _ := admit(t, th.withStore(th.store).WithLimits(parseLimits(t, "guest=3")), c, 5)
		equal(t, "accepted by the second hub", accepted, 1)
	})
	t.Run("users count separately, connections together", func(t *testing.T) {
		dora := hub.Principal{User: "dora", Role: hub.RoleCustomer}
		admit(t, h, th.connect("flood", alice), 100)
		accepted, _ := admit(t, h, th.connect("first", dora), 3)
		again, _ := admit(t, h, th.connect("second", dora), 9)
		equal(t, "accepted on two connections", []int{accepted, again}, []int{3, 2})
	})
	t.Run("size", func(t *testing.T) {
		h := th.WithLimits(parseLimits(t, "bytes=100"))
		if _, err := h.Admit(t.Context(), th.connect("size", guestNamed("size")), 100); err != nil {
			t.Error(err)
		}
		wantCode(t, admission(t, h, th.connect("size", guestNamed("size")), 101), wire.CodeTooBig)
		none := h.WithLimits(parseLimits(t, "bytes=100,guest=0,customer=0,vendor=0,admin=0"))
		wantCode(t, admission(t, none, th.connect("size", guestNamed("size")), 101), wire.CodeTooBig)
	})
	t.Run("messages that are too big count", func(t *testing.T) {
		h := th.WithLimits(parseLimits(t, "guest=3,bytes=100"))
		c := th.connect("big", guestNamed("big"))
		for range 3 {
			wantCode(t, admission(t, h, c, 101), wire.CodeTooBig)
		}
		wantCode(t, admission(t, h, c, 101), wire.CodeSlowDown)
		wantCode(t, admission(t, h, c, 1), wire.CodeSlowDown)
	})
}

// countingStore counts counter writes and connection reads.
type countingStore struct {
	hub.Store
	counts, reads *int
}

func (s countingStore) Count(ctx context.Context, holder, name string, n int, expires time.Time) (int, error) {
	*s.counts++
	return s.Store.Count(ctx, holder, name, n, expires)
}

func (s countingStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	*s.reads++
	return s.Store.Connection(ctx, id)
}

// TestAdmitCostsOneWriteAndOneRead checks what each message costs, refused or not.
// Without limits it costs nothing.
func TestAdmitCostsOneWriteAndOneRead(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c", alice)
	for text, want := range map[string][2]int{
		"":                                     {60, 60},
		"guest=0,customer=0,vendor=0,admin=0":  {0, 0},
		"guest=0,customer=99,vendor=0,admin=0": {60, 60},
	} {
		counts, reads := 0, 0
		th.now = th.now.Add(time.Minute)
		admit(t, th.withStore(countingStore{th.store, &counts, &reads}).WithLimits(parseLimits(t, text)), c, 60)
		equal(t, text+": writes and reads", [2]int{counts, reads}, want)
	}
}

func TestConnectLimits(t *testing.T) {
	th := newTestHub(t)
	h := th.WithLimits(parseLimits(t, "user=2,customer=0"))
	open := func(id string, p hub.Principal) error {
		return h.Connect(t.Context(), hub.Connection{ID: id, Principal: p, ConnectedAt: th.now, ClientHash: "home"})
	}
	if err := errors.Join(open("a1", alice), open("a2", alice), open("b1", bob)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, open("a3", alice), wire.CodeLimit)
	if _, err := th.store.Connection(t.Context(), "a3"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("the refused connection: got %v, want ErrGone", err)
	}
	if err := errors.Join(h.Disconnect(t.Context(), "a1"), open("a3", alice)); err != nil {
		t.Errorf("after one connection ended: %v", err)
	}
	th.now = th.now.Add(hub.ConnectionLife + time.Millisecond)
	if err := errors.Join(open("a4", alice), open("a5", alice)); err != nil {
		t.Errorf("other connections have expired: %v", err)
	}
	wantCode(t, open("a6", alice), wire.CodeLimit)
}

// TestLoginIsCounted checks that a login counts for the user as a handshake does,
// and is undone completely if the user is at the limit.
func TestLoginIsCounted(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	h := th.WithLimits(parseLimits(t, "user=2"))
	var c hub.Connection
	for i := range 3 {
		g := hub.Principal{User: fmt.Sprint("guest:g", i), Role: hub.RoleGuest}
		c = th.connect(fmt.Sprint("c", i), g, "cart", "sku:A")
		err := h.Renew(t.Context(), c, alice)
		if i < 2 {
			if err != nil {
				t.Fatalf("login %d: %v", i, err)
			}
			continue
		}
		wantCode(t, err, wire.CodeLimit)
		row, err := th.store.Connection(t.Context(), c.ID)
		if err != nil || row.Principal != g || len(row.Topics) != 2 {
			t.Errorf("the refused connection is %+v, %v, want the guest with its topics", row, err)
		}
		guestHolder, err := th.store.Holder(t.Context(), g.CartID(), "", 9)
		equal(t, "connections of the refused guest", len(guestHolder.Connections), 1)
		aliceHolder, err2 := th.store.Holder(t.Context(), alice.CartID(), "", 9)
		equal(t, "connections of alice", len(aliceHolder.Connections), 2)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Renew(t.Context(), th.connect("c0", alice), withSession(alice, th.now)); err != nil {
		t.Errorf("a new token on a counted connection: %v", err)
	}
	if err := errors.Join(h.Disconnect(t.Context(), "c1"), h.Renew(t.Context(), c, alice)); err != nil {
		t.Errorf("after one connection ended: %v", err)
	}
}

// TestExpiredCountsAsGuest checks that after its session every principal has the
// limits of a guest, and learns them.
func TestExpiredCountsAsGuest(t *testing.T) {
	th := newTestHub(t)
	for i := range 3 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	h := th.WithLimits(parseLimits(t, "skus=2,guest=3,customer=9,vendor=9,admin=9"))
	for _, p := range []hub.Principal{alice, acme, admin} {
		c := th.connect(p.User, p)
		equal(t, p.User+": limit of SKUs", h.LimitsOf(p).SKUs, 0)
		if _, err := h.Revoke(t.Context(), p.User); err != nil {
			t.Fatal(err)
		}
		row, err := h.Current(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		limits := h.LimitsOf(row.Principal)
		equal(t, p.User+": limits after the session", []int{limits.SKUs, limits.Messages}, []int{2, 3})
		for i, want := range []string{"{}", "{}", `{"sku:S2":"slow_down"}`} {
			s, err := h.Get(t.Context(), c, subscribeTo(fmt.Sprint("sku:S", i)))
			if err != nil {
				t.Fatal(err)
			}
			if s.Refused == nil {
				s.Refused = map[string]wire.Code{}
			}
			equal(t, fmt.Sprint(p.User, ": refused of SKU ", i), s.Refused, json.RawMessage(want))
		}
		accepted, _ := admit(t, h, c, 20)
		equal(t, p.User+": messages accepted", accepted, 3)
	}
}

func TestTopicsLimit(t *testing.T) {
	th := newTestHub(t)
	for i := range 4 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	h := th.WithLimits(parseLimits(t, "topics=3"))
	c := th.connect("c", guest)
	if _, err := h.Subscribe(t.Context(), c, subscribeTo("sku:S0", "sku:S1", "sku:S2")); err != nil {
		t.Fatal(err)
	}
	_, err := h.Subscribe(t.Context(), c, subscribeTo("sku:S3"))
	wantCode(t, err, wire.CodeTooManyTopics)
	equal(t, "limit of topics", h.LimitsOf(guest).Topics, 3)
	equal(t, "a customer's limit of SKUs", h.LimitsOf(alice).SKUs, 0)
}
