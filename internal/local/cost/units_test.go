package cost

import (
	"reflect"
	"testing"

	"github.com/securecart/hub/internal/costtest"
)

// TestUnits compares the units of each action with what was measured.
func TestUnits(t *testing.T) {
	golden, err := costtest.Read("../../costtest/" + costtest.Golden)
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for name, each := range map[string]struct {
		action string
		topics int
	}{
		"connect: a new guest":               {"connect as guest", 0},
		"connect: a customer":                {"connect", 0},
		"hello":                              {"hello", 0},
		"subscribe: 1 SKU":                   {"subscribe", 1},
		"subscribe: 10 SKUs":                 {"subscribe", 10},
		"subscribe: 50 SKUs":                 {"subscribe", 50},
		"keep-alive: 10 SKUs, unchanged":     {"keep-alive", 10},
		"get: 1 SKU":                         {"get as guest", 1},
		"get: 1 SKU, a customer":             {"get", 1},
		"add: a guest":                       {"add as guest", 0},
		"add: a guest, with a key":           {"add as guest with key", 0},
		"add: a cart of 3 lines, with a key": {"add", 0},
		"set: a cart of 3 lines, with a key": {"set", 0},
		"merge: 3 lines":                     {"merge", 0},
		"checkout: 3 lines, with a key":      {"checkout", 0},
		"unsubscribe: 10 SKUs":               {"unsubscribe", 10},
		"disconnect: 1 SKU":                  {"disconnect", 1},
		"disconnect: 50 SKUs":                {"disconnect", 50},
		"why: 1 SKU":                         {"why", 1},
		"why: the connection":                {"why", 0},
		"ping":                               {"ping", 0},
		"stock: nobody watches":              {"change", 0},
		"stock: 100 watch":                   {"change", 100},
	} {
		want, ok := golden.Of(name)
		if !ok {
			t.Errorf("there is no scenario %q", name)
			continue
		}
		tested[each.action] = true
		got := of(each.action, each.topics)
		if got.Reads != want.Reads || got.Writes != want.Writes {
			t.Errorf("%s: %g read and %g write units; measured were %g and %g",
				name, got.Reads, got.Writes, want.Reads, want.Writes)
		}
		// A disconnect from many topics has some more reads one after the other.
		if each.action != "disconnect" && got.Depth != want.Depth {
			t.Errorf("%s: depth %d, measured was %d", name, got.Depth, want.Depth)
		}
	}
	for action := range actionUnits {
		if !tested[action] {
			t.Errorf("the units of %q are compared with nothing", action)
		}
	}
}

// TestRequestOfWhy: a why is about one topic, or about none.
func TestRequestOfWhy(t *testing.T) {
	for text, want := range map[string]int{
		`{"action":"why","topic":"sku:MUG"}`: 1, `why MUG@4`: 1, `{"action":"why"}`: 0, `why`: 0,
		`{"action":"get","topics":["cart"],"topic":"sku:MUG"}`: 1,
	} {
		if r := readRequest([]byte(text)); len(r.topics) != want {
			t.Errorf("%s: got topics %v, want %d", text, r.topics, want)
		}
	}
}

// TestRequestsAreReadAsTheHubDoes: typed lines in all their forms, and what the hub refuses.
func TestRequestsAreReadAsTheHubDoes(t *testing.T) {
	for text, want := range map[string]request{
		"who":                     {action: "hello"},
		"ls":                      {action: "get", all: true},
		`Sub "sku:RED CAP"@7 MUG`: {action: "subscribe", topics: []string{"sku:MUG", "sku:RED CAP"}},
		"only cart":               {action: "subscribe", topics: []string{"cart"}, only: true},
		"add MUG 2 key=k":         {action: "add", hasKey: true},
		"stock MUG":               {action: "get", topics: []string{"sku:MUG"}},
		"unsub *":                 {action: "unsubscribe", all: true},
		"dance":                   {},
		"sub MUG colour=red":      {},
		`{"action":"subscribe"}`:  {},
	} {
		if got := readRequest([]byte(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}
