package fields

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestParseQuery. Our own: what cannot be decoded stays unchanged.
func TestParseQuery(t *testing.T) {
	got := ParseQuery("a=1&&b=x+y%26z&a=2&c&%zz=%zz")
	want := List{{"a", "1"}, {"b", "x y&z"}, {"a", "2"}, {"c", ""}, {"%zz", "%zz"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ParseQuery(""); got != nil {
		t.Errorf("empty query: got %v", got)
	}
}

// TestEncodeQuery. Our own: encoded and parsed again, a list is the same.
func TestEncodeQuery(t *testing.T) {
	list := List{{"b", "x y&z"}, {"a", "1"}, {"a", "2"}}
	encoded := list.Encode()
	if want := "b=x+y%26z&a=1&a=2"; encoded != want {
		t.Errorf("got %s, want %s", encoded, want)
	}
	if got := ParseQuery(encoded); !slices.Equal(got, list) {
		t.Errorf("parsed again: got %v, want %v", got, list)
	}
}

// TestParseHeaders. Our own: headers keep their letter case and their order.
func TestParseHeaders(t *testing.T) {
	got := ParseHeaders("GET / HTTP/1.1\r\nhost: shop\r\nX-A:\t1 \r\nmalformed\r\nx-a: 2:3\r\n\r\nx-b: body\r\n")
	if want := (List{{"host", "shop"}, {"X-A", "1"}, {"x-a", "2:3"}}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestList. Our own: lists are not changed in place, except by OneSpelling.
func TestList(t *testing.T) {
	list := List{{"X-A", "1"}, {"b", "2"}, {"x-a", "3"}}
	if got := list.All("x-A", strings.EqualFold); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("All in any letter case: got %q", got)
	}
	if got := list.All("x-a", Exact); !slices.Equal(got, []string{"3"}) {
		t.Errorf("All, exact: got %q", got)
	}
	if got := list.Last("X-a", strings.EqualFold) + list.Last("X-A", Exact) + list.Last("c", Exact); got != "31" {
		t.Errorf("Last: got %q, want 3, 1 and nothing", got)
	}
	if got := list.With("x-a", strings.EqualFold, []string{"4", "5"}); !slices.Equal(got,
		List{{"b", "2"}, {"x-a", "4"}, {"x-a", "5"}}) {
		t.Errorf("With: got %v", got)
	}
	if got := list.Without("B", "c"); !slices.Equal(got, List{{"X-A", "1"}, {"x-a", "3"}}) {
		t.Errorf("Without: got %v", got)
	}
	if want := (List{{"X-A", "1"}, {"b", "2"}, {"x-a", "3"}}); !slices.Equal(list, want) {
		t.Errorf("the list itself changed: %v", list)
	}
	list.OneSpelling()
	if got, want := list.Multi(), map[string][]string{"X-A": {"1", "3"}, "b": {"2"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("Multi in one spelling: got %v, want %v", got, want)
	}
	if got := List(nil).Multi(); got != nil {
		t.Errorf("Multi of nothing: got %v", got)
	}
}
