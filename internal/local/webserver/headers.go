package webserver

import (
	"maps"
	"net/http"
)

// Policies of what a page may load, for [Protect]. No page may be shown in a frame of
// another origin's page, which could make a person click its buttons unseen
// (https://www.w3.org/TR/CSP3/).
const (
	// NoPage is the policy of an API: nothing that it sends is a page.
	NoPage = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

	pageHead = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; " +
		"connect-src 'self'"
	pageTail = "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// Page is the policy of a page with files of its own: no inline script, no inline style,
// nothing of another origin. The page may show itself in frames, and call the API at a
// URL; "" is none.
func Page(api string) string {
	if api != "" {
		api = " " + api
	}
	return pageHead + api + pageTail
}

// Protect adds headers that protect readers of what next serves, also to errors and
// redirects: the policy, no guessing of content types, no address in a Referer.
func Protect(policy string, next http.Handler) http.Handler {
	headers := http.Header{
		"Content-Security-Policy": {policy},
		"X-Content-Type-Options":  {"nosniff"},
		"Referrer-Policy":         {"no-referrer"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), headers)
		next.ServeHTTP(w, r)
	})
}
