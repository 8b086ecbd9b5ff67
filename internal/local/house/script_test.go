package house_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/script"
)

// TestScript: the house serves the browser's client to pages of all origins, and asks
// clients to ask each time.
func TestScript(t *testing.T) {
	const source = "export const n = 1;\n"
	h := newHouse(t, house.Options{Page: house.Page{Module: []byte(source)}})
	defer closeHouse(t, h)
	r := httptest.NewRequest(http.MethodGet, script.Path, nil)
	r.Header.Set("Origin", "https://shop.example")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK || rec.Body.String() != source {
		t.Errorf("got %d %q", rec.Code, rec.Body)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
