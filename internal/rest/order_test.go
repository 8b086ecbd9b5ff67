package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/rest"
)

// shop is an order service in memory that places each order once.
type shop struct {
	*fixture
	ann    []string          // headers of ann, with the key o-1
	orders map[string]string // bodies by idempotency key
	asked  int
	away   bool                                        // it cannot be reached
	before func()                                      // what happens meanwhile; nil: nothing
	answer func(*http.Request) (*http.Response, error) // after it placed an order; nil: the order
}

func newShop(t *testing.T) *shop {
	s := &shop{fixture: newFixture(t), orders: map[string]string{}}
	s.use(s.issuer.Client(), rest.Options{Orders: rest.Orders{URL: "https://orders.test/place", Transport: s}})
	s.stock("MUG", 9, "")
	s.stock("TEE", 9, "")
	token := as(s.token("ann", ""))
	s.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":2}`, token...)
	s.ann = append([]string{"Idempotency-Key", "o-1"}, token...)
	return s
}

// RoundTrip implements [http.RoundTripper].
func (s *shop) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil || s.away {
		return nil, errors.Join(err, io.EOF)
	}
	s.asked++
	key := r.Header.Get("Idempotency-Key")
	if first, ok := s.orders[key]; ok && first != string(text) || r.Method != "POST" ||
		r.URL.String() != "https://orders.test/place" || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Authorization") != "" {
		s.t.Errorf("the order service got %s %s %v %s", r.Method, r.URL, r.Header, text)
	}
	s.orders[key] = string(text)
	if s.before != nil {
		s.before()
	}
	if s.answer != nil {
		return s.answer(r)
	}
	return reply(201, fmt.Sprintf(`{"number": %d}`, len(s.orders)))(r)
}

func reply(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		header := http.Header{"Location": {"https://else.test"}} // where nobody may go
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func (s *shop) order() *httptest.ResponseRecorder { return s.call("POST", "/v1/orders", "", s.ann...) }

const ordered = `{"key":"o-1","order":{"number":1},"version":1,"ordered":{"MUG":2}}`

func (s *shop) wantCart(cart string) {
	s.t.Helper()
	want(s.t, s.call("GET", "/v1/cart", "", s.ann[2:]...), 200,
		`{"type":"snapshot","epoch":"k3","topics":{"cart":`+cart+`}}`)
}

const (
	fullCart  = `{"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`
	emptyCart = `{"version":2,"lines":{},"reason":"ordered"}`
)

// TestOrder: the shop gets the cart, and the cart ends.
func TestOrder(t *testing.T) {
	s := newShop(t)
	headers := append([]string{"If-Match", `"k3.1"`}, s.ann...)
	want(t, s.call("POST", "/v1/orders", `{"details":{"gift": true},"Other":1}`, headers...), 200, ordered)
	s.wantCart(emptyCart)
	for key, body := range s.orders {
		if len(key) != 32 || body != `{"user":"ann","version":1,"lines":{"MUG":2},"details":{"gift":true}}` {
			t.Errorf("the shop got %s: %s", key, body)
		}
	}
}

// TestOrderRepeated: whenever an answer is lost, a repeat gets the same order, and ends the
// cart if that is still to do.
func TestOrderRepeated(t *testing.T) {
	later := func(s *shop) { s.call("POST", "/v1/cart/lines", `{"sku":"TEE"}`, s.ann[2:]...) }
	for name, tt := range map[string]struct {
		lose, meanwhile func(*shop)
		status          int
		kept            string
		cart            string
	}{
		"the client lost it": {func(*shop) {}, nil, 200, "", emptyCart},
		"the client lost it, and the cart began anew": {func(*shop) {}, later, 200, "",
			`{"version":3,"lines":{"TEE":{"quantity":1,"version":3}}}`},
		"the hub lost it": {func(s *shop) {
			s.answer = func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
		}, nil, 502, "", emptyCart},
		"the hub lost it, and the cart changed": {func(s *shop) {
			s.answer = func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
		}, later, 502, `,"kept":true`,
			`{"version":2,"lines":{"MUG":{"quantity":2,"version":1},"TEE":{"quantity":1,"version":2}}}`},
		"the cart could not be ended": {func(s *shop) {
			s.before = func() { s.store.errs["PutCarts"] = errInside }
		}, nil, 503, "", emptyCart},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			tt.lose(s)
			if w := s.order(); w.Code != tt.status {
				t.Errorf("at first: got %d %s, want %d", w.Code, w.Body, tt.status)
			}
			s.before, s.answer, s.store.errs = nil, nil, map[string]error{}
			if tt.meanwhile != nil {
				tt.meanwhile(s)
			}
			for range 2 {
				want(t, s.order(), 200, strings.TrimSuffix(ordered, "}")+tt.kept+"}")
			}
			if s.wantCart(tt.cart); len(s.orders) != 1 || s.asked != 3 {
				t.Errorf("the shop placed %d orders and was asked %d times", len(s.orders), s.asked)
			}
		})
	}
}

