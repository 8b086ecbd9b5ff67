package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

var shapeNames = map[hub.Shape]string{
	hub.ShapeNone: "–", hub.ShapeBadge: "badge", hub.ShapeExact: "exact figure",
	hub.ShapeOwn: "all of it", hub.ShapeAny: "all of it",
}

// TestRightsAreDocumented checks that docs/protocol.md shows the table of rights.
func TestRightsAreDocumented(t *testing.T) {
	var want strings.Builder
	want.WriteString("| Action | Topic | guest | customer | vendor | admin | session expired |\n")
	want.WriteString("|---|---|---|---|---|---|---|\n")
	whose := map[hub.TopicKind][2]string{
		hub.KindSKU: {"of another vendor", "of one's vendor"}, hub.KindCart: {"of somebody else",
			"one's own"}, hub.KindVendor: {"another", "one's own"},
	}
	for _, r := range hub.Rights {
		action, own := "see", 0
		if r.Write {
			action = "change"
		}
		if r.Own {
			own = 1
		}
		fmt.Fprintf(&want, "| %s | `%s:ID` %s |", action, r.Kind, whose[r.Kind][own])
		for _, s := range []hub.Shape{r.Guest, r.Customer, r.Vendor, r.Admin, r.Expired} {
			name := shapeNames[s]
			if r.Write && s != hub.ShapeNone {
				name = "yes"
			}
			fmt.Fprintf(&want, " %s |", name)
		}
		want.WriteString("\n")
	}
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), want.String()) {
		t.Errorf("docs/protocol.md does not have the table of rights:\n%s", want.String())
	}
}

// TestRightsHaveEachCaseOnce checks that no two rows of the table are for the same
// case.
func TestRightsHaveEachCaseOnce(t *testing.T) {
	known := map[string]bool{}
	for _, r := range hub.Rights {
		name := fmt.Sprint(r.Kind, r.Own, r.Write)
		if known[name] {
			t.Errorf("%s has two rows", name)
		}
		known[name] = true
	}
}

// matrixActor is a principal of the matrix.
type matrixActor struct {
	name  string
	p     hub.Principal
	state string // of the session: "fresh", "in leeway", "expired" or "revoked"
}

func actors(now time.Time) []matrixActor {
	var all []matrixActor
	for name, p := range map[string]hub.Principal{
		"guest g1": guest, "guest g2": {User: "guest:g2", Role: hub.RoleGuest},
		"alice": alice, "bob": bob, "a user with a strange name": {User: "ann@example", Role: hub.RoleCustomer},
		"vendor acme": acme, "vendor other": {User: "otto", Role: hub.RoleVendor,
			Vendor: "other"}, "vendor without a vendor": {User: "nona", Role: hub.RoleVendor},
		"admin": admin, "an unknown role": {User: "eve", Role: "root"},
	} {
		for state, expires := range map[string]time.Time{
			"fresh": now.Add(time.Minute), "in leeway": now.Add(-hub.SessionLeeway),
			"expired": now.Add(-hub.SessionLeeway - time.Millisecond), "revoked": now.Add(time.Minute),
		} {
			p.Issued, p.Expires = now.Add(-time.Hour), expires
			all = append(all, matrixActor{name, p, state})
		}
	}
	return all
}

// expectedResult returns what an actor gets of a topic: nothing, a badge, a figure
// (the exact quantity), a cart, or a list. It states the rights in other words
// than the table.
func expectedResult(a matrixActor, topic string, write bool) string {
	kind, name, _ := strings.Cut(topic, ":")
	active := a.state == "fresh" || a.state == "in leeway"
	known := a.p.Role == "guest" || a.p.Role == "customer" || a.p.Role == "vendor" || a.p.Role == "admin"
	isAdmin := active && a.p.Role == "admin"
	itsVendor := active && a.p.Role == "vendor" && a.p.Vendor != ""
	switch {
	case active && !known:
		return "nothing"
	case kind == "sku" && name == "NONE":
		return "nothing"
	case kind == "sku" && write && !isAdmin && !(itsVendor && strings.HasPrefix(name, strings.ToUpper(a.p.Vendor))):
		return "nothing"
	case kind == "sku" && (isAdmin || itsVendor && strings.HasPrefix(name, strings.ToUpper(a.p.Vendor))):
		return "figure"
	case kind == "sku":
		return "badge"
	case topic == "cart" && active:
		return "cart"
	case kind == "cart" && !write && (isAdmin || active && name == a.p.CartID()):
		return "cart"
	case kind == "vendor" && !write && (isAdmin || itsVendor && name == a.p.Vendor):
		return "list"
	}
	return "nothing"
}

