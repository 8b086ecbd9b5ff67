package house_test

import (
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	libclient "github.com/securecart/hub/client"
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

// TestDevicesConverge writes to a cart from two devices in random order. Connections are cut
// during writes.
func TestDevicesConverge(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) { testDevicesConverge(t, seed) })
	}
}

func testDevicesConverge(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	devices := []*libclient.Client{connect(t, h, "alice"), connect(t, h, "alice")}
	for _, d := range devices {
		defer d.Close()
		if err := d.Subscribe(t.Context(), "cart"); err != nil {
			t.Fatal(err)
		}
	}
	added := 0
	for range 40 {
		d := devices[rng.IntN(2)]
		var err error
		switch rng.IntN(6) {
		case 0:
			_, err = d.Set(t.Context(), map[string]int{"MUG": rng.IntN(4)}, nil)
		case 1: // the connections are cut during a write
			written := make(chan error)
			go func() {
				_, err := d.Add(t.Context(), "CABLE-2M", 1)
				written <- err
			}()
			for _, c := range h.Connections() {
				_, _ = admin(t, h, http.MethodDelete, "/admin/connections/"+c.ConnectionID, "")
			}
			err = <-written
			added++
		default:
			_, err = d.Add(t.Context(), "CABLE-2M", 1)
			added++
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	settle(t, h)
	time.Sleep(time.Minute) // they are back
	want, err := devices[0].Get(t.Context(), "cart")
	if err != nil || want.Cart.Lines["CABLE-2M"].Quantity != added {
		t.Fatalf("seed %d: got %+v, %v, want %d pieces", seed, want.Cart, err, added)
	}
	for i, d := range devices {
		if got := d.State("cart"); got.Word != libclient.Live || !reflect.DeepEqual(got.Cart, want.Cart) {
			t.Errorf("seed %d: device %d shows %s %+v, the cart is %+v", seed, i, got.Word, got.Cart, want.Cart)
		}
	}
	synctest.Wait()
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