func failure(*http.Request) (*http.Response, error) { return nil, errInside }

// TestOrderFails: what is no order leaves the cart, and says whether to try again.
func TestOrderFails(t *testing.T) {
	const html = "<h1>canary</h1>"
	for name, tt := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		status int
		code   string
	}{
		"refuses":                      {reply(422, `{"reason":"no such street"}`), 422, "order_refused"},
		"wants another payment":        {reply(402, `{}`), 422, "order_refused"},
		"is behind a load balancer":    {reply(400, html), 502, "upstream_failed"},
		"admits nobody":                {reply(403, `{"message":"canary"}`), 502, "upstream_failed"},
		"has another path":             {reply(404, `{}`), 502, "upstream_failed"},
		"is not ready with the first":  {reply(409, `{}`), 502, "upstream_failed"},
		"is busy":                      {reply(429, `{}`), 502, "upstream_failed"},
		"fails":                        {reply(500, `{"canary":1}`), 502, "upstream_failed"},
		"is away":                      {reply(503, html), 502, "upstream_failed"},
		"redirects":                    {reply(302, `{}`), 502, "upstream_failed"},
		"answers garbage":              {reply(200, html), 502, "upstream_failed"},
		"answers nothing":              {reply(200, ""), 502, "upstream_failed"},
		"answers a list":               {reply(200, "[1]"), 502, "upstream_failed"},
		"answers half":                 {reply(200, `{"number":`), 502, "upstream_failed"},
		"answers without an end":       {reply(200, `{"a":"`+strings.Repeat("a", 1<<20)+`"}`), 502, "upstream_failed"},
		"is not there":                 {failure, 502, "upstream_failed"},
		"says that it was not in time": {reply(504, html), 502, "upstream_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.answer = tt.answer
			w := s.order()
			wantProblem(t, w, tt.status, tt.code)
			if retry := strings.Contains(w.Body.String(), `"retry":true`); retry != (tt.code != "order_refused") {
				t.Errorf("got %s", w.Body)
			}
			if !strings.Contains(w.Body.String(), `"key":"o-1"`) {
				t.Errorf("%s has no key", w.Body)
			}
			s.wantCart(fullCart)
			s.answer = nil
			want(t, s.order(), 200, ordered)
			s.wantCart(emptyCart)
		})
	}
	s := newShop(t)
	s.answer = reply(422, `{"reason": "no such street"}`)
	want(t, s.order(), 422, `{"title":"Unprocessable Entity","status":422,"detail":"the shop refuses the order",`+
		`"code":"order_refused","key":"o-1","order":{"reason":"no such street"}}`)
}

