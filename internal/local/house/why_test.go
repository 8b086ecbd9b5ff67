package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/wire"
)

// dialRole connects a guest, a customer alice, a vendor of acme, or an admin.
func dialRole(t testing.TB, h *house.House, role hub.Role) *client {
	t.Helper()
	vendor := map[hub.Role]string{hub.RoleVendor: "acme"}[role]
	user := map[hub.Role]string{hub.RoleCustomer: "alice", hub.RoleVendor: "vera", hub.RoleAdmin: "root"}[role]
	if role == hub.RoleGuest {
		return dial(t, h, "")
	}
	token, _, err := h.Token(user, role, vendor)
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, h, token)
}

// whyHouse is a house in which a cause is staged. MUG begins with 40 pieces, at version 2.
type whyHouse struct {
	*house.House
	t    testing.TB
	role hub.Role
	c    *client // of the role

	others []*client
}

func (w *whyHouse) admin(method, path, body string) {
	w.t.Helper()
	if status, answer := admin(w.t, w.House, method, path, body); status >= 300 {
		w.t.Fatalf("%s %s %s: %d %s", method, path, body, status, answer)
	}
}

// stock sets the stock of MUG, and waits until it is broadcast.
func (w *whyHouse) stock(available int) {
	w.t.Helper()
	setStock(w.t, w.House, "MUG", fmt.Sprint(available))
	settle(w.t, w.House)
	w.pause(time.Millisecond)
}

// pause lets time pass in the bubble.
func (w *whyHouse) pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// faults sets the rates of faults.
func (w *whyHouse) faults(every string) {
	w.admin(http.MethodPost, "/admin/faults", `{"every":{`+every+`}}`)
}

// failNext lets the next post to the newest connection fail.
func (w *whyHouse) failNext(fault string) {
	w.t.Helper()
	open := w.Connections()
	id := open[len(open)-1].ConnectionID
	w.admin(http.MethodPost, "/admin/faults", fmt.Sprintf(`{"connection":%q,"fault":%q}`, id, fault))
}

// rewrite changes the row of MUG without counting, as a shop may.
func (w *whyHouse) rewrite(available int) {
	w.t.Helper()
	ctx := context.Background()
	items, err := w.Memory().Items(ctx, []string{"MUG"})
	if err != nil {
		w.t.Fatal(err)
	}
	item := items["MUG"]
	item.Available = available
	if err := w.Memory().PutItem(ctx, item, item.Version); err != nil {
		w.t.Fatal(err)
	}
	settle(w.t, w.House)
}

// subscribe subscribes to MUG.
func (w *whyHouse) subscribe() {
	w.c.send("sub MUG")
	w.c.read()
}

// sweepMug changes MUG while so many guests watch it that they are served in a sweep.
func sweepMug(w *whyHouse) {
	w.subscribe()
	for range 3 {
		other := dialRole(w.t, w.House, hub.RoleGuest)
		other.send("sub MUG")
		other.read()
		w.others = append(w.others, other)
	}
	w.stock(3)
	w.c.read()
}

// lose ends the connection without $disconnect after it subscribed to MUG, changes MUG, and
// connects again.
func (w *whyHouse) lose() {
	w.subscribe()
	w.pause(time.Minute)
	w.faults(`"lose-disconnect":1`)
	_ = w.c.conn.CloseNow()
	synctest.Wait()
	w.stock(3)
	w.c = dialRole(w.t, w.House, w.role)
}

// why asks why and returns the answer, which may come behind deltas.
func (c *client) why(line string) wire.Why {
	c.t.Helper()
	c.send(line)
	synctest.Wait() // the answer is made before anything else is read
	for {
		text := c.read()
		if !strings.Contains(text, `"type":"why"`) {
			continue
		}
		var w wire.Why
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			c.t.Fatal(err)
		}
		return w
	}
}

// summary is what is compared of an answer: the reason, the message, and the path.
func summary(w wire.Why) string {
	text := fmt.Sprintf("%s | %s |", w.Reason, w.Message)
	for _, s := range w.Path {
		text += " " + string(s.Step)
		if s.Note != "" {
			text += " (" + s.Note + ")"
		}
	}
	return text
}

const wholePath = "stream batch post accepted"

