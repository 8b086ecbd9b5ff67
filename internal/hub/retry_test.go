package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// write sends a request to the hub.
func write(h *hub.Hub, t *testing.T, c hub.Connection, r wire.Request) (wire.OK, error) {
	t.Helper()
	switch r.Action {
	case wire.ActionAdd:
		return h.Add(t.Context(), c, r)
	case wire.ActionSet:
		return h.Set(t.Context(), c, r)
	}
	return h.Checkout(t.Context(), c, r)
}

// receiptStore calls a function before it reads a receipt.
type receiptStore struct {
	hub.Store
	before func() error
}

func (s receiptStore) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	if err := s.before(); err != nil {
		return hub.Receipt{}, err
	}
	return s.Store.Receipt(ctx, cartID, key)
}

// TestRetryMeetsItsFirstAttempt lets the first attempt of a write finish while its
// retry runs, at each call of the store. The retry answers as the first attempt did,
// whatever it would be refused for by now.
func TestRetryMeetsItsFirstAttempt(t *testing.T) {
	places := []struct {
		name string
		hook func(s *hookedStore, f func())
	}{
		{"before it reads the cart", func(s *hookedStore, f func()) { s.beforeCart = f }},
		{"before it reads items", func(s *hookedStore, f func()) { s.beforeItems = f }},
		{"before it writes", func(s *hookedStore, f func()) { s.beforePutCarts = f }},
	}
	set := func(quantity int, version int64) wire.Request {
		return wire.Request{
			Action: wire.ActionSet, Key: "k", Version: at(version),
			Lines: []wire.LineChange{{SKU: "LOW", Quantity: quantity}},
		}
	}
	for _, tt := range []struct {
		name string
		r    wire.Request
		then func(th *testHub, other hub.Connection) // happens after the first attempt
	}{
		{"conflict with itself", set(2, 1), nil},
		{"gone version", set(2, 1), func(th *testHub, other hub.Connection) {
			if _, err := th.Checkout(t.Context(), other, wire.Request{}); err != nil {
				t.Fatal(err)
			}
		}},
		{"sold out", wire.Request{Action: wire.ActionAdd, SKU: "LOW", Quantity: 2, Key: "k"},
			func(th *testHub, _ hub.Connection) { th.stock("LOW", 0) }},
		{"busy", wire.Request{Action: wire.ActionAdd, SKU: "A", Quantity: 1, Key: "k"},
			func(th *testHub, other hub.Connection) { th.add(other, "B", 1, "") }},
		{"checkout", wire.Request{Action: wire.ActionCheckout, Version: at(1), Key: "k"},
			func(th *testHub, other hub.Connection) { th.add(other, "B", 1, "") }},
	} {
		for _, place := range places {
			t.Run(tt.name+", "+place.name, func(t *testing.T) {
				th := newStockedHub(t)
				c, other := th.connect("c1", alice), th.connect("c2", alice)
				th.add(c, "LOW", 1, "")
				var first wire.OK
				s := hookedStore{Store: th.store}
				done := false
				place.hook(&s, once(func() {
					var err error
					if first, err = write(th.Hub, t, c, tt.r); err != nil {
						t.Fatal(err)
					}
					if done = true; tt.then != nil {
						tt.then(th, other)
					}
				}))
				ok, err := write(th.withStore(s), t, c, tt.r)
				if err != nil {
					t.Fatalf("the retry was refused: %v", err)
				}
				readsItems := tt.r.Action != wire.ActionCheckout
				if readsItems || place.name != "before it reads items" {
					first.Duplicate = true
					equal(t, "answer", ok, first)
				}
				equal(t, "the first attempt ran", done, first.Duplicate)
			})
		}
	}
}

// slowStore waits before and after every access to a cart.
type slowStore struct {
	hub.Store
	wait func()
}

func (s slowStore) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	s.wait()
	defer s.wait()
	return s.Store.Receipt(ctx, cartID, key)
}

func (s slowStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	s.wait()
	defer s.wait()
	return s.Store.Cart(ctx, id)
}

