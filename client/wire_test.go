package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/wire"
)

// TestMessageAgreesWithWire: message and topicValue have each field that package wire sends,
// by name and by JSON shape, so that package wire stays the only source.
func TestMessageAgreesWithWire(t *testing.T) {
	unused := map[string]bool{"usage": true, "unchanged": true}
	for _, a := range []wire.Answer{
		wire.Hello{}, wire.Snapshot{}, wire.Delta{}, wire.OK{}, &wire.Error{}, wire.Pong{}, wire.Help{}, wire.Bye{},
	} {
		agree(t, reflect.TypeOf(message{}), reflect.Indirect(reflect.ValueOf(a)).Type(), unused)
	}
	for _, v := range []wire.Value{wire.Badge{}, wire.Cart{}, wire.Vendor{}} {
		agree(t, reflect.TypeOf(topicValue{}), reflect.TypeOf(v), nil)
	}
	// What a client does not act on.
	unused = map[string]bool{
		"message": true, "lines": true, "quantity": true, "messages": true, "skus": true, "idle": true,
	}
	agree(t, reflect.TypeOf(limits{}), reflect.TypeOf(wire.Limits{}), unused)
}

// TestHasEveryCode: each code of package wire has a constant here.
func TestHasEveryCode(t *testing.T) {
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	ours := read("errors.go")
	codes := regexp.MustCompile(`(?m)^\t(Code\w+) +Code = "`).FindAllStringSubmatch(read("../internal/wire/errors.go"), -1)
	if len(codes) < 17 {
		t.Fatalf("found %d codes in package wire", len(codes))
	}
	for _, code := range codes {
		if !strings.Contains(ours, "= Code(wire."+code[1]+")") {
			t.Errorf("the client has no %s", code[1])
		}
	}
}

func agree(t *testing.T, ours, theirs reflect.Type, unused map[string]bool) {
	t.Helper()
	fields := jsonFields(ours)
	for name, want := range jsonFields(theirs) {
		got, ok := fields[name]
		switch {
		case unused[name]:
		case !ok:
			t.Errorf("%s.%s: the client does not read it", theirs, name)
		case name == "topics" || name == "limits": // decoded later, and judged here by themselves
		case shape(got) != shape(want):
			t.Errorf("%s.%s: the client reads %s, want %s", theirs, name, shape(got), shape(want))
		}
	}
}

func jsonFields(typ reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		fields[name] = typ.Field(i).Type
	}
	return fields
}

// shape is what JSON of a type looks like. A pointer only tells whether a value is there.
func shape(typ reflect.Type) string {
	switch typ.Kind() {
	case reflect.Pointer:
		return shape(typ.Elem())
	case reflect.Map:
		return "map of " + shape(typ.Elem())
	case reflect.Slice:
		return "list of " + shape(typ.Elem())
	case reflect.Int, reflect.Int64:
		return "number"
	case reflect.Struct:
		var parts []string
		for name, field := range jsonFields(typ) {
			parts = append(parts, name+" "+shape(field))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return typ.Kind().String()
}

// TestAsksAsTheGoldenMessages: what a client sends is what the protocol shows.
func TestAsksAsTheGoldenMessages(t *testing.T) {
	s := storeAfter(golden(t, "subscribe-answer"))
	topics := []string{"cart", "sku:MUG", "sku:TEE-RED-M"}
	req := wire.Request{
		Action: wire.ActionSubscribe, ID: json.RawMessage(`"keep"`), Epoch: s.epoch, Topics: s.versions(topics),
	}
	got, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(goldenDir, "subscribe-shown.client.json"))
	if err != nil || string(got)+"\n" != string(want) {
		t.Errorf("got %s\nwant %s, %v", got, want, err)
	}
	known := []string{"hello", "subscribe", "unsubscribe", "get", "add", "set", "merge", "checkout", "why", "ping", "help"}
	for _, name := range goldens(t, "client") {
		if action, _, _ := strings.Cut(name, "-"); !slices.Contains(known, action) {
			t.Errorf("the client does not know %s", name)
		}
	}
}

const goldenDir = "../testdata/protocol"

func golden(t *testing.T, name string) message {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenDir, name+".server.json"))
	if err != nil {
		t.Fatal(err)
	}
	m := decode(data)
	if m.Type == "" {
		t.Fatalf("%s is not read", name)
	}
	return m
}

func goldens(t *testing.T, side string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*."+side+".json"))
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d goldens, %v", len(files), err)
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), "."+side+".json"))
	}
	return names
}

// storeAfter returns a store that has taken some messages.
func storeAfter(messages ...message) *store {
	s := newStore()
	for i := range messages {
		s.apply(&messages[i], nil)
	}
	return s
}

// TestTakesEveryGoldenMessage: each message of the hub is taken, with all that it says.
func TestTakesEveryGoldenMessage(t *testing.T) {
	for _, name := range goldens(t, "server") {
		t.Run(name, func(t *testing.T) {
			m := golden(t, name)
			s := storeAfter(message{Type: "hello", Epoch: "k3"})
			done := s.apply(&m, nil)
			if done.reset {
				t.Error("it began another epoch")
			}
			for topic, raw := range m.Topics {
				var want topicValue
				if err := json.Unmarshal(raw, &want); err != nil {
					t.Fatal(err)
				}
				if isCart(topic) && want.From != nil && *want.From > 0 {
					continue // a step from a version that the store does not have
				}
				if !done.changed[topic] || want.Version != nil && s.version(topic) != *want.Version {
					t.Errorf("%s was not taken", topic)
				}
				if b := s.values[topic].badge; b != nil &&
					(b.State != want.State || b.Until != want.Until || !reflect.DeepEqual(b.Quantity, want.Quantity)) {
					t.Errorf("%s: got %+v, want %+v", topic, b, want)
				}
			}
		})
	}
}

// quantities are the pieces of the store's cart, by SKU.
func quantities(s *store) map[string]int {
	found := map[string]int{}
	if cart := s.values[cartTopic].cart; cart != nil {
		for sku, line := range cart.Lines {
			found[sku] = line.Quantity
		}
	}
	return found
}

// TestGoldenConversation: the golden messages in their order result in the right cart.
func TestGoldenConversation(t *testing.T) {
	s := newStore()
	for _, step := range []struct {
		name    string
		version int64
		lines   map[string]int
	}{
		{"hello-answer", -1, map[string]int{}},
		{"subscribe-answer", 17, map[string]int{"MUG": 1}},
		{"subscribe-resume-answer", 19, map[string]int{"TEE-RED-M": 2}},
		{"set-answer", 20, map[string]int{"TEE-RED-M": 2}},
		{"merge-answer", 21, map[string]int{"TEE-RED-M": 2, "CAP-NAVY": 1}},
		{"checkout-answer", 22, map[string]int{}},
	} {
		m := golden(t, step.name)
		s.apply(&m, nil)
		if got := s.version(cartTopic); got != step.version || !reflect.DeepEqual(quantities(s), step.lines) {
			t.Errorf("after %s: got version %d %v, want %d %v", step.name, got, quantities(s), step.version, step.lines)
		}
	}
}
