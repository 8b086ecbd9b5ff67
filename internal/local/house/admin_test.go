package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/wire"
)

var timestamp = regexp.MustCompile(`"updatedAt":"[^"]+"`)

func TestAdminStock(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	const mug = "/admin/stock/MUG"
	badField := func(message string) string { return `{"code":"bad_field","message":"` + message + `"}` }
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{
			"read", "GET", mug, "",
			200, `{"sku":"MUG","version":1,"available":33,"lowAt":5,"vendor":"kiln",TIME}`,
		},
		{
			"write", "PUT", mug, `{"available":3}`,
			200, `{"sku":"MUG","version":2,"available":3,"lowAt":5,"vendor":"kiln",TIME}`,
		},
		{
			"add", "PUT", mug, `{"add":-1}`,
			200, `{"sku":"MUG","version":3,"available":2,"lowAt":5,"vendor":"kiln",TIME}`,
		},
		{
			"back order", "PUT", "/admin/stock/BACK", `{"available":0,"backorder":true,"backAt":"2026-12-24"}`,
			200, `{"sku":"BACK","version":1,"available":0,"lowAt":5,TIME,"backorder":true,"backAt":"2026-12-24"}`,
		},
		{
			"not a date", "PUT", "/admin/stock/BACK", `{"backAt":"soon"}`,
			400, badField(`\"backAt\" is a date as \"2026-12-24\"`),
		},
		{
			"not tracked", "PUT", "/admin/stock/DIGITAL", `{"tracked":false}`,
			200, `{"sku":"DIGITAL","version":1,"available":0,"lowAt":5,TIME,"tracked":false}`,
		},
		{
			"version conflict", "PUT", mug, `{"available":9,"version":1}`,
			409, `{"code":"conflict","message":"\"MUG\" is at version 3"}`,
		},
		{
			"below zero", "PUT", mug, `{"add":-3}`,
			409, `{"code":"no_stock","message":"only 2 pieces are left, and \"add\" takes 3 away"}`,
		},
		{
			"negative quantity", "PUT", mug, `{"available":-1}`,
			400, badField(`\"available\" must be a number from 0 to 1000000000, this would be -1`),
		},
		{
			"only if new, of an item that exists", "PUT", mug, `{"available":9,"version":0}`,
			409, `{"code":"conflict","message":"\"MUG\" is at version 3"}`,
		},
		{
			"only if new", "PUT", "/admin/stock/FIRST", `{"available":9,"version":0}`,
			200, `{"sku":"FIRST","version":1,"available":9,"lowAt":5,TIME}`,
		},
		{
			"fraction", "PUT", mug, `{"available":1.5}`,
			400, badField(`field \"available\" has the wrong type: number 1.5`),
		},
		{"not JSON", "PUT", mug, `available=3`, 400, badField("not valid JSON")},
		{"null", "PUT", mug, `null`, 400, badField("not a JSON object")},
		{
			"duplicate field", "PUT", mug, `{"available":1,"available":2}`,
			400, badField(`key \"available\" occurs twice`),
		},
		{
			"field in upper case", "PUT", mug, `{"Available":1}`,
			400, badField(`field \"Available\" is written \"available\"`),
		},
		{"empty body", "PUT", mug, ``, 400, badField("the body is empty")},
		{"unknown field", "PUT", mug, `{"avail":3}`, 400, badField(`unknown field \"avail\"`)},
		{"two objects", "PUT", mug, `{"available":3}{}`, 400, badField("more than one JSON value")},
		{
			"body too long", "PUT", mug, strings.Repeat(" ", 70_000),
			413, `{"code":"too_big","message":"a body has at most 65536 bytes"}`,
		},
		{
			"unknown SKU", "GET", "/admin/stock/NOPE", "",
			404, `{"code":"not_found","message":"unknown SKU \"NOPE\""}`,
		},
		{
			"invalid SKU", "GET", "/admin/stock/a%20b%20", "",
			400, badField(`\"a b \" is not a SKU: a SKU has 1 to 128 bytes of printable text, ` +
				`no control characters, no space at either end`),
		},
		{
			"create", "PUT", "/admin/stock/NEW", `{"available":1,"lowAt":0}`,
			200, `{"sku":"NEW","version":1,"available":1,"lowAt":0,TIME}`,
		},
		{
			"delete", "DELETE", "/admin/stock/NEW", "",
			200, `{"sku":"NEW","version":2,"available":0,"lowAt":0,TIME,"deleted":true}`,
		},
		{
			"unknown path", "GET", "/admin/stok", "",
			404, `{"code":"not_found","message":"nothing is served at GET /admin/stok"}`,
		},
		{"healthz", "GET", "/healthz", "", 200, `{"status":"ok"}`},
		{"readyz", "GET", "/readyz", "", 200, `{"status":"ready"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := admin(t, h, tt.method, tt.path, tt.body)
			answer = timestamp.ReplaceAllString(answer, "TIME")
			if status != tt.status || answer != tt.answer {
				t.Errorf("got  %d %s\nwant %d %s", status, answer, tt.status, tt.answer)
			}
		})
	}
}

func TestAdminBulk(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	body := `{"sku":"MUG","available":3}
{"sku":"MUG","available":-3}

not json
{"sku":"NEW","add":1}
{"sku":"CAP-NAVY","available":1}`
	status, answer := admin(t, h, "POST", "/admin/stock", body)
	want := `{"done":2,"failed":3,"errors":[` +
		`{"line":2,"sku":"MUG","code":"bad_field",` +
		`"message":"\"available\" must be a number from 0 to 1000000000, this would be -3"},` +
		`{"line":4,"code":"bad_field","message":"not valid JSON"},` +
		`{"line":5,"sku":"NEW","code":"bad_field","message":"a new item needs \"available\""}]}`
	if status != 207 || answer != want {
		t.Errorf("got  %d %s\nwant 207 %s", status, answer, want)
	}
	status, answer = admin(t, h, "POST", "/admin/stock", `{"sku":"MUG","available":4}`+"\n"+strings.Repeat("x", 70_000))
	if status != 207 || !strings.Contains(answer, `{"done":1,"failed":1,"errors":[{"line":2,"code":"too_big"`) {
		t.Errorf("line too long: got %d %s", status, answer)
	}
}

// TestAdminBulkStatus checks the status by the lines that failed, and that errors help.
func TestAdminBulkStatus(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	good := `{"sku":"MUG","available":3}` + "\n"
	array := `{"done":%d,"failed":1,"errors":[{"line":%d,"code":"bad_field",` +
		`"message":"an array is not NDJSON: send one object a line; this line and those after it were not written"}]}`
	for _, tt := range []struct {
		name, body string
		status     int
		answer     string
	}{
		{"all written", good + good, 200, `{"done":2,"failed":0}`},
		{"nothing to write", "\n", 200, `{"done":0,"failed":0}`},
		{"a fraction", good + `{"sku":"X","available":2.0}`, 207, `{"done":1,"failed":1,"errors":[{"line":2,` +
			`"code":"bad_field","message":"field \"available\" has the wrong type: number 2.0"}]}`},
		{"all refused", `{"sku":"MUG","add":-99}`, 422, `{"done":0,"failed":1,"errors":[{"line":1,"sku":"MUG",` +
			`"code":"no_stock","message":"only 3 pieces are left, and \"add\" takes 99 away"}]}`},
		{"an array", `[{"sku":"MUG","available":3}]`, 422, fmt.Sprintf(array, 0, 1)},
		{"an array over several lines", "\n[\n" + good + "]", 422, fmt.Sprintf(array, 0, 2)},
		{"an array after many errors", strings.Repeat("x\n", 200) + "[]", 422, ""},
		{"an array after a line", good + "[" + good + "]", 207, fmt.Sprintf(array, 1, 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := admin(t, h, "POST", "/admin/stock", tt.body)
			if tt.answer == "" { // too long to write down
				_, answer, _ = strings.Cut(answer, `{"line":99,"code":"bad_field","message":"not valid JSON"},`)
				tt.answer = strings.TrimPrefix(fmt.Sprintf(array, 0, 201), `{"done":0,"failed":1,"errors":[`)
			}
			if status != tt.status || answer != tt.answer {
				t.Errorf("got  %d %s\nwant %d %s", status, answer, tt.status, tt.answer)
			}
		})
	}
}

// TestAdminBulkOfBadLines checks that a body of nothing but bad lines costs little: an
// answer with the first errors and a count, and some hundred bytes a line.
func TestAdminBulkOfBadLines(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	const lines = 1_000_000 // 2 MB
	body := strings.Repeat("x\n", lines)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	status, answer := admin(t, h, "POST", "/admin/stock", body)
	runtime.ReadMemStats(&after)
	var result struct {
		Done, Failed int
		Errors       []struct{ Line int }
	}
	if err := json.Unmarshal([]byte(answer), &result); err != nil {
		t.Fatal(err)
	}
	last := result.Errors[len(result.Errors)-1].Line
	if status != 422 || result.Done != 0 || result.Failed != lines || len(result.Errors) != 100 || last != 100 {
		t.Errorf("got status %d, %d done, %d failed, %d errors up to line %d",
			status, result.Done, result.Failed, len(result.Errors), last)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("allocated %d MB", allocated>>20)
	if allocated > 100<<20 {
		t.Errorf("allocated %d MB for 2 MB of bad lines, want at most 100", allocated>>20)
	}
}

// TestAdminLocal: the admin API serves this machine, and pages of known origins only.
func TestAdminLocal(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{Origins: []string{"http://127.0.0.1:8787"}}})
	defer closeHouse(t, h)
	for name, tt := range map[string]struct {
		host, origin string
		status       int
	}{
		"loopback IPv4":              {"127.0.0.1:8788", "", 200},
		"loopback IPv6":              {"[::1]:8788", "", 200},
		"localhost":                  {"localhost:8788", "", 200},
		"the house's page":           {"127.0.0.1:8788", "http://127.0.0.1:8787", 200},
		"foreign host name":          {"hub.example:8788", "", 403},
		"DNS rebinding":              {"127.0.0.1.rebind.example:8788", "", 403},
		"network address":            {"192.0.2.1:8788", "", 403},
		"foreign page":               {"127.0.0.1:8788", "https://evil.example", 403},
		"page with an opaque origin": {"127.0.0.1:8788", "null", 403},
		"local page on another port": {"127.0.0.1:8788", "http://127.0.0.1:9999", 403},
	} {
		t.Run(name, func(t *testing.T) {
			rec := requestFrom("[::1]:50000", h.Admin(), http.MethodGet, "http://"+tt.host+"/admin/stock/MUG", tt.origin)
			if rec.Code != tt.status {
				t.Errorf("got %d, want %d", rec.Code, tt.status)
			}
			if got := rec.Header().Get("Access-Control-Allow-Origin"); tt.status == 200 && got != tt.origin {
				t.Errorf("allowed origin %q, want %q", got, tt.origin)
			}
		})
	}
	t.Run("preflight", func(t *testing.T) {
		rec := requestFrom("127.0.0.1:50000", h.Admin(), http.MethodOptions, "http://127.0.0.1:8788/admin/stock/MUG",
			"http://127.0.0.1:8787")
		if rec.Code != 204 || !strings.Contains(rec.Header().Get("Access-Control-Allow-Methods"), "PUT") {
			t.Errorf("got %d, %v", rec.Code, rec.Header())
		}
	})
}

// TestLocalOnly: requests of other machines to the admin API and to @connections get
// status 403.
func TestLocalOnly(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	for _, tt := range []struct {
		handler http.Handler
		path    string
	}{
		{h.Admin(), "/readyz"},
		{h, "/v1/@connections/L0SM9cOFvHcCIhw="},
		{h, "/v1/%40connections/L0SM9cOFvHcCIhw%3D"},
	} {
		for remote, want := range map[string]bool{"192.0.2.1:50000": true, "127.0.0.1:50000": false} {
			rec := requestFrom(remote, tt.handler, http.MethodGet, "http://127.0.0.1:8787"+tt.path, "")
			if got := rec.Code == http.StatusForbidden; got != want {
				t.Errorf("%s from %s: got %d, want 403: %t", tt.path, remote, rec.Code, want)
			}
		}
	}
}

// requestFrom serves a request of a remote address, for a page of an origin or, with
// "", for another program.
func requestFrom(remote string, h http.Handler, method, url, origin string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, url, nil)
	req.RemoteAddr = remote
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func TestAdminToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		status, answer := admin(t, h, "POST", "/admin/token", `{"user":"alice","role":"admin"}`)
		if status != 200 || field(t, answer, "expires") == "" {
			t.Fatalf("got %d %s", status, answer)
		}
		c := dial(t, h, field(t, answer, "token"))
		defer c.close()
		c.send("hello")
		hello := c.read()
		if user, role := field(t, hello, "user"), field(t, hello, "role"); user != "alice" || role != "admin" {
			t.Errorf("got %s, %s, want alice, admin", user, role)
		}
		for body, message := range map[string]string{
			`{}`:                            `"user" is missing`,
			`{"user":"x","role":"guest"}`:   `"role" must be customer, vendor or admin`,
			`{"user":"x","role":"emperor"}`: `"role" must be customer, vendor or admin`,
			`{"user":"x","role":"vendor"}`:  `a vendor's token needs a "vendor"`,
			`{"user":"x","role":"vendor","vendor":"a\tb"}`: wire.NotAName("vendor", "a\tb"),
			`{"user":7}`: `field "user" has the wrong type: number`,
		} {
			status, answer := admin(t, h, "POST", "/admin/token", body)
			if status != 400 || field(t, answer, "message") != message {
				t.Errorf("%s: got %d %s, want 400 %s", body, status, answer, message)
			}
		}
	})
}

func TestAdminConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, token(t, h, "alice"))
		c.send("sub cart sku:MUG")
		c.read()
		_, answer := admin(t, h, "GET", "/admin/connections", "")
		var list struct {
			Connections []struct {
				ConnectionID, User, Role string
				Topics                   []string
			}
		}
		if err := json.Unmarshal([]byte(answer), &list); err != nil || len(list.Connections) != 1 {
			t.Fatalf("got %s, %v", answer, err)
		}
		got := list.Connections[0]
		if got.User != "alice" || got.Role != "customer" || fmt.Sprint(got.Topics) != "[cart:u~alice sku:MUG]" {
			t.Errorf("got %+v", got)
		}
		path := "/admin/connections/" + strings.ReplaceAll(got.ConnectionID, "=", "%3D")
		if status, answer := admin(t, h, "DELETE", path, ""); status != 204 {
			t.Errorf("delete: got %d %s, want 204", status, answer)
		}
		c.wantClose(websocket.StatusNormalClosure)
		synctest.Wait()
		for id, want := range map[string]int{got.ConnectionID: 410, "nonsense": 400} {
			if status, answer := admin(t, h, "DELETE", "/admin/connections/"+id, ""); status != want {
				t.Errorf("delete %s: got %d %s, want %d", id, status, answer, want)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.send("sub sku:MUG")
		c.read()
		time.Sleep(time.Millisecond) // a change is measured if its time differs from that in the row
		setStock(t, h, "MUG", "1")
		c.read()
		settle(t, h)
		for _, forged := range []*websocket.DialOptions{
			{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}}, {Subprotocols: []string{"chat"}},
		} {
			if _, _, err := h.Dial(t.Context(), forged); err == nil {
				t.Errorf("%+v: the handshake was accepted", forged)
			}
		}
		guest := dial(t, h, "forged")
		defer guest.close()
		_, text := admin(t, h, "GET", "/metrics", "")
		for _, want := range []string{
			`hub_handshakes_refused_total{reason="origin"} 1`,
			`hub_handshakes_refused_total{reason="subprotocol"} 1`,
			`hub_handshakes_downgraded_total{reason="token_bad"} 1`,
			"gateway_connections 2", "gateway_messages_total 1", "gateway_posts_total 1",
			`gateway_errors_total{kind="client"} 1`,
			`gateway_integration_seconds_count{route="$connect"} 3`,
			`gateway_integration_seconds_count{route="$default"} 1`,
			`hub_deliveries_total{result="posted"} 1`, `hub_latency_seconds_count 1`,
			`hub_changes_total{result="received"} 41`, `stream_records_total{result="delivered"} 41`,
		} {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("got no line %q in\n%s", want, text)
			}
		}
	})
}