func (s slowStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	s.wait()
	defer s.wait()
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

// TestOverlappingRetries sends a write again at every moment of its first attempt, on
// a slow store. Both get the same answer.
func TestOverlappingRetries(t *testing.T) {
	const latency = 10 * time.Millisecond
	for _, r := range []wire.Request{
		{Action: wire.ActionAdd, SKU: "A", Quantity: 1, Key: "k"},
		{Action: wire.ActionSet, Lines: []wire.LineChange{{SKU: "A", Quantity: 7}}, Version: at(1), Key: "k"},
		{Action: wire.ActionCheckout, Version: at(1), Key: "k"},
	} {
		for pause := time.Duration(0); pause <= 8*latency; pause += latency / 2 {
			synctest.Test(t, func(t *testing.T) {
				th := newStockedHub(t)
				c := th.connect("c1", alice)
				th.add(c, "A", 1, "")
				h := th.withStore(slowStore{th.store, func() { time.Sleep(latency) }})
				answers := make([]wire.OK, 2)
				errs := make([]error, 2)
				var wg sync.WaitGroup
				for i := range answers {
					wg.Go(func() {
						time.Sleep(time.Duration(i) * pause)
						answers[i], errs[i] = write(h, t, c, r)
						answers[i].Duplicate = false
					})
				}
				wg.Wait()
				if err := errors.Join(errs...); err != nil {
					t.Errorf("%s again after %s: %v", r.Action, pause, err)
				}
				equal(t, string(r.Action)+" again after "+pause.String(), answers[1], answers[0])
			})
		}
	}
}

// TestRetryThatIsAlwaysOvertaken lets other writes overtake every attempt of a retry,
// the last of them by its own first attempt.
func TestRetryThatIsAlwaysOvertaken(t *testing.T) {
	th := newStockedHub(t)
	c, other := th.connect("c1", alice), th.connect("c2", alice)
	r := wire.Request{Action: wire.ActionAdd, SKU: "A", Quantity: 1, Key: "k"}
	attempts := 0
	var first wire.OK
	h := th.withStore(hookedStore{Store: th.store, beforePutCarts: func() {
		if attempts++; attempts < 8 {
			th.add(other, "B", 1, "")
			return
		}
		var err error
		if first, err = write(th.Hub, t, c, r); err != nil {
			t.Fatal(err)
		}
	}})
	ok, err := write(h, t, c, r)
	if err != nil {
		t.Fatalf("the retry was refused: %v", err)
	}
	first.Duplicate = true
	equal(t, "answer", ok, first)
	equal(t, "attempts", attempts, 8)
}

// TestRefusalWithoutAnAttempt checks that a refusal stays a refusal if the key is new,
// and that the store's failure at the second look is not reported as a refusal.
func TestRefusalWithoutAnAttempt(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	_, err := th.Add(t.Context(), c, wire.Request{SKU: "OUT", Quantity: 1, Key: "k"})
	wantCode(t, err, wire.CodeNoStock)

	broken := errors.New("broken")
	looks := 0
	h := th.withStore(receiptStore{th.store, func() error {
		if looks++; looks == 2 {
			return broken
		}
		return nil
	}})
	if _, err := h.Add(t.Context(), c, wire.Request{SKU: "OUT", Quantity: 1, Key: "k"}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the store: nobody knows whether the write took effect", err)
	}
}

// TestKeyOfAnotherVersion checks that a key answers only the request that it was
// used for: the version and the epoch are parts of it.
func TestKeyOfAnotherVersion(t *testing.T) {
	requests := []wire.Request{{}, {Version: at(0)}, {Version: at(1)}, {Version: at(1), Epoch: "k1"}, {Epoch: "k1"}}
	for _, action := range []wire.Action{wire.ActionSet, wire.ActionCheckout} {
		for i, first := range requests {
			for j, second := range requests {
				t.Run(fmt.Sprint(action, " ", i, " ", j), func(t *testing.T) {
					th := newStockedHub(t)
					c := th.connect("c1", alice)
					if first.Version != nil && *first.Version == 1 {
						th.add(c, "B", 1, "")
					}
					first.Action, first.Key, first.Lines = action, "k", []wire.LineChange{{SKU: "A", Quantity: 1}}
					second.Action, second.Key, second.Lines = action, "k", first.Lines
					if _, err := write(th.Hub, t, c, first); err != nil {
						t.Fatal(err)
					}
					ok, err := write(th.Hub, t, c, second)
					if i == j {
						equal(t, "duplicate", ok.Duplicate, true)
						return
					}
					wantCode(t, err, wire.CodeBadField)
				})
			}
		}
	}
}
