package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestBadge checks the state of every kind of item, as the public and as its vendor
// see it.
func TestBadge(t *testing.T) {
	for _, tt := range []struct {
		name          string
		item          hub.Item
		public, exact string
	}{
		{"plenty", hub.Item{Available: 40}, `"state":"in"`, `"state":"in","quantity":40`},
		{"few", hub.Item{Available: 5}, `"state":"low","quantity":5`, `"state":"low","quantity":5`},
		{"none", hub.Item{}, `"state":"out"`, `"state":"out","quantity":0`},
		{"below zero", hub.Item{Available: -4}, `"state":"out"`, `"state":"out","quantity":-4`},
		{"deleted", hub.Item{Deleted: true, BackOrder: true, Untracked: true}, `"state":"out"`, `"state":"out"`},
		{"not tracked", hub.Item{Untracked: true}, `"state":"in"`, `"state":"in"`},
		{
			"not tracked, below zero", hub.Item{Untracked: true, Available: -4, BackOrder: true},
			`"state":"in"`, `"state":"in"`,
		},
		{"on back order", hub.Item{BackOrder: true}, `"state":"back"`, `"state":"back","quantity":0`},
		{
			"on back order with a date", hub.Item{BackOrder: true, Available: -4, BackAt: "2026-12-24"},
			`"state":"back","until":"2026-12-24"`, `"state":"back","quantity":-4,"until":"2026-12-24"`,
		},
		{
			"few before a back order", hub.Item{BackOrder: true, Available: 1, BackAt: "2026-12-24"},
			`"state":"low","quantity":1`, `"state":"low","quantity":1`,
		},
		{"a date without a back order", hub.Item{BackAt: "2026-12-24"}, `"state":"out"`, `"state":"out","quantity":0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.item.SKU, tt.item.Version, tt.item.LowAt = "A", 7, hub.DefaultLowAt
			for shape, want := range map[hub.Shape]string{hub.ShapeBadge: tt.public, hub.ShapeExact: tt.exact} {
				if got, want := mustJSON(t, tt.item.Badge(shape)), `{"version":7,`+want+`}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
}

func putStock(t *testing.T, th *testHub, sku string, c hub.StockChange) hub.Item {
	t.Helper()
	item, err := th.PutStock(t.Context(), sku, c)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func ptr[T any](v T) *T { return &v }

// TestBackOrdersAreSent checks that a badge on back order, and a new date of it, is
// pushed.
func TestBackOrdersAreSent(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 0)
	th.connect("c1", alice, "sku:A")
	for i, step := range []struct {
		change hub.StockChange
		want   string
	}{
		{hub.StockChange{BackOrder: ptr(true)}, `"state":"back"`},
		{hub.StockChange{BackAt: ptr("2026-12-24")}, `"state":"back","until":"2026-12-24"`},
		{hub.StockChange{BackAt: ptr("2026-12-31")}, `"state":"back","until":"2026-12-31"`},
		{hub.StockChange{Available: ptr(2)}, `"state":"low","quantity":2`},
		{hub.StockChange{Tracked: ptr(false)}, `"state":"in"`},
		{hub.StockChange{Tracked: ptr(true), BackOrder: ptr(false), Available: ptr(0)}, `"state":"out"`},
	} {
		th.changes = nil
		putStock(t, th, "A", step.change)
		th.broadcast()
		th.wantGot("c1", delta(fmt.Sprintf(`"sku:A":{"version":%d,%s}`, 2+i, step.want)))
	}
}

// TestCartIsNotClampedBeyondTheStockThatCounts checks that back orders and products
// without counted stock go into a cart without a limit but that of a line.
func TestCartIsNotClampedBeyondTheStockThatCounts(t *testing.T) {
	for name, change := range map[string]hub.StockChange{
		"on back order":           {Available: ptr(0), BackOrder: ptr(true)},
		"few before a back order": {Available: ptr(2), BackOrder: ptr(true)},
		"not tracked":             {Tracked: ptr(false)},
	} {
		for role, p := range map[string]hub.Principal{"customer": alice, "admin": admin, "vendor": acme, "guest": guest} {
			t.Run(name+" for a "+role, func(t *testing.T) {
				th := newTestHub(t)
				change.Vendor = ptr("acme")
				putStock(t, th, "A", change)
				c := th.connect("c1", p)
				if ok := th.add(c, "A", 9, ""); ok.Clamped != nil || ok.Lines["A"].Quantity != 9 {
					t.Errorf("got %s, want 9 pieces", mustJSON(t, ok))
				}
				equal(t, "clamped", th.add(c, "A", 991, "").Clamped, map[string]wire.Clamp{"A": {Wanted: 1000, Got: 999}})
			})
		}
	}
	t.Run("deleted on back order", func(t *testing.T) {
		th := newTestHub(t)
		putStock(t, th, "A", hub.StockChange{Available: ptr(0), BackOrder: ptr(true)})
		if _, err := th.DeleteStock(t.Context(), "A"); err != nil {
			t.Fatal(err)
		}
		c := th.connect("c1", alice)
		_, err := th.Add(t.Context(), c, wire.Request{Action: wire.ActionAdd, SKU: "A", Quantity: 1})
		wantCode(t, err, wire.CodeNoStock)
	})
}

// TestPutStockWithoutCountedStock checks the fields that say how an item is sold
// without stock.
func TestPutStockWithoutCountedStock(t *testing.T) {
	th := newTestHub(t)
	got := putStock(t, th, "N", hub.StockChange{Tracked: ptr(false)})
	equal(t, "new, not tracked", got, hub.Item{SKU: "N", Version: 1, LowAt: 5, Untracked: true, UpdatedAt: th.now})
	th.stock("A", 3)
	got = putStock(t, th, "A", hub.StockChange{BackOrder: ptr(true), BackAt: ptr("2026-12-24")})
	equal(t, "back order", got, hub.Item{
		SKU: "A", Version: 2, Available: 3, LowAt: 5, BackOrder: true, BackAt: "2026-12-24", UpdatedAt: th.now,
	})
	equal(t, "the same again", putStock(t, th, "A", hub.StockChange{BackOrder: ptr(true)}).Version, 2)
	for _, bad := range []string{"24.12.2026", "2026-13-01", "2026-12-24T08:00:00Z", "soon", " "} {
		if _, err := th.PutStock(t.Context(), "A", hub.StockChange{BackAt: &bad}); !errors.Is(err, hub.ErrInvalid) {
			t.Errorf("backAt %q: got %v, want %v", bad, err, hub.ErrInvalid)
		}
	}
	if _, err := th.PutStock(t.Context(), "M", hub.StockChange{Tracked: ptr(true)}); !errors.Is(err, hub.ErrInvalid) {
		t.Errorf("new and tracked, without a quantity: got %v, want %v", err, hub.ErrInvalid)
	}
	if _, err := th.DeleteStock(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	equal(t, "made again", putStock(t, th, "A", hub.StockChange{Available: ptr(0)}), hub.Item{
		SKU: "A", Version: 4, LowAt: 5, UpdatedAt: th.now,
	})
}

// unreadableCartStore is a store in which one cart cannot be read.
type unreadableCartStore struct {
	hub.Store
	id string
}

func (s unreadableCartStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if id == s.id {
		return hub.Cart{}, fmt.Errorf("%w: cart: lines: wanted a map, got a list", hub.ErrUnreadable)
	}
	return s.Store.Cart(ctx, id)
}

// TestUnreadableCartIsRefusedAlone checks that a malformed cart costs a client
// neither the other topics of a message nor the cart's later changes.
func TestUnreadableCartIsRefusedAlone(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	h := th.withStore(unreadableCartStore{th.store, bob.CartID()})
	c := th.connect("c1", bob)
	for name, ask := range map[string]func(context.Context, hub.Connection, wire.Request) (wire.Snapshot, error){
		"subscribe": h.Subscribe, "get": h.Get,
	} {
		s, err := ask(t.Context(), c, subscribeTo("cart", "sku:A"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		equal(t, name, s, wire.Snapshot{
			Epoch: "k1", Topics: map[string]wire.Value{"sku:A": wire.Badge{Version: 1, State: wire.StateIn}},
			Refused: map[string]wire.Code{"cart": wire.CodeInternal},
		})
	}
	th.changes = nil
	th.add(c, "A", 1, "") // somebody repaired the row
	th.broadcast()
	th.wantGot("c1", delta(`"cart":{"version":1,"lines":{"A":{"quantity":1,"version":1}}}`))
	if _, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1}); !errors.Is(err, hub.ErrUnreadable) {
		t.Errorf("add: got %v, want %v", err, hub.ErrUnreadable)
	}
	s, err := h.Subscribe(t.Context(), th.connect("c2", admin), subscribeTo("cart:"+bob.CartID(), "cart:u~alice"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "an admin's view", s.Refused, map[string]wire.Code{"cart:" + bob.CartID(): wire.CodeInternal})
	missed := []hub.Undelivered{{ConnectionID: "c1", Topics: []hub.Topic{
		{Kind: hub.KindCart, Name: bob.CartID()}, {Kind: hub.KindSKU, Name: "A"},
	}}}
	if err := errors.Join(th.store.MarkForRetry(t.Context(), missed, th.now)...); err != nil {
		t.Fatal(err)
	}
	th.sent = nil
	report, _, err := h.Heal(t.Context(), "")
	equal(t, "healed", report, hub.HealReport{Healed: 1})
	th.wantGot("c1", delta(`"sku:A":{"version":1,"state":"in"}`))
	if err != nil {
		t.Errorf("heal: got %v", err)
	}
}

// unreadableItem is a store in which the row of one SKU cannot be read.
type unreadableItem struct {
	hub.Store
	sku string
}

func (s unreadableItem) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	items, err := s.Store.Items(ctx, skus)
	if slices.Contains(skus, s.sku) {
		items[s.sku] = hub.Item{}
	}
	return items, err
}

// TestUnreadableItemIsDenied checks that a row that cannot be read is not sold out,
// also for a client that shows its value, and that other items are served.
func TestUnreadableItemIsDenied(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.stock("B", 9)
	h := th.withStore(unreadableItem{th.store, "A"})
	shown := wire.Badge{Version: 1, State: wire.StateIn}
	r := wire.Request{Action: wire.ActionSubscribe, Epoch: "k1", Topics: []wire.Topic{
		{Name: "sku:A", Version: 1, Shown: &shown}, {Name: "sku:B"},
	}}
	s, err := h.Subscribe(t.Context(), th.connect("c1", alice), r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "answer", s, wire.Snapshot{
		Epoch: "k1", Topics: map[string]wire.Value{"sku:B": shown},
		Refused: map[string]wire.Code{"sku:A": wire.CodeDenied},
	})
}
