package handler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// open a connection of a user.
func (b *bench) user(id, user string) *conn {
	b.t.Helper()
	return b.open(id, offering(b.token(issuer.Claims{User: user})))
}

// TestConversation: every action reaches the hub, and the answer rides on the
// request.
func TestConversation(t *testing.T) {
	b := newBench(t)
	b.stock("MUG", 40)
	b.stock("TEE", 2)
	guest := b.guestToken("9f2c")
	b.open("guest", offering(guest)).taken("add TEE", "ok")
	c := b.user("c1", "ann")
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
			`{"type":"snapshot","id":5,"epoch":"k3","topics":{"cart":{"from":1,"version":2,"lines":{"MUG":{"quantity":1,` +
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
			`add MUG 1000 id=10`,
			`{"type":"error","id":10,"code":"bad_field","message":"\"quantity\" must be a whole number from 1 to 999"}`,
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
			if got := c.raw(tt.say); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.say, got, tt.want)
			}
		})
	}
	t.Run("only broadcast pushes", func(t *testing.T) {
		if len(b.poster.sent) != 0 {
			t.Errorf("got posts %v, want none", b.poster.sent)
		}
	})
	t.Run("what was said is stored", func(t *testing.T) {
		if got := b.cart("u~ann"); got.Version != 4 || got.Lines["TEE"].Quantity != 1 || got.Lines["MUG"].Quantity != 0 {
			t.Errorf("cart: got %+v, want version 4 with one TEE", got)
		}
		if got := b.cart("g~9f2c").Lines["TEE"].Quantity; got != 0 {
			t.Errorf("cart of the guest: got %d TEE, want none", got)
		}
	})
}

func TestSubscriptionsAreStored(t *testing.T) {
	b := newBench(t)
	b.stock("MUG", 40)
	c := b.user("c1", "ann")
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
			c.taken(tt.say, "snapshot")
			if got := b.row("c1").Topics; !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	c := newBench(t).open("c1", nil)
	for _, say := range []string{`help`, `{"action":"help"}`} {
		if got := c.taken(say, "help"); !slices.Equal(got.Usage, wire.Usage) {
			t.Errorf("%s: got %q, want %q", say, got.Usage, wire.Usage)
		}
	}
}

// TestRoutes: the route that API Gateway chose does not matter, only the message.
func TestRoutes(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"message", "message-default", "message-authorized"} {
		t.Run(name, func(t *testing.T) {
			got, err := call[response](t, b.message, stored(t, name, func(e map[string]any) {
				in(in(e, "requestContext"), "authorizer")["principalId"] = "ann"
				e["body"] = `{"action":"ping","id":7}`
			}))
			if err != nil || got.Body != `{"type":"pong","id":7}` {
				t.Errorf("got %s, %v, want pong", got.Body, err)
			}
		})
	}
}

func TestShorthandIsASetting(t *testing.T) {
	b := newBench(t)
	c := b.open("c1", nil)
	c.taken("ping", "pong")
	b.message = lambda.NewHandler(handler.Message(b.hub, b.verifier, handler.MessageOptions{}, b.logger()))
	c.refused("ping", wire.CodeBadJSON)
	c.taken(`{"action":"ping"}`, "pong")
}

// TestEndpoint: a connection that was forgotten although it lives is recorded
// again, with the endpoint that the setting or the event says.
func TestEndpoint(t *testing.T) {
	for _, tt := range []struct{ name, setting, want string }{
		{"of the event", "", "x7k2m9q4t1.execute-api.eu-central-1.amazonaws.com/prod"},
		{"of the setting", "posts.example/v1", "posts.example/v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			c := b.user("c1", "ann")
			if err := b.store.Store.Forget(t.Context(), "c1"); err != nil {
				t.Fatal(err)
			}
			b.message = lambda.NewHandler(handler.Message(
				b.hub, b.verifier, handler.MessageOptions{Endpoint: tt.setting}, b.logger(),
			))
			c.taken(`{"action":"subscribe","topics":["cart"]}`, "snapshot")
			got := b.row("c1")
			if got.Endpoint != tt.want || got.Principal.User != "ann" || !got.ConnectedAt.Equal(connectedAt) {
				t.Errorf("got %+v, want ann since %v at %s", got, connectedAt, tt.want)
			}
		})
	}
}

