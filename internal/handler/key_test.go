package handler_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// fields are those of a request in JSON.
type fields map[string]any

// with returns the fields with one changed, or without it if the value is nil.
func (f fields) with(name string, value any) fields {
	changed := maps.Clone(f)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func (f fields) text(t testing.TB) string {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// keyedRequest is a write with an idempotency key, and requests that differ from it
// in one field.
type keyedRequest struct {
	first fields
	other map[string]fields // by name: they ask for something else
	same  map[string]fields // by name: they ask for the same
}

// keyedRequests returns a write of each action that takes a key. The cart of ann
// has version 3 and 1 MUG, 2 CUP; the guests g1 and g2 have 1 HAT each.
func keyedRequests(b *fixture) map[wire.Action]keyedRequest {
	add := fields{"action": "add", "key": "k", "sku": "MUG", "quantity": 2}
	set := fields{"action": "set", "key": "k", "lines": fields{"MUG": 3, "CUP": 1}, "version": 3}
	checkout := fields{"action": "checkout", "key": "k", "version": 3}
	merge := fields{"action": "merge", "key": "k", "from": b.guestToken("g1"), "policy": "max"}
	renewed := func() string {
		b.now = b.now.Add(-1e9)
		defer func() { b.now = b.now.Add(1e9) }()
		return b.guestToken("g1")
	}
	return map[wire.Action]keyedRequest{
		wire.ActionAdd: {
			first: add,
			other: map[string]fields{
				"another SKU":         add.with("sku", "CUP"),
				"more pieces":         add.with("quantity", 3),
				"one piece":           add.with("quantity", nil),
				"a set with its line": {"action": "set", "key": "k", "lines": fields{"MUG": 3}},
			},
			same: map[string]fields{"another id": add.with("id", 7)},
		},
		wire.ActionSet: {
			first: set,
			other: map[string]fields{
				"another SKU":        set.with("lines", fields{"MUG": 3, "HAT": 1}),
				"another quantity":   set.with("lines", fields{"MUG": 3, "CUP": 2}),
				"a quantity of 0":    set.with("lines", fields{"MUG": 3, "CUP": 0}),
				"a line less":        set.with("lines", fields{"MUG": 3}),
				"a line more":        set.with("lines", fields{"MUG": 3, "CUP": 1, "HAT": 0}),
				"quantities swapped": set.with("lines", fields{"MUG": 1, "CUP": 3}),
				"an older version":   set.with("version", 2),
				"a newer version":    set.with("version", 4),
				"no version":         set.with("version", nil),
				"an epoch":           set.with("epoch", "k3"),
				"an add":             {"action": "add", "key": "k", "sku": "MUG", "quantity": 3},
			},
			same: map[string]fields{"another id": set.with("id", 7)},
		},
		wire.ActionCheckout: {
			first: checkout,
			other: map[string]fields{
				"an older version": checkout.with("version", 2),
				"no version":       checkout.with("version", nil),
				"version 0":        checkout.with("version", 0),
				"an epoch":         checkout.with("epoch", "k3"),
				"a set":            {"action": "set", "key": "k", "lines": fields{"MUG": 0, "CUP": 0}, "version": 3},
			},
			same: map[string]fields{"another id": checkout.with("id", 7)},
		},
		wire.ActionMerge: {
			first: merge,
			other: map[string]fields{
				"another guest":      merge.with("from", b.guestToken("g2")),
				"policy sum":         merge.with("policy", "sum"),
				"policy mine":        merge.with("policy", "mine"),
				"policy theirs":      merge.with("policy", "theirs"),
				"the default policy": merge.with("policy", nil),
				"a set":              {"action": "set", "key": "k", "lines": fields{"HAT": 1}},
			},
			same: map[string]fields{
				"another id":                      merge.with("id", 7),
				"another token of the same guest": merge.with("from", renewed()),
			},
		},
	}
}

// newKeyFixture returns a fixture with the carts of [keyedRequests].
func newKeyFixture(t *testing.T) (*fixture, *testConn) {
	b := newFixture(t)
	for _, sku := range []string{"MUG", "CUP", "HAT"} {
		b.stock(sku, 50)
	}
	for _, guest := range []string{"g1", "g2"} {
		b.open(guest, tokenHeader(b.guestToken(guest))).wantAnswer("add HAT 1", "ok")
	}
	c := b.openAs("c1", "ann")
	c.wantAnswer("add MUG 1", "ok")
	c.wantAnswer("add CUP 1", "ok")
	c.wantAnswer("add CUP 1", "ok")
	return b, c
}

// TestKeyIsForOneRequest checks that a key answers for the request that it was
// first used with, and refuses one that differs in any field.
func TestKeyIsForOneRequest(t *testing.T) {
	b, _ := newKeyFixture(t)
	for action, tt := range keyedRequests(b) {
		for name, other := range tt.other {
			t.Run(fmt.Sprint(action, "/other/", name), func(t *testing.T) {
				b, c := newKeyFixture(t)
				c.wantAnswer(tt.first.text(t), "ok")
				before := mustText(t, b.cart("u~ann"))
				got := c.wantError(other.text(t), wire.CodeBadField)
				if !strings.Contains(got.Message, `"key" was used for another request`) {
					t.Errorf("got %q, want the message about the key", got.Message)
				}
				if after := mustText(t, b.cart("u~ann")); after != before {
					t.Errorf("the refused request changed the cart:\n got %s\nwant %s", after, before)
				}
			})
		}
		for name, same := range tt.same {
			t.Run(fmt.Sprint(action, "/same/", name), func(t *testing.T) {
				b, c := newKeyFixture(t)
				var first, again wire.OK
				unmarshal(t, c.sendRaw(tt.first.text(t)), &first)
				before := mustText(t, b.cart("u~ann"))
				unmarshal(t, c.sendRaw(same.text(t)), &again)
				if !again.Duplicate || first.Version == 0 || again.Version != first.Version {
					t.Errorf("got %+v, want the answer of the first request %+v", again, first)
				}
				if after := mustText(t, b.cart("u~ann")); after != before {
					t.Errorf("the repeated request changed the cart:\n got %s\nwant %s", after, before)
				}
			})
		}
	}
}

// TestKeyTableIsComplete checks that the table of [TestKeyIsForOneRequest] has each
// action that takes a key, and a request that differs in each field of a write.
func TestKeyTableIsComplete(t *testing.T) {
	b, _ := newKeyFixture(t)
	table := keyedRequests(b)
	changed := map[string]bool{}
	for action, tt := range table {
		first := decode(t, tt.first)
		for _, other := range tt.other {
			r := decode(t, other)
			for _, name := range changedFields(first, r) {
				changed[name] = changed[name] || r.Action == action
			}
		}
	}
	notOfWrites := []string{"Action", "ID", "Token", "Topics", "Only", "All", "After", "Key", "Topic", "About", "Pretty"}
	request := reflect.TypeFor[wire.Request]()
	for i := range request.NumField() {
		if name := request.Field(i).Name; changed[name] == slices.Contains(notOfWrites, name) {
			t.Errorf("field %s: changed by the table %t, want %t", name, changed[name], !changed[name])
		}
	}
	everyField := fields{
		"key": "k", "sku": "MUG", "quantity": 1, "lines": fields{"MUG": 1}, "from": "guest.a.b.c",
		"topics": []string{"cart"}, "topic": "cart", "version": 1,
	}
	for _, action := range wire.Actions {
		r := decode(t, everyField.with("action", action))
		if _, listed := table[action]; listed != (r.Key != "") {
			t.Errorf("action %s: takes a key %t, in the table %t", action, r.Key != "", listed)
		}
	}
}

// changedFields returns the names of the fields in which two requests differ.
func changedFields(a, b wire.Request) []string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}

func decode(t testing.TB, f fields) wire.Request {
	t.Helper()
	r, err := wire.Decode([]byte(f.text(t)), false)
	if err != nil {
		t.Fatalf("%s: %v", f.text(t), err)
	}
	return r
}

func unmarshal(t testing.TB, text string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func mustText(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestKeysBelongToOneCart checks that a guest, a customer, a vendor and an admin
// use the same key without meeting each other.
func TestKeysBelongToOneCart(t *testing.T) {
	b, ann := newKeyFixture(t)
	text := `{"action":"add","key":"k","sku":"MUG","quantity":1}`
	ann.wantAnswer(text, "ok")
	for _, c := range []*testConn{
		b.openAs("c2", "bob"),
		b.open("c3", tokenHeader(b.guestToken("g1"))),
		b.open("c4", tokenHeader(b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"}))),
		b.open("c5", tokenHeader(b.token(issuer.Claims{User: "root", Role: "admin"}))),
	} {
		var ok wire.OK
		if unmarshal(t, c.sendRaw(text), &ok); ok.Duplicate || ok.Lines["MUG"] == nil {
			t.Errorf("%s: got %+v, want a write of its own", c.id, ok)
		}
	}
}
