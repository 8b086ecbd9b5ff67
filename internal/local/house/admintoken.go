package house

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// open reports whether a path wants no admin token: it tells nothing, or wants a
// token of another kind.
func open(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/v1/tickets":
		return true
	}
	return strings.HasPrefix(path, "/issuer/") || strings.HasPrefix(path, "/vendor/stock/")
}

// wantToken lets through who has the admin token, if there is one. Tokens are
// compared by hash, in a time that tells nothing of them.
func (h *House) wantToken(next http.Handler) http.Handler {
	if h.opts.AdminToken == "" {
		return next
	}
	want := sha256.Sum256([]byte("Bearer " + h.opts.AdminToken))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if !open(r.URL.Path) && subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "denied", "the admin API wants the token that localhub was started with (-admin-token)")
			return
		}
		next.ServeHTTP(w, r)
	})
}
