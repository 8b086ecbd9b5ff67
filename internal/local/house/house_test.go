package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/house"

	"github.com/securecart/hub/internal/local/catalogue"
)

// TestSession is the session of the README.
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

func TestOneCartOnTwoDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		phone, laptop := dial(t, h, token(t, h, "alice")), dial(t, h, token(t, h, "alice"))
		defer phone.close()
		defer laptop.close()
		laptop.ask("sub cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
		phone.ask("add TEE-RED-M 2", `{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
		laptop.want(`{"type":"delta","epoch":"…","topics":{"cart":{"from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)
		laptop.send("set TEE-RED-M 0 v1")
		laptop.wantBoth(`{"type":"ok","from":1,"version":2,"lines":{"TEE-RED-M":null}}`,
			`{"type":"delta","epoch":"…","topics":{"cart":{"from":1,"version":2,"lines":{"TEE-RED-M":null}}}}`)
		phone.ask("set TEE-RED-M 5 v1", `{"type":"error","code":"conflict","message":"TEE-RED-M was changed on another device","version":2,"lines":{"TEE-RED-M":null},"retry":true}`)
	})
}

// mirror keeps a cart as a client does.
type mirror struct {
	version int64
	lines   map[string]int
	missed  int64 // a version that came with a gap before it
}

func (m *mirror) take(t testing.TB, text string) (isAnswer bool) {
	var msg struct {
		Type   string
		Topics struct {
			Cart *struct {
				From    *int64
				Version int64
				Lines   map[string]*struct{ Quantity int }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &msg); err != nil {
		t.Fatal(err)
	}
	if c := msg.Topics.Cart; c != nil && (c.Version > m.version || m.lines == nil) {
		if c.From != nil && *c.From > m.version {
			// A push overtook the answer to the subscribe.
			m.missed = max(m.missed, c.Version)
			return msg.Type != "delta"
		}
		if c.From == nil {
			m.lines = map[string]int{}
		}
		m.version = c.Version
		for sku, l := range c.Lines {
			if l == nil {
				delete(m.lines, sku)
			} else {
				m.lines[sku] = l.Quantity
			}
		}
	}
	return msg.Type != "delta"
}

// TestDevicesConverge writes from two devices in random interleavings; one of them
// is killed on the way and resumes.
func TestDevicesConverge(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			h := newHouse(t, house.Options{})
			defer closeHouse(t, h)
			devices := []*client{dial(t, h, token(t, h, "alice")), dial(t, h, token(t, h, "alice"))}
			mirrors := []*mirror{{}, {}}
			devices[0].send("get cart")
			epoch := field(t, devices[0].read(), "epoch")
			ask := func(i int, text string) {
				devices[i].send(text)
				for !mirrors[i].take(t, devices[i].read()) {
				}
				for mirrors[i].missed > mirrors[i].version {
					devices[i].send(fmt.Sprintf("sub cart@%d epoch=%s", mirrors[i].version, epoch))
					for !mirrors[i].take(t, devices[i].read()) {
					}
				}
			}
			ask(0, "sub cart")
			ask(1, "sub cart")
			added := 0
			for n := range 40 {
				i := rng.IntN(2)
				switch rng.IntN(6) {
				case 0:
					ask(i, fmt.Sprintf("set MUG %d", rng.IntN(4)))
				case 1: // killed in the middle of a write, which is then retried
					key := fmt.Sprint("k", n)
					devices[i].send("add CABLE-2M 1 key=" + key)
					_ = devices[i].conn.CloseNow()
					devices[i] = dial(t, h, token(t, h, "alice"))
					ask(i, fmt.Sprintf("sub cart@%d epoch=%s", mirrors[i].version, epoch))
					ask(i, "add CABLE-2M 1 key="+key)
					added++
				default:
					ask(i, fmt.Sprint("add CABLE-2M 1 key=n", n))
					added++
				}
			}
			settle(t, h)
			synctest.Wait()
			for i := range devices {
				ask(i, `{"action":"subscribe","topics":["sku:CABLE-2M"]}`)
				// Everything pushed before the answer has been read.
			}
			want := mirror{}
			devices[0].send("get cart")
			want.take(t, devices[0].read())
			for i, m := range mirrors {
				if m.version != want.version || fmt.Sprint(m.lines) != fmt.Sprint(want.lines) {
					t.Errorf("seed %d: device %d shows %v, the cart is %v", seed, i, *m, want)
				}
			}
			if want.lines["CABLE-2M"] != added {
				t.Errorf("seed %d: %d pieces added, the cart has %d", seed, added, want.lines["CABLE-2M"])
			}
			devices[0].close()
			devices[1].close()
		})
	}
}

func TestGuestBecomesCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		c.send("hello")
		hello := c.read()
		user, guestToken := field(t, hello, "user"), field(t, hello, "guestToken")
		c.ask("add MUG 2", `{"type":"ok","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`)
		c.close()

		again := dial(t, h, guestToken)
		defer again.close()
		again.send("hello")
		if got := field(t, again.read(), "user"); got != user || !strings.HasPrefix(user, "guest:") {
			t.Errorf("the guest came back as %q, was %q", got, user)
		}
		again.ask("get cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}}}`)

		again.send("hello token=" + token(t, h, "alice"))
		if got := field(t, again.read(), "user"); got != "alice" {
			t.Errorf("after login: %q, want alice", got)
		}
		again.ask("merge "+guestToken, `{"type":"ok","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`)
		again.ask("merge "+guestToken, `{"type":"ok","from":1,"version":1,"lines":{}}`)
		again.ask("merge nonsense", `{"type":"error","code":"token_bad","message":"the token was refused"}`)
	})
}

