package house_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
)

// TestWarp warps the clock to the maximum age of a connection, and then to the end of
// tokens.
func TestWarp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Gateway: house.Gateway{IdleTimeout: time.Hour}})
		defer closeHouse(t, h)
		start := time.Now()
		warp := func(by string) {
			t.Helper()
			status, answer := admin(t, h, http.MethodPost, "/admin/warp", `{"by":"`+by+`"}`)
			if status != http.StatusOK {
				t.Fatalf("warp: %d %s", status, answer)
			}
		}
		firstToken := token(t, h, "alice")
		c := dial(t, h, firstToken)
		c.ask("ping", `{"type":"pong"}`)
		for range 2 {
			warp("59m")
			c.ask("ping", `{"type":"pong"}`)
		}
		warp("2m") // the connection is two hours old
		c.wantClose(websocket.StatusGoingAway)
		if passed := time.Since(start); passed != 0 {
			t.Errorf("the test took %v, want 0", passed)
		}
		if n := len(h.Connections()); n != 0 {
			t.Errorf("got %d connections, want 0", n)
		}

		// The hub's clock moved with the gateway's: stock has the new time, and tokens
		// of the development issuer, which are valid for twelve hours, expire.
		setStock(t, h, "MUG", "7")
		_, answer := admin(t, h, http.MethodGet, "/admin/stock/MUG", "")
		if got, want := field(t, answer, "updatedAt"), start.Add(2*time.Hour).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("updated at %s, want %s", got, want)
		}
		role := func(token string) string {
			t.Helper()
			c := dial(t, h, token)
			defer c.close()
			c.send("hello")
			return field(t, c.read(), "role")
		}
		if got := role(firstToken); got != "customer" {
			t.Errorf("after two hours: got role %s, want customer", got)
		}
		warp("11h")
		if got := role(firstToken); got != "guest" {
			t.Errorf("after thirteen hours: got role %s, want guest", got)
		}
		if got := role(token(t, h, "alice")); got != "customer" {
			t.Errorf("a new token: got role %s, want customer", got)
		}
	})
}

func TestWarpErrors(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	for body, want := range map[string]string{
		`{"by":"two hours"}`: `{"code":"bad_field","message":"\"by\": time: invalid duration \"two hours\""}`,
		`{"by":"-1s"}`: `{"code":"bad_field",` +
			`"message":"\"by\": -1s: the clock moves forward, by at most 8784h0m0s at once"}`,
		`{"by":"367d"}`: `{"code":"bad_field",` +
			`"message":"\"by\": 8808h0m0s: the clock moves forward, by at most 8784h0m0s at once"}`,
		`{"by":"1d2h"}`: `{"code":"bad_field","message":"\"by\": time: unknown unit \"d\" in duration \"1d2h\""}`,
		`{}`:            `{"code":"bad_field","message":"\"by\": time: invalid duration \"\""}`,
		`{"to":"1h"}`:   `{"code":"bad_field","message":"unknown field \"to\""}`,
	} {
		status, answer := admin(t, h, http.MethodPost, "/admin/warp", body)
		if status != http.StatusBadRequest || answer != want {
			t.Errorf("%s:\n got %d %s\nwant %s", body, status, answer, want)
		}
	}
}
