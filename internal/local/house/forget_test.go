package house_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// named matches what names one of the customers.
var named = regexp.MustCompile(`be(r|\\u0072)(ta|<|\\u003c)`)

// TestLogForgetsErasedUsers lets an admin follow carts in every way. When a customer is erased,
// no event has the customer's name any more, those of the erasure neither.
func TestLogForgetsErasedUsers(t *testing.T) {
	for name, erase := range map[string]string{"admin": "/admin/users/", "system": "/v1/users/"} {
		for _, user := range []string{"berta", `ber<"ta`} {
			t.Run(name+" "+user, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t, house.Options{Admin: house.Admin{APIKey: "key"}})
					defer closeHouse(t, h)
					useCart(t, h, user)
					cart := hub.Topic{Kind: hub.KindCart, Name: hub.Principal{User: user, Role: hub.RoleCustomer}.CartID()}.String()
					watcher := watchCarts(t, h, cart)
					defer watcher.close()
					if rec := callAdmin(t, h, "DELETE", erase+user, "", ""); rec.Code != http.StatusNoContent {
						t.Fatal(rec.Code, rec.Body)
					}
					watcher.read() // the cart is empty
					synctest.Wait()
					for _, e := range latestEvents(t, h, "") {
						text := e.Text + e.Route + e.Note + e.Topic + e.User
						if strings.Contains(text, cart) || named.MatchString(text) {
							t.Errorf("got %+v", e)
						}
					}
				})
			})
		}
	}
}

// useCart lets a customer sign in, and put something into the cart.
func useCart(t *testing.T, h *house.House, user string) {
	t.Helper()
	c := dial(t, h, mustToken(t, h, user))
	defer c.close()
	for _, text := range []string{"hello", "sub MUG", "add MUG 2"} {
		c.send(text)
		c.read()
	}
}

// watchCarts lets an admin follow a cart.
func watchCarts(t *testing.T, h *house.House, cart string) *client {
	t.Helper()
	token, _, err := h.Token("root", hub.RoleAdmin, "")
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, h, token)
	escaped := strings.ReplaceAll(cart, "r", `\u0072`)
	for _, text := range []string{
		"sub " + cart, "sub " + cart + "@0 MUG", `get "` + cart + `"`, "unsub " + cart, "why " + cart,
		`{"action":"subscribe","topics":["sku:MUG","` + cart + `"]}`,
		`{"action":"subscribe","topics":{"sku:CAP":0,"` + escaped + `":1}}`,
		`{"action":"get","topics":["sku:MUG","` + escaped + `"]}`,
	} {
		c.send(text)
		c.read()
	}
	return c
}

// TestLogKeepsOthers: a user whose name begins with that of an erased one stays.
func TestLogKeepsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Admin: house.Admin{APIKey: "key"}})
		defer closeHouse(t, h)
		useCart(t, h, "ann")
		watcher := watchCarts(t, h, "cart:u~ann")
		defer watcher.close()
		callAdmin(t, h, "POST", "/v1/users/ann/revoke", "", "")
		before := len(latestEvents(t, h, ""))
		forgotten := func() (n int) {
			for _, e := range latestEvents(t, h, "") {
				if e.Note == "of a user who was erased" {
					n++
				}
			}
			return n
		}
		callAdmin(t, h, "DELETE", "/admin/users/a", "", "")
		callAdmin(t, h, "DELETE", "/v1/users/an", "", "")
		if n := forgotten(); n > 3 || before < 20 { // the requests that erase, and the answer of one
			t.Errorf("%d of %d events are forgotten, want only those of the requests", n, before)
		}
	})
}

// TestLogForgetsUnknownUsers: a user of whom the hub has nothing leaves no name either.
func TestLogForgetsUnknownUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Admin: house.Admin{APIKey: "key"}})
		defer closeHouse(t, h)
		callAdmin(t, h, "DELETE", "/v1/users/nobody", "", "")
		callAdmin(t, h, "DELETE", "/admin/users/nobody", "", "") // last: it forgets what the other one left
		if log := callAdmin(t, h, "GET", "/admin/events", "", "").Body.String(); strings.Contains(log, "nobody") {
			t.Errorf("got %s", log)
		}
	})
}
