package handler_test

import (
	"encoding/json"
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

func TestHelloGuest(t *testing.T) {
	b := newFixture(t)
	c := b.open("c1", nil)
	got := c.wantAnswer(`{"action":"hello","id":1}`, "hello")
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
		p := b.mustAuthorize(tokenHeader(token), nil)
		if p.PrincipalID != "guest:g1" || p.Context["notice"] != nil {
			t.Errorf("got %s with %v, want guest:g1 without a notice", p.PrincipalID, p.Context)
		}
	})
	t.Run("with the same cart", func(t *testing.T) {
		b.stock("MUG", 40)
		c.wantAnswer("add MUG 3", "ok")
		again := b.open("c2", tokenHeader(token))
		got := string(again.wantAnswer("get cart", "snapshot").Topics["cart"])
		if got != `{"version":1,"lines":{"MUG":{"quantity":3,"version":1}}}` {
			t.Errorf("got cart %s, want three MUG", got)
		}
		if got := again.wantAnswer("hello", "hello"); got.User != "guest:g1" || got.Expires == 0 {
			t.Errorf("got %+v, want guest:g1 until the token ends", got)
		}
	})
}

func TestHelloUser(t *testing.T) {
	b := newFixture(t)
	got := b.open(
		"c1", tokenHeader(b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"})),
	).wantAnswer("hello", "hello")
	want := answer{
		Type: "hello", ConnectionID: "c1", Epoch: "k3", User: "vera", Role: "vendor", Vendor: "acme",
		Limits:    b.hub.LimitsOf(hub.Principal{Role: hub.RoleVendor}),
		Expires:   b.now.Add(issuer.DefaultTTL).Truncate(time.Second).UnixMilli(),
		ExpiresIn: seconds(3599), // an hour without the milliseconds of b.now
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func seconds(n int64) *int64 { return &n }

// TestHelloExpiresIn checks the seconds that are left of a session: rounded down, not
// below 0 while the session goes on a little longer, and none when it has ended.
func TestHelloExpiresIn(t *testing.T) {
	for _, tt := range []struct {
		before time.Duration // before the session expires
		want   *int64
	}{
		{2 * time.Second, seconds(2)},
		{2*time.Second - time.Millisecond, seconds(1)},
		{time.Millisecond, seconds(0)},
		{0, seconds(0)},
		{-hub.SessionLeeway, seconds(0)},
		{-hub.SessionLeeway - time.Millisecond, nil},
	} {
		b := newFixture(t)
		c := b.openAs("c1", "ann")
		b.now = b.row("c1").Principal.Expires.Add(-tt.before)
		got := c.wantAnswer("hello", "hello")
		if !reflect.DeepEqual(got.ExpiresIn, tt.want) || (got.Expires == 0) != (tt.want == nil) {
			t.Errorf("%v before the end: got %+v, want expiresIn %v beside expires", tt.before, got, tt.want)
		}
	}
}

// TestReconnectAfter checks the value in seconds: less than the 2 hours that a
// connection lasts.
func TestReconnectAfter(t *testing.T) {
	if body := newFixture(t).open("c1", nil).sendRaw("hello"); !strings.Contains(body, `"reconnectAfter":6900`) {
		t.Errorf("got %s, want reconnectAfter 6900", body)
	}
}

// TestPingEvery: only a hub that allows pings says how often.
func TestPingEvery(t *testing.T) {
	b := newFixture(t)
	c := b.open("c1", nil)
	if body := c.sendRaw(`{"action":"hello"}`); strings.Contains(body, "pingEvery") {
		t.Errorf("without the setting: got %s", body)
	}
	options := handler.MessageOptions{PingEvery: 90 * time.Second}
	b.message = lambda.NewHandler(handler.Message(b.hub, b.verifier, options, b.logger()))
	if got := c.wantAnswer(`{"action":"hello"}`, "hello"); got.PingEvery != 90 {
		t.Errorf("got %+v, want pingEvery 90", got)
	}
}

// TestReconnectWithin: hello says how long clients of a large crowd spread their return.
func TestReconnectWithin(t *testing.T) {
	b := newFixture(t)
	c := b.open("c1", nil)
	for n, want := range map[int]int{0: 0, 2_000: 0, 2_800: 7, 10_000: 25} {
		options := handler.MessageOptions{Connections: func() int { return n }}
		b.message = lambda.NewHandler(handler.Message(b.hub, b.verifier, options, b.logger()))
		if got := c.wantAnswer(`{"action":"hello"}`, "hello"); got.ReconnectWithin != want {
			t.Errorf("%d connections: reconnectWithin %d, want %d", n, got.ReconnectWithin, want)
		}
	}
}

func TestHelloWithoutGuestKey(t *testing.T) {
	b := newFixture(t)
	v, err := auth.New(auth.Config{Issuer: b.issuer.Issuer(), JWKSURL: b.issuer.JWKSURL(), HTTPClient: b.issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c := b.open("c1", nil)
	b.useVerifier(v)
	if got := c.wantError(`{"action":"hello","id":7}`, wire.CodeInternal); string(got.ID) != "7" ||
		strings.Contains(got.Message, "key") {
		t.Errorf("got %+v, want id 7 and no mention of keys", got)
	}
}

func TestHelloNotice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token func(b *fixture) string
		want  wire.Code
	}{
		{"expired", func(b *fixture) string { return b.expiredUser("ann") }, wire.CodeTokenExpired},
		{"garbage", func(*fixture) string { return "garbage" }, wire.CodeTokenBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			c := b.open("c1", tokenHeader(tt.token(b)))
			got := c.wantAnswer("hello", "hello")
			if got.Notice != tt.want || got.Role != "guest" {
				t.Errorf("got notice %q for a %s, want %q for a guest", got.Notice, got.Role, tt.want)
			}
			if got := c.wantAnswer("hello token="+b.token(issuer.Claims{User: "ann"}), "hello"); got.Notice != "" ||
				got.User != "ann" {
				t.Errorf("after a good token: got notice %q for %s, want none for ann", got.Notice, got.User)
			}
		})
	}
}

func TestHelloRenewal(t *testing.T) {
	b := newFixture(t)
	c := b.openAs("c1", "ann")
	c.wantAnswer("sub cart", "snapshot")
	first := c.wantAnswer("hello", "hello").Expires
	b.now = b.now.Add(45 * time.Minute)
	token := b.token(issuer.Claims{User: "ann"})
	got := c.wantAnswer(`{"action":"hello","id":2,"token":"`+token+`"}`, "hello")
	want := b.now.Add(issuer.DefaultTTL).Truncate(time.Second)
	if got.User != "ann" || got.Expires != want.UnixMilli() || got.Expires <= first || string(got.ID) != "2" {
		t.Errorf("got %+v, want ann until %d, id 2", got, want.UnixMilli())
	}
	if row := b.row("c1"); !row.Principal.Expires.Equal(want) || len(row.Topics) != 1 {
		t.Errorf("recorded %+v, want it to expire %v and to keep its topic", row, want)
	}
	t.Run("keeps the connection going", func(t *testing.T) {
		b.stock("MUG", 40)
		b.now = b.now.Add(30 * time.Minute) // after the first token expired
		c.wantAnswer("add MUG", "ok")
	})
	t.Run("a guest renews too", func(t *testing.T) {
		guest := b.open("c2", tokenHeader(b.guestToken("9f2c")))
		if got := guest.wantAnswer("hello token="+b.guestToken("9f2c"), "hello"); got.User != "guest:9f2c" ||
			got.GuestToken == "" {
			t.Errorf("got %+v, want the same guest and a token", got)
		}
	})
	t.Run("with other rights", func(t *testing.T) {
		got := c.wantAnswer("hello token="+b.token(issuer.Claims{User: "ann", Role: "admin"}), "hello")
		if got.Role != "admin" {
			t.Errorf("got role %s, want admin", got.Role)
		}
	})
}

func TestHelloLogin(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	c := b.open("c1", nil)
	c.wantAnswer("sub sku:MUG cart", "snapshot")
	got := c.wantAnswer("hello token="+b.token(issuer.Claims{User: "ann"}), "hello")
	if got.User != "ann" || got.Role != "customer" || got.GuestToken != "" || got.Expires == 0 {
		t.Errorf("got %+v, want ann, a customer, and no guest token", got)
	}
	want := []hub.Topic{{Kind: hub.KindSKU, Name: "MUG"}}
	if row := b.row("c1"); !slices.Equal(row.Topics, want) || row.Principal.User != "ann" {
		t.Errorf("recorded %+v, want ann and only %v: the guest's cart is not ann's", row, want)
	}
	c.wantAnswer("add MUG 2", "ok")
	if ann, guest := b.cart("u~ann"), b.cart("g~g1"); ann.Lines["MUG"].Quantity != 2 || guest.Version != 0 {
		t.Errorf("got carts %+v and %+v, want two MUG in ann's and the guest's untouched", ann, guest)
	}
}

func TestHelloRefusesTokens(t *testing.T) {
	user := func(b *fixture) *testConn { return b.openAs("c1", "ann") }
	guest := func(b *fixture) *testConn { return b.open("c1", tokenHeader(b.guestToken("9f2c"))) }
	for _, tt := range []struct {
		name  string
		open  func(b *fixture) *testConn
		token func(b *fixture) string
		want  wire.Code
		retry bool
	}{
		{
			"another user's", user, func(b *fixture) string { return b.token(issuer.Claims{User: "bob"}) }, wire.CodeDenied,
			false,
		},
		{
			"an admin's", user, func(b *fixture) string { return b.token(issuer.Claims{User: "root", Role: "admin"}) },
			wire.CodeDenied, false,
		},
		{"a guest's, for a user", user, func(b *fixture) string { return b.guestToken("9f2c") }, wire.CodeDenied, false},
		{"another guest's", guest, func(b *fixture) string { return b.guestToken("0000") }, wire.CodeDenied, false},
		{"expired", user, func(b *fixture) string { return b.expiredUser("ann") }, wire.CodeTokenExpired, false},
		{"expired guest's", guest, func(b *fixture) string { return b.expiredGuest("9f2c") }, wire.CodeTokenExpired, false},
		{"garbage", user, func(*fixture) string { return "garbage" }, wire.CodeTokenBad, false},
		{
			"garbage with a guest's prefix", guest, func(*fixture) string { return "guest.e30.e30.e30" }, wire.CodeTokenBad,
			false,
		},
		{
			"of another issuer", user, func(*fixture) string { return newFixture(t).token(issuer.Claims{User: "ann"}) },
			wire.CodeTokenBad, false,
		},
		{
			"one that cannot be checked", user,
			func(b *fixture) string { b.loseKeys(); return b.token(issuer.Claims{User: "ann"}) }, wire.CodeBusy, true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			c := tt.open(b)
			before := b.row("c1")
			got := c.wantError(`{"action":"hello","id":7,"token":"`+tt.token(b)+`"}`, tt.want)
			if string(got.ID) != "7" || got.Retry != tt.retry {
				t.Errorf("got id %s, retry %t, want 7, %t", got.ID, got.Retry, tt.retry)
			}
			if after := b.row("c1"); !reflect.DeepEqual(after, before) {
				t.Errorf("recorded\n got %+v\nwant %+v, as before", after, before)
			}
		})
	}
}
