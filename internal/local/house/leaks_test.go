package house_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"

	"github.com/securecart/hub/internal/local/catalogue"
)

// output is what one recipient got, byte for byte.
type output struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes.String()
}

// listener is a client of which all is kept that it receives: the response to its
// handshake, its frames, and how its connection ended.
type listener struct {
	t    *testing.T
	conn *websocket.Conn
	got  output

	asked int
	more  chan struct{} // has room for one: something came
	done  chan struct{}
}

// listen connects; a refused handshake is a listener without a connection.
func listen(t *testing.T, h *house.House, query string, header http.Header, protocols ...string) *listener {
	t.Helper()
	l := &listener{t: t, more: make(chan struct{}, 1), done: make(chan struct{})}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	conn, resp, err := websocket.Dial(context.Background(), "ws"+strings.TrimPrefix(server.URL, "http")+"/v1"+query,
		&websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if resp == nil {
		t.Fatal(err)
	}
	_ = resp.Header.Write(&l.got)
	if err != nil {
		_, _ = io.Copy(&l.got, resp.Body)
		close(l.done)
		return l
	}
	conn.SetReadLimit(1 << 20)
	l.conn = conn
	go func() {
		defer close(l.done)
		for {
			_, data, err := conn.Read(context.Background())
			if err != nil {
				var end websocket.CloseError
				if errors.As(err, &end) {
					fmt.Fprintf(&l.got, "\nclosed %d %q\n", end.Code, end.Reason)
				}
				return
			}
			l.got.Write(append(data, '\n'))
			select {
			case l.more <- struct{}{}:
			default:
			}
		}
	}()
	return l
}

func (l *listener) say(texts ...string) {
	l.t.Helper()
	for _, text := range texts {
		if err := l.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
			l.t.Fatalf("%s: %v", text, err)
		}
	}
}

// told waits until what was received contains the text.
func (l *listener) told(text string) {
	l.t.Helper()
	for !strings.Contains(l.got.String(), text) {
		select {
		case <-l.done:
			l.t.Fatalf("the connection ended before %q came; got %s", text, l.got.String())
		case <-l.more:
		}
	}
}

// ask sends messages one after the other, each when the one before was answered.
func (l *listener) ask(texts ...string) {
	l.t.Helper()
	for _, text := range texts {
		l.asked++
		id := fmt.Sprint("ask", l.asked)
		if rest, ok := strings.CutPrefix(text, "{"); ok {
			l.say(`{"id":"` + id + `",` + rest)
		} else {
			l.say(text + " id=" + id)
		}
		l.told(`"id":"` + id + `"`)
	}
}

// line is the first message that came and begins like this.
func (l *listener) line(prefix string) string {
	l.t.Helper()
	for line := range strings.Lines(l.got.String()) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	l.t.Fatalf("there is no %s in %s", prefix, l.got.String())
	return ""
}

