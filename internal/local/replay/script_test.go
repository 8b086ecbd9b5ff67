package replay_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// afternoon is what people do in the recorded afternoon. Each scene has people of its own,
// except bob, whose token is issued at the beginning.
func afternoon(s *shop) {
	bob := s.token("bob", "customer", "")
	s.badges()
	s.twoDevices()
	s.cartRules()
	s.signIn()
	s.makers()
	s.rights()
	s.handshakes()
	s.failures()
	s.ends()
	s.laterThatDay(bob)
}

// badges: guests look at stock, which moves.
func (s *shop) badges() {
	g, h := s.open(""), s.open("")
	g.say("sub MUG TEE-RED-M sku:NOPE hub")
	h.say(`{"action":"subscribe","id":3,"topics":["sku:MUG","cart"]}`)
	s.stock("MUG", `{"available":3}`)
	s.stock("MUG", `{"available":0}`)
	s.stock("MUG", `{"available":0,"backorder":true,"backAt":"2026-12-24"}`)
	s.stock("MUG", `{"available":40,"backorder":false}`)
	// Two changes of a row in one batch: the badge moves, and then what it says stays.
	s.do(http.MethodPost, "/admin/stock", `{"sku":"MUG","available":5}`+"\n"+`{"sku":"MUG","available":5,"lowAt":6}`)
	s.do(http.MethodPost, "/admin/stock", `{"sku":"MUG","available":4}`+"\n"+`{"sku":"MUG","available":2}`)
	g.say("stock MUG")
	_, _, epoch := h.hello()
	// Resume: with values that are shown, of another history, and of an item that is gone.
	for _, shown := range []string{
		`"sku:MUG":{"version":9,"state":"low","quantity":2}`, `"sku:MUG":{"version":9,"state":"low","quantity":7}`,
		`"sku:NEVER":{"version":4,"state":"in"}`, `"sku:MUG":9`, `"sku:MUG":2`,
	} {
		h.say(fmt.Sprintf(`{"action":"subscribe","epoch":%q,"topics":{%s}}`, epoch, shown))
	}
	h.say(`{"action":"subscribe","epoch":"another","topics":{"sku:MUG":9}}`)
	s.stock("NEW-THING", `{"available":2,"vendor":"acme"}`)
	g.say("only NEW-THING")
	s.do(http.MethodDelete, "/admin/stock/NEW-THING", "")
	g.say("dance")
	g.say("pretty on")
	g.say("sub MUG")
	g.say("help add")
	g.say("add MUG 5")
	g.say("who")
	g.leave()
	h.leave()
}

// twoDevices: alice has a phone and a laptop. The phone loses its network and resumes.
func (s *shop) twoDevices() {
	alice := s.token("alice", "customer", "")
	phone, laptop := s.open(alice), s.open(alice)
	phone.say(`{"action":"subscribe","id":1,"topics":["cart","sku:MUG","sku:CAP-NAVY"]}`)
	laptop.say("sub cart")
	phone.say(`{"action":"add","id":2,"sku":"CAP-NAVY","quantity":2,"key":"phone-1"}`)
	phone.say(`{"action":"add","id":3,"sku":"CAP-NAVY","quantity":2,"key":"phone-1"}`)
	_, _, epoch := laptop.hello()
	phone.cut()
	laptop.say("set CAP-NAVY 3 MUG 1 v1 epoch=" + epoch)
	s.stock("CAP-NAVY", `{"available":4}`)
	phone = s.open(alice)
	phone.say(fmt.Sprintf(`{"action":"subscribe","epoch":%q,"topics":{"cart":1,"sku:MUG":1,"sku:CAP-NAVY":1}}`, epoch))
	// Three changes before the first is sent.
	for _, text := range []string{"add SOCKS-3 1 id=a", "add SOCKS-3 1 id=b", "add MUG -1 id=c"} {
		phone.send(text)
		wait(2 * time.Millisecond)
	}
	wait(pause)
	s.rest(http.MethodPost, "/v1/cart/lines", alice, `{"sku":"CAP-NAVY","quantity":-1}`)
	phone.leave()
	laptop.leave()
}

