package handler_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// openAs connects as a user.
func (b *fixture) openAs(id, user string) *testConn {
	b.t.Helper()
	return b.open(id, tokenHeader(b.token(issuer.Claims{User: user})))
}

// TestConversation checks that every action reaches the hub, and that the answer
// rides on the request.
func TestConversation(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	b.stock("TEE", 2)
	guest := b.guestToken("9f2c")
	b.open("guest", tokenHeader(guest)).wantAnswer("add TEE", "ok")
	c := b.openAs("c1", "ann")
	for _, tt := range []struct{ say, want string }{
		{`{"action":"ping"}`, `{"type":"pong"}`},
		{
			`{"action":"ping","id":[1]}`,
			`{"type":"error","code":"bad_field","message":"\"id\" must be a string, a number, a boolean or null"}`,
		},
		{
			`{"action":"subscribe","id":1,"topics":["sku:MUG","sku:NONE","vendor:acme","cart"]}`,
			`{"type":"snapshot","id":1,"epoch":"k3","topics":{"cart":{"version":0,"lines":{}},"sku:MUG":{"version":1,` +
				`"state":"in"}},"refused":{"sku:NONE":"denied","vendor:acme":"denied"}}`,
		},
		{
			`{"action":"add","id":"two","sku":"MUG","quantity":2,"key":"phone-7.41"}`,
			`{"type":"ok","id":"two","key":"phone-7.41","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`,
		},
		{
			`{"action":"add","id":"again","sku":"MUG","quantity":2,"key":"phone-7.41"}`,
			`{"type":"ok","id":"again","key":"phone-7.41","duplicate":true,"from":0,"version":1,` +
				`"lines":{"MUG":{"quantity":2,"version":1}}}`,
		},
		{
			`{"action":"set","id":3,"lines":{"MUG":1},"version":1,"epoch":"k3","key":"phone-7.42"}`,
			`{"type":"ok","id":3,"key":"phone-7.42","from":1,"version":2,"lines":{"MUG":{"quantity":1,"version":2}}}`,
		},
		{
			`{"action":"get","id":4,"topics":["cart","sku:TEE"]}`,
			`{"type":"snapshot","id":4,"epoch":"k3","topics":{"cart":{"version":2,"lines":{"MUG":{"quantity":1,` +
				`"version":2}}},"sku:TEE":{"version":1,"state":"low","quantity":2}}}`,
		},
		{
			`{"action":"subscribe","id":5,"epoch":"k3","topics":{"cart":1,"sku:MUG":1}}`,
			`{"type":"snapshot","id":5,"epoch":"k3","topics":{"cart":{"version":2,"lines":{"MUG":{"quantity":1,` +
				`"version":2}}}},"unchanged":1}`,
		},
		{
			`{"action":"merge","id":6,"from":"` + guest + `","policy":"max","key":"login-88"}`,
			`{"type":"ok","id":6,"key":"login-88","from":2,"version":3,"lines":{"TEE":{"quantity":1,"version":3}}}`,
		},
		{`{"action":"unsubscribe","id":7,"topics":["sku:MUG"]}`, `{"type":"snapshot","id":7,"epoch":"k3","topics":{}}`},
		{
			`sub sku:TEE id=8`,
			`{"type":"snapshot","id":8,"epoch":"k3","topics":{"sku:TEE":{"version":1,"state":"low","quantity":2}}}`,
		},
		{`set MUG 0 v3 id=9`, `{"type":"ok","id":9,"from":3,"version":4,"lines":{"MUG":null}}`},
		{
			`{"action":"add","id":15,"sku":"MUG","quantity":-1,"key":"phone-7.43"}`,
			`{"type":"ok","id":15,"key":"phone-7.43","from":4,"version":4,"lines":{"MUG":null}}`,
		},
		{
			`add MUG 1000 id=10`,
			`{"type":"error","id":10,"code":"bad_field","message":"\"quantity\" must be a whole number from -999 to 999"}`,
		},
		{
			`{"action":"why","id":16,"topic":"sku:TEE","version":1}`,
			`{"type":"why","id":16,"epoch":"k3","topic":"sku:TEE","version":1,` +
				`"badge":{"version":1,"state":"low","quantity":2},"reason":"current","message":"you have v1, nothing is missing"}`,
		},
		{
			`why vendor:acme id=17`,
			`{"type":"why","id":17,"epoch":"k3","topic":"vendor:acme","reason":"denied",` +
				`"message":"denied: not yours to see, or no such thing"}`,
		},
		{
			`why hub: id=18`,
			`{"type":"error","id":18,"code":"bad_field","message":"\"hub:\" is not a topic"}`,
		},
		{`unsub * id=11`, `{"type":"snapshot","id":11,"epoch":"k3","topics":{}}`},
		{`ping id=12`, `{"type":"pong","id":12}`},
		{
			`dance id=13`,
			`{"type":"error","id":13,"code":"unknown_action","message":"unknown action \"dance\"; type \"help\" for a list"}`,
		},
		{
			`{"action":"dance","id":14}`,
			`{"type":"error","id":14,"code":"unknown_action","message":"unknown action \"dance\""}`,
		},
	} {
		t.Run(tt.say[:min(len(tt.say), 40)], func(t *testing.T) {
			if got := c.sendRaw(tt.say); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.say, got, tt.want)
			}
		})
	}
	t.Run("only broadcast pushes", func(t *testing.T) {
		if len(b.poster.sent) != 0 {
			t.Errorf("got posts %v, want none", b.poster.sent)
		}
	})
	t.Run("the writes are stored", func(t *testing.T) {
		if got := b.cart("u~ann"); got.Version != 4 || got.Lines["TEE"].Quantity != 1 || got.Lines["MUG"].Quantity != 0 {
			t.Errorf("cart: got %+v, want version 4 with one TEE", got)
		}
		if got := b.cart("g~9f2c").Lines["TEE"].Quantity; got != 0 {
			t.Errorf("cart of the guest: got %d TEE, want none", got)
		}
	})
}

