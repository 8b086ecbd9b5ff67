package rest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/handler"
)

// What pages may send and read beyond what every page may (Fetch, section 3.2).
const (
	allowedHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Version"
	exposedHeaders = "Deprecation, ETag, Link, Retry-After, Sunset"
	// preflightAge is how long a browser may keep a preflight's answer, in seconds: two
	// hours, which is all that Chromium takes.
	preflightAge = "7200"
)

// reply is an answer that is not an error.
type reply struct {
	status int // 0: 200
	body   []byte
	tag    string // entity tag (RFC 9110, section 8.8.3), "": none
	cache  string // Cache-Control, "": no-store
}

// resource serves the methods of a path. Without methods, there is nothing at the path.
func (a api) resource(methods map[string]endpoint) http.Handler {
	names := append(slices.Sorted(maps.Keys(methods)), http.MethodOptions)
	if methods[http.MethodGet] != nil {
		names = append(names, http.MethodHead)
	}
	allow := strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.setCORS(w.Header(), r)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		versionErr := a.checkVersion(w.Header(), r)
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		serve, known := methods[method]
		condition := checkConditions(r)
		switch {
		case methods == nil:
			a.fail(w, r, cmp.Or(versionErr, errNoPath))
		case method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			a.setPreflight(w.Header(), allow)
			w.WriteHeader(http.StatusNoContent)
		case versionErr != nil:
			a.fail(w, r, versionErr)
		case !known:
			w.Header().Set("Allow", allow)
			a.fail(w, r, errMethod)
		case handler.TokenInURL(r.URL.Query()):
			a.fail(w, r, errTokenInURL)
		case condition != nil:
			a.fail(w, r, condition)
		case !acceptsJSON(r.Header.Values("Accept")):
			a.fail(w, r, errAccept)
		default:
			answer, err := serve(r)
			if err != nil {
				a.fail(w, r, err)
				return
			}
			answer.write(w, r)
		}
	})
}

// write writes the answer: 304 if the client has it already.
func (p reply) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Authorization")
	h.Set("Cache-Control", "no-store")
	if p.cache != "" {
		h.Set("Cache-Control", p.cache)
	}
	if p.tag != "" {
		h.Set("ETag", p.tag)
		if matches(r.Header.Values("If-None-Match"), p.tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if p.status == http.StatusNoContent {
		w.WriteHeader(p.status)
		return
	}
	writeBody(w, r, "application/json", max(p.status, http.StatusOK), p.body)
}

func writeBody(w http.ResponseWriter, r *http.Request, mediaType string, status int, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have closed its connection
	}
}

// setCORS lets a page of an allowed origin read the answer.
func (a api) setCORS(h http.Header, r *http.Request) {
	h.Add("Vary", "Origin")
	origins := r.Header.Values("Origin")
	if len(origins) == 1 && handler.PageAllowed(origins[0], r.Host, a.o.Origins) {
		h.Set("Access-Control-Allow-Origin", origins[0])
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
	}
}

// setPreflight answers a preflight of a page that may read answers.
func (a api) setPreflight(h http.Header, methods string) {
	if h.Get("Access-Control-Allow-Origin") == "" {
		return
	}
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", allowedHeaders)
	h.Set("Access-Control-Max-Age", preflightAge)
}