// TestErrors: errors of the rules have their code, the id and the key.
func TestErrors(t *testing.T) {
	b := newBench(t)
	b.stock("MUG", 40)
	b.stock("GONE", 0)
	c := b.user("c1", "ann")
	c.taken(`set MUG 1`, "ok")
	c.taken(`set MUG 2`, "ok")
	for _, tt := range []struct {
		name, fields string
		want         wire.Code
		retry        bool
	}{
		{"unknown SKU", `"action":"add","sku":"NONE"`, wire.CodeBadField, false},
		{"sold out", `"action":"add","sku":"GONE"`, wire.CodeNoStock, false},
		{"changed meanwhile", `"action":"set","lines":{"MUG":3},"version":1`, wire.CodeConflict, true},
		{"a version that never was", `"action":"set","lines":{"MUG":3},"version":9`, wire.CodeGoneVersion, true},
		{"another history", `"action":"set","lines":{"MUG":3},"version":1,"epoch":"k2"`, wire.CodeOldEpoch, true},
		{"guest token that is none", `"action":"merge","from":"garbage"`, wire.CodeTokenBad, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.refused(`{"id":"x-1","key":"k-1",`+tt.fields+`}`, tt.want)
			if string(got.ID) != `"x-1"` || got.Key != "k-1" || got.Retry != tt.retry || got.Message == "" {
				t.Errorf(
					"got id %s, key %q, retry %t, message %q, want \"x-1\", k-1, %t and some words", got.ID, got.Key, got.Retry,
					got.Message, tt.retry,
				)
			}
		})
	}
	t.Run("a topic that is none", func(t *testing.T) {
		got := c.refused(`{"action":"get","id":"x-1","topics":["nonsense:MUG"]}`, wire.CodeBadField)
		if string(got.ID) != `"x-1"` || !strings.Contains(got.Message, "nonsense:MUG") {
			t.Errorf("got %+v, want id \"x-1\" and the topic named", got)
		}
	})
	t.Run("a conflict shows the lines as they are", func(t *testing.T) {
		got := c.refused(`{"action":"set","lines":{"MUG":3},"version":1}`, wire.CodeConflict)
		want := map[string]*wire.Line{"MUG": {Quantity: 2, Version: 2}}
		if got.Version != 2 || !reflect.DeepEqual(got.Lines, want) {
			t.Errorf("got version %d, lines %v, want 2, %v", got.Version, got.Lines, want)
		}
	})
	t.Run("more topics than a connection may have", func(t *testing.T) {
		for i := range 3 {
			var names []string
			for j := range wire.MaxTopics {
				sku := fmt.Sprintf("N%d", i*wire.MaxTopics+j)
				b.stock(sku, 1)
				names = append(names, `"sku:`+sku+`"`)
			}
			say := `{"action":"subscribe","id":7,"topics":[` + strings.Join(names, ",") + `]}`
			if i < 2 {
				c.taken(say, "snapshot")
			} else if got := c.refused(say, wire.CodeTooManyTopics); string(got.ID) != "7" {
				t.Errorf("got id %s, want 7", got.ID)
			}
		}
	})
	t.Run("authority that has ended", func(t *testing.T) {
		b.now = b.now.Add(issuer.DefaultTTL + hub.SessionLeeway + time.Second)
		got := c.refused(`{"action":"add","id":8,"sku":"MUG","key":"k-2"}`, wire.CodeTokenExpired)
		if string(got.ID) != "8" || got.Key != "k-2" || !got.Retry {
			t.Errorf("got %+v, want id 8, key k-2 and a retry", got)
		}
		got = c.taken(`{"action":"get","topics":["cart","sku:MUG"]}`, "snapshot")
		if got.Refused["cart"] != wire.CodeTokenExpired || got.Topics["sku:MUG"] == nil {
			t.Errorf("got %+v, want the cart refused with %s, the badge shown", got, wire.CodeTokenExpired)
		}
	})
}

