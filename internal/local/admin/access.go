package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/local/inspector"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/wire"
)

// LocalOnly serves next to this machine only, and not to pages of other origins: a web page
// must not reach next through a developer's browser. Allowed are the pages of origins,
// and those of the host that the request names.
func LocalOnly(origins []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsLoopback(r.Host) || !IsLoopback(r.RemoteAddr) {
			refuse(w, wire.CodeDenied, "this is served on this machine only")
			return
		}
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		if origin != "http://"+r.Host && !slices.Contains(origins, origin) {
			refuse(w, wire.CodeDenied, "pages of "+origin+" may not use this")
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Vary", "Origin")
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE")
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// IsLoopback reports whether a host, with or without a port, is a loopback address
// or "localhost": names of this machine that no foreign DNS entry can take.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// needsToken reports whether a path is protected by the admin token. The others say
// nothing of value, or check a token of another kind or a key.
func needsToken(path string) bool {
	switch path {
	case "/healthz", "/readyz":
		return false
	}
	open := []string{"/issuer/", "/vendor/stock/", "/v1/inventory", inspector.Path}
	return !slices.ContainsFunc(open, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// requireToken refuses requests without the admin token, if there is one. It compares
// hashes in constant time, so that response times say nothing about the token.
func requireToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := bearer.Token(r.Header.Values("Authorization")...) // "" is no token
		if given == "" && r.URL.Path == tapPath {
			given = subprotocolToken(r.Header.Values("Sec-WebSocket-Protocol"))
		}
		got := sha256.Sum256([]byte(given))
		if needsToken(r.URL.Path) && subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, section 11.6.1
			reply(w, http.StatusUnauthorized, stockjson.NewProblem(wire.CodeDenied,
				"send the token that localhub was started with (-admin-token) in Authorization: Bearer"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// subprotocolToken returns the token that a page sends as the subprotocol
// "bearer.<token in base64url, without padding>", or "".
func subprotocolToken(headers []string) string {
	for protocol := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		if encoded, ok := strings.CutPrefix(strings.TrimSpace(protocol), "bearer."); ok {
			token, _ := base64.RawURLEncoding.DecodeString(encoded) // "" is no token
			return string(token)
		}
	}
	return ""
}
