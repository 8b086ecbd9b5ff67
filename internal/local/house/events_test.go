package house_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/house"
)

// getJSON calls the admin API and decodes its answer.
func getJSON(t *testing.T, h *house.House, path string, into any) {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	rec := callAdminQuery(t, h, path, query)
	if rec.Code != http.StatusOK {
		t.Fatalf("GET %s: got %d %s", path, rec.Code, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// latestEvents are the newest events that the admin API has.
func latestEvents(t *testing.T, h *house.House, query string) []events.Event {
	t.Helper()
	synctest.Wait()
	var answer struct{ Events []events.Event }
	getJSON(t, h, "/admin/events?"+query, &answer)
	return answer.Events
}

// chainTo names the types of the events that led to one, the first one first.
func chainTo(all []events.Event, e events.Event) string {
	if len(e.Cause) == 0 {
		return string(e.Type)
	}
	i := slices.IndexFunc(all, func(c events.Event) bool { return c.ID == e.Cause[0] })
	if i < 0 || all[i].ID >= e.ID {
		return fmt.Sprintf("(no event %d) %s", e.Cause[0], e.Type)
	}
	return chainTo(all, all[i]) + " " + string(e.Type)
}

// chains are the different chains to the events of a type.
func chains(all []events.Event, last events.Type) (found []string) {
	for _, e := range all {
		if e.Type == last {
			found = append(found, chainTo(all, e))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func mustToken(t *testing.T, h *house.House, user string) string {
	t.Helper()
	token, _, err := h.Token(user, hub.RoleCustomer, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestEventsFollowAChange follows changes from their requests to each socket.
func TestEventsFollowAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		token := mustToken(t, h, "ann")
		for _, e := range latestEvents(t, h, "type=row") {
			if e.Topic == "" || e.Version != 1 {
				t.Errorf("of the catalogue: got %+v", e)
			}
		}
		phone, laptop := dial(t, h, token), dial(t, h, token)
		defer phone.close()
		defer laptop.close()
		for _, c := range []*client{phone, laptop} {
			c.send(`{"action":"subscribe","topics":["cart","sku:MUG"]}`)
			c.read()
		}
		before := latestEvents(t, h, "last=1")[0].ID

		if rec := callAdmin(t, h, "PUT", "/admin/stock/MUG", "", `{"available":3}`); rec.Code != http.StatusOK {
			t.Fatal(rec.Body)
		}
		phone.read()
		laptop.read()
		all := latestEvents(t, h, fmt.Sprint("after=", before))
		const pushed = "admin row record batch post out"
		if got := chains(all, events.Out); !slices.Equal(got, []string{pushed}) {
			t.Errorf("a change of stock: got %q, want %q", got, pushed)
		}
		for _, e := range all {
			if e.Type == events.Out && (e.Topic != "sku:MUG" || e.Version != 2 || e.User != "ann" ||
				e.Role != "customer" || e.Conn == "" || e.Dir != events.DirOut ||
				!strings.Contains(e.Text, `"quantity":3`) || e.Bytes != len(e.Text)) {
				t.Errorf("got %+v", e)
			}
			if e.Type == events.Answer && e.Status == 0 &&
				(e.Count != 2 || e.Note != "2 posted" || e.Function != "broadcast") {
				t.Errorf("the answer to the batch: got %+v", e)
			}
		}
		want := []string{"admin answer", "admin row record batch answer"}
		if got := chains(all, events.Answer); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}

		before = latestEvents(t, h, "last=1")[0].ID
		phone.send(`{"action":"add","sku":"MUG","quantity":1}`)
		phone.read()
		phone.read()
		laptop.read()
		all = latestEvents(t, h, fmt.Sprint("after=", before))
		if got, want := chains(all, events.Out), []string{
			"in invoke answer out", "in invoke row record batch post out"}; !slices.Equal(got, want) {
			t.Errorf("a change of a cart: got %q, want %q", got, want)
		}
		for _, e := range all {
			if cart := strings.HasPrefix(e.Topic, "cart:"); cart != (e.Topic == "cart:u~ann") {
				t.Errorf("got topic %q of %s", e.Topic, e.Type)
			}
		}
		var answer struct {
			Events []events.Event
		}
		getJSON(t, h, "/admin/events?topic=cart:u~ann&dir=in", &answer)
		if len(answer.Events) != 1 || answer.Events[0].Text != `{"action":"add","sku":"[3 bytes]","quantity":1}` {
			t.Errorf("got %+v", answer.Events)
		}
	})
}

// TestEventsOfFaults follows a fault to what came of it, a mark, and its healing.
func TestEventsOfFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.send("sub MUG")
		c.read()
		if rec := callAdmin(t, h, "POST", "/admin/faults", "", `{"every":{"throttle":1}}`); rec.Code != http.StatusNoContent {
			t.Fatal(rec.Body)
		}
		before := latestEvents(t, h, "last=1")[0].ID
		callAdmin(t, h, "PUT", "/admin/stock/MUG", "", `{"available":3}`)
		time.Sleep(100 * time.Millisecond)
		all := latestEvents(t, h, fmt.Sprint("after=", before))
		const failed = "admin row record batch fault post"
		if got := chains(all, events.Post); !slices.Equal(got, []string{failed}) {
			t.Errorf("got %q, want %q", got, failed)
		}
		for _, e := range all {
			if e.Type == events.Fault && e.Note != "fault throttle" ||
				e.Type == events.Post && e.Code != "LimitExceededException" {
				t.Errorf("got %+v", e)
			}
		}
		var set struct {
			Faults map[string]struct{ Every, Hits int }
		}
		getJSON(t, h, "/admin/faults", &set)
		if f := set.Faults["throttle"]; f.Every != 1 || f.Hits == 0 || len(set.Faults) != 1 {
			t.Errorf("got faults %+v", set)
		}

		before = latestEvents(t, h, "last=1")[0].ID
		callAdmin(t, h, "POST", "/admin/faults", "", `{}`)
		c.read()
		all = latestEvents(t, h, fmt.Sprint("after=", before))
		if got := chains(all, events.Out); !slices.Equal(got, []string{"heal post out"}) {
			t.Errorf("got %q, want that of a healing", got)
		}
		time.Sleep(10 * time.Second)
		if got := latestEvents(t, h, "type=heal"); len(got) > 5 {
			t.Errorf("got %d heals: those without work count too", len(got))
		}
	})
}

// TestEventsAreMasked puts a secret of its own into each place that has one, and finds none
// in the log.
func TestEventsAreMasked(t *testing.T) {
	for _, private := range []bool{false, true} {
		t.Run(fmt.Sprint("show private ", private), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, house.Options{Admin: house.Admin{
					Token: "secret-admin", APIKey: "secret-apikey", ShowPrivate: private,
				}})
				defer closeHouse(t, h)
				token := mustToken(t, h, "ann")
				signature := token[strings.LastIndex(token, ".")+1:]
				header := http.Header{"Authorization": {"Bearer secret-header"}, "Cookie": {"secret-cookie"}}
				path := "/v1?ticket=secret-ticket&auth=required"
				if conn, _, err := h.DialPath(t.Context(), path, &websocket.DialOptions{
					Subprotocols: []string{"securecart.v1"}, HTTPHeader: header,
				}); err == nil {
					_ = conn.CloseNow()
				}
				c := dial(t, h, token)
				defer c.close()
				for _, text := range []string{
					`{"action":"hello","token":"` + token + `"}`,
					`{"action":"hello","token":"secret-token"}`,
					`{"action":"add","sku":"secret-sku","quantity":1,"key":"secret-key"}`,
					`{"action":"set","lines":{"secret-line":1}}`,
					`{"action":"add","sku":"TEE-RED-M","key":"secret-key2"}`,
					`{"action":"get","topics":["cart"]}`,
					`{"action":"merge","from":"secret-guest"}`,
					`{"action":"hello","token":"secret-broken"`,
					`{"action":"hello","Authorization":"secret-member"}`, "hello secret-word", "sub token:secret-topic",
					`{"action":"subscribe","topics":["token:secret-name"]}`, "sub MUG Authorization=secret-option",
					"add secret-typed 1 key=secret-typedkey", "merge secret-guesttyped",
					"hello token=secret-tokentyped",
					"secret-alone", "pretty on", "add TEE-RED-M 1", "get cart",
				} {
					c.send(text)
					c.read()
				}
				bearer := http.Header{"Authorization": {"Bearer secret-admin"}}
				callAdminWith(t, h, "PUT", "/admin/stock/MUG", bearer, `{"available":3}`)
				callAdminWith(t, h, "PUT", "/vendor/stock/MUG", http.Header{"Authorization": {"Bearer secret-vendor"}}, `{}`)
				callAdminWith(t, h, "POST", "/admin/token", bearer, `{"user":"bob"}`)
				callAdminWith(t, h, "PUT", "/v1/inventory/MUG", http.Header{"X-Api-Key": {"secret-apikey"}}, `{"available":4}`)
				callREST(t, h, "POST", "/v1/cart/lines", "Bearer "+token, `{"sku":"secret-rest","quantity":1}`)
				synctest.Wait()

				rec := callAdminWith(t, h, "GET", "/admin/events", bearer, "")
				log := rec.Body.String()
				if strings.Count(log, `"id"`) < 60 {
					t.Fatalf("the log is nearly empty: %s", log)
				}
				inCarts := []string{
					"secret-sku", "secret-key2", "secret-key", "secret-line", "secret-typedkey", "secret-typed", "TEE-RED-M",
				}
				for _, secret := range inCarts {
					if found := strings.Contains(withoutStock(log), secret); found != private {
						t.Errorf("%s is in the log: %t", secret, found)
					}
					log = strings.ReplaceAll(log, secret, "")
				}
				if i := strings.Index(log, "secret-"); i >= 0 {
					t.Errorf("the log has …%s…", log[max(0, i-80):i+60])
				}
				if strings.Contains(log, signature) {
					t.Error("the log has a token")
				}
				var s struct{ Private bool }
				rec = callAdminWith(t, h, "GET", "/admin/situation", bearer, "")
				if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil || s.Private != private {
					t.Errorf("got %s, %v", rec.Body, err)
				}
			})
		})
	}
}

