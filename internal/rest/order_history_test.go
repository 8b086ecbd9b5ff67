package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/securecart/hub/internal/rest"
)

// history is a customer who orders, and repeats an order until it has an answer, while
// everything fails at random and another device fills the cart.
type history struct {
	*shop
	*rand.Rand
	added, gone map[string]int // pieces: that were put into the cart, and that orders took out of it
	key         string         // of the order that has no answer; "": none
	begun       int            // orders
}

func (h *history) add() {
	sku := []string{"MUG", "TEE"}[h.IntN(2)]
	if w := h.call("POST", "/v1/cart/lines", `{"sku":"`+sku+`"}`, h.ann[2:]...); w.Code != 200 {
		h.t.Fatalf("add: %d %s", w.Code, w.Body)
	}
	h.added[sku]++
}

// fail chooses what goes wrong in the next attempt. It reports whether the client loses
// the answer.
func (h *history) fail() bool {
	failing := func(what string) func() { return func() { h.store.errs[what] = errInside } }
	lost := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	switch h.IntN(10) {
	case 0:
		failing("PutCarts")()
	case 1:
		failing("answer of PutCarts")()
	case 2:
		h.before = failing("PutCarts")
	case 3:
		h.before = failing("answer of PutCarts")
	case 4:
		h.before = h.add
	case 5:
		h.away = true
	case 6:
		h.answer = lost
	case 7:
		h.answer = reply(500, "{}")
	case 8:
		return true
	}
	return false
}

// order sends the order that has no answer, or a new one.
func (h *history) order() {
	if h.key == "" {
		h.begun++
		h.key = fmt.Sprint("o-", h.begun)
	}
	lost := h.fail()
	w := h.call("POST", "/v1/orders", "", append([]string{"Idempotency-Key", h.key}, h.ann[2:]...)...)
	h.store.errs, h.before, h.answer, h.away = map[string]error{}, nil, nil, false
	switch {
	case lost || w.Code >= 500:
	case w.Code == 400: // the cart is empty
		h.key = ""
	case w.Code == 200:
		h.key = ""
		var o rest.Order
		if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
			h.t.Fatal(err)
		}
		for sku, n := range o.Ordered {
			if !o.Kept {
				h.gone[sku] += n
			}
		}
	default:
		h.t.Fatalf("order: %d %s", w.Code, w.Body)
	}
}

// check fails unless the cart has what was put in and no order took out.
func (h *history) check() {
	var s struct {
		Topics struct {
			Cart struct {
				Lines map[string]struct{ Quantity int }
			}
		}
	}
	if err := json.Unmarshal(h.call("GET", "/v1/cart", "", h.ann[2:]...).Body.Bytes(), &s); err != nil {
		h.t.Fatal(err)
	}
	got, want := map[string]int{}, map[string]int{}
	for sku, l := range s.Topics.Cart.Lines {
		got[sku] = l.Quantity
	}
	for sku, n := range h.added {
		if n -= h.gone[sku]; n > 0 {
			want[sku] = n
		}
	}
	if !maps.Equal(got, want) || len(h.orders) > h.begun {
		h.t.Errorf("the cart has %v, want %v; %d orders of %d keys", got, want, len(h.orders), h.begun)
	}
}

// TestOrderHistories: whatever fails, each key has one order, and a piece leaves the cart
// only in one. The shop of the test fails if a key comes with another body.
func TestOrderHistories(t *testing.T) {
	for seed := range uint64(20) {
		h := &history{
			shop: newShop(t), Rand: rand.New(rand.NewPCG(seed, 0)), added: map[string]int{"MUG": 2}, gone: map[string]int{},
		}
		h.stock("MUG", 999, "")
		h.stock("TEE", 999, "")
		for range 300 {
			h.now = h.now.Add(time.Second)
			if h.IntN(3) == 0 {
				h.add()
			} else {
				h.order()
			}
			if h.key == "" { // otherwise nobody can know
				h.check()
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
}
