package house_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// TestErasedUsersLeaveNothing lets a customer and a guest use a house in every way,
// erases both, and reads everything that the house still has: its rows, its log, its
// metrics and its admin API. Nothing names the two, their connections, or what was in
// their carts, but the documented hashes. The log has ids of connections, as documented,
// and no user beside them.
func TestErasedUsersLeaveNothing(t *testing.T) {
	e := newEraseTest(t)
	e.useCarts()
	e.wantRows(true)
	e.erase("mark-user")
	e.erase(e.guestUser)
	e.returnWithOldToken()
	e.erase("mark-user")
	e.erase(e.guestUser)
	for name, c := range e.erased {
		<-c.done
		if !strings.Contains(c.received.String(), `"code":"token_expired"`) {
			t.Errorf("%s was not notified", name)
		}
	}
	settle(t, e.h)
	e.wantSilence()
	e.bystander.ask("get cart")
	e.bystander.waitFor(`"BESIDE":{"quantity":2,"version":1}`)
	if err := e.h.Memory().RemoveItem("mark-in-cart"); err != nil { // the shop's
		t.Fatal(err)
	}
	e.close() // waits for all that is still under way
	e.wantRows(false)
	e.wantHashes()
	if err := e.h.Memory().Expire(e.h.Now().Add(hub.RevocationLife + time.Second)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(hubtest.Texts(e.h.Memory()), hub.NameHash("u~mark-user")) {
		t.Error("the hash stays longer than tokens live")
	}
}

// eraseTest is one run of TestErasedUsersLeaveNothing.
type eraseTest struct {
	t              *testing.T
	h              *house.House
	close          func()
	asText, asJSON *lockedBuffer // the log
	erased         map[string]*recordingClient
	bystander      *recordingClient

	customer    string // the customer's token
	guestUser   string
	connections []string
	names       markers
}

func newEraseTest(t *testing.T) *eraseTest {
	log, asText, asJSON := newRecordedLog()
	e := &eraseTest{t: t, asText: asText, asJSON: asJSON, erased: map[string]*recordingClient{}}
	e.h = newHouse(t, house.Options{Log: log, Catalogue: []catalogue.Product{
		{SKU: "mark-in-cart", Available: 50}, {SKU: "BESIDE", Available: 50},
	}})
	e.close = sync.OnceFunc(func() { closeHouse(t, e.h) })
	t.Cleanup(e.close)
	return e
}

// useCarts connects a customer with a token and with a ticket, a guest, and somebody
// else, and lets them write.
func (e *eraseTest) useCarts() {
	const protocol = "securecart.v1"
	e.customer = token(e.t, e.h, "mark-user")
	issued := callREST(e.t, e.h, "POST", "/v1/tickets", "Bearer "+e.customer, "").Body.String()
	e.erased["the phone"] = dialRecorded(e.t, e.h, "", nil, protocol, "bearer."+e.customer)
	e.erased["the laptop"] = dialRecorded(e.t, e.h, "?ticket="+field(e.t, issued, "ticket"), nil, protocol)
	e.erased["the guest"] = dialRecorded(e.t, e.h, "", nil, protocol)
	for _, c := range e.erased {
		c.ask("hello", "sub cart sku:mark-in-cart sku:BESIDE", "add mark-in-cart 3 key=mark-key", "set mark-in-cart 2")
		e.connections = append(e.connections, field(e.t, c.message(`{"type":"hello"`), "connectionId"))
	}
	e.guestUser = field(e.t, e.erased["the guest"].message(`{"type":"hello"`), "user")
	e.erased["the guest"].ask("get sku:BESIDE")
	e.bystander = dialRecorded(e.t, e.h, "", nil, protocol, "bearer."+token(e.t, e.h, "bystander"))
	e.bystander.ask("sub cart", "add BESIDE 2")
	settle(e.t, e.h)
	e.names = markers{
		"the customer": "mark-user", "the guest": strings.TrimPrefix(e.guestUser, hub.GuestUserPrefix),
		"a key": "mark-key", "what was in the cart": "mark-in-cart",
	}
	for i, name := range []string{"a connection", "another connection", "the third connection"} {
		e.names[name] = e.connections[i]
	}
}

// returnWithOldToken lets the customer come back with the token from before: the log must
// not say whose it is.
func (e *eraseTest) returnWithOldToken() {
	c := dialRecorded(e.t, e.h, "", nil, "securecart.v1", "bearer."+e.customer)
	e.erased["the old token"] = c
	c.ask("hello", "sub cart sku:mark-in-cart", "add mark-in-cart 1 key=mark-key")
	e.connections = append(e.connections, field(e.t, c.message(`{"type":"hello"`), "connectionId"))
}

func (e *eraseTest) erase(user string) {
	e.t.Helper()
	if rec := callAdmin(e.t, e.h, "DELETE", "/admin/users/"+user, "", ""); rec.Code != http.StatusNoContent {
		e.t.Fatalf("erase %s: %d %s", user, rec.Code, rec.Body)
	}
}

// wantRows fails unless the memory has all of the names, or none of them.
func (e *eraseTest) wantRows(there bool) {
	e.t.Helper()
	rows := hubtest.Texts(e.h.Memory())
	for what, name := range e.names {
		if strings.Contains(rows, name) != there {
			e.t.Errorf("the memory has %s (%s): %t, want %t", what, name, !there, there)
		}
	}
}

// wantHashes fails unless the memory has what the documents say.
func (e *eraseTest) wantHashes() {
	e.t.Helper()
	rows := hubtest.Texts(e.h.Memory())
	for _, name := range append([]string{"u~mark-user", "g~" + e.names["the guest"]}, e.connections...) {
		if !strings.Contains(rows, hub.NameHash(name)) {
			e.t.Errorf("the memory does not have the hash of %s", name)
		}
	}
}

// wantSilence fails if the log or the admin API has one of the names.
func (e *eraseTest) wantSilence() {
	s := secretsTest{t: e.t}
	people := e.names.without("a connection", "another connection", "the third connection")
	s.checkAbsent("the log as text", e.asText.String(), people)
	s.checkAbsent("the log as JSON", e.asJSON.String(), people)
	if !strings.Contains(e.asJSON.String(), `"msg":"erased"`) {
		e.t.Error("the log does not mention the erasure")
	}
	// The log of events has ids of connections too.
	rec := callAdmin(e.t, e.h, "GET", "/admin/events", "", "")
	s.checkAbsent("the log of events", rec.Body.String(), people.without("what was in the cart"))
	if !strings.Contains(rec.Body.String(), "bystander") {
		e.t.Errorf("the log of events has nobody at all: %s", rec.Body)
	}
	rec = callAdmin(e.t, e.h, "GET", "/admin/cost", "", "")
	s.checkAbsent("the cost meter", rec.Body.String(), people.without("what was in the cart"))
	for _, path := range []string{"/metrics", "/admin/connections", "/readyz", "/admin/stock/BESIDE"} {
		rec := callAdmin(e.t, e.h, "GET", path, "", "")
		if rec.Code != http.StatusOK || rec.Body.Len() == 0 {
			e.t.Errorf("%s: got %d %s", path, rec.Code, rec.Body)
		}
		s.checkAbsent(path, rec.Body.String(), e.names)
	}
}
