package house_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

// cartMessage is what a device reads in a message about its cart.
type cartMessage struct {
	Type, Code string
	From       *int64
	Version    int64
	Lines      map[string]*struct{ Quantity int }
	Ordered    map[string]int
	Topics     struct {
		Cart struct {
			Version int64
			Lines   map[string]*struct{ Quantity int }
			Reason  string
		}
	}
}

func (c *client) readCart() cartMessage {
	c.t.Helper()
	var m cartMessage
	if err := json.Unmarshal([]byte(c.read()), &m); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// request sends a message and returns its answer. Pushes before it are dropped.
func (c *client) request(text string) cartMessage {
	c.t.Helper()
	c.send(text)
	for {
		if m := c.readCart(); m.Type != "delta" {
			return m
		}
	}
}

// TestCheckoutOnTwoDevices: a guest fills a cart, signs in on a phone, and orders on a
// laptop. The phone shows the empty cart as ordered, whatever it does meanwhile.
func TestCheckoutOnTwoDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		laptop := dial(t, h, token(t, h, "alice"))
		defer laptop.close()
		laptop.request("sub cart")
		laptop.request("add CAP-NAVY 1")

		phone := dial(t, h, "")
		defer phone.close()
		phone.send("hello")
		guestToken := field(t, phone.read(), "guestToken")
		phone.request("add MUG 2")
		phone.send("hello token=" + token(t, h, "alice"))
		phone.read()
		phone.request("sub cart")
		phone.request("merge " + guestToken + " key=login")
		settle(t, h)

		seen := laptop.request("get cart").Topics.Cart
		stale := laptop.request(fmt.Sprintf("checkout v%d key=early", seen.Version-1))
		if stale.Code != "conflict" || stale.Version != seen.Version || len(stale.Lines) == 0 {
			t.Errorf("checkout of an older version: got %+v, want a conflict with the lines", stale)
		}
		checkout := fmt.Sprintf("checkout v%d key=order", seen.Version)
		order := laptop.request(checkout)
		if order.Type != "ok" || fmt.Sprint(order.Ordered) != "map[CAP-NAVY:1 MUG:2]" || order.Version != seen.Version+1 {
			t.Fatalf("checkout: got %+v, want both lines and version %d", order, seen.Version+1)
		}
		settle(t, h)
		for {
			if got := phone.readCart().Topics.Cart; got.Version == order.Version {
				if got.Reason != "ordered" || len(got.Lines) != 0 {
					t.Errorf("phone: got %+v, want the empty cart, ordered", got)
				}
				break
			}
		}
		// The answer was lost, and the phone goes on meanwhile.
		phone.request("add MUG 1")
		if again := laptop.request(checkout); fmt.Sprint(again.Ordered) != "map[CAP-NAVY:1 MUG:2]" {
			t.Errorf("the same checkout again: got %+v", again)
		}
		if got := laptop.request("get cart").Topics.Cart; len(got.Lines) != 1 || got.Lines["MUG"].Quantity != 1 {
			t.Errorf("cart: got %+v, want the new MUG only", got)
		}
		resume := fmt.Sprintf("sub cart@%d epoch=%s", seen.Version, laptop.epoch())
		if got := laptop.request(resume).Topics.Cart; got.Reason != "ordered" || len(got.Lines) != 1 {
			t.Errorf("a device that slept through the checkout: got %+v, want the new MUG, and ordered", got)
		}
	})
}

// epoch returns the epoch of versions.
func (c *client) epoch() string {
	c.t.Helper()
	c.send("hello")
	return field(c.t, c.read(), "epoch")
}
