package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// exactStock is a stock figure that only its vendor and admins may see. No badge shows
// it: badges have figures of low stock only.
const exactStock = "4711"

// cartSKU is the prefix of the product that only one user has in a cart.
const cartSKU = "IN-CART-OF-"

// roles are the users of the test. A user without a role is a guest.
var roles = map[string]hub.Role{
	"guest": "", "alice": hub.RoleCustomer, "bob": hub.RoleCustomer,
	"acme": hub.RoleVendor, "other": hub.RoleVendor, "root": hub.RoleAdmin,
}

// TestPermissions tries every action on every kind of topic with every role, over TCP,
// through handshake, authorizer, gateway and functions. No answer and no push has data
// that belongs to somebody else.
func TestPermissions(t *testing.T) {
	p := newPermissionsTest(t)
	p.fillCarts()
	p.readTopics()
	p.writeCarts()
	p.writeVendorStock()
	p.changeStock("0", exactStock, "3", exactStock)
	p.revoke("acme", "alice")
	p.readAfterRevoke()
	p.changeStock("0", exactStock)
	t.Logf("%d checks", p.checks)
}

// permissionsTest is one run of TestPermissions.
type permissionsTest struct {
	t       *testing.T
	h       *house.House
	clients []*roleClient
	checks  int
}

func newPermissionsTest(t *testing.T) *permissionsTest {
	products := []catalogue.Product{
		{SKU: "ACME-1", Name: "a", Price: "1", Vendor: "acme", Available: 4711},
		{SKU: "OTHER-1", Name: "b", Price: "1", Vendor: "other", Available: 4711},
	}
	for _, user := range slices.Sorted(maps.Keys(roles)) {
		products = append(products, catalogue.Product{SKU: cartSKU + user, Name: user, Price: "1", Available: 900})
	}
	h := newHouse(t, house.Options{Catalogue: products, Limits: "guest=0,customer=0,vendor=0,admin=0"})
	t.Cleanup(func() { closeHouse(t, h) })
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	p := &permissionsTest{t: t, h: h}
	for _, user := range slices.Sorted(maps.Keys(roles)) {
		p.clients = append(p.clients, dialAs(t, h, strings.Replace(server.URL, "http", "ws", 1)+"/v1", user))
	}
	return p
}

// fillCarts puts a product into each cart that is in no other cart.
func (p *permissionsTest) fillCarts() {
	for _, c := range p.clients {
		p.checks++
		got := c.ask(`{"action":"add","sku":"` + cartSKU + c.user + `","quantity":1}`)
		if !strings.Contains(got, `"type":"ok"`) {
			p.t.Errorf("%s adds to the own cart: got %s", c.user, got)
		}
	}
}

func (p *permissionsTest) readTopics() {
	for _, c := range p.clients {
		isUserOrAdmin := func(user string) bool { return c.user == user || c.user == "root" }
		allowed := map[string]bool{
			"sku:ACME-1": true, "sku:OTHER-1": true, "sku:NONE": false, "cart": true,
			"cart:u~alice": isUserOrAdmin("alice"), "cart:u~bob": isUserOrAdmin("bob"),
			"cart:u~acme": isUserOrAdmin("acme"), "cart:u~nobody": c.user == "root",
			"vendor:acme": isUserOrAdmin("acme"), "vendor:other": isUserOrAdmin("other"),
			"vendor:nobody": c.user == "root",
		}
		for _, action := range []string{"get", "subscribe"} {
			for topic, allowed := range allowed {
				p.checks++
				got := c.ask(fmt.Sprintf(`{"action":%q,"topics":[%q]}`, action, topic))
				denied := strings.Contains(got, `"refused":{"`+topic+`":"denied"}`)
				if !strings.Contains(got, `"type":"snapshot"`) || denied == allowed {
					p.t.Errorf("%s: %s %s: got %s, want it allowed: %t", c.user, action, topic, got, allowed)
				}
			}
		}
	}
}

func (p *permissionsTest) writeCarts() {
	for _, c := range p.clients {
		for _, write := range []string{
			`{"action":"set","lines":{"` + cartSKU + c.user + `":2}}`,
			`{"action":"add","sku":"` + cartSKU + c.user + `","quantity":1}`,
		} {
			p.checks++
			if got := c.ask(write); !strings.Contains(got, `"type":"ok"`) {
				p.t.Errorf("%s: %s: got %s", c.user, write, got)
			}
		}
	}
}

// writeVendorStock: vendors write their own stock only. The answer does not tell
// whether other stock exists.
func (p *permissionsTest) writeVendorStock() {
	const denied = `{"code":"denied","message":"not allowed, or it does not exist"}`
	for _, user := range []string{"alice", "acme", "other", "root", ""} {
		token := ""
		if user != "" {
			token = roleToken(p.t, p.h, user)
		}
		for sku, allowed := range map[string]bool{
			"ACME-1": user == "acme" || user == "root", "OTHER-1": user == "other" || user == "root", "NONE": false,
		} {
			p.checks++
			want := http.StatusForbidden
			switch {
			case allowed:
				want = http.StatusOK
			case user == "":
				want = http.StatusUnauthorized
			}
			body := `{"available":` + exactStock + `}`
			rec := callAdmin(p.t, p.h, http.MethodPut, "/vendor/stock/"+sku, "Bearer "+token, body)
			answer := strings.TrimSpace(rec.Body.String())
			if rec.Code != want || want == http.StatusForbidden && answer != denied {
				p.t.Errorf("%q sets the stock of %s: got %d %s, want %d", user, sku, rec.Code, answer, want)
			}
		}
	}
}

