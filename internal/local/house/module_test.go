package house_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// TestModule: pages of all origins may load the client, packed or not, and need not load it
// twice.
func TestModule(t *testing.T) {
	module := bytes.Repeat([]byte("export const n = 1;\n"), 100)
	h := newHouse(t, house.Options{Page: house.Page{Module: module}})
	defer closeHouse(t, h)
	get := func(accept, etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/securecart-live.js", nil)
		r.Header.Set("Origin", "https://shop.example")
		if accept != "" {
			r.Header.Set("Accept-Encoding", accept)
		}
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	etags := map[string]bool{}
	for accept, packed := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"br": false, "x-gzip-like": false,
	} {
		rec := get(accept, "")
		body := io.Reader(rec.Body)
		if got := rec.Header().Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %q: packed is %v, want %v", accept, got, packed)
		} else if packed {
			if rec.Body.Len() > len(module)/2 {
				t.Errorf("Accept-Encoding %q: %d bytes, want fewer than half of %d", accept, rec.Body.Len(), len(module))
			}
			unpacked, err := gzip.NewReader(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = unpacked
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, module) {
			t.Errorf("Accept-Encoding %q: got %d bytes, %v", accept, len(got), err)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript; charset=utf-8",
			"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
		} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		etag := rec.Header().Get("Etag")
		etags[etag] = packed
		if again := get(accept, etag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: got %d and %d bytes", etag, again.Code, again.Body.Len())
		}
	}
	if len(etags) != 2 {
		t.Errorf("got ETags %v, want one for each coding", etags)
	}
}