func TestPage(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{URL: "http://127.0.0.1:8788"}})
	defer closeHouse(t, h)
	for path, want := range map[string]string{
		"/config.json":    `{"admin":"http://127.0.0.1:8788","socket":"/v1"}`,
		"/catalogue.json": `"sku":"TEE-RED-M"`,
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != 200 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: got %d %.200s", path, rec.Code, rec.Body)
		}
	}
}

// TestAdminRefusesParameters: one rule for all requests. A misspelled parameter is not ignored.
func TestAdminRefusesParameters(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	long := strings.Repeat("x", 10_000)
	for _, path := range []string{
		"/admin/stock", "/admin/stock/MUG", "/admin/topics", "/admin/carts", "/admin/events", "/admin/tap",
		"/admin/situation",
		"/admin/connections", "/admin/faults", "/admin/warp", "/admin/cost", "/admin/stream",
	} {
		for _, query := range []string{"limit=3", "%zz=1", "after=1;x=1", "after=1&after=2", "prefix=a&prefix=b", long} {
			rec := callAdminQuery(t, h, path, query)
			refused := rec.Code == http.StatusBadRequest && strings.Contains(rec.Body.String(), `"bad_field"`)
			if !refused || rec.Body.Len() > 600 {
				t.Errorf("%s?%.20s: got %d with %d bytes, want 400 and a short reason", path, query, rec.Code, rec.Body.Len())
			}
		}
	}
	for _, path := range []string{"/healthz", "/admin/stock"} {
		if rec := callAdminQuery(t, h, path, ""); rec.Code != http.StatusOK {
			t.Errorf("%s: got %d %s", path, rec.Code, rec.Body)
		}
	}
	if rec := callAdminQuery(t, h, "/admin/nothing", "x=1"); rec.Code != http.StatusNotFound {
		t.Errorf("an unknown path: got %d", rec.Code)
	}
}