// breaking is, for each action, a message and a method of the store that it needs.
var breaking = []struct{ name, method, say string }{
	{"hello, row", "Connection", `{"action":"hello","id":7}`},
	{"hello, epoch", "Epoch", `{"action":"hello","id":7}`},
	{"subscribe, row", "Connection", `{"action":"subscribe","id":7,"topics":["cart"]}`},
	{"subscribe, write", "Subscribe", `{"action":"subscribe","id":7,"topics":["cart"]}`},
	{"subscribe, read", "Items", `{"action":"subscribe","id":7,"topics":["sku:MUG"]}`},
	{"unsubscribe, write", "Unsubscribe", `{"action":"unsubscribe","id":7,"topics":["sku:MUG"]}`},
	{"get, read", "Cart", `{"action":"get","id":7,"topics":["cart"]}`},
	{"add, read", "Cart", `{"action":"add","id":7,"sku":"MUG","key":"k-1"}`},
	{"add, write", "PutCarts", `{"action":"add","id":7,"sku":"MUG","key":"k-1"}`},
	{"set, stock", "Items", `{"action":"set","id":7,"lines":{"MUG":1},"key":"k-1"}`},
	{"merge, read", "Cart", `{"action":"merge","id":7,"from":"GUEST","key":"k-1"}`},
}

// TestInternalErrors: what went wrong inside is told as internal, and only the log
// says what it was, once.
func TestInternalErrors(t *testing.T) {
	for _, tt := range breaking {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.stock("MUG", 40)
			c := b.user("c1", "ann")
			say := strings.Replace(tt.say, "GUEST", b.guestToken("9f2c"), 1)
			b.store.fail[tt.method] = errInside
			got := c.refused(say, wire.CodeInternal)
			key := ""
			if strings.Contains(say, `"key"`) {
				key = "k-1"
			}
			if string(got.ID) != "7" || got.Key != key || !got.Retry {
				t.Errorf("got %+v, want id 7, key %q and a retry", got, key)
			}
			if body := c.raw(say); strings.Contains(body, "canary-inside") {
				t.Errorf("the client reads what went wrong inside: %s", body)
			}
			records := b.logged("message")
			if len(records) != 2 { // said twice
				t.Fatalf("got %d log records for 2 failures, want 2: %s", len(records), b.log.String())
			}
			var asked struct{ Action string }
			if err := json.Unmarshal([]byte(say), &asked); err != nil {
				t.Fatal(err)
			}
			r := records[0]
			if text, _ := r["error"].(string); r["level"] != "ERROR" || r["connection"] != "c1" ||
				r["action"] != asked.Action || !strings.Contains(text, errInside.Error()) {
				t.Errorf("got log record %v, want an error with connection, action and cause", r)
			}
			b.store.fail = map[string]error{}
			if got := c.say(say); got.Type == "error" {
				t.Errorf("afterwards: got %+v, want it done", got)
			}
		})
	}
}

// TestKindsOfErrors: each kind of a store's errors has its code, and only the code.
func TestKindsOfErrors(t *testing.T) {
	for _, tt := range []struct {
		kind  error
		want  wire.Code
		retry bool
	}{
		{hub.ErrThrottled, wire.CodeSlowDown, true},
		{hub.ErrForbidden, wire.CodeDenied, false},
		{hub.ErrConflict, wire.CodeBusy, true},
		{hub.ErrTooLarge, wire.CodeTooBig, false},
		{hub.ErrInvalid, wire.CodeBadField, false},
		{hub.ErrGone, wire.CodeDenied, false},
		{errors.New("anything else"), wire.CodeInternal, true},
	} {
		t.Run(tt.kind.Error(), func(t *testing.T) {
			b := newBench(t)
			c := b.user("c1", "ann")
			b.store.fail["Cart"] = fmt.Errorf("partition 7: %w", tt.kind)
			got := c.refused(`{"action":"get","id":7,"topics":["cart"]}`, tt.want)
			if got.Retry != tt.retry || string(got.ID) != "7" {
				t.Errorf("got retry %t, id %s, want %t, 7", got.Retry, got.ID, tt.retry)
			}
			if strings.Contains(got.Message, "partition") {
				t.Errorf("got message %q, want none of the store's text", got.Message)
			}
			internal := tt.want == wire.CodeInternal
			if logged := len(b.logged("message")); (logged == 1) != internal || logged > 1 {
				t.Errorf("got %d log records, want one if it is our fault: %t", logged, internal)
			}
		})
	}
}

