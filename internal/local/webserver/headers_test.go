package webserver_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/local/webserver"
)

// TestProtect writes the headers out: a test that takes them from the constants would
// pass with any.
func TestProtect(t *testing.T) {
	const tail = "; base-uri 'none'; form-action 'none'; frame-ancestors "
	const head = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; " +
		"connect-src 'self'"
	for name, tt := range map[string]struct{ policy, want string }{
		"an API":             {webserver.NoPage, "default-src 'none'" + tail + "'none'"},
		"a page":             {webserver.Page(""), head + tail + "'self'"},
		"a page with an API": {webserver.Page("http://127.0.0.1:8788"), head + " http://127.0.0.1:8788" + tail + "'self'"},
	} {
		w := httptest.NewRecorder()
		webserver.Protect(tt.policy, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		for header, want := range map[string]string{
			"Content-Security-Policy": tt.want, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if got := w.Result().Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

// TestProtectedHeadersAreOfOneAnswer: what a handler adds to them is not in another answer.
func TestProtectedHeadersAreOfOneAnswer(t *testing.T) {
	protected := webserver.Protect(webserver.NoPage, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Referrer-Policy", r.URL.Path)
	}))
	headers := map[string]http.Header{"/a": {}, "/b": {}}
	for path := range headers {
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		headers[path] = w.Header()
	}
	for path, h := range headers {
		if got, want := h.Values("Referrer-Policy"), []string{"no-referrer", path}; !slices.Equal(got, want) {
			t.Errorf("%s: Referrer-Policy %q, want %q", path, got, want)
		}
	}
}