// TestAdminClientGone: an operator's client that has gone ends no revocation or erasure halfway.
func TestAdminClientGone(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	for method, path := range map[string]string{"POST": "/admin/users/ann/revoke", "DELETE": "/admin/users/bob"} {
		c := dial(t, h, token(t, h, strings.Split(path, "/")[3])) // to which the hub posts
		defer c.close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:8788"+path, nil)
		req.RemoteAddr = "127.0.0.1:50000"
		rec := httptest.NewRecorder()
		h.Admin().ServeHTTP(rec, req)
		if rec.Code != http.StatusNoContent {
			t.Errorf("%s %s: got %d %s, want 204", method, path, rec.Code, rec.Body)
		}
	}
}

// TestAdminChecksUsers: what no session can have as its user is refused.
func TestAdminChecksUsers(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	long := strings.Repeat("x", 256)
	for _, user := range []string{"guest:", long, "a\x00b", "a b", "é"} {
		for method, end := range map[string]string{"DELETE": "", "POST": "/revoke"} {
			path := "/admin/users/" + user + end
			rec := callAdmin(t, h, method, path, "", "")
			if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "is not a user") {
				t.Errorf("%s %.30q: got %d %s", method, path, rec.Code, rec.Body)
			}
		}
	}
	for _, body := range []string{
		`{"user":"guest:x"}`, `{"user":"machine:x"}`, `{"user":"` + long + `"}`, `{"user":"a\u0000b"}`, `{"user":"a b"}`,
		`{"user":"alice","vendor":"acme"}`, `{"user":"alice","role":"admin","vendor":"acme"}`,
	} {
		if rec := callAdmin(t, h, "POST", "/admin/token", "", body); rec.Code != http.StatusBadRequest {
			t.Errorf("%.60s: got %d, want 400", body, rec.Code)
		}
	}
	for method, path := range map[string]string{
		"DELETE": "/admin/users/guest:x", "POST": "/admin/users/" + long[1:] + "/revoke",
	} {
		if rec := callAdmin(t, h, method, path, "", ""); rec.Code != http.StatusNoContent {
			t.Errorf("%s %.40s: got %d %s, want 204", method, path, rec.Code, rec.Body)
		}
	}
}