// TestOrderHangs: an order service that hangs is given up, in time to end the invocation.
func TestOrderHangs(t *testing.T) {
	for left, limit := range map[time.Duration]time.Duration{
		0: 6 * time.Second, 10 * time.Second: 6 * time.Second, 5 * time.Second: 3 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t)
			s.answer = func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if left > 0 {
				ctx, cancel = context.WithTimeout(ctx, left)
			}
			defer cancel()
			r, w := httptest.NewRequestWithContext(ctx, "POST", "/v1/orders", nil), httptest.NewRecorder()
			r.Header.Set("Idempotency-Key", "o-1")
			r.Header.Set("Authorization", s.ann[3])
			start := time.Now()
			s.api.ServeHTTP(w, r)
			wantProblem(t, w, 504, "upstream_late")
			if took := time.Since(start); took != limit {
				t.Errorf("it took %s, want %s", took, limit)
			}
			s.wantCart(fullCart)
		})
	}
}

// TestOrderOfAChangingCart: the order has what the cart had, and what changed meanwhile
// stays.
func TestOrderOfAChangingCart(t *testing.T) {
	s := newShop(t)
	s.before = func() { s.call("POST", "/v1/cart/lines", `{"sku":"TEE"}`, s.ann[2:]...) }
	want(t, s.order(), 200, strings.TrimSuffix(ordered, "}")+`,"kept":true}`)
	s.wantCart(`{"version":2,"lines":{"MUG":{"quantity":2,"version":1},"TEE":{"quantity":1,"version":2}}}`)
}

// TestOrdersOfTwoDevices: two keys are two orders, and the shop can see that they are of one
// cart.
func TestOrdersOfTwoDevices(t *testing.T) {
	s := newShop(t)
	s.before = func() {
		s.before = nil
		other := append([]string{"Idempotency-Key", "o-2"}, s.ann[2:]...)
		want(t, s.call("POST", "/v1/orders", "", other...), 200,
			`{"key":"o-2","order":{"number":2},"version":1,"ordered":{"MUG":2}}`)
	}
	want(t, s.order(), 200, `{"key":"o-1","order":{"number":2},"version":1,"ordered":{"MUG":2},"kept":true}`)
	s.wantCart(emptyCart)
	for _, body := range s.orders {
		if body != `{"user":"ann","version":1,"lines":{"MUG":2}}` {
			t.Errorf("the shop got %s", body)
		}
	}
}

// TestOrderWithoutAnEnd: if the cart cannot be emptied, the error says that the shop has taken
// the order, and the log says why.
func TestOrderWithoutAnEnd(t *testing.T) {
	s := newShop(t)
	s.before = func() { s.store.errs["PutCarts"] = errInside }
	w := s.order()
	want(t, w, 503, `{"title":"Service Unavailable","status":503,"detail":"the shop has taken the order, but the cart is `+
		`not emptied; repeat with the same key","code":"order_placed","key":"o-1","retry":true,"order":{"number":1}}`)
	if w.Header().Get("Retry-After") != "1" || !strings.Contains(s.log.String(), errInside.Error()) {
		t.Errorf("got %v; the log has %s", w.Header(), s.log.String())
	}
}

// TestOrderOfASessionThatEnds: a token that expires while the shop is asked, or is revoked,
// hides no order and leaves no cart that was ordered.
func TestOrderOfASessionThatEnds(t *testing.T) {
	for name, end := range map[string]func(*shop){
		"expired": func(s *shop) { s.now = s.now.Add(24 * time.Hour) },
		"revoked": func(s *shop) {
			if err := s.store.Revoke(t.Context(), hub.NameHash("u~ann"), s.now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.before = func() { end(s) }
			want(t, s.order(), 200, ordered)
			wantProblem(t, s.order(), 401, "token_expired")
			cart, err := s.store.Cart(t.Context(), "u~ann")
			if err != nil || len(cart.Lines) > 0 || cart.Ordered != 2 {
				t.Errorf("the cart is %+v, %v", cart, err)
			}
		})
	}
}