// cartRules: what a cart takes and what it refuses.
func (s *shop) cartRules() {
	carl := s.token("carl", "customer", "")
	phone, laptop := s.open(carl), s.open(carl)
	phone.say("sub cart")
	laptop.say("sub cart")
	phone.say("add MUG 5")                    // clamped
	phone.say("add TEE-BLUE-M 1")             // sold out
	phone.say("add NOPE 1")                   // there is none
	phone.say("set SOCKS-3 4 CAP-NAVY 2")     //
	laptop.say("set SOCKS-3 1 v1")            // conflict
	laptop.say("set SOCKS-3 3 v2")            // nobody changed it
	laptop.say("set CAP-NAVY 1 v2")           // nobody changed it, either
	phone.say("add SOCKS-3 -1")               //
	phone.say("add SOCKS-3 -9")               // not below zero
	phone.say("add GIFT-CARD -1 key=nothing") // not in the cart
	phone.say("add GIFT-CARD -1 key=nothing") // the same answer
	s.stock("CAP-NAVY", `{"available":0}`)    //
	phone.say("set CAP-NAVY 1")               // stays
	phone.say("add GIFT-CARD 3 key=gift")     //
	s.stock("GIFT-CARD", `{"tracked":false}`) //
	phone.say("set GIFT-CARD 2 NOPE 0")       //
	laptop.say("checkout v3 key=order")       // conflict: the cart changed
	laptop.say("checkout key=order")          //
	laptop.say("checkout key=order")          // the same answer
	phone.say("set GIFT-CARD 1 v2")           // too old a version
	phone.say("add GIFT-CARD 1")              //
	laptop.say("checkout v1")                 // conflict
	phone.say("add SOCKS-3 2 key=tomorrow")   //
	s.stock("CAP-NAVY", `{"available":40}`)   //
	s.warp(100*time.Minute, phone, laptop)    //
	phone.say("add SOCKS-3 2 key=tomorrow")   // the same answer, hours later
	laptop.say("get cart")                    //
	laptop.leave()
	phone.leave()
}

// signIn: a guest fills a cart, signs in, and takes it over.
func (s *shop) signIn() {
	dora := s.token("dora", "customer", "")
	guest, home := s.open(""), s.open(dora)
	home.say("sub cart")
	home.say("add MUG 1")
	_, token, _ := guest.hello()
	guest.say("sub cart")
	guest.say("add MUG 2")
	guest.say("add SOCKS-3 2")
	home.say(`{"action":"merge","id":"m","from":"` + token + `","policy":"max","key":"login"}`)
	home.say(`{"action":"merge","id":"n","from":"` + token + `","policy":"max","key":"login"}`)
	guest.say("get cart")
	guest.say("hello token=" + dora)
	home.say("add SOCKS-3 1")
	guest.say("sub cart")
	home.say("add SOCKS-3 1")
	guest.leave()
	guest = s.open(token) // the guest it was
	guest.say("get cart")
	guest.say("who")
	guest.leave()
	home.leave()
}

// makers: a vendor sees exact figures of its own items, as long as they are its own.
func (s *shop) makers() {
	vera := s.token("vera", "vendor", "acme")
	office, visitor := s.open(vera), s.open("")
	office.say("sub vendor:acme vendor:kiln")
	visitor.say("sub SOCKS-3 TEE-RED-M")
	s.stock("SOCKS-3", `{"available":117}`)
	s.stock("MUG", `{"available":7}`)
	s.stock("SOCKS-3", `{"vendor":"kiln"}`)
	s.stock("SOCKS-3", `{"available":3}`)
	office.say("get vendor:acme SOCKS-3")
	visitor.say("hello token=" + vera)
	s.stock("TEE-RED-M", `{"available":24}`)
	s.request(http.MethodPut, "/vendor/stock/TEE-RED-M", vera, `{"add":-2}`)
	visitor.leave()
	office.leave()
}

// rights: nobody sees the cart of somebody else, but an admin.
func (s *shop) rights() {
	erin, boss := s.token("erin", "customer", ""), s.token("boss", "admin", "")
	own, other, desk := s.open(erin), s.open(s.token("frank", "customer", "")), s.open(boss)
	own.say("sub cart")
	own.say("add SOCKS-3 1")
	other.say("sub cart:u~erin")
	other.say("get cart:u~erin SOCKS-3 vendor:acme")
	desk.say("sub cart:u~erin MUG")
	own.say("add SOCKS-3 1")
	s.stock("MUG", `{"available":6}`)
	for _, v := range []*visitor{own, other, desk} {
		v.leave()
	}
}

// handshakes: with a bad token, another version, a header, a ticket.
func (s *shop) handshakes() {
	options := func(token string) *websocket.DialOptions {
		return &websocket.DialOptions{
			Subprotocols: []string{"securecart.v1"}, CompressionMode: websocket.CompressionDisabled,
			HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
		}
	}
	gina := s.token("gina", "customer", "")
	for _, refused := range []struct{ query, token string }{{"auth=required", "nonsense"}, {"version=9", gina}} {
		if _, _, err := s.house.DialQuery(s.t.Context(), refused.query, options(refused.token)); err == nil {
			s.t.Fatalf("a handshake with %s is accepted", refused.query)
		}
		wait(pause)
	}
	bad, good := s.dial("", options("nonsense")), s.dial("version=1", options(gina))
	bad.say(`{"action":"hello"}`)
	good.say(`{"action":"hello"}`)
	bad.say(`{"action":"hello","token":"nonsense"}`)
	bad.say(`{"action":"hello",`)
	bad.say(`[1]`)
	bad.say(`{"action":"add","sku":"MUG","quantity":0}`)
	bad.leave()
	good.leave()
}