func TestSubscriptionsAreStored(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	c := b.openAs("c1", "ann")
	mug, cart := hub.Topic{Kind: hub.KindSKU, Name: "MUG"}, hub.Topic{Kind: hub.KindCart, Name: "u~ann"}
	for _, tt := range []struct {
		say  string
		want []hub.Topic
	}{
		{`{"action":"subscribe","topics":["cart","sku:MUG"]}`, []hub.Topic{cart, mug}},
		{`{"action":"subscribe","only":true,"topics":["sku:MUG"]}`, []hub.Topic{mug}},
		{`{"action":"unsubscribe","topics":"*"}`, nil},
	} {
		t.Run(tt.say, func(t *testing.T) {
			c.wantAnswer(tt.say, "snapshot")
			if got := b.row("c1").Topics; !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	c := newFixture(t).open("c1", nil)
	if got := c.wantAnswer(`{"action":"help"}`, "help"); !slices.Equal(got.Usage, wire.Usage) {
		t.Errorf("got %q, want %q", got.Usage, wire.Usage)
	}
	about := wire.UsageOf("add")
	if got := c.wantAnswer(`{"action":"help","about":"add"}`, "help"); !slices.Equal(got.Usage, about) {
		t.Errorf("got %q, want %q", got.Usage, about)
	}
	for say, want := range map[string][]string{
		"help": wire.Usage, "?": wire.Usage, "HELP ": wire.Usage, "help add": about, "? ADD": about,
	} {
		if got := string(c.sendRaw(say)); got != strings.Join(want, "\n") {
			t.Errorf("%s: got %s, want the lines as text", say, got)
		}
	}
}

// TestPretty: who types may have the answers in words. JSON stays JSON.
func TestPretty(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 3)
	c := b.open("c1", nil)
	other := b.open("c2", nil)
	if got := string(c.sendRaw("pretty on")); !strings.HasPrefix(got, "you are guest:") {
		t.Errorf("pretty on: got %s", got)
	}
	for _, tt := range [][2]string{
		{"sub MUG NOPE", "sku:MUG few left, 3 (version 1)\nsku:NOPE refused: denied"},
		{"add MUG 5", "ok: 3 MUG (version 1)\nMUG: 3 of 5"},
		{"get cart", "cart 3 MUG (version 1)"},
		{"add MUG -3", "ok: no MUG (version 2)"},
		{"get cart", "cart empty (version 2)"},
		{"get vendor:acme", "vendor:acme refused: denied"},
		{"ad MUG", `error unknown_action: unknown action "ad"; did you mean "add"? "help" has a list`},
		{"why MUG", "sku:MUG  v1  low 3\nv1 is the newest; if you have another: sub MUG"},
		{"ping", "pong"},
		{`{"action":"ping"}`, `{"type":"pong"}`},
	} {
		if got := string(c.sendRaw(tt[0])); got != tt[1] {
			t.Errorf("%s:\n got %s\nwant %s", tt[0], got, tt[1])
		}
	}
	if got := string(other.sendRaw("ping")); got != `{"type":"pong"}` {
		t.Errorf("on another connection: got %s", got)
	}
	c.sendRaw("pretty off")
	if got := string(c.sendRaw("ping")); got != `{"type":"pong"}` {
		t.Errorf("after pretty off: got %s", got)
	}
}

// TestList: ls names what the connection is subscribed to, with its values.
func TestList(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 3)
	c := b.open("c1", nil)
	c.sendRaw("sub MUG NOPE")
	for _, say := range []string{"ls", `{"action":"get","topics":"*"}`} {
		want := `"topics":{"sku:MUG":{"version":1,"state":"low","quantity":3}}}`
		if got := string(c.sendRaw(say)); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %s", say, got)
		}
	}
	c.sendRaw("unsub *")
	if got := string(c.sendRaw("ls")); !strings.HasSuffix(got, `"topics":{}}`) {
		t.Errorf("after unsub *: got %s", got)
	}
}

