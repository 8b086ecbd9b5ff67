package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/wire"
)

// erasedNames are the texts that name the user or the content of the cart in the tests
// of Erase.
var erasedNames = []string{"alice", "mark-sku", "mark-key", "phone", "laptop"}

func (th *testHub) erase(user string) int {
	th.t.Helper()
	ended, err := th.Erase(th.t.Context(), user)
	if err != nil {
		th.t.Fatal(err)
	}
	return ended
}

// fill gives a user two connections, a cart, receipts, marks and quotas.
func (th *testHub) fill(p hub.Principal) hub.Connection {
	th.t.Helper()
	th.stock("mark-sku", 99)
	phone := th.connect("phone", p, "cart", "sku:mark-sku")
	th.connect("laptop", p, "cart")
	for _, c := range []hub.Connection{phone, {ID: "laptop", Principal: p}} {
		if _, err := th.Admit(th.t.Context(), c, 1); err != nil {
			th.t.Fatal(err)
		}
	}
	th.add(phone, "mark-sku", 1, "mark-key-1")
	th.add(phone, "mark-sku", 1, "mark-key-2")
	topics := []hub.Topic{{Kind: hub.KindCart, Name: p.CartID()}}
	undelivered := []hub.Undelivered{{ConnectionID: "phone", Topics: topics}}
	if err := errors.Join(th.store.MarkForRetry(th.t.Context(), undelivered, th.now)...); err != nil {
		th.t.Fatal(err)
	}
	return phone
}

// wantErased fails if the store has one of the names. The item is the shop's.
func (th *testHub) wantErased(names ...string) {
	th.t.Helper()
	th.store.RemoveItem("mark-sku")
	left := strings.Split(hubtest.Texts(th.store), "\n")
	for _, name := range names {
		contains := func(text string) bool { return strings.Contains(text, name) }
		if i := slices.IndexFunc(left, contains); i >= 0 {
			th.t.Errorf("the store still has %q in %q", name, left[i])
		}
	}
}

func TestErase(t *testing.T) {
	for name, p := range map[string]hub.Principal{
		"a customer":                  {User: "alice", Role: hub.RoleCustomer},
		"a guest":                     {User: "guest:alice", Role: hub.RoleGuest},
		"a vendor":                    {User: "alice", Role: hub.RoleVendor, Vendor: "acme"},
		"a customer with another sub": {User: "alice@shop.example/7", Role: hub.RoleCustomer},
	} {
		t.Run(name, func(t *testing.T) {
			th := newTestHub(t)
			p = withSession(p, th.now.Add(-time.Minute))
			th.fill(p)
			th.add(th.connect("other", bob), "mark-sku", 5, "")
			if text := hubtest.Texts(th.store); !strings.Contains(text, "mark-key-1") || !strings.Contains(text, p.User) {
				t.Fatal("the store did not have the user's rows")
			}
			th.sent, th.changes = nil, nil
			equal(t, "ended", th.erase(p.User), 2)
			th.wantGot("laptop", expiredNotice, "phone", expiredNotice)
			equal(t, "closed", th.disconnected, []string{"laptop", "phone"})
			equal(t, "another cart", th.cart(bob), "v1 [mark-sku=5]")
			if n := len(th.changes); n != 1 || !th.changes[0].Removed || th.changes[0].OldCart.ID != p.CartID() {
				t.Errorf("got %d changes, want the removal of the cart", n)
			}
			equal(t, "ended by a second call", th.erase(p.User), 0)
			th.store.RemoveCart(bob.CartID())
			th.wantErased(erasedNames...)
		})
	}
}

// TestEraseKeepsTokensRefused checks that tokens that were issued before stay refused,
// and that the same person may come back with a new one, with a cart of higher versions.
func TestEraseKeepsTokensRefused(t *testing.T) {
	th := newTestHub(t)
	old := withSession(alice, th.now.Add(-time.Minute))
	phone := th.fill(old)
	th.erase("alice")
	if _, err := th.Add(t.Context(), phone, wire.Request{SKU: "mark-sku", Quantity: 1}); !errors.Is(err, hub.ErrGone) {
		t.Errorf("a message of an ended connection: got %v, want ErrGone", err)
	}
	again := th.connect("again", old)
	_, err := th.Add(t.Context(), again, wire.Request{SKU: "mark-sku", Quantity: 1})
	wantCode(t, err, wire.CodeTokenExpired)
	_, err = th.IssueTicket(t.Context(), "secret", old)
	wantCode(t, err, wire.CodeTokenExpired)
	wantCode(t, th.Renew(t.Context(), again, old), wire.CodeTokenExpired)

	th.now = th.now.Add(time.Second)
	back := th.connect("back", withSession(alice, th.now))
	if ok := th.add(back, "mark-sku", 1, "mark-key-1"); ok.Duplicate || ok.Version <= 3 {
		t.Errorf("got %+v, want a new cart with a version above the removed one's", ok)
	}
	equal(t, "ended by a second call", th.erase("alice"), 2)
	th.wantErased(erasedNames...)
}

