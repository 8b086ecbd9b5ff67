package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzDecode checks that any input becomes either a request, which survives being
// encoded in JSON and in shorthand, or an error that fits into an answer.
func FuzzDecode(f *testing.F) {
	for _, message := range goldenMessages(f) {
		f.Add([]byte(message))
	}
	for _, text := range []string{
		`{"action":"subscribe","epoch":"k3","topics":["sku:B","sku:A"]}`,
		`{"action":"subscribe","topics":{"sku:B":0,"sku:A":0}}`,
		`{"action":"get","topics":["a b","sku:A@5","x=y","*",""]}`,
		`{"action":"ping","id":"a b"}`, "{\"action\":\"ping\",\"id\":\"a\u00a0\u2028b\"}",
		`{"\u0061ction":"ping","id":1e999}`, `{"action":"ping","ſku":1}`,
		`{"action":"set","lines":{"v18":5},"version":19}`,
		`{"action":"add","sku":"MUG","quantity":-0}`, `{"action":"set","lines":{"MUG":-0}}`,
		`[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, "\xff", "{}{}", "null", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, ok := wantAnswer(t, text, false); ok && !json.Valid(text) {
			t.Errorf("%q was accepted, but is not JSON", text)
		}
		wantAnswer(t, text, true)
	})
}

// FuzzShorthand checks the same for typed lines.
func FuzzShorthand(f *testing.F) {
	for _, message := range goldenMessages(f) {
		r, err := Decode([]byte(message), false)
		if err == nil {
			f.Add(r.Shorthand())
		}
	}
	for _, line := range []string{
		"sub sku:B sku:A epoch=k3", "sub sku:B@1 sku:A", "sub a@0 b", "only epoch=k3", "unsub", "unsub *", "unsub * *", "get",
		"set v18 5 v19", "set a -0", "add MUG 1 key=a=b", `ping id="a b"`, `ping id="a\" b" x`, `ping id="a`,
		"ping id=\u00a0", "ping id=é",
		"merge a.b.c sum", "hello token=a.b.c id=null", "", "\u3000",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) { wantAnswer(t, []byte(line), true) })
}

// wantAnswer decodes text and checks the guarantees of Decode. It reports whether
// the text was accepted.
func wantAnswer(t testing.TB, text []byte, shorthand bool) (Request, bool) {
	t.Helper()
	r, err := Decode(text, shorthand)
	if err == nil {
		if !slices.Contains(Actions, r.Action) {
			t.Fatalf("%q: got action %q, want one of %v", text, r.Action, Actions)
		}
		wantOneGrammar(t, r)
		return r, true
	}
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("%q: got %T, want *Error", text, err)
	}
	if !reflect.DeepEqual(r, Request{}) {
		t.Errorf("%q: got %+v with an error, want an empty request", text, r)
	}
	if !slices.Contains(decodeCodes, e.Code) || e.Message == "" {
		t.Errorf("%q: got code %q and message %q, want one of %v and a message", text, e.Code, e.Message, decodeCodes)
	}
	if data := Encode(e); !json.Valid(data) || len(data) > MaxMessage {
		t.Errorf("%q: the error is %d bytes, valid %t: %s", text, len(data), json.Valid(data), data)
	}
	return r, false
}

// goldenMessages returns the messages of the protocol, of both sides.
func goldenMessages(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldenDir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: got %d, %v, want some", len(files), err)
	}
	var messages []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, strings.TrimSpace(string(data)))
	}
	return messages
}
