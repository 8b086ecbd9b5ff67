package house_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

func TestOneCartOnTwoDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		phone, laptop := dial(t, h, token(t, h, "alice")), dial(t, h, token(t, h, "alice"))
		defer phone.close()
		defer laptop.close()
		laptop.ask("sub cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
		phone.ask("add TEE-RED-M 2", `{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
		laptop.want(`{"type":"delta","epoch":"…","topics":{` +
			`"cart":{"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)
		phone.ask("add TEE-RED-M -1", `{"type":"ok","from":1,"version":2,"lines":{"TEE-RED-M":{"quantity":1,"version":2}}}`)
		laptop.want(`{"type":"delta","epoch":"…","topics":{` +
			`"cart":{"from":1,"version":2,"lines":{"TEE-RED-M":{"quantity":1,"version":2}}}}}`)
		laptop.send("set TEE-RED-M 0 v2")
		laptop.wantBoth(`{"type":"ok","from":2,"version":3,"lines":{"TEE-RED-M":null}}`,
			`{"type":"delta","epoch":"…","topics":{"cart":{"from":2,"version":3,"lines":{"TEE-RED-M":null}}}}`)
		phone.ask("set TEE-RED-M 5 v2", `{"type":"error","code":"conflict",`+
			`"message":"TEE-RED-M was changed on another device","version":3,"lines":{"TEE-RED-M":null},"retry":true}`)
	})
}

// cartView is a cart as a client keeps it.
type cartView struct {
	version int64
	lines   map[string]int
	missed  int64 // the highest version that the client could not apply
}

// apply applies a message and reports whether it is an answer.
func (v *cartView) apply(t testing.TB, text string) (isAnswer bool) {
	t.Helper()
	var m struct {
		Type   string
		Topics struct {
			Cart *struct {
				From    *int64
				Version int64
				Lines   map[string]*struct{ Quantity int }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	isAnswer = m.Type != "delta"
	c := m.Topics.Cart
	switch {
	case c == nil, c.Version <= v.version && v.lines != nil:
		return isAnswer
	case c.From != nil && *c.From > v.version:
		// A push came before the answer to the subscribe.
		v.missed = max(v.missed, c.Version)
		return isAnswer
	case c.From == nil:
		v.lines = map[string]int{}
	}
	v.version = c.Version
	for sku, line := range c.Lines {
		if line == nil {
			delete(v.lines, sku)
		} else {
			v.lines[sku] = line.Quantity
		}
	}
	return isAnswer
}

// cartDevice is a device of alice that keeps her cart up to date.
type cartDevice struct {
	t     testing.TB
	h     *house.House
	c     *client
	epoch string
	view  cartView
}

func newCartDevice(t testing.TB, h *house.House) *cartDevice {
	t.Helper()
	d := &cartDevice{t: t, h: h, c: dial(t, h, token(t, h, "alice"))}
	d.c.send("get cart")
	d.epoch = field(t, d.c.read(), "epoch")
	d.ask("sub cart")
	return d
}

// ask sends a request and applies all messages up to its answer. It subscribes again
// if the device missed a version.
func (d *cartDevice) ask(text string) {
	d.t.Helper()
	d.c.send(text)
	d.readAnswer()
	for d.view.missed > d.view.version {
		d.c.send(d.resume())
		d.readAnswer()
	}
}

func (d *cartDevice) readAnswer() {
	d.t.Helper()
	for !d.view.apply(d.t, d.c.read()) {
	}
}

func (d *cartDevice) resume() string {
	return fmt.Sprintf("sub cart@%d epoch=%s", d.view.version, d.epoch)
}

// reconnect cuts the connection, opens another one and resumes.
func (d *cartDevice) reconnect() {
	d.t.Helper()
	_ = d.c.conn.CloseNow()
	d.c = dial(d.t, d.h, token(d.t, d.h, "alice"))
	d.ask(d.resume())
}

// TestDevicesConverge writes to a cart from two devices in random order. Connections
// are cut during writes, and the devices resume.
func TestDevicesConverge(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) { testDevicesConverge(t, seed) })
	}
}

func testDevicesConverge(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	devices := []*cartDevice{newCartDevice(t, h), newCartDevice(t, h)}
	added := 0
	for n := range 40 {
		d := devices[rng.IntN(2)]
		switch rng.IntN(6) {
		case 0:
			d.ask(fmt.Sprintf("set MUG %d", rng.IntN(4)))
		case 1: // the connection is cut during a write, and the write repeated
			write := fmt.Sprint("add CABLE-2M 1 key=k", n)
			d.c.send(write)
			d.reconnect()
			d.ask(write)
			added++
		default:
			d.ask(fmt.Sprint("add CABLE-2M 1 key=n", n))
			added++
		}
	}
	settle(t, h)
	synctest.Wait()
	var want cartView
	for _, d := range devices {
		d.ask(`{"action":"subscribe","topics":["sku:CABLE-2M"]}`) // reads all earlier pushes
	}
	devices[0].c.send("get cart")
	want.apply(t, devices[0].c.read())
	for i, d := range devices {
		if d.view.version != want.version || fmt.Sprint(d.view.lines) != fmt.Sprint(want.lines) {
			t.Errorf("seed %d: device %d shows %v, the cart is %v", seed, i, d.view, want)
		}
		d.c.close()
	}
	if want.lines["CABLE-2M"] != added {
		t.Errorf("seed %d: got %d pieces in the cart, want %d", seed, want.lines["CABLE-2M"], added)
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
			t.Errorf("with the guest token: got user %q, want %q", got, user)
		}
		again.ask("get cart", `{"type":"snapshot","epoch":"…","topics":{`+
			`"cart":{"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}}}`)

		again.send("hello token=" + token(t, h, "alice"))
		if got := field(t, again.read(), "user"); got != "alice" {
			t.Errorf("after login: got user %q, want alice", got)
		}
		again.ask("merge "+guestToken, `{"type":"ok","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`)
		again.ask("merge "+guestToken, `{"type":"ok","from":1,"version":1,"lines":{}}`)
		again.ask("merge nonsense", `{"type":"error","code":"token_bad","message":"the token was refused"}`)
	})
}

// TestRevokedGuest: after a guest's session was revoked, the answer to hello has a
// notice and no guest token. Pages then begin as a new guest.
func TestRevokedGuest(t *testing.T) {
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
