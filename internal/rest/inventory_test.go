package rest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
)

func TestPutItem(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.stock("TEE", 3, "other")
	vera := as(f.token("vera", "vendor acme"))
	with := func(name, value string) []string { return append([]string{name, value}, vera...) }
	const at = `"updatedAt":"2027-01-15T08:00:00Z"`
	w := f.call("PUT", "/v1/inventory/MUG", `{"available":7}`, vera...)
	want(t, w, 200, `{"sku":"MUG","version":2,"available":7,"lowAt":5,"vendor":"acme",`+at+`}`)
	if got := w.Header().Get("ETag"); got != `"2"` {
		t.Errorf("got the tag %s", got)
	}
	want(t, f.call("PUT", "/v1/inventory/MUG", `{"add":-1}`, with("If-Match", `"2"`)...), 200,
		`{"sku":"MUG","version":3,"available":6,"lowAt":5,"vendor":"acme",`+at+`}`)
	for name, tt := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
	}{
		"an old version":   {"PUT", "MUG", `{"add":-1}`, with("If-Match", `"2"`), 412, "conflict"},
		"a weak tag":       {"PUT", "MUG", `{"add":-1}`, with("If-Match", `W/"3"`), 412, "conflict"},
		"no quotes":        {"PUT", "MUG", `{"add":-1}`, with("If-Match", `3`), 412, "conflict"},
		"two versions":     {"PUT", "MUG", `{"add":-1,"version":2}`, with("If-Match", `"3"`), 400, "bad_field"},
		"too few":          {"PUT", "MUG", `{"add":-9}`, vera, 409, "no_stock"},
		"another's":        {"PUT", "TEE", `{"add":-1}`, vera, 404, "denied"},
		"unknown":          {"PUT", "NOPE", `{"available":1}`, vera, 404, "denied"},
		"to another":       {"PUT", "MUG", `{"vendor":"other"}`, vera, 404, "denied"},
		"an unknown field": {"PUT", "MUG", `{"availible":1}`, vera, 400, "bad_field"},
		"no body":          {"PUT", "MUG", ``, vera, 400, "bad_field"},
		"text":             {"PUT", "MUG", `{"add":1}`, with("Content-Type", "text/plain"), 415, "bad_media_type"},
		"a customer":       {"PUT", "MUG", `{"add":1}`, as(f.token("ann", "")), 404, "denied"},
		"a guest":          {"PUT", "MUG", `{"add":1}`, as(f.token("9f2c", "guest")), 404, "denied"},
		"nobody":           {"PUT", "MUG", `{"add":1}`, nil, 401, "token_bad"},
		"GET":              {"GET", "MUG", ``, vera, 405, "bad_method"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, f.call(tt.method, "/v1/inventory/"+tt.path, tt.body, tt.headers...), tt.status, tt.code)
		})
	}
	if w := f.call("PUT", "/v1/inventory/TEE", `{"add":1}`, as(f.token("root", "admin"))...); w.Code != 200 {
		t.Errorf("an admin: got %d %s", w.Code, w.Body)
	}
}