// changeStock changes the stock of both vendors while all clients subscribe to all
// that they may see.
func (p *permissionsTest) changeStock(figures ...string) {
	for _, available := range figures {
		setStock(p.t, p.h, "ACME-1", available)
		setStock(p.t, p.h, "OTHER-1", available)
		settle(p.t, p.h)
	}
	for _, c := range p.clients {
		c.ask(`{"action":"ping","id":"last"}`) // it reads and checks everything that was pushed before
	}
}

// revoke ends the sessions of users. From now on they may see no more than guests.
func (p *permissionsTest) revoke(users ...string) {
	for _, user := range users {
		if status, answer := admin(p.t, p.h, "POST", "/admin/users/"+user+"/revoke", ""); status != 204 {
			p.t.Fatalf("revoke %s: %d %s", user, status, answer)
		}
	}
	for _, c := range p.clients {
		for _, user := range users {
			if c.user == user {
				c.vendorSKU, c.cart = "", ""
				c.revoked = true
			}
		}
	}
}

func (p *permissionsTest) readAfterRevoke() {
	for _, c := range p.clients {
		for _, topic := range []string{"sku:ACME-1", "cart", "vendor:acme"} {
			p.checks++
			got := c.ask(fmt.Sprintf(`{"action":"get","topics":[%q]}`, topic))
			if c.revoked && topic != "sku:ACME-1" && !strings.Contains(got, "token_expired") {
				p.t.Errorf("%s gets %s after the session was revoked: %s", c.user, topic, got)
			}
		}
		p.checks++
		got := c.ask(`{"action":"add","sku":"` + cartSKU + c.user + `","quantity":1}`)
		if ok := strings.Contains(got, `"type":"ok"`); ok == c.revoked {
			p.t.Errorf("%s adds to the own cart, revoked: %t, got %s", c.user, c.revoked, got)
		}
	}
}

// roleClient is a client of one user. It checks every message that it reads.
type roleClient struct {
	t         *testing.T
	user      string
	conn      *websocket.Conn
	isAdmin   bool   // it may see everything
	vendorSKU string // the SKU whose exact stock it may see; "": none
	cart      string // the SKU that only its own cart has; "": none
	revoked   bool
}

// dialAs connects a user, in the role that the user has in roles.
func dialAs(t *testing.T, h *house.House, url, user string) *roleClient {
	t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}}
	if roles[user] != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+roleToken(t, h, user))
	}
	conn, _, err := websocket.Dial(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	c := &roleClient{t: t, user: user, conn: conn, cart: cartSKU + user, isAdmin: roles[user] == hub.RoleAdmin}
	if roles[user] == hub.RoleVendor {
		c.vendorSKU = strings.ToUpper(user) + "-1"
	}
	return c
}

func roleToken(t *testing.T, h *house.House, user string) string {
	t.Helper()
	vendor := ""
	if roles[user] == hub.RoleVendor {
		vendor = user
	}
	token, _, err := h.Token(user, roles[user], vendor)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ask sends a request and returns its answer. It checks everything that it reads.
func (c *roleClient) ask(request string) string {
	c.t.Helper()
	if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(request)); err != nil {
		c.t.Fatal(err)
	}
	for {
		_, data, err := c.conn.Read(context.Background())
		if err != nil {
			c.t.Fatalf("%s: %v", c.user, err)
		}
		c.check(data)
		var m struct{ Type, Message string }
		if err := json.Unmarshal(data, &m); err != nil {
			c.t.Fatal(err)
		}
		if m.Type != "delta" && !strings.HasPrefix(m.Message, "session expired") {
			return string(data)
		}
	}
}

// check fails if a message has data that the user may not see.
func (c *roleClient) check(data []byte) {
	c.t.Helper()
	var m struct{ Topics map[string]json.RawMessage }
	if err := json.Unmarshal(data, &m); err != nil {
		c.t.Fatal(err)
	}
	for name, value := range m.Topics {
		sku, isSKU := strings.CutPrefix(name, "sku:")
		if isSKU && strings.Contains(string(value), exactStock) && !c.isAdmin && sku != c.vendorSKU {
			c.t.Errorf("%s sees the exact stock of %s: %s", c.user, sku, value)
		}
	}
	rest := string(data)
	if c.cart != "" {
		rest = strings.ReplaceAll(rest, c.cart, "")
	}
	if strings.Contains(rest, cartSKU) && !c.isAdmin {
		c.t.Errorf("%s sees another user's cart: %s", c.user, data)
	}
}
