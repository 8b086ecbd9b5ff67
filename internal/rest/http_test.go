package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/rest"
)

func TestMethods(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	get := f.call("GET", "/v1/stock/MUG", "")
	head := f.call("HEAD", "/v1/stock/MUG", "")
	if head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD: got %d %q", head.Code, head.Body)
	}
	for name, values := range get.Header() {
		if got := head.Header()[name]; strings.Join(got, " ") != strings.Join(values, " ") {
			t.Errorf("HEAD: %s is %v, want %v", name, got, values)
		}
	}
	for path, allow := range map[string]string{
		"/v1/stock": "GET, OPTIONS, HEAD", "/v1/stock/MUG": "GET, OPTIONS, HEAD", "/v1/cart": "GET, PATCH, OPTIONS, HEAD",
		"/v1/cart/lines": "POST, OPTIONS", "/v1/tickets": "POST, OPTIONS", "/v1/guests": "POST, OPTIONS",
	} {
		w := f.call("DELETE", path, "")
		wantProblem(t, w, http.StatusMethodNotAllowed, "bad_method")
		if got := w.Header().Get("Allow"); got != allow {
			t.Errorf("%s: Allow is %q, want %q", path, got, allow)
		}
		w = f.call("OPTIONS", path, "")
		if w.Code != http.StatusNoContent || w.Header().Get("Allow") != allow || w.Body.Len() > 0 {
			t.Errorf("OPTIONS %s: got %d %v", path, w.Code, w.Header())
		}
	}
	if w := f.call("HEAD", "/v1/tickets", "", as(f.token("ann", ""))...); w.Code != 405 || w.Body.Len() > 0 {
		t.Errorf("HEAD of tickets: got %d %s", w.Code, w.Body)
	}
}

// TestCORS: pages of allowed origins may read answers, errors too; others may not.
func TestCORS(t *testing.T) {
	const shop = "https://shop.test"
	for name, tt := range map[string]struct {
		allowed []string
		origin  string
		passes  bool
	}{
		"listed":          {[]string{shop}, shop, true},
		"another":         {[]string{shop}, "https://evil.test", false},
		"a longer one":    {[]string{shop}, shop + ".evil.test", false},
		"the same host":   {nil, "https://api.shop.test", true},
		"this machine":    {nil, "http://localhost:3000", true},
		"another, nolist": {nil, shop, false},
		"null":            {nil, "null", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.use(f.issuer.Client(), rest.Options{Origins: tt.allowed})
			for _, w := range []*http.Response{
				f.call("GET", "/v1/stock/NOPE", "", "Origin", tt.origin).Result(),
				f.call("POST", "/v1/tickets", "", "Origin", tt.origin).Result(),
				f.call("OPTIONS", "/v1/cart", "", "Origin", tt.origin, "Access-Control-Request-Method", "PATCH").Result(),
			} {
				h := w.Header
				if got := h.Get("Access-Control-Allow-Origin"); (got == tt.origin) != tt.passes || got == "*" {
					t.Errorf("got %q for %s", got, tt.origin)
				}
				if !strings.Contains(strings.Join(h.Values("Vary"), ", "), "Origin") {
					t.Errorf("got Vary %q", h.Values("Vary"))
				}
				preflight := w.StatusCode == http.StatusNoContent
				for name, want := range map[string]string{
					"Access-Control-Allow-Methods": "GET, PATCH, OPTIONS, HEAD",
					"Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, " +
						"X-API-Version",
					"Access-Control-Max-Age": "7200",
				} {
					if !preflight || !tt.passes {
						want = ""
					}
					if got := h.Get(name); got != want {
						t.Errorf("%s: got %q, want %q", name, got, want)
					}
				}
				exposed := "Deprecation, ETag, Link, Retry-After, Sunset"
				if got := h.Get("Access-Control-Expose-Headers"); (got == exposed) != tt.passes {
					t.Errorf("exposed: %q", got)
				}
				if h.Get("Access-Control-Allow-Credentials") != "" {
					t.Error("cookies are allowed")
				}
			}
		})
	}
}