// TestNothingLeaks plants a mark in everything that is somebody's own, lets it
// through all that a house does, and looks for it in every byte that leaves.
func TestNothingLeaks(t *testing.T) {
	var text, lines output
	debug := &slog.HandlerOptions{Level: slog.LevelDebug}
	h := newHouse(t, house.Options{Log: slog.New(slog.NewMultiHandler(slog.NewTextHandler(&text, debug), slog.NewJSONHandler(&lines, debug))), Catalogue: []catalogue.Product{
		{SKU: "mark-in-cart", Vendor: "acme", Available: 50, LowAt: new(5)}, {SKU: "PUBLIC", Vendor: "acme", Available: 50, LowAt: new(60)},
	}, Admin: house.Admin{Token: "mark-admin-token", URL: "http://127.0.0.1:8788"}})
	ticket := func(token string) string {
		t.Helper()
		var issued struct{ Ticket string }
		if err := json.Unmarshal(authorized(t, h, "POST", "/v1/tickets", "Bearer "+token, "").Body.Bytes(), &issued); err != nil || issued.Ticket == "" {
			t.Fatalf("a ticket: %v", err)
		}
		return issued.Ticket
	}
	vera, _, err := h.Token("mark-vendor-user", hub.RoleVendor, "other")
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := token(t, h, "mark-user"), token(t, h, "mark-bystander")
	secrets := map[string]string{ // by what they are
		"a user's token": ann, "its signature": ann[strings.LastIndex(ann, ".")+1:], "its claims": strings.Split(ann, ".")[1],
		"a bystander's token": bob, "a vendor's token": vera, "a ticket that is spent": ticket(ann), "a ticket that is not": ticket(ann),
		"the admin's token": "mark-admin-token", "a cookie": "mark-cookie", "a query": "mark-query", "a user agent": "mark-agent",
		"an address": "203.0.113.77", "an origin": "mark-origin", "a bad token": "mark-bad-token", "a bad ticket": "MARKBADTICKETMARKBADTICKET",
		"a reason": "mark-reason", "a header": "mark-header",
	}
	header := func(more ...string) http.Header {
		h := http.Header{
			"Cookie": {"session=mark-cookie"}, "User-Agent": {"mark-agent"}, "X-Forwarded-For": {"203.0.113.77"}, "X-Other": {"mark-header"},
		}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	const protocol = "securecart.v1"

	// Everybody connects, by every way, and some are refused.
	user := listen(t, h, "?x=mark-query", header(), protocol, "bearer."+ann)
	second := listen(t, h, "?ticket="+secrets["a ticket that is spent"], header(), protocol)
	guest := listen(t, h, "?x=mark-query", header(), protocol)
	bystanders := map[string]*listener{
		"another customer": listen(t, h, "", header("Authorization", "Bearer "+bob), protocol),
		"a vendor":         listen(t, h, "", header(), protocol, "bearer."+vera),
		"a guest":          listen(t, h, "", header(), protocol),
		"a bad token":      listen(t, h, "", header(), protocol, "bearer.mark-bad-token"),
		"a bad ticket":     listen(t, h, "?ticket=MARKBADTICKETMARKBADTICKET", header(), protocol),
	}
	refused := map[string]*listener{
		"a token in the URL":  listen(t, h, "?token="+ann, header(), protocol),
		"a ticket twice":      listen(t, h, "?auth=required&ticket="+secrets["a ticket that is spent"], header(), protocol),
		"a bad token":         listen(t, h, "?auth=required", header(), protocol, "bearer.mark-bad-token"),
		"a foreign page":      listen(t, h, "?ticket="+secrets["a ticket that is not"], header("Origin", "https://mark-origin.example"), protocol),
		"another subprotocol": listen(t, h, "", header("Authorization", "Bearer "+ann), "mark-protocol"),
	}
	for name, l := range refused {
		if l.conn != nil {
			t.Errorf("%s was not refused", name)
		}
	}

	// The user and a guest fill their carts; the others watch what they may, and
	// ask for what they may not.
	guest.ask("hello", "sub cart", "add mark-in-cart 2 key=mark-guest-key")
	guestToken := field(t, guest.line(`{"type":"hello"`), "guestToken")
	if guestToken == "" {
		t.Fatal("the guest has no token")
	}
	secrets["a guest's token"] = guestToken
	second.ask("sub cart")
	for _, l := range bystanders {
		l.ask("hello", "sub cart sku:PUBLIC cart:u~mark-user vendor:acme", "get cart:u~mark-user", "merge "+ann, "merge mark-bad-token",
			"hello token="+ann+"x", "hello token=mark-bad-token", `{"action":"mark-action"}`)
	}
	user.ask("hello", "sub cart sku:PUBLIC", "add mark-in-cart 3 key=mark-key", "set mark-in-cart 4", "merge "+guestToken+" sum key=mark-merge",
		"hello token="+ann, "hello token="+bob, `{"action":"add","sku":"mark-in-cart","quantity":-1}`, "add mark-in-cart 999 key=mark-last")
	setStockAs(t, h, "PUBLIC", "3")
	setStockAs(t, h, "PUBLIC", "2")
	settle(t, h)
	second.told("mark-in-cart")
	for _, l := range bystanders {
		l.told(`"quantity":2`)
	}

	// Whoever runs the hub looks around.
	admin := map[string]string{}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/admin/connections", "/admin/stock/PUBLIC", "/admin/stock/NOPE", "/issuer/.well-known/jwks.json"} {
		rec := authorized(t, h, "GET", path, "Bearer mark-admin-token", "")
		var headers bytes.Buffer
		_ = rec.Header().Write(&headers)
		admin[path] = headers.String() + rec.Body.String()
	}
	admin["without a token"] = authorized(t, h, "GET", "/admin/connections", "Bearer "+ann, "").Body.String()
	admin["a ticket for a bad token"] = authorized(t, h, "POST", "/v1/tickets", "Bearer mark-bad-token", "mark-body").Body.String()
	for _, path := range []string{"/config.json", "/catalogue.json"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		if path == "/config.json" { // the catalogue has the names of all goods
			admin[path] = rec.Body.String()
		}
	}

	// Some leave on their own, with a reason; the house ends the rest.
	_ = guest.conn.Close(websocket.StatusNormalClosure, "mark-reason")
	closeHouse(t, h)
	for _, l := range append(slices.Collect(maps.Values(bystanders)), user, second, guest) {
		<-l.done
	}

	// What was planted did travel.
	for name, l := range map[string]*listener{"the user": user, "the user's other device": second} {
		if !strings.Contains(l.got.String(), "mark-in-cart") {
			t.Errorf("%s did not see the cart: this test does not reach what it is about", name)
		}
	}
	if !strings.Contains(admin["/admin/connections"], "mark-user") || !strings.Contains(text.String(), "token refused") || !strings.Contains(lines.String(), "page of a foreign origin refused") {
		t.Error("the admin API or the log is silent: this test does not reach what it is about")
	}

	private := map[string]string{
		"the goods in a cart": "mark-in-cart", "a user's name": "mark-user", "a bystander's name": "mark-bystander", "a vendor's user": "mark-vendor-user",
		"a key": "mark-key", "a guest's key": "mark-guest-key", "an action": "mark-action", "a protocol": "mark-protocol", "a body": "mark-body",
		"an address of the socket": "127.0.0.1:",
	}
	look := func(where, got string, forbidden ...map[string]string) {
		t.Helper()
		for _, m := range forbidden {
			for what, secret := range m {
				if at := strings.Index(got, secret); at >= 0 {
					t.Errorf("%s: %s is in it: …%s…", where, what, got[max(0, at-80):min(len(got), at+len(secret)+20)])
				}
			}
		}
	}
	without := func(m map[string]string, names ...string) map[string]string {
		m = maps.Clone(m)
		for _, name := range names {
			delete(m, name)
		}
		return m
	}
	look("the log as text", text.String(), secrets, private)
	look("the log as JSON", lines.String(), secrets, private)
	for where, got := range admin {
		allowed := map[string][]string{
			"/admin/connections": {"a user's name", "a bystander's name", "a vendor's user"},
			"/config.json":       {"an address of the socket"}, // of the admin API itself
		}[where]
		look("admin "+where, got, secrets, without(private, allowed...))
	}
	own := map[string][]string{"another customer": {"a bystander's name"}, "a vendor": {"a vendor's user"}}
	for name, l := range bystanders {
		mine := []string{"an action"} // what one typed is quoted to oneself
		got := strings.ReplaceAll(l.got.String(), "cart:u~mark-user", "")
		look("frames of "+name, got, without(secrets, "a guest's token"), without(private, append(mine, own[name]...)...))
		look("frames of "+name, got, map[string]string{"the guest's token": guestToken})
	}
	for name, l := range refused {
		look("refusal of "+name, l.got.String(), secrets, private)
	}
	for name, l := range map[string]*listener{"the user": user, "the user's other device": second, "the guest": guest} {
		look("frames of "+name, l.got.String(), without(secrets, "a guest's token", "a reason"))
	}
}

// setStockAs sets stock with the admin's token.
func setStockAs(t testing.TB, h *house.House, sku, available string) {
	t.Helper()
	if rec := authorized(t, h, "PUT", "/admin/stock/"+sku, "Bearer mark-admin-token", `{"available":`+available+`}`); rec.Code != http.StatusOK {
		t.Fatalf("stock of %s: %d %s", sku, rec.Code, rec.Body)
	}
}
