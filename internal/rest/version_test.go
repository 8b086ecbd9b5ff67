package rest_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/versions"
)

func TestVersionOfARequest(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "")
	for name, tt := range map[string]struct {
		path    string
		headers []string // values of X-API-Version
		status  int
		code    string // "": no problem
	}{
		"the path":            {"/v1/stock/MUG", nil, 200, ""},
		"the same in all":     {"/v1/stock/MUG?version=1&version=1", []string{"1", "1"}, 200, ""},
		"another header":      {"/v1/stock/MUG", []string{"2"}, 400, "bad_version"},
		"one of two headers":  {"/v1/stock/MUG", []string{"1", "2"}, 400, "bad_version"},
		"another query":       {"/v1/stock/MUG?version=2", nil, 400, "bad_version"},
		"header and query":    {"/v1/stock/MUG?version=1", []string{"2"}, 400, "bad_version"},
		"an empty query":      {"/v1/stock/MUG?version=", nil, 400, "bad_version"},
		"no number":           {"/v1/stock/MUG", []string{"v1"}, 400, "bad_version"},
		"before a method":     {"/v1/tickets?version=2", nil, 400, "bad_version"},
		"unknown":             {"/v2/stock/MUG", nil, 404, "unknown_version"},
		"unknown in all":      {"/v2/stock/MUG?version=2", []string{"2"}, 404, "unknown_version"},
		"unknown path of two": {"/v2/stock/MUG", []string{"1"}, 400, "bad_version"},
		"without a path":      {"/stock/MUG", nil, 404, "not_found"},
		"a header alone":      {"/stock/MUG", []string{"1"}, 404, "not_found"},
		"unknown header":      {"/stock/MUG", []string{"2"}, 404, "unknown_version"},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			for _, value := range tt.headers {
				headers = append(headers, versions.Header, value)
			}
			w := f.call("GET", tt.path, "", headers...)
			if tt.code == "" {
				want(t, w, tt.status, `{"type":"snapshot","epoch":"k3","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
			} else {
				wantProblem(t, w, tt.status, tt.code)
			}
			if tt.code == "unknown_version" && !strings.Contains(w.Body.String(), "v1") {
				t.Errorf("got %s, which does not name v1", w.Body)
			}
			if !slices.Contains(w.Header().Values("Vary"), versions.Header) {
				t.Errorf("got Vary %q", w.Header().Values("Vary"))
			}
			wantAnnouncement(t, w, "")
		})
	}
}

// wantAnnouncement checks the headers that announce the end of v1: with the successor's
// link or, for "", without any.
func wantAnnouncement(t *testing.T, w *httptest.ResponseRecorder, successor string) {
	t.Helper()
	want := map[string]string{}
	if successor != "" {
		want = map[string]string{
			"Deprecation": "@1798761600", "Sunset": "Mon, 05 Jul 2027 00:00:00 GMT",
			"Link": `<https://shop.example/v2>; rel="deprecation", <` + successor + `>; rel="successor-version"`,
		}
	}
	for _, name := range []string{"Deprecation", "Sunset", "Link"} {
		if got := strings.Join(w.Header().Values(name), ", "); got != want[name] {
			t.Errorf("%s: got %q, want %q", name, got, want[name])
		}
	}
}

// TestDeprecatedVersion follows v1 from the announcement of its end until after it.
func TestDeprecatedVersion(t *testing.T) {
	register, err := versions.Parse(
		"v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	counted := 0
	watch := versions.Watch{Register: register, OnDeprecated: func(context.Context) { counted++ }}
	f.use(f.issuer.Client(), rest.Options{Script: []byte(script), Versions: watch})
	f.stock("RED CAP", 30, "")
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tt := range []struct {
		name  string
		now   time.Time
		over  bool
		count int // of the requests below
	}{
		{"announced", day("2027-01-01").Add(-1), false, 0},
		{"deprecated", day("2027-01-01"), false, 4},
		{"on the last day", day("2027-07-05").Add(-1), false, 4},
		{"over", day("2027-07-05"), true, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.now, counted = tt.now, 0
			ok := f.call("GET", "/v1/stock/RED%20CAP", "")
			wantAnnouncement(t, ok, "../../v2/stock/RED%20CAP")
			head := f.call("HEAD", "/v1/stock?sku=MUG", "", "If-None-Match", "*")
			wantAnnouncement(t, head, "../v2/stock")
			bad := f.call("GET", "/v1/cart", "")
			wantAnnouncement(t, bad, "../v2/cart")
			nothing := f.call("GET", "/v1/nothing", "")
			wantAnnouncement(t, nothing, "../v2/nothing")
			if tt.over {
				for _, w := range []*httptest.ResponseRecorder{ok, bad, nothing} {
					wantProblem(t, w, 410, "gone_version")
				}
				var p struct{ Detail string }
				err := json.Unmarshal(ok.Body.Bytes(), &p)
				if want := "v1 ended on 2027-07-05; use v2: https://shop.example/v2"; p.Detail != want {
					t.Errorf("got %q, %v, want %q", p.Detail, err, want)
				}
			} else {
				want(t, ok, 200, `{"type":"snapshot","epoch":"k3","topics":{"sku:RED CAP":{"version":1,"state":"in"}}}`)
				want(t, head, 304, "")
				wantProblem(t, bad, 401, "token_bad")
				wantProblem(t, nothing, 404, "not_found")
			}
			if counted != tt.count {
				t.Errorf("counted %d, want %d", counted, tt.count)
			}
			// Neither a preflight, nor the script, nor a request that names no version counts.
			if w := f.call("OPTIONS", "/v1/cart", "", "Origin", "http://localhost"); w.Code != 204 ||
				!strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), versions.Header) {
				t.Errorf("a preflight got %d %v", w.Code, w.Header())
			}
			want(t, f.call("GET", "/securecart-live.js", ""), 200, script)
			wantProblem(t, f.call("GET", "/stock", ""), 404, "not_found")
			if counted != tt.count {
				t.Errorf("counted %d in the end, want %d", counted, tt.count)
			}
		})
	}
}
