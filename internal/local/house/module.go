package house

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// modulePath is where the browser's client is served.
const modulePath = "/securecart-live.js"

// serveModule serves a JavaScript module to the pages of all origins: module scripts always
// need CORS. The client may keep it, and asks each time whether it is still the same.
func serveModule(module []byte) http.Handler {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is valid
	_, _ = w.Write(module)                                     // a Buffer takes everything
	_ = w.Close()
	sum := sha256.Sum256(module)
	tag := hex.EncodeToString(sum[:8])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Accept-Encoding")
		body := module
		h.Set("Etag", `"`+tag+`"`)
		if takesGzip(r.Header.Values("Accept-Encoding")) {
			body = packed.Bytes()
			h.Set("Content-Encoding", "gzip")
			h.Set("Etag", `"`+tag+`-gzip"`)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// takesGzip reports whether a client takes gzip (RFC 9110, section 12.5.3).
func takesGzip(accepted []string) bool {
	for each := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		coding, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(each, " ", "")), ";")
		if coding == "gzip" {
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