// failures: posts fail, and are healed.
func (s *shop) failures() {
	var all []*visitor
	var ids []string
	for range 3 {
		v := s.open("")
		v.say("sub CAP-NAVY MUG-BLUE")
		id, _, _ := v.hello()
		all, ids = append(all, v), append(ids, id)
	}
	office := s.open(s.token("vic", "vendor", "kiln"))
	office.say("sub vendor:kiln")
	for i, id := range ids { // one of them fails each time
		s.do(http.MethodPost, "/admin/faults", fmt.Sprintf(`{"connection":%q,"fault":"error"}`, id))
		s.stock("CAP-NAVY", fmt.Sprintf(`{"available":%d}`, i+1))
		wait(2 * time.Second)
	}
	s.do(http.MethodPost, "/admin/faults", fmt.Sprintf(`{"connection":%q,"fault":"gone"}`, ids[0]))
	s.stock("CAP-NAVY", `{"available":4}`)
	wait(2 * time.Second)
	for _, rates := range []string{`{"every":{"error":1}}`, `{"every":{"gone":1}}`, `{"every":{"throttle":2}}`} {
		young := s.open("")
		young.say("sub CAP-NAVY MUG-BLUE")
		s.do(http.MethodPost, "/admin/faults", rates)
		s.stock("CAP-NAVY", fmt.Sprintf(`{"available":%d}`, len(rates)-18))
		s.stock("MUG-BLUE", fmt.Sprintf(`{"available":%d}`, len(rates)-17))
		wait(4 * time.Second)
		s.do(http.MethodPost, "/admin/faults", `{}`)
		wait(3 * time.Second)
		young.leave()
	}
	s.do(http.MethodPost, "/admin/faults", fmt.Sprintf(`{"connection":%q,"fault":"drop"}`, ids[2]))
	for _, v := range append(all[:2], office) {
		v.leave()
	}
}

// ends: a logout on all devices, an erasure, an operator, silence and a flood.
func (s *shop) ends() {
	hugo := s.token("hugo", "customer", "")
	phone, laptop := s.open(hugo), s.open(hugo)
	phone.say("sub cart MUG")
	laptop.say("sub cart")
	laptop.say("add SOCKS-3 1")
	wait(2 * time.Second)
	s.do(http.MethodPost, "/admin/users/hugo/revoke", "")
	s.stock("MUG", `{"available":1}`)
	laptop.say("add SOCKS-3 1")
	phone.leave()
	again := s.open(hugo) // the old token
	again.say("who")
	again.leave()
	wait(2 * time.Second)
	again = s.open(s.token("hugo", "customer", ""))
	again.say("sub cart")
	wait(2 * time.Second)
	s.do(http.MethodDelete, "/admin/users/hugo", "")
	again = s.open(hugo)
	again.say("who")
	again.leave()
	wait(2 * time.Second)
	again = s.open(s.token("hugo", "customer", ""))
	again.say("sub cart")
	again.leave()

	guest := s.open("")
	id, token, _ := guest.hello()
	s.do(http.MethodDelete, "/admin/connections/"+id, "")
	guest = s.open(token)
	guest.say("sub MUG")
	for range 55 {
		guest.send(`{"action":"get","topics":["sku:MUG"]}`)
	}
	guest.say("ping")
	s.do(http.MethodPost, "/admin/warp", `{"by":"11m"}`) // idle
}

// laterThatDay: bob's session ends while two of his devices are open.
func (s *shop) laterThatDay(bob string) {
	s.warp(11*time.Hour + 56*time.Minute - s.house.Ahead())
	old := s.open(bob)
	old.say("sub cart MUG")
	old.say("add SOCKS-3 1")
	s.warp(8*time.Minute, old)
	fresh := s.open(s.token("bob", "customer", ""))
	fresh.say("sub cart")
	fresh.say("add SOCKS-3 1")
	s.stock("MUG", `{"available":3}`)
	old.say("get cart")
	old.say("hello token=" + s.token("bob", "customer", ""))
	old.say("sub cart")
	fresh.say("add SOCKS-3 1")
	old.leave()
	fresh.leave()
}