// TestWhy stages each cause for real, and asks.
func TestWhy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		role    hub.Role
		options house.Options
		stage   func(w *whyHouse)
		line    string
		want    string
	}{
		{"not subscribed", hub.RoleGuest, house.Options{}, func(*whyHouse) {}, "why MUG",
			"unsubscribed | not subscribed: sub MUG |"},
		{"an unknown SKU", hub.RoleGuest, house.Options{}, func(*whyHouse) {}, "why NOPE",
			"denied | denied: not yours to see, or no such thing |"},
		{"another cart", hub.RoleCustomer, house.Options{}, func(*whyHouse) {}, "why cart:u~bob",
			"denied | denied: not yours to see, or no such thing |"},
		{"another vendor", hub.RoleVendor, house.Options{}, func(*whyHouse) {}, "why vendor:other",
			"denied | denied: not yours to see, or no such thing |"},
		{"limit", hub.RoleGuest, house.Options{Limits: "skus=5"}, func(w *whyHouse) {
			w.c.send("get A B C D E")
			w.c.read()
		}, "why MUG", "limit | limit: ask again after 01:00 UTC, or sign in |"},
		{"session ended", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.c.send("sub cart")
			w.c.read()
			w.admin(http.MethodPost, "/admin/users/alice/revoke", "")
		}, "why cart", "expired | session ended: hello with a new token |"},
		{"session ended, the connection", hub.RoleVendor, house.Options{}, func(w *whyHouse) {
			w.admin(http.MethodPost, "/admin/users/vera/revoke", "")
		}, "why", "expired | session ended: hello with a new token |"},
		{"throttled", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.faults(`"throttle":1`)
			w.stock(3)
		}, "why MUG@2", "throttled | throttled: 429 by fault throttle, next attempt within 1 s |" +
			" commit (v3) stream batch post (429, fault throttle)"},
		{"throttled, then accepted", hub.RoleAdmin, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.failNext("throttle")
			w.stock(3)
		}, "why MUG@3", "current | you have v3, nothing is missing |" +
			" commit (v2 -> v3) stream batch post (429, fault next post, tried again after 0 ms) accepted"},
		{"throttled, then healed", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.faults(`"throttle":1`)
			w.stock(3)
			w.faults("")
			w.pause(2 * time.Second)
			w.c.read()
		}, "why MUG@3", "current | you have v3, nothing is missing |" +
			" commit (v3) stream batch post (429, fault throttle, tried again after 990 ms) accepted"},
		{"throttled, then healed with a quiet change", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.faults(`"throttle":1`)
			w.stock(3)
			w.admin(http.MethodPut, "/admin/stock/MUG", `{"lowAt":7}`)
			settle(w.t, w.House)
			w.faults("")
			w.pause(2 * time.Second)
			w.c.read()
		}, "why MUG@4", "current | you have v4, nothing is missing |" +
			" commit (v3) stream batch post (429, fault throttle, tried again after 990 ms) accepted"},
		{"marked by another process", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			missed := hub.Undelivered{
				ConnectionID: w.Connections()[0].ConnectionID, Topics: []hub.Topic{{Kind: hub.KindSKU, Name: "MUG"}},
			}
			if err := w.Memory().MarkForRetry(context.Background(), []hub.Undelivered{missed}, w.Now())[0]; err != nil {
				w.t.Fatal(err)
			}
		}, "why MUG@1", "marked | marked: healed by 00:01:05 UTC |"},
		{"coalesced", hub.RoleGuest, house.Options{BatchWindow: time.Second}, func(w *whyHouse) {
			w.subscribe()
			setStock(w.t, w.House, "MUG", "3")
			w.stock(0)
		}, "why MUG@4", "coalesced | coalesced: v3 went out as v4 | commit (v4) " + wholePath},
		{"waiting", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(3)
			w.pause(time.Second)
		}, "why MUG@2", "waiting | waiting: 100 bytes unread by you | commit (v3) " + wholePath},
		{"waiting, the connection", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(3)
			w.pause(time.Second)
		}, "why", "waiting | waiting: 100 bytes unread by you |"},
		{"lost", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.lose()
		}, "why MUG", "lost | no connection of yours got v3: lost at 00:01:05 UTC; sub MUG |" +
			" commit (v3) stream batch post (410)"},
		{"lost, and read", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.lose()
			w.c.send("get MUG")
			w.c.read()
		}, "why MUG", "unsubscribed | not subscribed: sub MUG |"},
		{"unsubscribed while a change waits", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(3)
			w.c.send("unsub MUG")
			synctest.Wait()
		}, "why MUG", "unsubscribed | not subscribed: sub MUG |"},
		{"lost, and resumed", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.lose()
			w.subscribe()
		}, "why MUG@3", "unchanged | nothing changed since you subscribed |"},
		{"same badge, a guest", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(39)
		}, "why MUG", "unchanged | nothing changed since you subscribed |"},
		{"same badge, a customer with the old version", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(39)
		}, "why MUG@2", "unchanged | nothing changed since you subscribed |"},
		{"same badge, its vendor", hub.RoleVendor, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(39)
			w.c.read()
		}, "why MUG@3", "quiet | quiet: 40 -> 39, badge alike | commit (v2 -> v3) " + wholePath},
		{"same figure, an admin", hub.RoleAdmin, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.admin(http.MethodPut, "/admin/stock/MUG", `{"lowAt":7}`)
			settle(w.t, w.House)
		}, "why MUG@2", "quiet | quiet: 40 -> 40, badge alike | commit (v2 -> v3) stream batch"},
		{"version not raised, an admin", hub.RoleAdmin, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.rewrite(39)
			w.c.read()
		}, "why MUG@2", "uncounted | version not raised: v2 was written without counting | commit (v2 -> v2) " + wholePath},
		{"version not raised, and the badge moved", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.rewrite(3)
			w.c.read()
		}, "why MUG@2", "current | you have v2, nothing is missing | commit (v2) " + wholePath},
		{"version not raised, a guest", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.rewrite(39)
			w.c.read()
		}, "why MUG@2", "unchanged | nothing changed since you subscribed |"},
		{"nothing changed", hub.RoleGuest, house.Options{}, func(w *whyHouse) { w.subscribe() }, "why MUG",
			"unchanged | nothing changed since you subscribed |"},
		{"nothing changed, and the client has less", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
		}, "why MUG@1", "behind | you have v1, the newest is v2: sub MUG |"},
		{"changed before the subscription", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.stock(3)
			w.subscribe()
		}, "why MUG", "unchanged | nothing changed since you subscribed |"},
		{"nothing changed, by a vendor's list", hub.RoleVendor, house.Options{}, func(w *whyHouse) {
			w.c.send(`{"action":"subscribe","topics":["vendor:acme"]}`)
			w.c.read()
		}, "why MUG", "unchanged | nothing changed since you subscribed |"},
		{"failed", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.faults(`"error":1`)
			w.stock(3)
		}, "why MUG@2", "failed | failed: 500 by fault error, next attempt within 1 s |" +
			" commit (v3) stream batch post (500, fault error)"},
		{"pending", hub.RoleGuest, house.Options{BatchWindow: time.Minute}, func(w *whyHouse) {
			w.subscribe()
			setStock(w.t, w.House, "MUG", "3")
			synctest.Wait()
		}, "why MUG@2", "pending | pending: the change is on its way | commit (v3) stream"},
		{"arrived", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(3)
			w.c.read()
		}, "why MUG", "current | v3 went to you at 00:00:05 UTC, nothing is missing | commit (v3) " + wholePath},
		{"arrived, and the client has less", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(3)
			w.c.read()
		}, "why MUG@2", "behind | you have v2, the newest is v3: sub MUG | commit (v3) " + wholePath},
		{"arrived with another topic", hub.RoleGuest, house.Options{}, func(w *whyHouse) {
			w.c.send("sub MUG CAP-NAVY cart")
			w.c.read()
			w.admin(http.MethodPost, "/admin/stock",
				"{\"sku\":\"MUG\",\"available\":3}\n{\"sku\":\"CAP-NAVY\",\"available\":2}\n")
			settle(w.t, w.House)
			w.c.read()
		}, "why MUG@3", "current | you have v3, nothing is missing | commit (v3) " + wholePath},
		{"arrived with a sweep", hub.RoleGuest, house.Options{PostsPerSecond: 1}, sweepMug, "why MUG@3",
			"current | you have v3, nothing is missing | commit (v3) " + wholePath},
		{"arrived with a sweep, an admin", hub.RoleAdmin, house.Options{PostsPerSecond: 1}, sweepMug, "why MUG@3",
			"current | you have v3, nothing is missing | commit (v2 -> v3) " +
				"stream batch (then a sweep, because many watch) post accepted"},
		{"exact figures that a session no longer sees", hub.RoleVendor, house.Options{}, func(w *whyHouse) {
			w.subscribe()
			w.stock(39)
			w.admin(http.MethodPost, "/admin/users/vera/revoke", "")
			w.c.read()
			w.c.read()
		}, "why MUG", "unchanged | nothing changed since you subscribed |"},
		{"the own cart", hub.RoleCustomer, house.Options{}, func(w *whyHouse) {
			w.c.send("sub cart")
			w.c.read()
			other := dialRole(w.t, w.House, w.role)
			other.send("add MUG 1")
			other.read()
			other.close()
			settle(w.t, w.House)
			w.c.read()
		}, "why cart@1", "current | you have v1, nothing is missing | commit (v1) " + wholePath},
		{"the connection", hub.RoleGuest, house.Options{}, func(w *whyHouse) { w.subscribe() }, "why",
			"current | 1 topic, nothing is missing; why TOPIC says more |"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWhyHouse(t, tt.role, tt.options)
				defer w.close()
				tt.stage(w)
				if got := summary(w.c.why(tt.line)); got != tt.want {
					t.Errorf("\n got %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

func newWhyHouse(t testing.TB, role hub.Role, o house.Options) *whyHouse {
	w := &whyHouse{House: newHouse(t, o), t: t, role: role}
	w.admin(http.MethodPut, "/admin/stock/MUG", `{"available":40,"vendor":"acme"}`)
	settle(t, w.House)
	w.pause(5*time.Second - time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
	w.c = dialRole(t, w.House, role)
	return w
}

func (w *whyHouse) close() {
	for _, c := range append(w.others, w.c) {
		_ = c.conn.CloseNow()
	}
	closeHouse(w.t, w.House)
}
