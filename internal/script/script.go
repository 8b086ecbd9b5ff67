// Package script serves the script: the browser's client as one file, for a script tag.
// In AWS the ticket function serves it, behind the edge; localhub serves it itself.
package script

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Path is where the script is served.
const Path = "/securecart-live.js"

// Values of Cache-Control for [Handler]. All times are in seconds (RFC 9111, RFC 5861).
const (
	// AlwaysAsk keeps the script, and asks each time whether it is still the same.
	AlwaysAsk = "no-cache"

	// Shared is for the edge and for browsers. A page asks again after five minutes, and
	// for another hour does not wait for the answer. If the hub fails, the edge goes on
	// with what it has for a day. So a new script is everywhere after 65 minutes, and
	// pages cost the hub one request in five minutes for each cache of the edge.
	Shared = "max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
)

// Handler serves a script to GET and HEAD, to pages of all origins: module scripts
// always need CORS. It compresses the script with gzip if the client accepts that, and
// answers 304 if the client has it. caching is the value of Cache-Control.
func Handler(script []byte, caching string) http.Handler {
	sum := sha256.Sum256(script)
	tag := hex.EncodeToString(sum[:8])
	// The function that serves the script mostly serves something else.
	packed := sync.OnceValue(func() []byte { return pack(script) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", caching)
		h.Set("Vary", "Accept-Encoding")
		body := script
		h.Set("Etag", `"`+tag+`"`)
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			body = packed()
			h.Set("Content-Encoding", "gzip")
			h.Set("Etag", `"`+tag+`-gzip"`)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is valid
	_, _ = w.Write(data)                                       // a Buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}

// acceptsGzip reports whether a client accepts gzip (RFC 9110, section 12.5.3).
func acceptsGzip(accepted []string) bool {
	for each := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		coding, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(each, " ", "")), ";")
		if coding == "gzip" {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