// TestRoutes checks that only the message counts, not the route that API Gateway
// selected.
func TestRoutes(t *testing.T) {
	b := newFixture(t)
	for _, name := range []string{"message", "message-default", "message-authorized"} {
		t.Run(name, func(t *testing.T) {
			got, err := call[response](t, b.message, storedEvent(t, name, func(e map[string]any) {
				object(object(e, "requestContext"), "authorizer")["principalId"] = "ann"
				e["body"] = `{"action":"ping","id":7}`
			}))
			if err != nil || got.Body != `{"type":"pong","id":7}` {
				t.Errorf("got %s, %v, want pong", got.Body, err)
			}
		})
	}
}

func TestShorthandIsASetting(t *testing.T) {
	b := newFixture(t)
	c := b.open("c1", nil)
	c.wantAnswer("ping", "pong")
	b.message = lambda.NewHandler(handler.Message(b.hub, b.verifier, handler.MessageOptions{}, b.logger()))
	c.wantError("ping", wire.CodeBadJSON)
	c.wantAnswer(`{"action":"ping"}`, "pong")
}

// TestEndpoint checks that an open connection without a row is recorded again, with
// the endpoint of the setting or of the event.
func TestEndpoint(t *testing.T) {
	for _, tt := range []struct{ name, setting, want string }{
		{"of the event", "", "x7k2m9q4t1.execute-api.eu-central-1.amazonaws.com/prod"},
		{"of the setting", "posts.example/v1", "posts.example/v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			c := b.openAs("c1", "ann")
			if err := b.store.Store.Forget(t.Context(), "c1"); err != nil {
				t.Fatal(err)
			}
			b.message = lambda.NewHandler(handler.Message(
				b.hub, b.verifier, handler.MessageOptions{Endpoint: tt.setting}, b.logger(),
			))
			c.wantAnswer(`{"action":"subscribe","topics":["cart"]}`, "snapshot")
			got := b.row("c1")
			if got.Endpoint != tt.want || got.Principal.User != "ann" || !got.ConnectedAt.Equal(connectedAt) {
				t.Errorf("got %+v, want ann since %v at %s", got, connectedAt, tt.want)
			}
		})
	}
}