// TestOrderAnsweredTwice: a second answer to an order is not taken for the answer to the next
// one.
func TestOrderAnsweredTwice(t *testing.T) {
	s := newShop(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := fmt.Sprintf(`{"for":%q}`, r.Header.Get("Idempotency-Key"))
		answer = fmt.Sprintf("HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		_, err := io.Copy(io.Discard, r.Body)
		conn, stream, hijackErr := w.(http.Hijacker).Hijack()
		if err != nil || hijackErr != nil {
			t.Error(err, hijackErr)
			return
		}
		defer conn.Close()
		for err == nil { // once more for each request that comes behind
			if _, err = io.WriteString(conn, answer); err == nil {
				_, err = http.ReadRequest(stream.Reader)
			}
		}
	}))
	defer server.Close()
	s.use(s.issuer.Client(), rest.Options{Orders: rest.Orders{URL: server.URL}})
	for _, key := range []string{"o-1", "o-2"} {
		s.call("POST", "/v1/cart/lines", `{"sku":"TEE"}`, s.ann[2:]...)
		w := s.call("POST", "/v1/orders", "", append([]string{"Idempotency-Key", key}, s.ann[2:]...)...)
		var got rest.Order
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		name := hub.NameHash(fmt.Sprint("u~ann ", key, " ", got.Version))
		if want := fmt.Sprintf(`{"for":%q}`, name); string(got.Order) != want {
			t.Errorf("%s: got %s, want %s", key, got.Order, want)
		}
	}
}

// TestOrderRefused: what the hub refuses does not reach the shop.
func TestOrderRefused(t *testing.T) {
	s := newShop(t)
	token := s.ann[2:]
	wantProblem(t, s.call("POST", "/v1/orders", "", "Idempotency-Key", "o-1"), 401, "token_bad")
	wantProblem(t, s.call("POST", "/v1/orders", `{"key":"o-1"}`, token...), 400, "bad_field")
	noKey := append([]string{"Idempotency-Key", `""`}, token...)
	wantProblem(t, s.call("POST", "/v1/orders", "", noKey...), 400, "bad_field")
	wantProblem(t, s.call("POST", "/v1/orders", "[]", s.ann...), 400, "bad_json")
	wantProblem(t, s.call("POST", "/v1/orders", `{"version":"1"}`, s.ann...), 400, "bad_field")
	wantProblem(t, s.call("POST", "/v1/orders", "", append([]string{"If-Match", `"k3.0"`}, s.ann...)...), 412, "conflict")
	wantProblem(t, s.call("POST", "/v1/orders", `{"a":"`+strings.Repeat("a", 32_000)+`"}`, s.ann...), 413, "too_big")
	s.call("PATCH", "/v1/cart", `{"lines":{"MUG":0}}`, token...)
	wantProblem(t, s.order(), 400, "bad_field")
	if s.asked != 0 {
		t.Errorf("the shop was asked %d times", s.asked)
	}
	s.call("POST", "/v1/cart/lines", `{"sku":"MUG"}`, token...)
	s.order()
	wantProblem(t, s.call("POST", "/v1/orders", `{"details":1}`, s.ann...), 422, "bad_field")
	s.use(s.issuer.Client(), rest.Options{})
	wantProblem(t, s.order(), 404, "not_found")
}

// TestOrderFailureIsLogged: the log has the order's name and what the service did, and the
// answer has not.
func TestOrderFailureIsLogged(t *testing.T) {
	for want, answer := range map[string]func(*http.Request) (*http.Response, error){
		"canary-refused":      func(*http.Request) (*http.Response, error) { return nil, errors.New("canary-refused") },
		"it answered 503":     reply(503, ""),
		"read its answer 201": reply(201, strings.Repeat(" ", 33_000)),
		"in time":             func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded },
	} {
		s := newShop(t)
		s.answer = answer
		s.order()
		for _, want := range []string{want, hub.NameHash("u~ann o-1 1")} {
			if !strings.Contains(s.log.String(), want) {
				t.Errorf("the log has %s, want %s", s.log.String(), want)
			}
		}
	}
}
