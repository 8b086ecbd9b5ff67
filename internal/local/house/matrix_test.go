package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"

	"github.com/securecart/hub/internal/local/catalogue"
)

// canary is a figure and, in names of products, a mark: where it turns up somebody
// saw what is not its own. Badges never have it, for stock is either plenty or low.
const canary = "4711"

// player is one open socket of the matrix, over TCP.
type player struct {
	name   string
	conn   *websocket.Conn
	allsku bool              // it may see every figure
	sku    map[string]string // SKU → "badge" or "figure"
	cart   string            // its own canary, "" if it has none
}

// TestMatrixThroughSockets: every role with every action on every kind of topic,
// through handshake, authorizer, gateway and functions, over TCP. Nobody gets a
// byte that is somebody else's, be it answered or pushed.
func TestMatrixThroughSockets(t *testing.T) {
	products := []catalogue.Product{
		{SKU: "ACME-1", Name: "a", Price: "1", Vendor: "acme", Available: 4711},
		{SKU: "OTHER-1", Name: "b", Price: "1", Vendor: "other", Available: 4711},
	}
	users := []string{"guest", "alice", "bob", "acme", "other", "root"}
	for _, u := range users {
		products = append(products, catalogue.Product{SKU: "CANARY-" + u, Name: u, Price: "1", Available: 900})
	}
	h := newHouse(t, house.Options{Catalogue: products, Limits: "guest=0,customer=0,vendor=0,admin=0"})
	defer closeHouse(t, h)
	srv := httptest.NewServer(h)
	defer srv.Close()
	url := strings.Replace(srv.URL, "http", "ws", 1) + "/v1"

	var players []*player
	cells := 0
	for _, u := range users {
		p := open(t, h, url, u)
		defer p.conn.CloseNow()
		players = append(players, p)
	}
	// Everybody's cart has its own canary.
	for _, p := range players {
		cells++
		if got := p.ask(t, `{"action":"add","sku":"CANARY-`+p.name+`","quantity":1}`); !strings.Contains(got, `"type":"ok"`) {
			t.Errorf("%s adds to its cart: %s", p.name, got)
		}
	}
	carts := map[string]string{"alice": "cart:u~alice", "bob": "cart:u~bob", "acme": "cart:u~acme", "nobody": "cart:u~nobody"}
	for _, p := range players {
		for _, action := range []string{"get", "subscribe"} {
			for topic, allowed := range map[string]bool{
				"sku:ACME-1": true, "sku:OTHER-1": true, "sku:NONE": false, "cart": true,
				carts["alice"]: p.name == "alice" || p.name == "root", carts["bob"]: p.name == "bob" || p.name == "root",
				carts["acme"]: p.name == "acme" || p.name == "root", carts["nobody"]: p.name == "root",
				"vendor:acme": p.name == "acme" || p.name == "root", "vendor:other": p.name == "other" || p.name == "root",
				"vendor:nobody": p.name == "root",
			} {
				cells++
				got := p.ask(t, fmt.Sprintf(`{"action":%q,"topics":[%q]}`, action, topic))
				refused := strings.Contains(got, `"refused":{"`+topic+`":"denied"}`)
				if !strings.Contains(got, `"type":"snapshot"`) || refused == allowed {
					t.Errorf("%s: %s %s: allowed should be %v, got %s", p.name, action, topic, allowed, got)
				}
			}
		}
		for _, write := range []string{
			`{"action":"set","lines":{"CANARY-` + p.name + `":2}}`,
			`{"action":"add","sku":"CANARY-` + p.name + `","quantity":1}`,
		} {
			cells++
			if got := p.ask(t, write); !strings.Contains(got, `"type":"ok"`) {
				t.Errorf("%s: %s: got %s", p.name, write, got)
			}
		}
	}
	// Vendors write their own stock, and nobody else's; what they may not is as what is not there.
	for user, role := range map[string]hub.Role{"alice": hub.RoleCustomer, "acme": hub.RoleVendor, "other": hub.RoleVendor, "root": hub.RoleAdmin, "": ""} {
		for sku, allowed := range map[string]bool{"ACME-1": user == "acme" || user == "root", "OTHER-1": user == "other" || user == "root", "NONE": false} {
			cells++
			token, vendor := "", ""
			if role == hub.RoleVendor {
				vendor = user
			}
			if role != "" {
				var err error
				if token, _, err = h.Token(user, role, vendor); err != nil {
					t.Fatal(err)
				}
			}
			req := httptest.NewRequest("PUT", "http://127.0.0.1:8788/vendor/stock/"+sku, strings.NewReader(`{"available":`+canary+`}`))
			req.RemoteAddr = "127.0.0.1:50000"
			req.Header.Set("Authorization", "Bearer "+token)
			rec := httptest.NewRecorder()
			h.Admin().ServeHTTP(rec, req)
			want := 403
			switch {
			case allowed:
				want = 200
			case role == "":
				want = 401
			}
			if rec.Code != want || want == 403 && strings.TrimSpace(rec.Body.String()) != `{"code":"denied","message":"not allowed, or it does not exist"}` {
				t.Errorf("%q changes the stock of %s: %d %s, want %d", user, sku, rec.Code, rec.Body, want)
			}
		}
	}
	// Every row changes while everybody watches all that it may.
	for _, available := range []string{"0", canary, "3", canary} {
		setStock(t, h, "ACME-1", available)
		setStock(t, h, "OTHER-1", available)
		settle(t, h)
	}
	for _, p := range players {
		p.ask(t, `{"action":"ping"}`) // what was on its way is read
	}
	// Two authorities end: what they saw, they see no more.
	for _, user := range []string{"acme", "alice"} {
		if status, answer := admin(t, h, "POST", "/admin/users/"+user+"/revoke", ""); status != 204 {
			t.Fatalf("revoke %s: %d %s", user, status, answer)
		}
	}
	for _, p := range players {
		over := p.name == "acme" || p.name == "alice"
		if over {
			p.sku, p.cart = map[string]string{}, ""
		}
		for _, topic := range []string{"sku:ACME-1", "cart", "vendor:acme"} {
			cells++
			got := p.ask(t, fmt.Sprintf(`{"action":"get","topics":[%q]}`, topic))
			if over && topic != "sku:ACME-1" && !strings.Contains(got, "token_expired") {
				t.Errorf("%s, whose authority is over, gets %s: %s", p.name, topic, got)
			}
		}
		cells++
		if got := p.ask(t, `{"action":"add","sku":"CANARY-`+p.name+`","quantity":1}`); strings.Contains(got, `"type":"ok"`) == over {
			t.Errorf("%s adds to its cart after the end of its authority: %v, got %s", p.name, over, got)
		}
	}
	setStock(t, h, "ACME-1", "0")
	setStock(t, h, "ACME-1", canary)
	settle(t, h)
	for _, p := range players {
		p.ask(t, `{"action":"ping","id":"last"}`) // everything that was pushed is read before
	}
	t.Logf("%d cells through sockets", cells)
}

