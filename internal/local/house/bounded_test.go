package house_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/securecart/hub/internal/local/house"
)

// TestErrorsAreShort: what a request has in abundance is not in its error.
func TestErrorsAreShort(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	long := strings.Repeat("x", 50_000)
	for name, tt := range map[string]struct{ method, path, body string }{
		"an unknown field": {"PUT", "/admin/stock/MUG", `{"` + long + `":1}`},
		"a long number":    {"PUT", "/admin/stock/MUG", `{"available":` + strings.Repeat("1", 50_000) + `}`},
		"a long SKU":       {"PUT", "/admin/stock/" + long, `{"available":1}`},
		"a long path":      {"GET", "/" + long, ""},
		"a vendor":         {"POST", "/admin/token", `{"user":"v","role":"vendor","vendor":"` + long + `"}`},
		"a role":           {"POST", "/admin/token", `{"user":"v","role":"` + long + `"}`},
		"a fault":          {"POST", "/admin/faults", `{"every":{"` + long + `":1}}`},
		"a duration":       {"POST", "/admin/warp", `{"by":"` + long + `"}`},
		"a connection":     {"DELETE", "/admin/connections/" + long, ""},
		"fields in a bulk": {"POST", "/admin/stock", strings.Repeat(`{"`+long+`":1}`+"\n", 200)},
		"SKUs in a bulk":   {"POST", "/admin/stock", strings.Repeat(`{"sku":"`+long+`","available":1}`+"\n", 200)},
		"vendors in a bulk": {"POST", "/admin/stock",
			strings.Repeat(`{"sku":"A","available":1,"vendor":"`+long+"\"}\n", 200)},
	} {
		most := 600
		if strings.HasSuffix(name, "in a bulk") {
			most *= 100
		}
		status, answer := admin(t, h, tt.method, tt.path, tt.body)
		if status < 400 || len(answer) > most {
			t.Errorf("%s: got %d with %d bytes, want an error with at most %d", name, status, len(answer), most)
		}
	}
}

// TestBulkThatEndsEarly: a body that stops is not one that is too long.
func TestBulkThatEndsEarly(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	body := io.MultiReader(strings.NewReader(`{"sku":"MUG","available":3}`+"\n"), iotest.ErrReader(errors.New("gone")))
	req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8788/admin/stock", body)
	req.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	h.Admin().ServeHTTP(rec, req)
	const want = `{"done":1,"failed":1,"errors":[{"line":2,"code":"bad_field",` +
		`"message":"the body ended early; this line and those after it were not written"}]}`
	if got := strings.TrimSpace(rec.Body.String()); rec.Code != http.StatusMultiStatus || got != want {
		t.Errorf("got %d %s, want %s", rec.Code, got, want)
	}
}
