package house_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	libclient "github.com/securecart/hub/client"
	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/house"
)

// TestFaults: with a gateway that misbehaves, all clients end with the current state.
// The healer needs less than a minute for that. After a 410 for an open connection,
// which a real gateway does not send, the client's next keep-alive does it.
func TestFaults(t *testing.T) {
	t.Run("healed", func(t *testing.T) {
		testFaults(t, gatewaytest.Faults{
			ThrottleEvery: 3, ErrorEvery: 7, SlowEvery: 11, SlowBy: 200 * time.Millisecond,
			LoseDisconnectEvery: 2, DropEvery: 9,
		}, 90*time.Second)
	})
	t.Run("kept alive", func(t *testing.T) {
		testFaults(t, gatewaytest.Faults{GoneEvery: 50, DropEvery: 9}, 10*time.Minute)
	})
}

// testFaults changes stock with faults, ends the faults, and checks what clients show
// after the rest.
func testFaults(t *testing.T, faults gatewaytest.Faults, rest time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Gateway: house.Gateway{Faults: &faults}})
		defer closeHouse(t, h)
		clients := make([]*libclient.Client, 8)
		for i := range clients {
			clients[i] = connect(t, h, "")
			defer clients[i].Close()
			if err := clients[i].Subscribe(t.Context(), "sku:MUG"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		for n := range 300 {
			setStock(t, h, "MUG", fmt.Sprint(n%5+1))
			time.Sleep(50 * time.Millisecond)
		}
		setStock(t, h, "MUG", "0")
		settle(t, h)
		if status, answer := admin(t, h, http.MethodPost, "/admin/faults", `{}`); status != http.StatusNoContent {
			t.Fatalf("end the faults: %d %s", status, answer)
		}
		time.Sleep(rest)
		for i, c := range clients {
			if s := c.State("sku:MUG"); s.Word != libclient.Live || s.Badge.State != "out" {
				t.Errorf("client %d: got %s %+v, want live, out", i, s.Word, s.Badge)
			}
		}
	})
}

// inBubble runs a test with a house in a synctest bubble.
func inBubble(t *testing.T, o house.Options, test func(t *testing.T, h *house.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, o)
		defer closeHouse(t, h)
		test(t, h)
	})
}

func postFaults(t *testing.T, h *house.House, body string) {
	t.Helper()
	if status, answer := admin(t, h, http.MethodPost, "/admin/faults", body); status != http.StatusNoContent {
		t.Fatalf("%s: %d %s", body, status, answer)
	}
}

// onlyID is the id of the only connection.
func onlyID(t *testing.T, h *house.House) string {
	t.Helper()
	all := h.Connections()
	if len(all) != 1 {
		t.Fatalf("got %d connections, want 1", len(all))
	}
	return all[0].ConnectionID
}

// wantDrop fails unless the connection ends without a close frame.
func (c *client) wantDrop() {
	c.t.Helper()
	if _, _, err := c.conn.Read(context.Background()); err == nil || websocket.CloseStatus(err) != -1 {
		c.t.Errorf("got %v, want an end without a close frame", err)
	}
	_ = c.conn.CloseNow() // a failed read alone may leave a goroutine of the client
}

func TestAdminFaultRates(t *testing.T) {
	t.Run("new rates replace old ones", func(t *testing.T) {
		o := house.Options{Gateway: house.Gateway{Faults: &gatewaytest.Faults{LateEvery: 1}}}
		inBubble(t, o, func(t *testing.T, h *house.House) {
			postFaults(t, h, `{"every":{"drop":2}}`)
			c := dial(t, h, "")
			c.ask("ping", `{"type":"pong"}`)
			c.send("ping") // the second message
			c.wantDrop()
			postFaults(t, h, `{}`)
			c = dial(t, h, "")
			for range 3 {
				c.ask("ping", `{"type":"pong"}`)
			}
			c.close()
		})
	})
	t.Run("slow posts", func(t *testing.T) {
		inBubble(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			defer c.close()
			c.ask("sub sku:MUG", mugSnapshot)
			postFaults(t, h, `{"every":{"slow":1},"slowBy":"3s"}`)
			start := time.Now()
			setStock(t, h, "MUG", "0")
			c.want(mugSoldOut)
			if took := time.Since(start); took < 3*time.Second {
				t.Errorf("the delta took %v, want at least 3 s", took)
			}
		})
	})
}

const (
	mugSnapshot = `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}`
	mugSoldOut  = `{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"out"}}}`
)

func TestAdminConnectionFaults(t *testing.T) {
	t.Run("drop", func(t *testing.T) {
		inBubble(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			postFaults(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"drop"}`)
			c.wantDrop()
		})
	})
	t.Run("stall", func(t *testing.T) {
		inBubble(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			postFaults(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"stall"}`)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := c.conn.Write(ctx, websocket.MessageText, []byte("ping")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a time-out: nothing reads the message", err)
			}
			if n := len(h.Connections()); n != 1 {
				t.Errorf("got %d connections, want the stalled one", n)
			}
		})
	})
	t.Run("throttled posts are healed", func(t *testing.T) {
		inBubble(t, house.Options{}, func(t *testing.T, h *house.House) {
			c := dial(t, h, "")
			defer c.close()
			c.ask("sub sku:MUG", mugSnapshot)
			for range 3 { // as often as the poster tries
				postFaults(t, h, `{"connection":"`+onlyID(t, h)+`","fault":"throttle"}`)
			}
			start := time.Now()
			setStock(t, h, "MUG", "0")
			c.want(mugSoldOut)
			if time.Since(start) == 0 {
				t.Error("the post was not throttled")
			}
		})
	})
}

func TestAdminFaultErrors(t *testing.T) {
	inBubble(t, house.Options{}, func(t *testing.T, h *house.House) {
		c := dial(t, h, "")
		defer c.close()
		id := onlyID(t, h)
		for _, tt := range []struct {
			body   string
			status int
			want   string // in the answer
		}{
			{`{"every":{"rain":3}}`, 400, `unknown fault \"rain\"`},
			{`{"every":{"gone":0}}`, 400, `gone=N needs a number above zero`},
			{`{"slowBy":"-1s"}`, 400, `\"slowBy\" must be a duration`},
			{`{"slowBy":"29.1s"}`, 400, `\"slowBy\" must be a duration such as \"200ms\", at most 29s`},
			{`{"slowBy":"9000h"}`, 400, `at most 29s`},
			{`{"slowBy":"x"}`, 400, `\"slowBy\" must be a duration`},
			{`{"connection":"` + id + `"}`, 400, `\"fault\" must be one of drop, stall, error, gone, throttle, too-large`},
			{`{"connection":"` + id + `","fault":"gone","every":{"gone":2}}`, 400, `cannot be combined`},
			{`{"connection":"XDmENcnwIE0CFEQ=","fault":"gone"}`, 404, `no such connection`},
			{`{"connection":"XDmENcnwIE0CFEQ=","fault":"stall"}`, 404, `no such connection`},
			{`{"fault":"drop"}`, 404, `no such connection`},
			{`{"gone":3}`, 400, `unknown field \"gone\"`},
		} {
			status, answer := admin(t, h, http.MethodPost, "/admin/faults", tt.body)
			if status != tt.status || !strings.Contains(answer, tt.want) {
				t.Errorf("%s: got %d %s, want %d with %s", tt.body, status, answer, tt.status, tt.want)
			}
		}
	})
}
