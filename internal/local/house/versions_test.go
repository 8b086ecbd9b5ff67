package house_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/versions"
)

// register returns a register in which v1 is deprecated and ends so many days from the
// beginning of this day.
func register(t *testing.T, deprecated, sunset int) versions.Register {
	t.Helper()
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	r, err := versions.Parse(fmt.Sprintf(
		"v1: deprecated %s, sunset %s, successor v2, link https://shop.example/v2", day(deprecated), day(sunset)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const gone = `{"type":"bye","code":"gone_version","retry":false,"after":0}`

// TestLifeOfADeprecation moves the clock from the announcement of the end of v1 until after
// it, and looks at HTTP, at a new socket and at the metric.
func TestLifeOfADeprecation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := register(t, 1, 184)
		h := newHouse(t, house.Options{Deprecations: r})
		defer closeHouse(t, h)
		for _, tt := range []struct {
			name, warp string
			status     int
			counted    int // requests and connections, so far
		}{
			{"announced", "1h", http.StatusOK, 0},
			{"deprecated", "1d", http.StatusOK, 1},
			{"the last day", "182d", http.StatusOK, 2},
			{"over", "1d", http.StatusGone, 3},
			{"half a year later", "184d", http.StatusGone, 4},
		} {
			if status, answer := admin(t, h, "POST", "/admin/warp", `{"by":"`+tt.warp+`"}`); status != http.StatusOK {
				t.Fatalf("warp: %d %s", status, answer)
			}
			rec := callREST(t, h, "GET", "/v1/stock?sku=TEE-RED-M", "", "")
			sunset := r[0].Sunset.Format(http.TimeFormat)
			if rec.Code != tt.status || rec.Header().Get("Sunset") != sunset || len(rec.Header()["Link"]) != 2 ||
				rec.Header().Get("Deprecation") != fmt.Sprintf("@%d", r[0].Deprecated.Unix()) {
				t.Errorf("%s: got %d %v, want %d and the dates", tt.name, rec.Code, rec.Header(), tt.status)
			}
			c := dial(t, h, "")
			c.send("hello")
			answer := c.read()
			announced := strings.Contains(answer, `"deprecation":{"deprecated":"`+r[0].Deprecated.Format(time.DateOnly)+`"`)
			if over := tt.status == http.StatusGone; over != (answer == gone) || over == announced {
				t.Errorf("%s: hello got %s", tt.name, answer)
			}
			c.close()
			_, metrics := admin(t, h, "GET", "/metrics", "")
			for _, function := range []string{"rest", "connect"} {
				series := fmt.Sprintf("\nhub_deprecated_total{function=%q}", function)
				line := fmt.Sprintf("%s %d\n", series, tt.counted)
				if tt.counted > 0 && !strings.Contains(metrics, line) || tt.counted == 0 && strings.Contains(metrics, series) {
					t.Errorf("%s: the metrics do not have %s", tt.name, line)
				}
			}
		}
	})
}

// TestOpenSocketAtTheEnd: on a connection that is open when its version ends, the client gets
// a bye in answer to its next message.
func TestOpenSocketAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Deprecations: register(t, -182, 1)})
		defer closeHouse(t, h)
		warp := func(by time.Duration) {
			if err := h.Warp(by); err != nil {
				t.Fatal(err)
			}
		}
		warp(24*time.Hour - time.Minute)
		c := dial(t, h, "")
		defer c.close()
		c.ask("ping", `{"type":"pong"}`)
		warp(time.Minute)
		c.ask("sub sku:TEE-RED-M", gone)
	})
}

// TestVersionOfAHandshake: what names two versions is refused with 400, and what names one
// that does not exist with 404, on sockets and over HTTP.
func TestVersionOfAHandshake(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	server := httptest.NewServer(h)
	defer server.Close()
	for _, tt := range []struct {
		query, header string
		offer         []string
		status        int // 101: accepted
	}{
		{"?version=1", "1", []string{"securecart.v1"}, 101},
		{"", "", []string{"securecart.v2", "securecart.v1"}, 101},
		{"?version=2", "", []string{"securecart.v1"}, 400},
		{"?version=1", "2", nil, 400},
		{"?version=2", "", nil, 404},
		{"", "", []string{"securecart.v2"}, 404},
	} {
		header := http.Header{}
		if tt.header != "" {
			header.Set("X-API-Version", tt.header)
		}
		conn, response, err := websocket.Dial(t.Context(), server.URL+"/v1"+tt.query, &websocket.DialOptions{
			Subprotocols: tt.offer, HTTPHeader: header,
		})
		if response == nil || response.StatusCode != tt.status {
			t.Errorf("%v: got %v, %v", tt, response, err)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	for path, want := range map[string]int{"/v2/stock": 404, "/v1/stock?version=2": 400, "/v2": 404} {
		rec := callREST(t, h, "GET", path, "", "")
		if rec.Code != want || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, want %d", path, rec.Code, rec.Body, want)
		}
	}
}
