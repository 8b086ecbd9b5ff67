package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// TestSession is the session that the README shows.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.ask("sub sku:TEE-RED-M", `{"type":"snapshot","epoch":"…","topics":{"sku:TEE-RED-M":{"version":1,"state":"in"}}}`)
		setStock(t, h, "TEE-RED-M", "3")
		c.want(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":2,"state":"low","quantity":3}}}`)
		c.ask("ping", `{"type":"pong"}`)
		c.ask(`{"action":"ping","id":7}`, `{"type":"pong","id":7}`)
		c.ask(`{"action":"dance"}`, `{"type":"error","code":"unknown_action","message":"unknown action \"dance\""}`)
	})
}

// TestHelloOffersPings: pings are free here.
func TestHelloOffersPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.send("hello")
		var hello struct{ PingEvery int }
		if err := json.Unmarshal([]byte(c.read()), &hello); err != nil || hello.PingEvery != 15 {
			t.Errorf("got %+v, %v, want pingEvery 15", hello, err)
		}
	})
}

// TestBadInput: each invalid message gets its error or close code, and another client
// still receives its changes.
func TestBadInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		other := dial(t, h, "")
		defer other.close()
		other.send("sub sku:MUG")
		other.read()
		available := 0
		checkOther := func() {
			t.Helper()
			available = available%5 + 1 // low, and not the figure before
			setStock(t, h, "MUG", fmt.Sprint(available))
			if got := other.read(); !strings.Contains(got, `"sku:MUG"`) {
				t.Errorf("the other client got %s", got)
			}
		}
		c := dial(t, h, "")
		for _, tt := range []struct{ text, code string }{
			{`{"action":`, "bad_json"},
			{`{"action":"ping","action":"ping"}`, "bad_json"},
			{`{"Action":"ping"}`, "bad_field"},
			{`{"action":"ping"} {}`, "bad_json"},
			{`[1]`, "bad_json"},
			{`7`, "bad_json"},
			{"", "bad_json"},
			{strings.Repeat("[", 10_000), "bad_json"},
			{`{"action":"subscribe","topics":["nonsense",7]}`, "bad_field"},
			{`{"action":"subscribe","topics":"all"}`, "bad_field"},
			{`{"action":"add","sku":"MUG","quantity":0}`, "bad_field"},
			{`{"action":"add","sku":"MUG","quantity":-1000}`, "bad_field"},
			{`{"action":"add","sku":"MUG","quantity":1e99}`, "bad_field"},
			{`{"action":"add","sku":"NO SUCH","quantity":1}`, "bad_field"},
			{`{"action":"add","sku":"NO-SUCH","quantity":1}`, "bad_field"},
			{`{"action":"hello","token":"x.y.z"}`, "token_bad"},
			{`{"action":"ping","x":"` + strings.Repeat("x", 32_000) + `"}`, "too_big"},
			{"fly to the moon", "unknown_action"},
		} {
			c.send(tt.text)
			if got := c.read(); field(t, got, "code") != tt.code {
				t.Errorf("%.60s: got %s, want %s", tt.text, got, tt.code)
			}
		}
		checkOther()
		c.close()
		for name, tt := range map[string]struct {
			kind websocket.MessageType
			data string
			code websocket.StatusCode
		}{
			"binary message": {websocket.MessageBinary, "sub sku:MUG", websocket.StatusUnsupportedData},
			"huge frame":     {websocket.MessageText, strings.Repeat("x", 32*1024+1), websocket.StatusMessageTooBig},
			"invalid UTF-8":  {websocket.MessageText, "sub \xff", websocket.StatusInvalidFramePayloadData},
		} {
			bad := dial(t, h, "")
			if err := bad.conn.Write(context.Background(), tt.kind, []byte(tt.data)); err != nil {
				t.Logf("%s: %v", name, err)
			}
			bad.wantClose(tt.code)
			checkOther()
		}
	})
}

// TestCloseSendsBye: Close sends bye to clients before it closes their connections.
func TestCloseSendsBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		c := dial(t, h, "")
		go closeHouse(t, h)
		c.want(`{"type":"bye","code":"recycle","retry":true,"after":1000}`)
		c.wantClose(websocket.StatusGoingAway)
		synctest.Wait()
	})
}

