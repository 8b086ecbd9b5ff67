package versions

import (
	"errors"
	"testing"
)

func TestOfPath(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/stock": "v1", "/v1": "v1", "/v2/": "v2", "/v10/x": "v10", "/": "", "": "", "/stock/v1": "", "/v/x": "",
		"/v0/x": "", "/v01/x": "", "/V1/x": "", "/v1x/x": "", "/v12345/x": "",
	} {
		if got := OfPath(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, tt := range []struct {
		name  string
		path  string
		given []string // values of the header or the query
		want  string
		err   error
	}{
		{"none", "", nil, "v1", nil},
		{"the path's", "v1", nil, "v1", nil},
		{"the same", "v1", []string{"1", " 1 "}, "v1", nil},
		{"only a value", "", []string{"1"}, "v1", nil},
		{"another", "v1", []string{"2"}, "", ErrContradiction},
		{"two values", "", []string{"1", "2"}, "", ErrContradiction},
		{"with its letter", "v1", []string{"v1"}, "", ErrContradiction},
		{"empty", "v1", []string{""}, "", ErrContradiction},
		{"unknown", "v2", nil, "", ErrUnknown},
		{"unknown, named twice", "v2", []string{"2"}, "", ErrUnknown},
		{"unknown value", "", []string{"2"}, "", ErrUnknown},
	} {
		names := Named(tt.given)
		if tt.path != "" {
			names = append([]string{tt.path}, names...)
		}
		if got, err := Choose(names...); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestChooseOffered(t *testing.T) {
	for _, tt := range []struct {
		name    string
		offered []string
		given   []string
		want    string
		err     error
	}{
		{"nothing", nil, nil, "v1", nil},
		{"ours", []string{"securecart.v1", "bearer.x"}, nil, "v1", nil},
		{"a later one first", []string{"securecart.v2", "securecart.v1"}, nil, "v1", nil},
		{"a later one", []string{"securecart.v2"}, nil, "", ErrUnknown},
		{"others' subprotocols", []string{"chat", "securecart.x"}, nil, "v1", nil},
		{"the same", []string{"securecart.v1"}, []string{"1"}, "v1", nil},
		{"the named one of two", []string{"securecart.v2", "securecart.v1"}, []string{"2"}, "", ErrUnknown},
		{"another", []string{"securecart.v1"}, []string{"2"}, "", ErrContradiction},
		{"two values", []string{"securecart.v2", "securecart.v1"}, []string{"1", "2"}, "", ErrContradiction},
		{"only a value", nil, []string{"2"}, "", ErrUnknown},
	} {
		got, err := ChooseOffered(Named(tt.given), tt.offered)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}
