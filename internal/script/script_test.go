package script_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/securecart/hub/internal/script"
)

// source is a script that compresses well.
var source = bytes.Repeat([]byte("export const n = 1;\n"), 100)

// serve returns the answer to a request with headers, given as names and values.
func serve(method string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, script.Path, nil)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	script.Handler(source, "max-age=7").ServeHTTP(rec, r)
	return rec
}

// unpack returns the body of an answer as its source.
func unpack(t *testing.T, rec *httptest.ResponseRecorder) []byte {
	t.Helper()
	body := io.Reader(rec.Body)
	if rec.Header().Get("Content-Encoding") == "gzip" {
		if rec.Body.Len() > len(source)/2 {
			t.Errorf("packed: %d bytes, want fewer than half of %d", rec.Body.Len(), len(source))
		}
		unpacked, err := gzip.NewReader(rec.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = unpacked
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHandler: pages of all origins may load the script, packed or not, and need not
// load it twice.
func TestHandler(t *testing.T) {
	etags := map[string]bool{}
	for accept, packed := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.000": false,
		"br": false, "x-gzip-like": false,
	} {
		rec := serve(http.MethodGet, "Accept-Encoding", accept, "Origin", "https://shop.example")
		if got := rec.Header().Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %q: packed is %v, want %v", accept, got, packed)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript; charset=utf-8",
			"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "max-age=7",
		} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("Accept-Encoding %q: %s: got %q, want %q", accept, name, got, want)
			}
		}
		if got := unpack(t, rec); rec.Code != http.StatusOK || !bytes.Equal(got, source) {
			t.Errorf("Accept-Encoding %q: got %d and %d bytes, want 200 and the source", accept, rec.Code, len(got))
		}
		etag := rec.Header().Get("Etag")
		etags[etag] = packed
		// A cache that changes the coding makes the tag weak.
		for _, known := range []string{etag, "W/" + etag, `"other", ` + etag} {
			again := serve(http.MethodGet, "Accept-Encoding", accept, "If-None-Match", known)
			if again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("Cache-Control") == "" {
				t.Errorf("If-None-Match %s: got %d, %d bytes and %v", known, again.Code, again.Body.Len(), again.Header())
			}
		}
	}
	if len(etags) != 2 {
		t.Errorf("got ETags %v, want one for each coding", etags)
	}
}

func TestHandlerMethods(t *testing.T) {
	head := serve(http.MethodHead)
	if head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Etag") == "" {
		t.Errorf("HEAD: got %d, %d bytes and %v", head.Code, head.Body.Len(), head.Header())
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		rec := serve(method)
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" ||
			rec.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: got %d and %v, want 405", method, rec.Code, rec.Header())
		}
	}
}

// TestHandlerNewSource: another script has another tag, so caches fetch it.
func TestHandlerNewSource(t *testing.T) {
	old := serve(http.MethodGet).Header().Get("Etag")
	r := httptest.NewRequest(http.MethodGet, script.Path, nil)
	r.Header.Set("If-None-Match", old)
	rec := httptest.NewRecorder()
	script.Handler(append(bytes.Clone(source), ' '), script.Shared).ServeHTTP(rec, r)
	if rec.Code != http.StatusOK || rec.Body.Len() != len(source)+1 {
		t.Errorf("got %d and %d bytes, want 200 and the new script", rec.Code, rec.Body.Len())
	}
}