func TestAccept(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	for accept, status := range map[string]int{
		"application/json": 200, "*/*": 200, "application/*": 200, "text/html, */*;q=0.1": 200,
		"application/json; q=0.5": 200, "text/html": 406, "application/json;q=0": 406, "application/json;q=0, */*": 406,
		"*/*;q=0, application/json": 200, "application/problem+json": 406,
	} {
		w := f.call("GET", "/v1/stock/MUG", "", "Accept", accept)
		if w.Code != status {
			t.Errorf("%s: got %d, want %d", accept, w.Code, status)
		}
		if status == 406 {
			wantProblem(t, w, status, "not_acceptable")
		}
	}
}

func TestBodies(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "")
	const line = `{"sku":"MUG"}`
	for name, tt := range map[string]struct {
		body    string
		headers []string
		status  int
		code    string
	}{
		"JSON":              {line, []string{"Content-Type", "application/json"}, 200, ""},
		"JSON in UTF-8":     {line, []string{"Content-Type", "application/json; charset=utf-8"}, 200, ""},
		"no type":           {line, nil, 200, ""},
		"an unknown field":  {`{"sku":"MUG","colour":"red"}`, nil, 200, ""}, // ignored, as on the socket
		"text":              {line, []string{"Content-Type", "text/plain"}, 415, "bad_media_type"},
		"a form":            {line, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "bad_media_type"},
		"not a type":        {line, []string{"Content-Type", ";"}, 415, "bad_media_type"},
		"compressed":        {line, []string{"Content-Encoding", "gzip"}, 415, "bad_media_type"},
		"too long":          {`{"sku":"` + strings.Repeat("x", 32_000) + `"}`, nil, 413, "too_big"},
		"no body":           {"", nil, 400, "bad_field"},
		"not JSON":          {"{", nil, 400, "bad_json"},
		"an array":          {"[]", nil, 400, "bad_json"},
		"null":              {"null", nil, 400, "bad_json"},
		"two values":        {line + line, nil, 400, "bad_json"},
		"a field twice":     {`{"sku":"MUG","sku":"MUG"}`, nil, 400, "bad_json"},
		"capitals":          {`{"sku":"MUG","SKU":"MUG"}`, nil, 400, "bad_field"},
		"another action":    {`{"action":"set","sku":"MUG"}`, nil, 400, "bad_field"},
		"the same action":   {`{"action":"add","sku":"MUG"}`, nil, 200, ""},
		"the key twice":     {`{"sku":"MUG","key":"a"}`, []string{"Idempotency-Key", "a"}, 400, "bad_field"},
		"a key with blanks": {line, []string{"Idempotency-Key", "a b"}, 400, "bad_field"},
		"a long key":        {line, []string{"Idempotency-Key", strings.Repeat("a", 65)}, 400, "bad_field"},
	} {
		t.Run(name, func(t *testing.T) {
			user := as(f.token(strings.ReplaceAll(name, " ", "-"), ""))
			w := f.call("POST", "/v1/cart/lines", tt.body, append(tt.headers, user...)...)
			if tt.code != "" {
				wantProblem(t, w, tt.status, tt.code)
			} else if w.Code != tt.status {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.status)
			}
		})
	}
}

func TestScript(t *testing.T) {
	f := newFixture(t)
	w := f.call("GET", "/securecart-live.js", "", "Origin", "https://shop.example")
	want(t, w, 200, script)
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding",
		"Cache-Control": "max-age=300, stale-while-revalidate=3600, stale-if-error=86400",
	} {
		if got := strings.Join(w.Header().Values(name), ", "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f.use(f.issuer.Client(), rest.Options{})
	wantProblem(t, f.call("GET", "/securecart-live.js", ""), 404, "not_found")
}
