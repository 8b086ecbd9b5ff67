package house_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/house"
)

func TestAdminFaults(t *testing.T) {
	order := func(t *testing.T, h *house.House, body string) {
		t.Helper()
		if status, answer := admin(t, h, http.MethodPost, "/admin/faults", body); status != http.StatusNoContent {
			t.Fatalf("%s: %d %s", body, status, answer)
		}
	}
	inHouse := func(t *testing.T, o house.Options, test func(t *testing.T, h *house.House)) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, o)
			defer closeHouse(t, h)
			test(t, h)
		})
	}
	onlyID := func(t *testing.T, h *house.House) string {
		t.Helper()
		all := h.Connections()
		if len(all) != 1 {
			t.Fatalf("%d connections", len(all))
		}
		return all[0].ConnectionID
	}

	t.Run("rates replace what was set", func(t *testing.T) {
		inHouse(t, house.Options{Gateway: house.Gateway{Faults: &gatewaytest.Faults{LateEvery: 1}}}, func(t *testing.T, h *house.House) {
			order(t, h, `{"every":{"drop":2}}`)
			c := dial(t, h, "")
			c.ask("ping", `{"type":"pong"}`)
			c.send("ping") // the second
			if _, _, err := c.conn.Read(context.Background()); err == nil || websocket.CloseStatus(err) != -1 {
				t.Errorf("got %v, want an end without a close frame", err)
			}
			order(t, h, `{}`)
			c = dial(t, h, "")
			for range 3 {
				c.ask("ping", `{"type":"pong"}`)
			}
			c.close()
		})
	})
	t.Run("a slow post", func(t *testing.T) {
		inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			defer c.close()
			c.ask("sub sku:MUG", `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
			order(t, h, `{"every":{"slow":1},"slowBy":"3s"}`)
			start := time.Now()
			setStock(t, h, "MUG", "0")
			c.want(`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"out"}}}`)
			if passed := time.Since(start); passed < 3*time.Second {
				t.Errorf("after %v", passed)
			}
		})
	})
	t.Run("one connection is dropped", func(t *testing.T) {
		inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			order(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"drop"}`)
			if _, _, err := c.conn.Read(context.Background()); err == nil || websocket.CloseStatus(err) != -1 {
				t.Errorf("got %v, want an end without a close frame", err)
			}
		})
	})
	t.Run("one connection stalls", func(t *testing.T) {
		inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			order(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"stall"}`)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := c.conn.Write(ctx, websocket.MessageText, []byte("ping")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want nobody to read", err)
			}
			if n := len(h.Connections()); n != 1 {
				t.Errorf("%d connections, want one that is not missed yet", n)
			}
		})
	})
	t.Run("the next posts to one connection are throttled, and made good for", func(t *testing.T) {
		inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			defer c.close()
			c.ask("sub sku:MUG", `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
			for range 3 { // as often as a post is tried
				order(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"throttle"}`)
			}
			start := time.Now()
			setStock(t, h, "MUG", "0")
			c.want(`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"out"}}}`)
			if time.Since(start) == 0 {
				t.Error("the post was not throttled")
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			defer c.close()
			id := onlyID(t, h)
			for _, tt := range []struct {
				body   string
				status int
				want   string
			}{
				{`{"every":{"rain":3}}`, 400, `unknown fault \"rain\"`},
				{`{"every":{"gone":0}}`, 400, `gone=N needs a number above zero`},
				{`{"slowBy":"-1s"}`, 400, `\"slowBy\" must be a duration`},
				{`{"slowBy":"x"}`, 400, `\"slowBy\" must be a duration`},
				{`{"connection":"` + id + `"}`, 400, `\"fault\" must be one of drop, stall, error, gone, throttle, too-large`},
				{`{"connection":"` + id + `","fault":"gone","every":{"gone":2}}`, 400, `cannot be combined`},
				{`{"connection":"XDmENcnwIE0CFEQ=","fault":"gone"}`, 404, `there is no such connection`},
				{`{"connection":"XDmENcnwIE0CFEQ=","fault":"stall"}`, 404, `there is no such connection`},
				{`{"fault":"drop"}`, 404, `there is no such connection`},
				{`{"gone":3}`, 400, `unknown field \"gone\"`},
			} {
				if status, answer := admin(t, h, http.MethodPost, "/admin/faults", tt.body); status != tt.status || !strings.Contains(answer, tt.want) {
					t.Errorf("%s: got %d %s", tt.body, status, answer)
				}
			}
		})
	})
}