// TestByeSpreadsClients: clients of a house that restarts come back over five seconds, or
// 400 a second.
func TestByeSpreadsClients(t *testing.T) {
	for n, last := range map[int]int{20: 6_000, 2_400: 7_000} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, house.Options{Limits: "address=0"})
			clients := make([]*client, n)
			for i := range clients {
				clients[i] = dial(t, h, "")
			}
			go closeHouse(t, h)
			perSecond := map[int]int{}
			most := 0
			for _, c := range clients {
				after, err := strconv.Atoi(field(t, c.read(), "after"))
				if err != nil || after < 1_000 || after >= last {
					t.Fatalf("%d clients: after %d ms, want 1000 to %d: %v", n, after, last, err)
				}
				most = max(most, after)
				perSecond[after/1_000]++
				_ = c.conn.CloseNow()
			}
			if most < last-500 {
				t.Errorf("%d clients: the last one comes after %d ms, want some %d", n, most, last)
			}
			for second, clients := range perSecond {
				if clients > 401 {
					t.Errorf("%d clients: %d come in second %d", n, clients, second)
				}
			}
			synctest.Wait()
		})
	}
}

// TestBulkWriteIsOneFrame: a connection gets in one frame what changes of its topics
// within the batch window, for example by one write of many SKUs.
func TestBulkWriteIsOneFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		products := catalogue.Builtin()[:20]
		var topics strings.Builder
		for _, p := range products {
			fmt.Fprintf(&topics, " sku:%s", p.SKU)
		}
		c.send("sub" + topics.String())
		c.read()
		for i := range products {
			available := 1 + (products[i].Available+1)%4 // low, and not the figure before
			if _, err := h.Hub().PutStock(t.Context(), products[i].SKU, hub.StockChange{Available: &available}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(400 * time.Microsecond) // as a disk takes
		}
		if got := strings.Count(c.read(), `"sku:`); got != len(products) {
			t.Errorf("the first frame has %d items, want %d", got, len(products))
		}
	})
}

// TestQuotasOfTheAccount: the gateway refuses handshakes above its rate with 429, and
// requests above that of the account.
func TestQuotasOfTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Gateway: house.Gateway{ConnectRate: 3, AccountRate: 20}})
		defer closeHouse(t, h)
		var open []*client
		for range 3 {
			open = append(open, dial(t, h, ""))
		}
		_, response, err := h.Dial(t.Context(), nil)
		if err == nil || response == nil || response.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the fourth handshake of a second: %v %v, want 429", response, err)
		}
		time.Sleep(time.Second)
		open = append(open, dial(t, h, ""))
		for range 20 {
			open[0].send(`{"action":"ping"}`)
		}
		throttled := 0
		for range 20 {
			if strings.Contains(open[0].read(), "Too Many Requests") {
				throttled++
			}
		}
		if throttled != 11 { // a burst of ten: the handshake and nine messages
			t.Errorf("%d of 20 messages at once were throttled, want 11", throttled)
		}
		for _, c := range open {
			c.close()
		}
	})
}

// TestIdleAndAge: the gateway closes connections that are idle or too old.
func TestIdleAndAge(t *testing.T) {
	for name, tt := range map[string]struct {
		options house.Options
		idle    bool
		want    time.Duration
	}{
		"default idle time-out": {house.Options{}, true, 10 * time.Minute},
		"default maximum age":   {house.Options{}, false, 2 * time.Hour},
		"idle time-out of 3 s":  {house.Options{Gateway: house.Gateway{IdleTimeout: 3 * time.Second}}, true, 3 * time.Second},
		"maximum age of 20 min": {house.Options{Gateway: house.Gateway{MaxAge: 20 * time.Minute}}, false, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, tt.options)
				defer closeHouse(t, h)
				c := dial(t, h, "")
				began := time.Now()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					c.wantClose(websocket.StatusGoingAway)
				}()
				for !tt.idle && time.Since(began) < tt.want-time.Minute {
					time.Sleep(time.Minute)
					c.send("ping")
				}
				<-ended
				if got := time.Since(began); got != tt.want {
					t.Errorf("ended after %s, want %s", got, tt.want)
				}
			})
		})
	}
}
