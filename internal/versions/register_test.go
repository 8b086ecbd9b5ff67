package versions

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const example = "v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2"

func TestParse(t *testing.T) {
	r, err := Parse(example)
	want := Register{{
		Version: "v1", Successor: "v2", Link: "https://shop.example/v2",
		Deprecated: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Sunset: time.Date(2027, 7, 5, 0, 0, 0, 0, time.UTC),
	}}
	if err != nil || !slices.Equal(r, want) || r.String() != example {
		t.Errorf("got %v, %v, want %v", r, err, want)
	}
	for _, text := range []string{"", "  "} {
		if r, err := Parse(text); r != nil || err != nil {
			t.Errorf("%q: got %v, %v, want nothing", text, r, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, old, now, err string }{
		{"182 days", "2027-07-05", "2027-07-02", "182 days after"},
		{"a sunset before", "2027-07-05", "2026-07-05", "days after"},
		{"another version", "v1:", "v3:", "does not exist; there are: v1"},
		{"itself as successor", "successor v2", "successor v1", "successor"},
		{"no version as successor", "successor v2", "successor v0", "successor"},
		{"no day", "2027-01-01", "2027-02-30", "calendar"},
		{"no link", ", link https://shop.example/v2", "", "form"},
		{"http", "https:", "http:", "https"},
		{"no host", "https://shop.example", "https:", "https"},
		{"a password", "https://", "https://ann:canary@", "https"},
		{"a link that ends the header", "/v2", `/>;rel="x"`, "https"},
		{"a quote", "example/v2", `example/"`, "https"},
		{"a field twice", "sunset", "sunset 2027-07-05, sunset", "form"},
		{"one more", example, example + "; ", "form"},
		{"twice", example, example + "; " + example, "twice"},
	} {
		r, err := Parse(strings.Replace(example, tt.old, tt.now, 1))
		if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, %v, want an error with %q", tt.name, r, err, tt.err)
		}
	}
	if _, err := Parse(strings.Replace(example, "2027-07-05", "2027-07-03", 1)); err != nil {
		t.Errorf("183 days: %v", err)
	}
}

func TestDeprecation(t *testing.T) {
	r, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := r.Of(V1)
	if !ok {
		t.Fatal("v1 is not deprecated")
	}
	for _, tt := range []struct {
		at           time.Time
		active, over bool
	}{
		{d.Deprecated.Add(-1), false, false}, {d.Deprecated, true, false},
		{d.Sunset.Add(-1), true, false}, {d.Sunset, true, true},
	} {
		if d.ActiveAt(tt.at) != tt.active || d.EndedAt(tt.at) != tt.over {
			t.Errorf("%s: got %t, %t, want %t, %t", tt.at, d.ActiveAt(tt.at), d.EndedAt(tt.at), tt.active, tt.over)
		}
	}
	if d, ok := Register(nil).Of(V1); ok || d.ActiveAt(time.Now()) || d.EndedAt(time.Now()) {
		t.Errorf("an empty register has %v", d)
	}
}

// TestDeployed checks what make deploy is about to deploy: the parameter Deprecations, which
// it puts into this variable.
func TestDeployed(t *testing.T) {
	if _, err := Parse(os.Getenv("DEPRECATIONS")); err != nil {
		t.Errorf("the parameter Deprecations in samconfig.toml %v", err)
	}
}
