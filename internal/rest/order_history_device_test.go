package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/rest"
)

// act lets a device do something.
func (h *history) act(d *device) {
	sku := historySKUs[h.IntN(len(historySKUs))]
	switch n := h.IntN(20); {
	case d.busy && d.pending != nil: // its user is impatient
		h.note("request beside its repeat")
		h.order(d.pending)
	case d.busy:
	case n < 6:
		h.send(&call{d: d}, "POST", "/v1/cart/lines", fmt.Sprintf(`{"sku":%q,"quantity":%d}`, sku, 1+h.IntN(3)))
	case n < 7:
		h.send(&call{d: d}, "PATCH", "/v1/cart", fmt.Sprintf(`{"lines":{%q:%d}}`, sku, h.IntN(2)))
	case n < 8:
		h.send(&call{d: d}, "POST", "/v1/cart/checkout", "{}")
	case n < 9 && len(h.running) < 2:
		h.removeCart(d.user)
	case n < 10:
		w := h.send(&call{d: d}, "GET", "/v1/cart", "")
		d.tag = w.Header().Get("ETag")
	case d.pending != nil:
		h.order(d.pending)
	default:
		h.order(h.newAttempt(d))
	}
}

// newAttempt begins an order, with a new key or one that is older than a day.
func (h *history) newAttempt(d *device) *attempt {
	a := &attempt{d: d, began: h.events}
	if len(d.keys) > 0 && h.IntN(2) == 0 {
		h.note("key of the day before")
		i := h.IntN(len(d.keys))
		a.key = d.keys[i]
		d.keys = slices.Delete(d.keys, i, i+1)
	} else {
		d.attempts++
		a.key = fmt.Sprint("o-", d.name, "-", d.attempts)
	}
	a.details = fmt.Sprintf("[%q]", a.key)
	if d.tag != "" && h.IntN(6) == 0 {
		a.ifMatch = d.tag
	}
	d.pending = a
	return a
}

// order sends an order, for the first time or again.
func (h *history) order(a *attempt) {
	headers := []string{"Idempotency-Key", a.key}
	if a.ifMatch != "" {
		headers = append(headers, "If-Match", a.ifMatch)
	}
	if slices.ContainsFunc(h.running, func(c *call) bool {
		return c.order != nil && c.order != a && c.order.d.user == a.d.user
	}) {
		h.note("order beside another")
	}
	c := &call{d: a.d, order: a}
	w := h.send(c, "POST", "/v1/orders", fmt.Sprintf(`{"details":%s}`, a.details), headers...)
	if h.judge(c, w) && a.d.pending == a {
		a.d.pending = nil
	}
}

// send sends a request. An answer that is lost has no code.
func (h *history) send(c *call, method, path, body string, headers ...string) (w *httptest.ResponseRecorder) {
	busy := c.d.busy
	c.d.busy = true
	h.running = append(h.running, c)
	depth := len(h.running)
	defer func() {
		c.d.busy, h.running = busy, h.running[:depth-1]
		if p := recover(); p != nil {
			if _, ok := p.(died); !ok {
				panic(p)
			}
			w = &httptest.ResponseRecorder{}
		}
		h.trace = append(h.trace, fmt.Sprint(h.events, " ", c.d.user, " ", c.d.name, " ", path, " ", headers, " ", w.Code))
	}()
	w = h.f.call(method, path, body, append(headers, as(c.d.token)...)...)
	if w.Code == 401 {
		h.note("token that expired")
		c.d.token = h.f.token(c.d.user, "")
	}
	if h.chance(15) {
		h.note("lost answer")
		w = &httptest.ResponseRecorder{}
	}
	return w
}

// judge checks an answer to an order against what is known of it, and reports whether the
// client need not repeat.
func (h *history) judge(c *call, w *httptest.ResponseRecorder) (done bool) {
	a := c.order
	var p rest.Problem
	text := w.Body.String()
	if w.Code >= 400 {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			h.problem("%s: %v", text, err)
		}
	}
	if c.taken && w.Code != 0 && w.Code != 200 && p.Code != "order_placed" {
		h.problem("%s: got %d %s, which does not say that the service took the order", a.key, w.Code, text)
	}
	if w.Code >= 500 && !c.failed {
		h.problem("%s: got %d %s, but nothing failed", a.key, w.Code, text)
	}
	switch {
	case w.Code == 0 || w.Code == 401 || w.Code >= 500 && p.Code != "order_placed":
		return false
	case p.Code == "order_placed":
		h.note("order without an end")
		if a.order == nil || string(p.Order) != a.order.answer {
			h.problem("%s: got %s, but the service has %v", a.key, text, a.order)
		}
		return false
	case w.Code == 200:
		h.judgeOrder(a, text)
		return true
	case p.Code == "order_refused":
		h.note("refusal")
		a.refused = true
	case w.Code == 400 && strings.Contains(text, "empty"):
	case w.Code == 412 && a.ifMatch != "":
	default:
		h.problem("%s: got %d %s", a.key, w.Code, text)
	}
	if a.order != nil {
		h.problem("%s: got %d %s, but the service has %v", a.key, w.Code, text, a.order)
	}
	return true
}

func (h *history) judgeOrder(a *attempt, text string) {
	var got rest.Order
	if err := json.Unmarshal([]byte(text), &got); err != nil || a.order == nil {
		h.problem("%s: got %s, %v, but there is no order", a.key, text, err)
		return
	}
	h.note("order")
	o, log := a.order, h.carts[a.d.user]
	if got.Key != a.key || string(got.Order) != o.answer || got.Version != o.Version || !maps.Equal(got.Ordered, o.Lines) {
		h.problem("%s: got %s, but the service has %v", a.key, text, o)
	}
	if got.Kept {
		h.note("order that is kept")
	}
	if got.Kept == a.ended || got.Kept && log.replaced[o.Version] == 0 {
		h.problem("%s: got %s; it ended the cart: %t; something else did: %t", a.key, text, a.ended,
			log.replaced[o.Version] > 0)
	}
}
