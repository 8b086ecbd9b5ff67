package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// cartLog is what a cart had.
type cartLog struct {
	lines    map[int64]map[string]int // by version
	version  int64
	replaced map[int64]int // event in which a version was replaced, or its row removed
}

func newCartLog() *cartLog {
	return &cartLog{lines: map[int64]map[string]int{}, replaced: map[int64]int{}}
}

// wrote records a write of the request that runs. Only an order that the service has may
// take pieces out, and only those that were ordered.
func (h *history) wrote(w hub.CartWrite) {
	h.events++
	c := h.running[len(h.running)-1]
	log := h.carts[c.d.user]
	lines := map[string]int{}
	for sku, l := range w.Cart.Lines {
		if l.Quantity > 0 {
			lines[sku] = l.Quantity
		}
	}
	if a := c.order; a != nil {
		if a.order == nil || a.order.Version != w.Base || len(lines) > 0 || a.ended {
			h.problem("%s: wrote %v over version %d, but the service has %v", a.key, lines, w.Base, a.order)
		}
		a.ended = true
	}
	log.replaced[log.version] = h.events
	log.version, log.lines[w.Cart.Version] = w.Cart.Version, lines
}

// removeCart removes the row of a cart, as a shop's own checkout may.
func (h *history) removeCart(user string) {
	h.events++
	log := h.carts[user]
	if err := h.store.RemoveCart("u~" + user); err != nil {
		h.problem("remove a cart: %v", err)
	}
	if log.version > 0 {
		h.note("cart that the shop removed")
		log.replaced[log.version] = h.events
	}
	log.version = 0
}

// historyStore is the memory store with other requests between its calls, and failures.
type historyStore struct {
	*memstore.Store
	h *history
}

// before lets things happen before a call, which may fail.
func (s historyStore) before() error {
	if s.h.interrupt(); s.h.chance(30) {
		s.h.running[len(s.h.running)-1].failed = true
		return errInside
	}
	return nil
}

func (s historyStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := s.before(); err != nil {
		return hub.Cart{}, err
	}
	return s.Store.Cart(ctx, id)
}

func (s historyStore) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	if err := s.before(); err != nil {
		return hub.Receipt{}, err
	}
	return s.Store.Receipt(ctx, cartID, key)
}

func (s historyStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if err := s.before(); err != nil {
		return time.Time{}, err
	}
	return s.Store.Revocation(ctx, holder)
}

// PutCarts may fail although it wrote.
func (s historyStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	if err := s.before(); err != nil {
		return err
	}
	if err := s.Store.PutCarts(ctx, carts, receipt, sessions...); err != nil {
		return err
	}
	for _, w := range carts {
		s.h.wrote(w)
	}
	return s.before()
}

// placedOrder is an order that the service has.
type placedOrder struct {
	User    string
	Version int64
	Lines   map[string]int
	Details json.RawMessage

	body, answer string
	at           time.Time
}

// String describes the order in problems.
func (o *placedOrder) String() string {
	if o == nil {
		return "no order"
	}
	return o.body + ", answered " + o.answer
}

// orderService is an order service that keeps the contract of docs/http.md, and fails in all
// ways that it leaves open.
type orderService struct {
	h       *history
	orders  map[string]*placedOrder // by name
	refused map[string]time.Time
	placed  int
	memory  time.Duration // how long it remembers an order
}

// RoundTrip implements [http.RoundTripper].
func (s *orderService) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.h.interrupt()
	answer := s.serve(r.Header.Get("Idempotency-Key"), string(body))
	s.h.interrupt()
	return answer(r)
}

type answer = func(*http.Request) (*http.Response, error)

const errorPage = "<h1>canary</h1>"

// breaks are answers of what is in front of the service, and of connections.
var breaks = []answer{
	func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
	func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded },
	reply(500, `{"canary":1}`), reply(502, errorPage), reply(503, `{"message":"canary"}`), reply(504, errorPage),
	reply(409, `{}`), reply(429, `{"message":"canary"}`), reply(400, errorPage), reply(403, `{}`), reply(302, `{}`),
	reply(200, errorPage), reply(200, `{"number":`), reply(204, ""), reply(200, `[1]`),
}

// serve places an order or not, and answers what it did or not.
func (s *orderService) serve(name, body string) answer {
	now := s.h.f.now
	maps.DeleteFunc(s.orders, func(_ string, o *placedOrder) bool { return now.Sub(o.at) > s.memory })
	maps.DeleteFunc(s.refused, func(_ string, at time.Time) bool { return now.Sub(at) > s.memory })
	c := s.h.running[len(s.h.running)-1]
	if s.h.chance(5) {
		c.failed = true
		return breaks[s.h.IntN(len(breaks))]
	}
	o, known := s.orders[name]
	_, refused := s.refused[name]
	switch {
	case known && o.body != body:
		s.h.problem("%s came with %s and with %s", name, o.body, body)
	case !known && (refused || s.h.chance(10)):
		s.refused[name] = now
		return reply([]int{400, 402, 422}[s.h.IntN(3)], `{"reason":"no such street"}`)
	case known:
		s.h.note("order that was placed before")
	default:
		o = s.place(name, body)
	}
	if a := c.order; a.order == nil {
		a.order = o
		s.h.judgePlaced(a)
	} else if a.order != o {
		s.h.problem("%s has two orders: %v and %v", a.key, a.order, o)
	}
	if s.h.chance(4) {
		c.failed = true
		return breaks[s.h.IntN(len(breaks))]
	}
	c.taken = true
	return reply(201, o.answer)
}

func (s *orderService) place(name, body string) *placedOrder {
	o := &placedOrder{body: body, at: s.h.f.now}
	if err := json.Unmarshal([]byte(body), o); err != nil {
		s.h.problem("%s: %v", body, err)
	}
	s.placed++
	o.answer = fmt.Sprintf(`{"number":%d}`, s.placed)
	s.orders[name] = o
	return o
}

// judgePlaced checks that an order is of its customer's cart, as it was after the customer
// asked.
func (h *history) judgePlaced(a *attempt) {
	o, log := a.order, h.carts[a.d.user]
	replaced := log.replaced[o.Version]
	if o.User != a.d.user || len(o.Lines) == 0 || !maps.Equal(o.Lines, log.lines[o.Version]) ||
		replaced > 0 && replaced < a.began || string(o.Details) != a.details || a.refused ||
		a.ifMatch != "" && a.ifMatch != fmt.Sprintf(`"k3.%d"`, o.Version) {
		h.problem("%s of %s, refused %t, began at %d: the service has %v; the cart had %v, until %d",
			a.key, a.ifMatch, a.refused, a.began, o, log.lines[o.Version], replaced)
	}
}

var _ hub.Store = historyStore{}