func TestHelloGuest(t *testing.T) {
	b := newBench(t)
	c := b.open("c1", nil)
	got := c.taken(`{"action":"hello","id":1}`, "hello")
	if got.GuestToken == "" {
		t.Fatal("got no guest token")
	}
	token := got.GuestToken
	got.GuestToken = ""
	want := answer{
		Type: "hello", ID: json.RawMessage("1"), ConnectionID: "c1", Epoch: "k3", User: "guest:g1", Role: "guest",
		Limits: b.hub.LimitsOf(hub.Principal{Role: hub.RoleGuest}),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	t.Run("the token is the same guest next time", func(t *testing.T) {
		p := b.allowed(offering(token), nil)
		if p.PrincipalID != "guest:g1" || p.Context["notice"] != nil {
			t.Errorf("got %s with %v, want guest:g1 without a notice", p.PrincipalID, p.Context)
		}
	})
	t.Run("with the same cart", func(t *testing.T) {
		b.stock("MUG", 40)
		c.taken("add MUG 3", "ok")
		again := b.open("c2", offering(token))
		got := string(again.taken("get cart", "snapshot").Topics["cart"])
		if got != `{"version":1,"lines":{"MUG":{"quantity":3,"version":1}}}` {
			t.Errorf("got cart %s, want three MUG", got)
		}
		if got := again.taken("hello", "hello"); got.User != "guest:g1" || got.Expires == 0 {
			t.Errorf("got %+v, want guest:g1 until the token ends", got)
		}
	})
}

func TestHelloUser(t *testing.T) {
	b := newBench(t)
	got := b.open(
		"c1", offering(b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"})),
	).taken("hello", "hello")
	want := answer{
		Type: "hello", ConnectionID: "c1", Epoch: "k3", User: "vera", Role: "vendor", Vendor: "acme",
		Limits:  b.hub.LimitsOf(hub.Principal{Role: hub.RoleVendor}),
		Expires: b.now.Add(issuer.DefaultTTL).Truncate(time.Second).UnixMilli(),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestReconnectAfter: in seconds, below the 2 hours that a connection lives.
func TestReconnectAfter(t *testing.T) {
	if body := newBench(t).open("c1", nil).raw("hello"); !strings.Contains(body, `"reconnectAfter":6900`) {
		t.Errorf("got %s, want reconnectAfter 6900", body)
	}
}

func TestHelloWithoutGuestKey(t *testing.T) {
	b := newBench(t)
	v, err := auth.New(auth.Config{Issuer: b.issuer.Issuer(), JWKSURL: b.issuer.JWKSURL(), HTTPClient: b.issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c := b.open("c1", nil)
	b.trust(v)
	if got := c.refused(`{"action":"hello","id":7}`, wire.CodeInternal); string(got.ID) != "7" ||
		strings.Contains(got.Message, "key") {
		t.Errorf("got %+v, want id 7 and no word of keys", got)
	}
}

func TestHelloNotice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token func(b *bench) string
		want  wire.Code
	}{
		{"expired", func(b *bench) string { return b.expiredUser("ann") }, wire.CodeTokenExpired},
		{"garbage", func(*bench) string { return "garbage" }, wire.CodeTokenBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			c := b.open("c1", offering(tt.token(b)))
			got := c.taken("hello", "hello")
			if got.Notice != tt.want || got.Role != "guest" {
				t.Errorf("got notice %q for a %s, want %q for a guest", got.Notice, got.Role, tt.want)
			}
			if got := c.taken("hello token="+b.token(issuer.Claims{User: "ann"}), "hello"); got.Notice != "" ||
				got.User != "ann" {
				t.Errorf("after a good token: got notice %q for %s, want none for ann", got.Notice, got.User)
			}
		})
	}
}

func TestHelloRenewal(t *testing.T) {
	b := newBench(t)
	c := b.user("c1", "ann")
	c.taken("sub cart", "snapshot")
	first := c.taken("hello", "hello").Expires
	b.now = b.now.Add(45 * time.Minute)
	token := b.token(issuer.Claims{User: "ann"})
	got := c.taken(`{"action":"hello","id":2,"token":"`+token+`"}`, "hello")
	want := b.now.Add(issuer.DefaultTTL).Truncate(time.Second)
	if got.User != "ann" || got.Expires != want.UnixMilli() || got.Expires <= first || string(got.ID) != "2" {
		t.Errorf("got %+v, want ann until %d, id 2", got, want.UnixMilli())
	}
	if row := b.row("c1"); !row.Principal.Expires.Equal(want) || len(row.Topics) != 1 {
		t.Errorf("recorded %+v, want it to expire %v and to keep its topic", row, want)
	}
	t.Run("keeps the connection going", func(t *testing.T) {
		b.stock("MUG", 40)
		b.now = b.now.Add(30 * time.Minute) // past the first token
		c.taken("add MUG", "ok")
	})
	t.Run("a guest renews too", func(t *testing.T) {
		guest := b.open("c2", offering(b.guestToken("9f2c")))
		if got := guest.taken("hello token="+b.guestToken("9f2c"), "hello"); got.User != "guest:9f2c" ||
			got.GuestToken == "" {
			t.Errorf("got %+v, want the same guest and a token", got)
		}
	})
	t.Run("with other rights", func(t *testing.T) {
		if got := c.taken("hello token="+b.token(issuer.Claims{User: "ann", Role: "admin"}), "hello"); got.Role != "admin" {
			t.Errorf("got role %s, want admin", got.Role)
		}
	})
}

func TestHelloLogin(t *testing.T) {
	b := newBench(t)
	b.stock("MUG", 40)
	c := b.open("c1", nil)
	c.taken("sub sku:MUG cart", "snapshot")
	got := c.taken("hello token="+b.token(issuer.Claims{User: "ann"}), "hello")
	if got.User != "ann" || got.Role != "customer" || got.GuestToken != "" || got.Expires == 0 {
		t.Errorf("got %+v, want ann, a customer, and no guest token", got)
	}
	want := []hub.Topic{{Kind: hub.KindSKU, Name: "MUG"}}
	if row := b.row("c1"); !slices.Equal(row.Topics, want) || row.Principal.User != "ann" {
		t.Errorf("recorded %+v, want ann and only %v: the guest's cart is not ann's", row, want)
	}
	c.taken("add MUG 2", "ok")
	if ann, guest := b.cart("u~ann"), b.cart("g~g1"); ann.Lines["MUG"].Quantity != 2 || guest.Version != 0 {
		t.Errorf("got carts %+v and %+v, want two MUG in ann's and the guest's untouched", ann, guest)
	}
}

func TestHelloRefusesTokens(t *testing.T) {
	user := func(b *bench) *conn { return b.user("c1", "ann") }
	guest := func(b *bench) *conn { return b.open("c1", offering(b.guestToken("9f2c"))) }
	for _, tt := range []struct {
		name  string
		open  func(b *bench) *conn
		token func(b *bench) string
		want  wire.Code
		retry bool
	}{
		{
			"another user's", user, func(b *bench) string { return b.token(issuer.Claims{User: "bob"}) }, wire.CodeDenied,
			false,
		},
		{
			"an admin's", user, func(b *bench) string { return b.token(issuer.Claims{User: "root", Role: "admin"}) },
			wire.CodeDenied, false,
		},
		{"a guest's, for a user", user, func(b *bench) string { return b.guestToken("9f2c") }, wire.CodeDenied, false},
		{"another guest's", guest, func(b *bench) string { return b.guestToken("0000") }, wire.CodeDenied, false},
		{"expired", user, func(b *bench) string { return b.expiredUser("ann") }, wire.CodeTokenExpired, false},
		{"expired guest's", guest, func(b *bench) string { return b.expiredGuest("9f2c") }, wire.CodeTokenExpired, false},
		{"garbage", user, func(*bench) string { return "garbage" }, wire.CodeTokenBad, false},
		{
			"garbage with a guest's prefix", guest, func(*bench) string { return "guest.e30.e30.e30" }, wire.CodeTokenBad,
			false,
		},
		{
			"of another issuer", user, func(*bench) string { return newBench(t).token(issuer.Claims{User: "ann"}) },
			wire.CodeTokenBad, false,
		},
		{
			"one that cannot be checked", user,
			func(b *bench) string { b.loseKeys(); return b.token(issuer.Claims{User: "ann"}) }, wire.CodeBusy, true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			c := tt.open(b)
			before := b.row("c1")
			got := c.refused(`{"action":"hello","id":7,"token":"`+tt.token(b)+`"}`, tt.want)
			if string(got.ID) != "7" || got.Retry != tt.retry {
				t.Errorf("got id %s, retry %t, want 7, %t", got.ID, got.Retry, tt.retry)
			}
			if after := b.row("c1"); !reflect.DeepEqual(after, before) {
				t.Errorf("recorded\n got %+v\nwant %+v, as before", after, before)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	b := newBench(t)
	b.stock("MUG", 40)
	guest := b.open("g", offering(b.guestToken("9f2c")))
	guest.taken("add MUG 2", "ok")
	c := b.user("c1", "ann")
	c.taken("add MUG 3", "ok")
	got := c.taken("merge "+b.guestToken("9f2c")+" sum key=login-1 id=7", "ok")
	if string(got.ID) != "7" || got.Key != "login-1" || got.Version != 2 || got.Lines["MUG"] == nil ||
		got.Lines["MUG"].Quantity != 5 {
		t.Errorf("got %+v, want five MUG in version 2, id 7, key login-1", got)
	}
	if ann, theirs := b.cart("u~ann").Lines["MUG"].Quantity, b.cart("g~9f2c").Lines["MUG"].Quantity; ann != 5 ||
		theirs != 0 {
		t.Errorf("got %d MUG in ann's cart and %d in the guest's, want 5 and none", ann, theirs)
	}
}

func TestMergeRefusesTokens(t *testing.T) {
	for _, tt := range []struct {
		name  string
		guest bool // who asks
		token func(b *bench) string
		want  wire.Code
	}{
		{"a user's", false, func(b *bench) string { return b.token(issuer.Claims{User: "bob"}) }, wire.CodeBadField},
		{"the caller's own", false, func(b *bench) string { return b.token(issuer.Claims{User: "ann"}) }, wire.CodeBadField},
		{"the guest's own", true, func(b *bench) string { return b.guestToken("9f2c") }, wire.CodeBadField},
		{"expired", false, func(b *bench) string { return b.expiredGuest("9f2c") }, wire.CodeTokenExpired},
		{"garbage", false, func(*bench) string { return "guest.e30.e30.e30" }, wire.CodeTokenBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.stock("MUG", 40)
			other := b.open("g", offering(b.guestToken("9f2c")))
			other.taken("add MUG 2", "ok")
			c := other
			if !tt.guest {
				c = b.user("c1", "ann")
			}
			got := c.refused(`{"action":"merge","id":7,"key":"login-1","from":"`+tt.token(b)+`"}`, tt.want)
			if string(got.ID) != "7" || got.Key != "login-1" {
				t.Errorf("got id %s, key %q, want 7, login-1", got.ID, got.Key)
			}
			if ann, theirs := b.cart("u~ann"), b.cart("g~9f2c"); ann.Version != 0 || theirs.Version != 1 {
				t.Errorf("got carts at %d and %d, want 0 and 1: nothing merged", ann.Version, theirs.Version)
			}
		})
	}
}

// TestMessageStatus: whatever is in the body, the status is 200: another would
// reach no client, and count as a failure of the integration.
func TestMessageStatus(t *testing.T) {
	b := newBench(t)
	c := b.user("c1", "ann")
	for _, body := range []string{
		"", " ", "\x00", "{}", "null", "[]", "\ufeff", strings.Repeat("x", 40_000), `{"action":"add"}`,
	} {
		t.Run(fmt.Sprintf("%.20q", body), func(t *testing.T) {
			got, err := call[response](
				t, b.message, stored(t, "message", func(e map[string]any) { c.mark(e); e["body"] = body }),
			)
			var a answer
			if json.Unmarshal([]byte(got.Body), &a) != nil || err != nil || got.StatusCode != http.StatusOK ||
				a.Type != "error" {
				t.Errorf("got %d %s, %v, want 200 and an error", got.StatusCode, got.Body, err)
			}
		})
	}
}