// TestGuestTakenBack: a guest whose authority was taken back is told so by a hello
// without a token, on which pages begin as a new guest.
func TestGuestTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		first := dial(t, h, "")
		first.send("hello")
		hello := first.read()
		user, guestToken := field(t, hello, "user"), field(t, hello, "guestToken")
		first.close()
		if status, answer := admin(t, h, "POST", "/admin/users/"+user+"/revoke", ""); status != 204 {
			t.Fatalf("revoke %s: %d %s", user, status, answer)
		}
		again := dial(t, h, guestToken)
		defer again.close()
		again.send("hello")
		hello = again.read()
		if got := field(t, hello, "user"); got != user {
			t.Errorf("user: got %q, want %q", got, user)
		}
		if got := field(t, hello, "notice"); got != "token_expired" || strings.Contains(hello, "guestToken") {
			t.Errorf("got %s, want the notice token_expired and no guestToken", hello)
		}
		again.ask("add MUG 1", `{"type":"error","code":"token_expired","message":"say hello with a new token","retry":true}`)
	})
}

// TestBadInput: everything that can be sent wrongly gets a clear answer or close
// code, and a neighbour notices nothing.
func TestBadInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		neighbour := dial(t, h, "")
		defer neighbour.close()
		neighbour.send("sub sku:MUG")
		neighbour.read()
		figure := 6
		healthy := func() {
			t.Helper()
			figure++
			setStock(t, h, "MUG", fmt.Sprint(figure%5+1))
			if got := neighbour.read(); !strings.Contains(got, `"sku:MUG"`) {
				t.Errorf("the neighbour got %s", got)
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
			{`{"action":"subscribe","topics":["nonsense"]}`, "bad_field"},
			{`{"action":"subscribe","topics":"all"}`, "bad_field"},
			{`{"action":"add","sku":"MUG","quantity":-1}`, "bad_field"},
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
		healthy()
		c.close()
		for name, tt := range map[string]struct {
			kind websocket.MessageType
			data string
			code websocket.StatusCode
		}{
			"a binary message": {websocket.MessageBinary, "sub sku:MUG", websocket.StatusUnsupportedData},
			"a huge frame":     {websocket.MessageText, strings.Repeat("x", 32*1024+1), websocket.StatusMessageTooBig},
			"invalid UTF-8":    {websocket.MessageText, "sub \xff", websocket.StatusInvalidFramePayloadData},
		} {
			bad := dial(t, h, "")
			if err := bad.conn.Write(context.Background(), tt.kind, []byte(tt.data)); err != nil {
				t.Logf("%s: %v", name, err)
			}
			bad.wantClose(tt.code)
			healthy()
		}
	})
}

// TestReaderThatStops: a client that reads no more is given up, and delays nobody.
func TestReaderThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Limits: "customer=0"})
		defer closeHouse(t, h)
		alice := token(t, h, "alice")
		frozen, writer, neighbour := dial(t, h, alice), dial(t, h, alice), dial(t, h, "")
		defer writer.close()
		defer neighbour.close()
		frozen.send("sub cart sku:MUG")
		neighbour.send("sub sku:MUG")
		neighbour.read()
		var products []string
		for _, p := range catalogue.Builtin() {
			if p.Available > 5 {
				products = append(products, fmt.Sprintf("%q:%%d", p.SKU))
			}
		}
		set := `{"action":"set","lines":{` + strings.ReplaceAll(strings.Join(products, ","), "%d", "QUANTITY") + `}}`
		for n := range 1_200 { // each some 1.4 kB: over the gateway's 1 MiB
			writer.send(strings.ReplaceAll(set, "QUANTITY", fmt.Sprint(1+n%5)))
			writer.read()
			settle(t, h)
		}
		started := time.Now()
		setStock(t, h, "MUG", "0")
		neighbour.want(`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"out"}}}`)
		if took := time.Since(started); took > 0 {
			t.Errorf("the neighbour waited %s for it", took)
		}
		time.Sleep(3 * time.Minute)
		if got := len(h.Connections()); got != 2 {
			t.Errorf("%d connections are open, want the frozen one given up", got)
		}
		_ = frozen.conn.CloseNow()
	})
}