// withoutStock removes the topics of stock, which are not private.
func withoutStock(log string) string { return strings.ReplaceAll(log, "sku:TEE-RED-M", "") }

func TestEventsOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, mustToken(t, h, "ann"))
		c.send("ping")
		c.read()
		synctest.Wait()
		var open struct{ Connections []map[string]any }
		getJSON(t, h, "/admin/connections", &open)
		got := open.Connections[0]
		for name, want := range map[string]any{
			"user": "ann", "address": "192.0.2.1", "queuedBytes": 0.0,
			"framesIn": 1.0, "framesOut": 1.0, "bytesIn": 4.0, "bytesOut": 15.0,
		} {
			if got[name] != want {
				t.Errorf("%s: got %v, want %v", name, got[name], want)
			}
		}
		id := got["connectionId"].(string)
		if rec := callAdmin(t, h, "DELETE", "/admin/connections/"+id, "", ""); rec.Code != http.StatusNoContent {
			t.Fatal(rec.Body)
		}
		c.wantClose(websocket.StatusNormalClosure)
		all := latestEvents(t, h, "")
		if got, want := chains(all, events.Close), []string{"admin close"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := chains(all, events.Open), []string{"invoke answer invoke answer open"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		functions := map[string]bool{}
		for _, e := range latestEvents(t, h, "type=invoke&conn="+url.QueryEscape(id)) {
			functions[e.Function] = true
		}
		for _, name := range []string{"authorize", "connect", "message", "disconnect"} {
			if !functions[name] {
				t.Errorf("no invocation of %s: %v", name, functions)
			}
		}
	})
}

func TestAdminLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		c := dial(t, h, mustToken(t, h, "ann"))
		defer c.close()
		for _, text := range []string{"sub MUG cart", "add MUG 2"} {
			c.send(text)
			c.read()
		}
		c.read()
		synctest.Wait()
		var stock struct {
			Items []struct{ SKU string }
			More  bool
		}
		getJSON(t, h, "/admin/stock", &stock)
		n := len(stock.Items)
		if n < 30 || stock.More || !slices.IsSortedFunc(stock.Items, func(a, b struct{ SKU string }) int {
			return strings.Compare(a.SKU, b.SKU)
		}) {
			t.Errorf("got %+v", stock)
		}
		getJSON(t, h, "/admin/stock?after="+stock.Items[9].SKU, &stock)
		if len(stock.Items) != n-10 {
			t.Errorf("after the tenth: got %d items of %d", len(stock.Items), n)
		}
		for path, want := range map[string]string{
			"/admin/carts": `{"carts":[{"owner":"u~ann","version":1,"lines":1,TIME}],"more":false}`,
			"/admin/topics": `{"more":false,"topics":[{"topic":"cart:u~ann","subscribers":1,"version":1},` +
				`{"topic":"sku:MUG","subscribers":1,"version":1,"state":"in"}]}`,
			"/admin/topics?prefix=sk": `{"more":false,` +
				`"topics":[{"topic":"sku:MUG","subscribers":1,"version":1,"state":"in"}]}`,
		} {
			path, query, _ := strings.Cut(path, "?")
			got := strings.TrimSpace(timestamp.ReplaceAllString(callAdminQuery(t, h, path, query).Body.String(), "TIME"))
			if got != want {
				t.Errorf("%s:\n got %s\nwant %s", path, got, want)
			}
		}
		var stream struct {
			Mappings []struct {
				Name            string
				Records, Queued int
			}
		}
		getJSON(t, h, "/admin/stream", &stream)
		if m := stream.Mappings; len(m) != 3 || m[0].Records != n || m[0].Queued != 0 ||
			m[1].Name != "carts" || m[1].Records != 1 {
			t.Errorf("got %+v", m)
		}
		callAdmin(t, h, "POST", "/admin/warp", "", `{"by":"1h"}`)
		var now struct{ AheadMs, ClockAheadMs int64 }
		getJSON(t, h, "/admin/warp", &now)
		getJSON(t, h, "/admin/situation", &now)
		if now.AheadMs != 3_600_000 || now.ClockAheadMs != 3_600_000 {
			t.Errorf("got %+v", now)
		}
		for _, query := range []string{"last=0", "last=1001", "last=x", "type=x", "nothing=1"} {
			if rec := callAdminQuery(t, h, "/admin/events", query); rec.Code != http.StatusBadRequest {
				t.Errorf("%s: got %d %s", query, rec.Code, rec.Body)
			}
		}
		if rec := callAdminQuery(t, h, "/admin/tap", "after=x"); rec.Code != http.StatusBadRequest ||
			!strings.Contains(rec.Body.String(), `"bad_field"`) {
			t.Errorf("the tap: got %d %s", rec.Code, rec.Body)
		}
	})
}