var matrixTopics = []string{
	"cart", "cart:u~alice", "cart:u~bob", "cart:g~g1", "cart:g~g2", "cart:u~nobody", "cart:u~otto", "cart:u~root",
	"sku:ACME-1", "sku:OTHER-1", "sku:FREE", "sku:NONE", "vendor:acme", "vendor:other", "vendor:nobody",
}

// TestMatrix tries every action on every topic with every actor, in every state of
// its session.
func TestMatrix(t *testing.T) {
	cells := 0
	for _, a := range actors(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		for _, topic := range matrixTopics {
			for _, action := range []string{
				"subscribe", "get", "resume", "send", "heal", "add", "set", "merge", "checkout", "stock",
			} {
				got, want := matrixCell(t, a, action, topic)
				if got == "" && want == "" {
					continue // no request can name it
				}
				if cells++; got != want {
					t.Errorf("%s (%s), %s %s: got %s, want %s", a.name, a.state, action, topic, got, want)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
	if cells < 3_000 {
		t.Errorf("%d cells, want thousands", cells)
	}
}

// matrixCell lets an actor do one thing, with a store of its own.
func matrixCell(t *testing.T, a matrixActor, action, topic string) (got, want string) {
	th := newTestHub(t)
	th.vendorStock("ACME-1", "acme", 4711)
	th.vendorStock("OTHER-1", "other", 4711)
	th.stock("FREE", 4711)
	c := th.connect("c", a.p)
	if a.state == "revoked" {
		th.revoke(a.p.User)
	}
	ctx := t.Context()
	switch action {
	case "subscribe", "get", "resume":
		r := subscribeTo(topic)
		do := th.Subscribe
		if action == "get" {
			do = th.Get
		}
		if action == "resume" {
			r.Epoch, r.Topics[0].Version = "k1", 7
		}
		s, err := do(ctx, c, r)
		if err != nil {
			return err.Error(), ""
		}
		row, _ := th.store.Connection(ctx, "c")
		if subscribed := len(row.Topics) > 0; subscribed != (len(s.Topics) > 0 && action != "get") {
			return fmt.Sprintf("subscribed to %v and answered with %v", row.Topics, s.Topics), ""
		}
		return answerResult(t, s.Topics, len(s.Refused) == 1), expectedResult(a, topic, false)
	case "send", "heal":
		got, want = sendResult(th, a, action, topic), expectedResult(a, topic, false)
		if action == "heal" && strings.HasPrefix(topic, "vendor:") && want == "nothing" {
			want = expectedResult(a, "sku:FREE", false) // the badge, which is public, replaces the figure
		}
		return got, want
	case "add", "set", "merge", "checkout":
		if topic != "cart" {
			return "", "" // no request can name it
		}
		return writeResult(th, c, action), expectedResult(a, topic, true)
	}
	kind, sku, _ := strings.Cut(topic, ":")
	if kind != "sku" {
		return "", "" // no request can name it
	}
	row, err := th.store.Connection(ctx, "c")
	if err != nil {
		return err.Error(), ""
	}
	n := 5
	item, err := th.VendorStock(ctx, row.Principal, sku, hub.StockChange{Available: &n})
	switch {
	case errors.Is(err, hub.ErrForbidden):
		got = "nothing"
	case err != nil:
		got = err.Error()
	case item.Available == 5:
		got = "figure"
	}
	return got, expectedResult(a, topic, true)
}

// sendResult subscribes the actor without a check of its rights, changes the row,
// and returns what reaches the actor.
func sendResult(th *testHub, a matrixActor, action, topic string) string {
	ctx := context.Background()
	row, err := th.store.Connection(ctx, "c")
	if err != nil {
		th.t.Fatal(err)
	}
	t := hub.Topic{Kind: hub.KindCart, Name: a.p.CartID()}
	if topic != "cart" {
		t, _ = hub.ParseTopic(topic)
	}
	if err := errOf(th.store.Subscribe(ctx, row, []hub.Topic{t})); err != nil {
		th.t.Fatal(err)
	}
	th.changes, th.sent = nil, nil
	switch name := t.Name; t.Kind {
	case hub.KindCart:
		cart := hub.Cart{ID: name, Version: 1, Lines: map[string]hub.CartLine{"FREE": {Quantity: 1, Version: 1,
			At: th.now}}, UpdatedAt: th.now}
		if err := th.store.PutCarts(ctx, []hub.CartWrite{{Cart: cart}}, nil); err != nil {
			th.t.Fatal(err)
		}
	case hub.KindVendor:
		th.vendorStock("NEW", name, 4711)
	default:
		if name != "NONE" {
			th.stock(name, 4712) // the badge does not change, so it is not sent
			th.stock(name, 0)
			th.stock(name, 4711)
		}
	}
	if action == "heal" {
		var undelivered []hub.Topic
		for _, c := range th.changes {
			if c.NewCart != nil {
				undelivered = append(undelivered, hub.Topic{Kind: hub.KindCart, Name: c.NewCart.ID})
			} else {
				undelivered = append(undelivered, hub.Topic{Kind: hub.KindSKU, Name: c.NewItem.SKU})
			}
		}
		if err := errors.Join(th.store.MarkForRetry(ctx, []hub.Undelivered{{ConnectionID: "c", Topics: undelivered}},
			th.now)...); err != nil {
			th.t.Fatal(err)
		}
		if _, _, err := th.Heal(ctx, ""); err != nil {
			th.t.Fatal(err)
		}
	} else {
		th.broadcast()
	}
	got := "nothing"
	for _, p := range th.sent {
		var m struct {
			Type   string
			Topics map[string]json.RawMessage
		}
		if err := json.Unmarshal(p.Data, &m); err != nil {
			th.t.Fatal(err)
		}
		for name, value := range m.Topics {
			got = valueKind(name, string(value))
		}
	}
	if got == "figure" && t.Kind == hub.KindVendor {
		got = "list" // its deltas have figures
	}
	return got
}

// answerResult returns what an answer has.
func answerResult(t *testing.T, topics map[string]wire.Value, refused bool) string {
	t.Helper()
	got := "nothing"
	for name, v := range topics {
		got = valueKind(name, mustJSON(t, v))
	}
	if refused != (got == "nothing") {
		return fmt.Sprintf("%s, refused %v", got, refused)
	}
	return got
}

// valueKind returns the kind of a value. Every figure of the matrix is 4711.
func valueKind(name, value string) string {
	switch {
	case strings.HasPrefix(name, "cart"):
		return "cart"
	case strings.HasPrefix(name, "vendor:"):
		return "list"
	case strings.Contains(value, "4711"):
		return "figure"
	}
	return "badge"
}

// writeResult lets a caller write to its own cart.
func writeResult(th *testHub, c hub.Connection, action string) string {
	var err error
	ctx := context.Background()
	switch action {
	case "add":
		_, err = th.Add(ctx, c, wire.Request{SKU: "FREE", Quantity: 1})
	case "set":
		_, err = th.Set(ctx, c, wire.Request{Lines: []wire.LineChange{{SKU: "FREE", Quantity: 1}}})
	case "merge":
		from := hub.Principal{User: "guest:g9", Role: hub.RoleGuest}
		th.add(th.connect("g9", from), "FREE", 1, "")
		_, err = th.Merge(ctx, c, from, wire.Request{Policy: wire.PolicySum})
	case "checkout":
		return checkoutResult(th, c)
	}
	cart, readErr := th.store.Cart(ctx, c.Principal.CartID())
	if readErr != nil {
		th.t.Fatal(readErr)
	}
	switch {
	case err == nil && cart.Lines["FREE"].Quantity == 1:
		return "cart"
	case err != nil && cart.Version == 0:
		return "nothing"
	}
	return fmt.Sprintf("%v, with the cart at version %d", err, cart.Version)
}

// checkoutResult lets a caller check out its own cart, which has one line.
func checkoutResult(th *testHub, c hub.Connection) string {
	id := c.Principal.CartID()
	full := hub.Cart{ID: id, Version: 1, Lines: map[string]hub.CartLine{"FREE": {Quantity: 1, Version: 1}}}
	if err := th.store.PutCarts(context.Background(), []hub.CartWrite{{Cart: full}}, nil); err != nil {
		th.t.Fatal(err)
	}
	ok, err := th.Checkout(context.Background(), c, wire.Request{})
	cart, readErr := th.store.Cart(context.Background(), id)
	if readErr != nil {
		th.t.Fatal(readErr)
	}
	switch {
	case err == nil && ok.Ordered["FREE"] == 1 && len(cart.Lines) == 0:
		return "cart"
	case err != nil && cart.Version == 1:
		return "nothing"
	}
	return fmt.Sprintf("%v, with the cart at version %d", err, cart.Version)
}

// accessRecorder records the calls of a store, in order.
type accessRecorder struct {
	hub.Store
	calls *[]string
}

func (s accessRecorder) Connection(ctx context.Context, id string) (hub.Connection, error) {
	*s.calls = append(*s.calls, "Connection")
	return s.Store.Connection(ctx, id)
}

func (s accessRecorder) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	*s.calls = append(*s.calls, fmt.Sprint("Items ", len(skus)))
	return s.Store.Items(ctx, skus)
}

func (s accessRecorder) VendorSKUs(ctx context.Context, v, after string, n int) ([]string, bool, error) {
	*s.calls = append(*s.calls, "VendorSKUs")
	return s.Store.VendorSKUs(ctx, v, after, n)
}

func (s accessRecorder) Cart(ctx context.Context, id string) (hub.Cart, error) {
	*s.calls = append(*s.calls, "Cart")
	return s.Store.Cart(ctx, id)
}

func (s accessRecorder) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	*s.calls = append(*s.calls, fmt.Sprint("Subscribe ", len(topics)))
	return s.Store.Subscribe(ctx, c, topics)
}

func (s accessRecorder) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (int64, error) {
	*s.calls = append(*s.calls, fmt.Sprint("Unsubscribe ", len(topics)))
	return s.Store.Unsubscribe(ctx, id, topics)
}

func (s accessRecorder) Epoch(ctx context.Context) (hub.Epoch, error) {
	*s.calls = append(*s.calls, "Epoch")
	return s.Store.Epoch(ctx)
}

func (s accessRecorder) PutItem(ctx context.Context, i hub.Item, base int64) error {
	*s.calls = append(*s.calls, "PutItem")
	return s.Store.PutItem(ctx, i, base)
}

// TestDeniedLooksUnknown checks that a topic that a caller has no right to gets the
// same answer, after the same accesses to the store, as a topic that does not exist.
func TestDeniedLooksUnknown(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("OTHER-1", "other", 4711)
	th.add(th.connect("bob", bob), "OTHER-1", 1, "")
	var calls []string
	h := th.withStore(accessRecorder{th.store, &calls})
	if _, err := h.Epoch(t.Context()); err != nil { // which the hub then keeps
		t.Fatal(err)
	}
	n := 5
	for _, p := range []hub.Principal{guest, alice, acme} {
		c := th.connect("c", p)
		for action, do := range map[string]func(topic string) (any, error){
			"subscribe": func(topic string) (any, error) { return h.Subscribe(t.Context(), c, subscribeTo(topic)) },
			"get":       func(topic string) (any, error) { return h.Get(t.Context(), c, subscribeTo(topic)) },
			"stock": func(topic string) (any, error) {
				_, sku, _ := strings.Cut(topic, ":")
				return h.VendorStock(t.Context(), p, sku, hub.StockChange{Available: &n})
			},
		} {
			pairs := [][2]string{{"cart:u~bob", "cart:u~nob"}, {"vendor:other", "vendor:nobod"}}
			if action == "stock" {
				pairs = [][2]string{{"sku:OTHER-1", "sku:NOBOD-1"}}
			}
			for _, pair := range pairs {
				var answers [2]string
				for i, topic := range pair {
					calls = nil
					answer, err := do(topic)
					answers[i] = fmt.Sprintf("%s, %v after %v", mustJSON(t, answer), err, calls)
					name := topic[strings.Index(topic, ":")+1:]
					answers[i] = strings.NewReplacer(topic, "TOPIC", name, "NAME").Replace(answers[i])
				}
				if answers[0] != answers[1] {
					t.Errorf("%s of %s by %s:\n denied: %s\nunknown: %s", action, pair[0], p.User, answers[0], answers[1])
				}
			}
		}
	}
}
