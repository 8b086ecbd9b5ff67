package house_test

import (
	"bytes"
	"encoding/json"
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

// TestSecretsStayPrivate plants a marker in everything that belongs to one client,
// uses all features of a house, and looks for the markers in every byte that the house
// sends, answers or logs.
func TestSecretsStayPrivate(t *testing.T) {
	s := newSecretsTest(t)
	s.connect()
	s.useCarts()
	s.callAdmin()
	s.disconnect()
	s.checkMarkersTravelled()
	s.checkLogs()
	s.checkAdmin()
	s.checkFrames()
}

// markers are texts to look for, by a description of what they are.
type markers map[string]string

// without is a copy without some of the markers.
func (m markers) without(names ...string) markers {
	m = maps.Clone(m)
	for _, name := range names {
		delete(m, name)
	}
	return m
}

const adminToken = "mark-admin-token"

// secretsTest is one run of TestSecretsStayPrivate.
type secretsTest struct {
	t             *testing.T
	h             *house.House
	asText        *lockedBuffer // the log
	asJSON        *lockedBuffer // the same log
	customerToken string
	otherToken    string // of another customer
	vendorToken   string
	guestToken    string

	secrets markers // nobody may see these except their owner
	private markers // these may appear in some answers of the admin API

	customer, customersOther, guest *recordingClient
	others, refused                 map[string]*recordingClient

	adminOutput map[string]string // by path
}

func newSecretsTest(t *testing.T) *secretsTest {
	log, asText, asJSON := newRecordedLog()
	lowAt := []int{5, 60}
	h := newHouse(t, house.Options{
		Log: log,
		Catalogue: []catalogue.Product{
			{SKU: "mark-in-cart", Vendor: "acme", Available: 50, LowAt: &lowAt[0]},
			{SKU: "PUBLIC", Vendor: "acme", Available: 50, LowAt: &lowAt[1]},
		},
		Admin: house.Admin{Token: adminToken, APIKey: "mark-system", URL: "http://127.0.0.1:8788"},
	})
	s := &secretsTest{t: t, h: h, asText: asText, asJSON: asJSON, adminOutput: map[string]string{}}
	var err error
	if s.vendorToken, _, err = h.Token("mark-vendor-user", hub.RoleVendor, "other"); err != nil {
		t.Fatal(err)
	}
	s.customerToken, s.otherToken = token(t, h, "mark-user"), token(t, h, "mark-bystander")
	s.secrets = markers{
		"a customer's token":         s.customerToken,
		"the token's signature":      s.customerToken[strings.LastIndex(s.customerToken, ".")+1:],
		"the token's claims":         strings.Split(s.customerToken, ".")[1],
		"the other customer's token": s.otherToken,
		"a vendor's token":           s.vendorToken,
		"a used ticket":              s.ticket(),
		"an unused ticket":           s.ticket(),
		"the admin token":            adminToken,
		"an API key":                 "mark-system",
		"a bad API key":              "mark-wrong-system",
		"a cookie":                   "mark-cookie",
		"a query":                    "mark-query",
		"a user agent":               "mark-agent",
		"a client address":           "203.0.113.77",
		"an origin":                  "mark-origin",
		"a bad token":                "mark-bad-token",
		"a bad ticket":               "MARKBADTICKETMARKBADTICKET",
		"a close reason":             "mark-reason",
		"a header":                   "mark-header",
	}
	s.private = markers{
		"the products in a cart":    "mark-in-cart",
		"a customer's name":         "mark-user",
		"the other customer's name": "mark-bystander",
		"a vendor's user":           "mark-vendor-user",
		"an idempotency key":        "mark-key",
		"a guest's key":             "mark-guest-key",
		"an action":                 "mark-action",
		"a subprotocol":             "mark-protocol",
		"a request body":            "mark-body",
		"a revoked user":            "mark-nobody",
		"a socket address":          "127.0.0.1:",
	}
	return s
}

// ticket gets a ticket for the customer.
func (s *secretsTest) ticket() string {
	s.t.Helper()
	rec := callREST(s.t, s.h, "POST", "/v1/tickets", "Bearer "+s.customerToken, "")
	var issued struct{ Ticket string }
	if err := json.Unmarshal(rec.Body.Bytes(), &issued); err != nil || issued.Ticket == "" {
		s.t.Fatalf("ticket: got %s, %v", rec.Body, err)
	}
	return issued.Ticket
}

// markedHeader is a handshake's header with markers. extra has names and values.
func markedHeader(extra ...string) http.Header {
	h := http.Header{
		"Cookie": {"session=mark-cookie"}, "User-Agent": {"mark-agent"},
		"X-Forwarded-For": {"203.0.113.77"}, "X-Other": {"mark-header"},
	}
	for i := 0; i < len(extra); i += 2 {
		h.Set(extra[i], extra[i+1])
	}
	return h
}

// connect opens connections in every way. Some are refused.
func (s *secretsTest) connect() {
	const protocol = "securecart.v1"
	dial := func(query string, header http.Header, protocols ...string) *recordingClient {
		return dialRecorded(s.t, s.h, query, header, protocols...)
	}
	usedTicket, unusedTicket := s.secrets["a used ticket"], s.secrets["an unused ticket"]
	s.customer = dial("?x=mark-query", markedHeader(), protocol, "bearer."+s.customerToken)
	s.customersOther = dial("?ticket="+usedTicket, markedHeader(), protocol)
	s.guest = dial("?x=mark-query", markedHeader(), protocol)
	s.others = map[string]*recordingClient{
		"another customer": dial("", markedHeader("Authorization", "Bearer "+s.otherToken), protocol),
		"a vendor":         dial("", markedHeader(), protocol, "bearer."+s.vendorToken),
		"another guest":    dial("", markedHeader(), protocol),
		"bad token":        dial("", markedHeader(), protocol, "bearer.mark-bad-token"),
		"bad ticket":       dial("?ticket=MARKBADTICKETMARKBADTICKET", markedHeader(), protocol),
	}
	s.refused = map[string]*recordingClient{
		"token in the URL":  dial("?token="+s.customerToken, markedHeader(), protocol),
		"used ticket":       dial("?auth=required&ticket="+usedTicket, markedHeader(), protocol),
		"bad token":         dial("?auth=required", markedHeader(), protocol, "bearer.mark-bad-token"),
		"foreign page":      dial("?ticket="+unusedTicket, markedHeader("Origin", "https://mark-origin.example"), protocol),
		"other subprotocol": dial("", markedHeader("Authorization", "Bearer "+s.customerToken), "mark-protocol"),
	}
	for name, c := range s.refused {
		if c.conn != nil {
			s.t.Errorf("%s: the handshake was not refused", name)
		}
	}
}

// useCarts lets the customer and a guest fill their carts. The others subscribe to
// what they may see, and request what they may not.
func (s *secretsTest) useCarts() {
	s.guest.ask("hello", "sub cart", "add mark-in-cart 2 key=mark-guest-key")
	s.guestToken = field(s.t, s.guest.message(`{"type":"hello"`), "guestToken")
	if s.guestToken == "" {
		s.t.Fatal("the guest has no token")
	}
	s.secrets["a guest's token"] = s.guestToken
	s.customersOther.ask("sub cart")
	for _, c := range s.others {
		c.ask("hello", "sub cart sku:PUBLIC cart:u~mark-user vendor:acme", "get cart:u~mark-user",
			"merge "+s.customerToken, "merge mark-bad-token",
			"hello token="+s.customerToken+"x", "hello token=mark-bad-token", `{"action":"mark-action"}`)
	}
	s.customer.ask("hello", "sub cart sku:PUBLIC", "add mark-in-cart 3 key=mark-key", "set mark-in-cart 4",
		"merge "+s.guestToken+" sum key=mark-merge",
		"hello token="+s.customerToken, "hello token="+s.otherToken,
		`{"action":"add","sku":"mark-in-cart","quantity":-1000}`, "add mark-in-cart 999 key=mark-last")
	for _, available := range []string{"3", "2"} {
		rec := callAdmin(s.t, s.h, "PUT", "/admin/stock/PUBLIC", "Bearer "+adminToken, `{"available":`+available+`}`)
		if rec.Code != http.StatusOK {
			s.t.Fatalf("set the stock: %d %s", rec.Code, rec.Body)
		}
	}
	settle(s.t, s.h)
	s.customersOther.waitFor("mark-in-cart")
	for _, c := range s.others {
		c.waitFor(`"quantity":2`)
	}
}

// callAdmin reads everything that the admin API and the page show.
func (s *secretsTest) callAdmin() {
	call := func(method, path, authorization, body string) *httptest.ResponseRecorder {
		return callAdmin(s.t, s.h, method, path, authorization, body)
	}
	for _, path := range []string{
		"/healthz", "/readyz", "/metrics", "/admin/connections", "/admin/stock/PUBLIC", "/admin/stock/NOPE",
		"/issuer/.well-known/jwks.json",
	} {
		rec := call("GET", path, "Bearer "+adminToken, "")
		var headers bytes.Buffer
		_ = rec.Header().Write(&headers)
		s.adminOutput[path] = headers.String() + rec.Body.String()
	}
	s.adminOutput["without the admin token"] =
		call("GET", "/admin/connections", "Bearer "+s.customerToken, "").Body.String()
	s.adminOutput["ticket for a bad token"] =
		callREST(s.t, s.h, "POST", "/v1/tickets", "Bearer mark-bad-token", "mark-body").Body.String()
	for _, key := range []string{"mark-system", "mark-wrong-system"} {
		header := markedHeader("X-Api-Key", key, "Authorization", "Bearer mark-bad-token") // which is refused
		s.adminOutput["a machine with "+key] =
			callAdminWith(s.t, s.h, "PUT", "/v1/inventory/PUBLIC", header, `{"available":2}`).Body.String()
	}
	s.adminOutput["a revocation"] = call("POST", "/v1/users/mark-nobody/revoke", "Bearer "+adminToken, "").Body.String()
	// /catalogue.json is not checked: it has the names of all products.
	rec := httptest.NewRecorder()
	s.h.ServeHTTP(rec, httptest.NewRequest("GET", "/config.json", nil))
	s.adminOutput["/config.json"] = rec.Body.String()
}

// disconnect lets the guest leave with a close reason. The house ends the others.
func (s *secretsTest) disconnect() {
	_ = s.guest.conn.Close(websocket.StatusNormalClosure, "mark-reason")
	closeHouse(s.t, s.h)
	for _, c := range append(slices.Collect(maps.Values(s.others)), s.customer, s.customersOther, s.guest) {
		<-c.done
	}
}

// checkMarkersTravelled fails if the test did not reach what it is about.
func (s *secretsTest) checkMarkersTravelled() {
	for name, c := range map[string]*recordingClient{
		"the customer": s.customer, "the customer's other device": s.customersOther,
	} {
		if !strings.Contains(c.received.String(), "mark-in-cart") {
			s.t.Errorf("%s did not receive the cart", name)
		}
	}
	if !strings.Contains(s.adminOutput["/admin/connections"], "mark-user") {
		s.t.Error("the admin API does not list the customer")
	}
	if !strings.Contains(s.asText.String(), "token or ticket refused") {
		s.t.Error("the log does not mention the bad token")
	}
	log := s.asJSON.String()
	if !strings.Contains(log, "page of a foreign origin refused") || !strings.Contains(log, "AllowedOrigins") ||
		!strings.Contains(log, `"origin":"https://mark-origin.example"`) {
		s.t.Error("the log does not mention the foreign page, its origin, and the setting that admits it")
	}
}

// checkAbsent fails for each marker that is in a text.
func (s *secretsTest) checkAbsent(where, text string, forbidden ...markers) {
	s.t.Helper()
	for _, m := range forbidden {
		for what, marker := range m {
			if i := strings.Index(text, marker); i >= 0 {
				s.t.Errorf("%s: contains %s: …%s…", where, what, text[max(0, i-80):min(len(text), i+len(marker)+20)])
			}
		}
	}
}

func (s *secretsTest) checkLogs() {
	secrets := s.secrets.without("an origin") // the log names refused pages
	s.checkAbsent("the log as text", s.asText.String(), secrets, s.private)
	s.checkAbsent("the log as JSON", s.asJSON.String(), secrets, s.private)
}

func (s *secretsTest) checkAdmin() {
	allowed := map[string][]string{
		"/admin/connections": {"a customer's name", "the other customer's name", "a vendor's user"},
		"/config.json":       {"a socket address"}, // of the admin API
	}
	for where, text := range s.adminOutput {
		s.checkAbsent("admin "+where, text, s.secrets, s.private.without(allowed[where]...))
	}
}

func (s *secretsTest) checkFrames() {
	ownName := map[string]string{"another customer": "the other customer's name", "a vendor": "a vendor's user"}
	for name, c := range s.others {
		// The topic and the action are in answers to the client that sent them.
		text := strings.ReplaceAll(c.received.String(), "cart:u~mark-user", "")
		s.checkAbsent("frames of "+name, text,
			s.secrets, s.private.without("an action", ownName[name]))
	}
	for name, c := range s.refused {
		s.checkAbsent("refusal of "+name, c.received.String(), s.secrets, s.private)
	}
	for name, c := range map[string]*recordingClient{
		"the customer": s.customer, "the customer's other device": s.customersOther, "the guest": s.guest,
	} {
		s.checkAbsent("frames of "+name, c.received.String(), s.secrets.without("a guest's token", "a close reason"))
	}
}