// TestOvertakenWrite: without If-Match, a write that others overtake may be repeated.
func TestOvertakenWrite(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.store.errs["PutItem"] = hub.ErrConflict
	vera := as(f.token("vera", "vendor acme"))
	w := f.call("PUT", "/v1/inventory/MUG", `{"add":1}`, vera...)
	wantProblem(t, w, 503, "busy")
	if w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"retry":true`) {
		t.Errorf("got %v %s, want a retry", w.Header(), w.Body)
	}
}

// TestRevokedVendor: who was revoked learns that, whatever the SKU.
func TestRevokedVendor(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	vera := as(f.token("vera", "vendor acme"))
	if err := f.store.Revoke(t.Context(), hub.NameHash("u~vera"), f.now); err != nil {
		t.Fatal(err)
	}
	for _, sku := range []string{"MUG", "NOPE"} {
		wantProblem(t, f.call("PUT", "/v1/inventory/"+sku, `{"add":1}`, vera...), 401, "token_expired")
	}
	many := append([]string{"Content-Type", "application/x-ndjson"}, vera...)
	wantProblem(t, f.call("POST", "/v1/inventory", `{"sku":"MUG","add":1}`, many...), 401, "token_expired")
}

// TestBulkDeadline: a function that is about to be stopped says which lines it wrote.
func TestBulkDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.stock("MUG", 3, "acme")
		f.store.beforePut = func() { time.Sleep(100 * time.Millisecond) }
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		lines := strings.NewReader(strings.Repeat(`{"sku":"MUG","add":1}`+"\n", 200))
		r := httptest.NewRequestWithContext(ctx, "POST", "/v1/inventory", lines)
		r.Header.Set("Authorization", "Bearer "+f.token("vera", "vendor acme"))
		r.Header.Set("Content-Type", "application/x-ndjson")
		w := httptest.NewRecorder()
		f.api.ServeHTTP(w, r)
		want(t, w, 207, `{"done":91,"failed":1,"errors":[{"line":92,"code":"busy",`+
			`"message":"the time is up; this line and those after it were not written"}]}`)
	})
}

// TestAsOf: webhooks that arrive twice, late and in any order end in the newest stock.
func TestAsOf(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.now = f.now.Add(time.Hour)
	vera := as(f.token("vera", "vendor acme"))
	send := func(available, second int) string {
		at := f.now.Add(time.Duration(second-60) * time.Second).Format(time.RFC3339)
		w := f.call("PUT", "/v1/inventory/MUG", fmt.Sprintf(`{"available":%d,"asOf":%q}`, available, at), vera...)
		if w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	for _, tt := range []struct {
		available, second, wantStock int
		ignored                      bool
	}{
		{5, 10, 5, false}, {5, 10, 5, true}, {9, 5, 5, true}, {5, 30, 5, false}, {9, 20, 5, true}, {8, 31, 8, false},
	} {
		got := send(tt.available, tt.second)
		if !strings.Contains(got, fmt.Sprintf(`"available":%d,`, tt.wantStock)) ||
			strings.Contains(got, `"ignored":"older"`) != tt.ignored {
			t.Errorf("%d at %d s: got %s, want %d, ignored: %t", tt.available, tt.second, got, tt.wantStock, tt.ignored)
		}
	}
	ahead := f.now.Add(hub.SessionLeeway + time.Second).Format(time.RFC3339)
	wantProblem(t, f.call("PUT", "/v1/inventory/MUG", fmt.Sprintf(`{"available":1,"asOf":%q}`, ahead), vera...),
		400, "bad_field")
}

func TestPostInventory(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.stock("TEE", 3, "other")
	vera := append([]string{"Content-Type", "application/x-ndjson"}, as(f.token("vera", "vendor acme"))...)
	w := f.call("POST", "/v1/inventory", `{"sku":"MUG","available":7}
{"sku":"TEE","available":7}

{"sku":"MUG","available":1,"asOf":"2020-01-01T00:00:00Z"}
nonsense
`, vera...)
	want(t, w, 207, `{"done":2,"ignored":1,"failed":2,"errors":[`+
		`{"line":2,"sku":"TEE","code":"denied","message":"not allowed, or it does not exist"},`+
		`{"line":5,"code":"bad_field","message":"not valid JSON"}]}`)
	want(t, f.call("POST", "/v1/inventory", "", vera...), 200, `{"done":0,"failed":0}`)
	want(t, f.call("POST", "/v1/inventory", `[{"sku":"MUG"}]`, vera...), 422, `{"done":0,"failed":1,"errors":[{"line":1,`+
		`"code":"bad_field","message":"an array is not NDJSON: send one object a line; this line and those after it were `+
		`not written"}]}`)
	long := strings.Repeat(`{"sku":"MUG","add":0}`+"\n", 501)
	if w := f.call("POST", "/v1/inventory", long, vera...); w.Code != 207 ||
		!strings.Contains(w.Body.String(), `"done":500,"failed":1`) {
		t.Errorf("501 lines: got %d %.200s", w.Code, w.Body)
	}
	large := strings.Repeat(`{"sku":"MUG","backAt":"`+strings.Repeat("x", 9000)+`"}`+"\n", 130)
	if w := f.call("POST", "/v1/inventory", large, vera...); !strings.Contains(w.Body.String(), "too_big") {
		t.Errorf("over 1 MB: got %d %.200s", w.Code, w.Body)
	}
	vera[1] = "application/json"
	wantProblem(t, f.call("POST", "/v1/inventory", `{"sku":"MUG","available":7}`, vera...), 415, "bad_media_type")
	wantProblem(t, f.call("POST", "/v1/inventory", `{"sku":"MUG","available":7}`), 401, "token_bad")
	ann := append([]string{"Content-Type", "application/x-ndjson"}, as(f.token("ann", ""))...)
	wantProblem(t, f.call("POST", "/v1/inventory", `{"sku":"MUG","available":7}`, ann...), 404, "denied")
}

// TestAddHasNoTime: an older "add" still counts, so a time is refused with it.
func TestAddHasNoTime(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	vera := as(f.token("vera", "vendor acme"))
	body := `{"add":-1,"asOf":"2020-01-01T00:00:00Z"}`
	wantProblem(t, f.call("PUT", "/v1/inventory/MUG", body, vera...), 400, "bad_field")
}

// TestWritesHaveNoIfNoneMatch: it would be checked after the write.
func TestWritesHaveNoIfNoneMatch(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	vera := append(as(f.token("vera", "vendor acme")), "If-None-Match", "*")
	wantProblem(t, f.call("PUT", "/v1/inventory/MUG", `{"available":7}`, vera...), 400, "bad_field")
}

// TestTicketsCountAsMessages: a client cannot make tickets without end.
func TestTicketsCountAsMessages(t *testing.T) {
	f := newFixture(t)
	token := as(f.token("ann", ""))
	for i := range hub.CustomerMessages + 1 {
		w := f.call("POST", "/v1/tickets", "", token...)
		if i < hub.CustomerMessages && w.Code == 201 {
			continue
		}
		if wantProblem(t, w, 429, "slow_down"); w.Code == 429 {
			return
		}
		t.Fatalf("ticket %d: %d %s", i, w.Code, w.Body)
	}
	t.Error("no ticket was refused")
}

func TestGetInventory(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "acme")
	f.stock("CAP", 3, "acme")
	f.stock("TEE", 3, "other")
	vera, root := as(f.token("vera", "vendor acme")), as(f.token("root", "admin"))
	const list = `{"type":"snapshot","epoch":"k3","topics":{"vendor:`
	w := f.call("GET", "/v1/inventory", "", vera...)
	want(t, w, 200, list+`acme":{"skus":["CAP","MUG"]}}}`)
	again := append([]string{"If-None-Match", w.Header().Get("ETag")}, vera...)
	want(t, f.call("GET", "/v1/inventory", "", again...), 304, "")
	want(t, f.call("GET", "/v1/inventory?after=CAP", "", vera...), 200, list+`acme":{"skus":["MUG"]}}}`)
	want(t, f.call("GET", "/v1/inventory?vendor=other", "", root...), 200, list+`other":{"skus":["TEE"]}}}`)
	wantProblem(t, f.call("GET", "/v1/inventory?vendor=other", "", vera...), 404, "denied")
	wantProblem(t, f.call("GET", "/v1/inventory", "", root...), 404, "denied")
	wantProblem(t, f.call("GET", "/v1/inventory", "", as(f.token("ann", ""))...), 404, "denied")
	wantProblem(t, f.call("GET", "/v1/inventory?vendor=acme", "", as(f.token("ann", ""))...), 404, "denied")
	wantProblem(t, f.call("GET", "/v1/inventory", ""), 401, "token_bad")
}