// TestPeerThatVanishes: nobody tells that it is gone. After ten minutes it is idle;
// nothing is left of it, and a neighbour noticed nothing.
func TestPeerThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		vanished, neighbour := dial(t, h, ""), dial(t, h, "")
		defer neighbour.close()
		vanished.send("sub sku:TENT-2")
		vanished.read() // the last it ever does
		neighbour.send("sub sku:MUG")
		neighbour.read()
		for n := range 11 {
			time.Sleep(time.Minute)
			neighbour.ask("ping", `{"type":"pong"}`)
			setStock(t, h, "MUG", fmt.Sprint(1+n%4))
			neighbour.want(fmt.Sprintf(`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":%d,"state":"low","quantity":%d}}}`, n+2, 1+n%4))
		}
		synctest.Wait()
		_, answer := admin(t, h, "GET", "/admin/connections", "")
		if strings.Contains(answer, "TENT-2") || strings.Count(answer, "connectionId") != 1 {
			t.Errorf("got %s, want the neighbour alone", answer)
		}
		_ = vanished.conn.CloseNow()
	})
}

func TestCloseSaysBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		c := dial(t, h, "")
		go closeHouse(t, h)
		c.want(`{"type":"bye","code":"recycle","retry":true,"after":1000}`)
		c.wantClose(websocket.StatusGoingAway)
		synctest.Wait()
	})
}

func TestIdleAndAge(t *testing.T) {
	for name, tt := range map[string]struct {
		options house.Options
		silent  bool
		want    time.Duration
	}{
		"10 minutes of silence": {house.Options{}, true, 10 * time.Minute},
		"2 hours of life":       {house.Options{}, false, 2 * time.Hour},
		"as told: silence":      {house.Options{Gateway: house.Gateway{IdleTimeout: 3 * time.Second}}, true, 3 * time.Second},
		"as told: life":         {house.Options{Gateway: house.Gateway{MaxAge: 20 * time.Minute}}, false, 20 * time.Minute},
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
				for !tt.silent && time.Since(began) < tt.want-time.Minute {
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

// TestFaults: with a gateway that misbehaves, everybody ends up right: healed
// within a minute, and at the next keep-alive after what a real gateway never
// does, a 410 for a connection that lives.
func TestFaults(t *testing.T) {
	t.Run("healed", func(t *testing.T) {
		testFaults(t, gatewaytest.Faults{
			ThrottleEvery: 3, ErrorEvery: 7, SlowEvery: 11, SlowBy: 200 * time.Millisecond, LoseDisconnectEvery: 2, DropEvery: 9,
		}, 90*time.Second)
	})
	t.Run("kept alive", func(t *testing.T) {
		testFaults(t, gatewaytest.Faults{GoneEvery: 50, DropEvery: 9}, 6*time.Minute)
	})
}

func testFaults(t *testing.T, faults gatewaytest.Faults, rest time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Gateway: house.Gateway{Faults: &faults}})
		defer closeHouse(t, h)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		shown := make([]chan string, 8)
		var watching sync.WaitGroup
		for i := range shown {
			shown[i] = make(chan string, 10_000)
			watching.Go(func() { watch(ctx, h, "sku:MUG", shown[i]) })
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
		stop()
		watching.Wait()
		for i, c := range shown {
			last := ""
			for len(c) > 0 {
				last = <-c
			}
			if !strings.Contains(last, `"state":"out"`) {
				t.Errorf("client %d ends with %s", i, last)
			}
		}
	})
}

// watch is a client that reconnects, resumes and keeps alive, and tells each
// state of a topic that is newer than the last.
func watch(ctx context.Context, h *house.House, topic string, shown chan<- string) {
	var version int64
	for ctx.Err() == nil {
		conn, _, err := h.Dial(ctx, &websocket.DialOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		keep, cancel := context.WithCancel(ctx)
		go func() {
			for keep.Err() == nil {
				subscribe := fmt.Sprintf(`{"action":"subscribe","topics":[%q]}`, topic)
				if conn.Write(keep, websocket.MessageText, []byte(subscribe)) != nil {
					break
				}
				select {
				case <-keep.Done():
				case <-time.After(5 * time.Minute):
				}
			}
		}()
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				break
			}
			var m struct {
				Topics map[string]struct{ Version int64 }
			}
			if json.Unmarshal(data, &m) == nil && m.Topics[topic].Version > version {
				version = m.Topics[topic].Version
				shown <- string(data)
			}
		}
		cancel()
		_ = conn.CloseNow()
		time.Sleep(500 * time.Millisecond)
	}
}