// open connects a user as its name says.
func open(t *testing.T, h *house.House, url, user string) *player {
	t.Helper()
	role := map[string]hub.Role{"alice": hub.RoleCustomer, "bob": hub.RoleCustomer, "acme": hub.RoleVendor, "other": hub.RoleVendor, "root": hub.RoleAdmin}[user]
	vendor := ""
	if role == hub.RoleVendor {
		vendor = user
	}
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}}
	if role != "" {
		token, _, err := h.Token(user, role, vendor)
		if err != nil {
			t.Fatal(err)
		}
		o.Subprotocols = append(o.Subprotocols, "bearer."+token)
	}
	conn, _, err := websocket.Dial(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{name: user, conn: conn, cart: "CANARY-" + user, allsku: role == hub.RoleAdmin, sku: map[string]string{}}
	if vendor != "" {
		p.sku[strings.ToUpper(vendor)+"-1"] = "figure"
	}
	return p
}

// ask sends a request and returns its answer. Everything read on the way is judged.
func (p *player) ask(t *testing.T, request string) string {
	t.Helper()
	if err := p.conn.Write(context.Background(), websocket.MessageText, []byte(request)); err != nil {
		t.Fatal(err)
	}
	for {
		_, data, err := p.conn.Read(context.Background())
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		p.judge(t, data)
		var m struct{ Type, Message string }
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		if m.Type != "delta" && !strings.HasPrefix(m.Message, "session expired") {
			return string(data)
		}
	}
}

// judge looks for what is somebody else's.
func (p *player) judge(t *testing.T, data []byte) {
	t.Helper()
	var m struct{ Topics map[string]json.RawMessage }
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for name, value := range m.Topics {
		sku, isSKU := strings.CutPrefix(name, "sku:")
		if isSKU && strings.Contains(string(value), canary) && !p.allsku && p.sku[sku] != "figure" {
			t.Errorf("%s sees the figure of %s: %s", p.name, sku, value)
		}
	}
	rest := string(data)
	if p.cart != "" {
		rest = strings.ReplaceAll(rest, p.cart, "")
	}
	if strings.Contains(rest, "CANARY-") && !p.allsku {
		t.Errorf("%s sees somebody else's cart: %s", p.name, data)
	}
}
