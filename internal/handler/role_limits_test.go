package handler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// roleClient opens connections of one role.
type roleClient struct {
	role     string
	cart     string // id of its cart
	messages int    // its limit in a window
	headers  func(b *fixture) map[string]string
}

func userHeader(c issuer.Claims) func(*fixture) map[string]string {
	return func(b *fixture) map[string]string { return tokenHeader(b.token(c)) }
}

// roleClients has one client of each role. The vendor is that of every SKU of
// [roleFixture].
var roleClients = []roleClient{
	{"guest", "g~9f2c", 50, func(b *fixture) map[string]string { return tokenHeader(b.guestToken("9f2c")) }},
	{"customer", "u~ann", 100, userHeader(issuer.Claims{User: "ann"})},
	{"vendor", "u~vera", 200, userHeader(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"})},
	{"admin", "u~root", 500, userHeader(issuer.Claims{User: "root", Role: "admin"})},
}

// roleFixture is a fixture with a connection of a role.
type roleFixture struct {
	*fixture
	client roleClient
	conn   *testConn
}

// forEachRole runs a test with a connection of each role.
func forEachRole(t *testing.T, test func(t *testing.T, b roleFixture)) {
	for _, client := range roleClients {
		t.Run(client.role, func(t *testing.T) {
			b := newFixture(t)
			test(t, roleFixture{b, client, b.open("c", client.headers(b))})
		})
	}
}

// vendorStock sets the stock of a SKU of acme.
func (b roleFixture) vendorStock(sku string, available int) {
	b.t.Helper()
	vendor := "acme"
	if _, err := b.hub.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available, Vendor: &vendor}); err != nil {
		b.t.Fatal(err)
	}
}

// skus returns n names. Their items have 5 000 pieces each.
func (b roleFixture) skus(n int) []string {
	b.t.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("S%03d", i)
		b.vendorStock(names[i], 5_000)
	}
	return names
}

// wantRefused sends a message that must be refused and change nothing.
func (b roleFixture) wantRefused(text string, want wire.Code) {
	b.t.Helper()
	cart, topics := mustText(b.t, b.fixture.cart(b.client.cart)), mustText(b.t, b.row("c").Topics)
	b.conn.wantError(text, want)
	if after := mustText(b.t, b.fixture.cart(b.client.cart)); after != cart {
		b.t.Errorf("%.80s: the refused message changed the cart to %s", text, after)
	}
	if after := mustText(b.t, b.row("c").Topics); after != topics {
		b.t.Errorf("%.80s: the refused message changed the topics to %s", text, after)
	}
}

// quantity returns the pieces of a SKU in the cart.
func (b roleFixture) quantity(sku string) int {
	return b.fixture.cart(b.client.cart).Lines[sku].Quantity
}

func setText(skus []string) string {
	lines := fields{}
	for _, sku := range skus {
		lines[sku] = 1
	}
	return fmt.Sprintf(`{"action":"set","lines":%s}`, mustLine(lines))
}

func topicsText(action string, skus []string) string {
	return fmt.Sprintf(`{"action":%q,"topics":["sku:%s"]}`, action, strings.Join(skus, `","sku:`))
}

// mustLine returns lines as JSON.
func mustLine(f fields) string {
	var parts []string
	for sku, quantity := range f {
		parts = append(parts, fmt.Sprintf("%q:%d", sku, quantity))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestQuantityLimitOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		b.vendorStock("MUG", 5_000)
		b.vendorStock("CUP", 5_000)
		b.conn.wantAnswer("set MUG 999", "ok")
		b.wantRefused("set MUG 1000", wire.CodeBadField)
		b.wantRefused("add CUP 1000", wire.CodeBadField)
		b.wantRefused("add CUP 0", wire.CodeBadField)
		b.conn.wantAnswer("add CUP 998", "ok")
		b.conn.wantAnswer("add CUP 1", "ok")
		var ok wire.OK
		unmarshal(t, b.conn.sendRaw(`{"action":"add","sku":"CUP","quantity":1}`), &ok)
		if got := ok.Clamped["CUP"]; got != (wire.Clamp{Wanted: 1_000, Got: 999}) {
			t.Errorf("add beyond the limit: clamped to %+v, want 999 of 1000", got)
		}
		if mugs, cups := b.quantity("MUG"), b.quantity("CUP"); mugs != 999 || cups != 999 {
			t.Errorf("the cart has %d and %d pieces, want 999 of each", mugs, cups)
		}
	})
}