// TestEraseDuringAWrite erases a user while one of its writes has looked at the session
// but has not written yet: with a cart and without, with a key and without. Nothing may
// be left of the write.
func TestEraseDuringAWrite(t *testing.T) {
	line := []wire.LineChange{{SKU: "mark-sku", Quantity: 0}}
	for name, write := range map[string]func(context.Context, *hub.Hub, hub.Connection, string) error{
		"add": func(ctx context.Context, h *hub.Hub, c hub.Connection, key string) error {
			_, err := h.Add(ctx, c, wire.Request{SKU: "mark-sku", Quantity: 1, Key: key})
			return err
		},
		"set": func(ctx context.Context, h *hub.Hub, c hub.Connection, key string) error {
			_, err := h.Set(ctx, c, wire.Request{Lines: line, Key: key})
			return err
		},
		"checkout": func(ctx context.Context, h *hub.Hub, c hub.Connection, key string) error {
			_, err := h.Checkout(ctx, c, wire.Request{Key: key})
			return err
		},
		"merge": func(ctx context.Context, h *hub.Hub, c hub.Connection, key string) error {
			_, err := h.Merge(ctx, c, guest, wire.Request{Policy: wire.PolicySum, Key: key})
			return err
		},
	} {
		for _, key := range []string{"", "mark-key-9"} {
			for _, hasCart := range []bool{false, true} {
				t.Run(name+" "+key+map[bool]string{true: " with a cart"}[hasCart], func(t *testing.T) {
					th := newTestHub(t)
					old := withSession(alice, th.now.Add(-time.Minute))
					th.stock("mark-sku", 99)
					phone := th.connect("phone", old)
					th.add(th.connect("g", guest), "mark-sku", 3, "")
					if hasCart {
						th.add(phone, "mark-sku", 1, "")
					}
					written := false
					h := th.withStore(hookedStore{Store: th.store, beforePutCarts: once(func() {
						written = true
						th.erase("alice")
					})})
					err := write(t.Context(), h, phone, key)
					// Without a key, an erased cart has nothing to set to 0 and nothing to check out.
					nothing := key == "" && (name == "set" || name == "checkout")
					switch {
					case written && !nothing:
						wantCode(t, err, wire.CodeTokenExpired)
					case !written && !nothing:
						t.Fatal("the request wrote nothing")
					}
					if th.erase("guest:g1"); !written {
						th.erase("alice")
					}
					th.wantErased(erasedNames...)
				})
			}
		}
	}
}

// TestEraseHoldsInSpiteOfFaults lets any one call of an erasure fail, before or after its
// work, and checks that the next call finds everything that is left.
func TestEraseHoldsInSpiteOfFaults(t *testing.T) {
	for failAt := 1; ; failAt++ {
		for _, after := range []bool{false, true} {
			th := newTestHub(t)
			th.fill(withSession(alice, th.now.Add(-time.Minute)))
			s := &eraseFaults{Store: th.store, failAt: failAt, after: after}
			_, err := th.withStore(s).Erase(t.Context(), "alice")
			if s.calls < failAt {
				if failAt < 15 {
					t.Errorf("an erasure makes only %d calls", s.calls)
				}
				return
			}
			if err == nil {
				t.Errorf("call %d failed, and nobody was told", failAt)
			}
			th.erase("alice")
			th.wantErased(erasedNames...)
		}
	}
}

// eraseFaults is a store in which one call of an erasure fails, before its work or
// after it.
type eraseFaults struct {
	hub.Store
	failAt, calls int
	after         bool
}

func (s *eraseFaults) do(work func() error) error {
	s.calls++
	if s.calls == s.failAt && !s.after {
		return errors.New("not sent")
	}
	if err := work(); err != nil || s.calls != s.failAt {
		return err
	}
	return errors.New("no answer")
}

func (s *eraseFaults) Revoke(ctx context.Context, name string, until time.Time) error {
	return s.do(func() error { return s.Store.Revoke(ctx, name, until) })
}

func (s *eraseFaults) Holder(ctx context.Context, id, after string, limit int) (holder hub.Holder, err error) {
	err = s.do(func() error { holder, err = s.Store.Holder(ctx, id, after, limit); return err })
	return holder, err
}

func (s *eraseFaults) Connection(ctx context.Context, id string) (c hub.Connection, err error) {
	err = s.do(func() error { c, err = s.Store.Connection(ctx, id); return err })
	return c, err
}

func (s *eraseFaults) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	return s.do(func() error { return s.Store.ReplacePrincipal(ctx, id, prev, next) })
}

func (s *eraseFaults) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (n int64, err error) {
	err = s.do(func() error { n, err = s.Store.Unsubscribe(ctx, id, topics); return err })
	return n, err
}

func (s *eraseFaults) Subscribe(
	ctx context.Context, c hub.Connection, topics []hub.Topic,
) (latest hub.Connection, err error) {
	err = s.do(func() error { latest, err = s.Store.Subscribe(ctx, c, topics); return err })
	return latest, err
}