// TestClampsOfEachRole checks that a role is limited to the quantity that its badge
// shows, and nobody learns another one from a clamp.
func TestClampsOfEachRole(t *testing.T) {
	for _, tt := range []struct {
		available, least, exact int // granted of 999 without and with the exact quantity
	}{
		{1_000, 999, 999}, {999, 999, 999}, {998, 999, 998}, {6, 999, 6}, {5, 5, 5}, {1, 1, 1},
	} {
		forEachRole(t, func(t *testing.T, b roleFixture) {
			b.vendorStock("MUG", tt.available)
			want := tt.least
			if b.client.role == "vendor" || b.client.role == "admin" {
				want = tt.exact
			}
			var ok wire.OK
			unmarshal(t, b.conn.sendRaw("set MUG 999"), &ok)
			if got := b.quantity("MUG"); got != want || (ok.Clamped != nil) != (want != 999) {
				t.Errorf("of %d: got %d, clamped %v, want %d", tt.available, got, ok.Clamped, want)
			}
		})
	}
	forEachRole(t, func(t *testing.T, b roleFixture) {
		b.vendorStock("MUG", 0)
		b.wantRefused("add MUG 1", wire.CodeNoStock)
		b.wantRefused("set MUG 1", wire.CodeNoStock)
	})
}

func TestLineLimitOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		skus := b.skus(201)
		b.wantRefused(setText(skus), wire.CodeBadField)
		b.conn.wantAnswer(setText(skus[:200]), "ok")
		b.wantRefused(setText(skus[200:]), wire.CodeLimit)
		b.wantRefused("add S200 1", wire.CodeLimit)
		b.conn.wantAnswer("set S000 0", "ok")
		b.conn.wantAnswer("add S200 1", "ok")
		b.wantRefused("add S000 1", wire.CodeLimit)
		live := 0
		for _, line := range b.fixture.cart(b.client.cart).Lines {
			if line.Quantity > 0 {
				live++
			}
		}
		if live != 200 {
			t.Errorf("the cart has %d lines, want 200", live)
		}
	})
}

func TestTopicLimitsOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		skus := b.skus(201)
		for _, action := range []string{"subscribe", "get", "unsubscribe"} {
			b.wantRefused(topicsText(action, skus[:101]), wire.CodeTooManyTopics)
		}
		for _, part := range [][]string{skus[:100], skus[100:200]} {
			for _, action := range []string{"get", "subscribe"} {
				got := b.conn.wantAnswer(topicsText(action, part), "snapshot")
				if len(got.Topics) != 100 || got.Refused != nil {
					t.Errorf("%s: %d topics, refused %v, want all 100", action, len(got.Topics), got.Refused)
				}
			}
		}
		b.wantRefused(topicsText("subscribe", skus[200:]), wire.CodeTooManyTopics)
		b.wantRefused("sub cart", wire.CodeTooManyTopics)
		b.conn.wantAnswer(topicsText("unsubscribe", skus[:1]), "snapshot")
		b.conn.wantAnswer(topicsText("subscribe", skus[200:]), "snapshot")
		b.wantRefused("sub cart", wire.CodeTooManyTopics)
		if n := len(b.row("c").Topics); n != 200 {
			t.Errorf("the connection has %d topics, want 200", n)
		}
	})
}

func TestSizeLimitsOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		b.vendorStock("MUG", 5_000)
		padded := func(size int) string {
			const text = `{"action":"add","sku":"MUG"}`
			return text + strings.Repeat(" ", size-len(text))
		}
		b.conn.wantAnswer(padded(32_000), "ok")
		b.wantRefused(padded(32_001), wire.CodeTooBig)

		long := func(n int) string { return strings.Repeat("n", n) }
		b.vendorStock(long(wire.MaxName), 5_000)
		for format, most := range map[string]int{
			`{"action":"add","sku":%q}`:                                 wire.MaxName,
			`{"action":"set","lines":{%q:1}}`:                           wire.MaxName,
			`{"action":"add","sku":"MUG","key":%q}`:                     64,
			`{"action":"add","sku":"MUG","id":%q}`:                      128 - len(`""`),
			`{"action":"set","lines":{"MUG":1},"version":1,"epoch":%q}`: 64,
		} {
			if strings.Contains(format, "epoch") {
				b.wantRefused(fmt.Sprintf(format, long(most)), wire.CodeOldEpoch)
			} else {
				b.conn.wantAnswer(fmt.Sprintf(format, long(most)), "ok")
			}
			b.wantRefused(fmt.Sprintf(format, long(most+1)), wire.CodeBadField)
		}
		b.wantRefused(fmt.Sprintf(`{"action":"hello","token":%q}`, long(8_192)), wire.CodeTokenBad)
		b.wantRefused(fmt.Sprintf(`{"action":"hello","token":%q}`, long(8_193)), wire.CodeBadField)
		b.conn.wantAnswer(`{"action":"subscribe","topics":{"sku:MUG":9007199254740991}}`, "snapshot")
		b.wantRefused(`{"action":"subscribe","topics":{"sku:MUG":9007199254740992}}`, wire.CodeBadField)
		b.wantRefused(`{"action":"set","lines":{"MUG":1},"version":9007199254740991}`, wire.CodeGoneVersion)
		b.wantRefused(`{"action":"set","lines":{"MUG":1},"version":9007199254740992}`, wire.CodeBadField)
	})
}

// TestMessageLimitOfEachRole checks the number of messages in a window, and what
// hello says of the limits.
func TestMessageLimitOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		want := wire.Limits{
			Message: 32_000, TopicsPerMessage: 100, Topics: 200, Lines: 200, Quantity: 999, Idle: 600,
			Messages: b.client.messages,
		}
		if b.client.role == "guest" {
			want.SKUs = 500
		}
		if got := b.conn.wantAnswer("hello", "hello"); got.Limits != want || got.Role != b.client.role {
			t.Errorf("got role %s, limits %+v, want %s, %+v", got.Role, got.Limits, b.client.role, want)
		}
		for range b.client.messages - 2 { // the handshake and hello count too
			b.conn.wantAnswer("ping", "pong")
		}
		b.wantRefused("ping", wire.CodeSlowDown)
		b.now = b.now.Truncate(hub.MessageWindow).Add(hub.MessageWindow - 1)
		b.wantRefused("ping", wire.CodeSlowDown)
		b.now = b.now.Add(1)
		b.conn.wantAnswer("ping", "pong")
	})
}

// TestCatalogueLimitOfEachRole checks how many different SKUs a role may look at in
// an hour: a guest 500, everybody else all.
func TestCatalogueLimitOfEachRole(t *testing.T) {
	forEachRole(t, func(t *testing.T, b roleFixture) {
		skus := b.skus(501)
		for i := 0; i < 500; i += 100 {
			if got := b.conn.wantAnswer(topicsText("get", skus[i:i+100]), "snapshot"); got.Refused != nil {
				t.Fatalf("after %d SKUs: refused %v", i, got.Refused)
			}
		}
		got := b.conn.wantAnswer(topicsText("get", skus[500:]), "snapshot")
		if b.client.role == "guest" {
			if got.Refused["sku:S500"] != wire.CodeSlowDown {
				t.Errorf("the 501st SKU: got %v, want slow_down", got.Refused)
			}
			b.wantRefused("add S500 1", wire.CodeLimit)
			return
		}
		if got.Refused != nil {
			t.Errorf("the 501st SKU: refused %v", got.Refused)
		}
	})
}

// TestConnectionLimitOfEachRole checks how many connections a user may have.
func TestConnectionLimitOfEachRole(t *testing.T) {
	for _, client := range roleClients {
		t.Run(client.role, func(t *testing.T) {
			b := newFixture(t)
			headers := client.headers(b)
			for i := range 100 {
				b.open(fmt.Sprint("c", i), headers)
				b.now = b.now.Add(time.Second) // handshakes count as messages
			}
			p := b.mustAuthorize(headers, nil)
			response, err := call[events.APIGatewayProxyResponse](t, b.connect, storedEvent(t, "connect", func(
				e map[string]any,
			) {
				c := &testConn{b: b, id: "more", authorizer: map[string]any{"principalId": p.PrincipalID}}
				for name, value := range p.Context {
					c.authorizer[name] = value
				}
				c.setContext(e)
			}))
			if err != nil || response.StatusCode != http.StatusTooManyRequests {
				t.Errorf("connection 101: got %d, %v, want 429", response.StatusCode, err)
			}
			b.wantNoRow("more")
		})
	}
}