func (s *eraseFaults) EndConnection(ctx context.Context, id string, now time.Time, spare int) error {
	return s.do(func() error { return s.Store.EndConnection(ctx, id, now, spare) })
}

func (s *eraseFaults) Release(ctx context.Context, holder, id string) error {
	return s.do(func() error { return s.Store.Release(ctx, holder, id) })
}

func (s *eraseFaults) Erase(ctx context.Context, id string) error {
	return s.do(func() error { return s.Store.Erase(ctx, id) })
}

// TestEraseWhenTheGatewayFails checks that a connection that could not be closed is
// closed by the next call.
func TestEraseWhenTheGatewayFails(t *testing.T) {
	th := newTestHub(t)
	th.fill(withSession(alice, th.now.Add(-time.Minute)))
	failure := errors.New("unavailable")
	th.disconnectError = func(string) error { return failure }
	if _, err := th.Erase(t.Context(), "alice"); !errors.Is(err, failure) {
		t.Errorf("got %v, want the gateway's failure", err)
	}
	th.disconnectError = nil
	equal(t, "ended", th.erase("alice"), 2)
	equal(t, "closed", th.disconnected, []string{"laptop", "phone"})
	th.wantErased(erasedNames...)
}

// TestEraseWhileTheDisconnectRuns checks that nothing stays if $disconnect comes first: it
// leaves subscriptions to SKUs that nobody else watches, and the row no longer has their topics.
func TestEraseWhileTheDisconnectRuns(t *testing.T) {
	th := newTestHub(t)
	th.fill(withSession(alice, th.now.Add(-time.Minute)))
	th.disconnectError = func(id string) error { return th.Disconnect(t.Context(), id) }
	equal(t, "ended", th.erase("alice"), 2)
	th.wantErased(erasedNames...)
}

// TestEraseAGuestWhoSignedIn checks that the connection of a guest who signed in stays
// the customer's, although a crash left it with the guest.
func TestEraseAGuestWhoSignedIn(t *testing.T) {
	th := newTestHub(t)
	th.stock("mark-sku", 9)
	c := hub.Connection{ID: "c", Principal: guest, ConnectedAt: th.now}
	if err := th.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := th.Renew(t.Context(), c, withSession(bob, th.now)); err != nil {
		t.Fatal(err)
	}
	left := &leftEntry{th.store, guest.ID(), "c"}
	h := th.withStore(left)
	if ended, err := h.Erase(t.Context(), guest.User); err != nil || ended != 0 || len(th.disconnected) > 0 {
		t.Errorf("got %d ended, %v, closed %v, want none", ended, err, th.disconnected)
	}
	if left.id != "" {
		t.Error("the guest still lists the connection")
	}
	th.add(c, "mark-sku", 1, "")
	equal(t, "the customer's cart", th.cart(bob), "v1 [mark-sku=1]")
}

// leftEntry is a store in which a holder still lists a connection.
type leftEntry struct {
	hub.Store
	holder, id string
}

func (s *leftEntry) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if id == s.holder {
		return hub.Holder{Connections: []hub.HeldConnection{{ID: s.id}}}, nil
	}
	return s.Store.Holder(ctx, id, after, limit)
}

func (s *leftEntry) Release(_ context.Context, holder, id string) error {
	if holder == s.holder && id == s.id {
		s.id = ""
	}
	return nil
}

// TestEraseEmptiesTheScreensOfAdmins checks that an admin who looks at the cart sees it
// go, and stays connected.
func TestEraseEmptiesTheScreensOfAdmins(t *testing.T) {
	th := newTestHub(t)
	th.fill(withSession(alice, th.now.Add(-time.Minute)))
	th.connect("desk", admin, "cart:u~alice")
	th.broadcast()
	th.erase("alice")
	equal(t, "closed", th.disconnected, []string{"laptop", "phone"})
	th.broadcast()
	th.wantGot("desk", delta(`"cart:u~alice":{"version":3,"lines":{}}`))
}

// TestEraseWhileAConnectionOpens ends a connection while it opens, when the gateway
// cannot close it yet. Its first message finds that it has ended, and closes it. After a
// failure the next message tries again.
func TestEraseWhileAConnectionOpens(t *testing.T) {
	th := newTestHub(t)
	ender := &endings{}
	h := th.WithEnder(ender)
	c := hub.Connection{ID: "c", Principal: withSession(alice, th.now), ConnectedAt: th.now, Endpoint: "api/prod"}
	if err := h.Connect(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	th.erase("alice")
	ender.err = errors.New("unavailable")
	if _, err := h.Current(t.Context(), c); !errors.Is(err, ender.err) || errors.Is(err, hub.ErrGone) {
		t.Errorf("got %v, want the gateway's failure", err)
	}
	ender.err = nil
	if _, err := h.Current(t.Context(), c); !errors.Is(err, hub.ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
	equal(t, "closed", ender.ended, []string{"c at api/prod", "c at api/prod"})
	th.wantErased("alice")
}
