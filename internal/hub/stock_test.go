package hub_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func TestPutStock(t *testing.T) {
	n := func(n int) *int { return &n }
	v := func(n int64) *int64 { return &n }
	s := func(s string) *string { return &s }
	for name, tt := range map[string]struct {
		sku    string
		change hub.StockChange
		want   hub.Item // of A, which is at version 1 with 10 pieces
		err    error
	}{
		"new quantity":      {"A", hub.StockChange{Available: n(3)}, hub.Item{Version: 2, Available: 3}, nil},
		"same quantity":     {"A", hub.StockChange{Available: n(10)}, hub.Item{Version: 1, Available: 10}, nil},
		"fewer":             {"A", hub.StockChange{Add: n(-10)}, hub.Item{Version: 2, Available: 0}, nil},
		"more":              {"A", hub.StockChange{Add: n(5)}, hub.Item{Version: 2, Available: 15}, nil},
		"negative quantity": {"A", hub.StockChange{Available: n(-1)}, hub.Item{}, hub.ErrInvalid},
		"huge quantity":     {"A", hub.StockChange{Available: n(hub.MaxAvailable + 1)}, hub.Item{}, hub.ErrInvalid},
		"huge addition":     {"A", hub.StockChange{Add: n(1 << 62)}, hub.Item{}, hub.ErrInvalid},
		"both":              {"A", hub.StockChange{Available: n(1), Add: n(1)}, hub.Item{}, hub.ErrInvalid},
		"given version": {"A", hub.StockChange{Available: n(3), Version: v(1)},
			hub.Item{Version: 2, Available: 3}, nil},
		"other version":             {"A", hub.StockChange{Available: n(3), Version: v(2)}, hub.Item{}, hub.ErrConflict},
		"only if new":               {"A", hub.StockChange{Available: n(3), Version: v(0)}, hub.Item{}, hub.ErrConflict},
		"bad threshold":             {"A", hub.StockChange{LowAt: n(-1)}, hub.Item{}, hub.ErrInvalid},
		"bad vendor":                {"A", hub.StockChange{Vendor: s("a\tb")}, hub.Item{}, hub.ErrInvalid},
		"new item":                  {"N", hub.StockChange{Available: n(3)}, hub.Item{Version: 1, Available: 3}, nil},
		"new item without quantity": {"N", hub.StockChange{LowAt: n(3)}, hub.Item{}, hub.ErrInvalid},
		"bad SKU":                   {"a ", hub.StockChange{Available: n(3)}, hub.Item{}, hub.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			th := newTestHub(t)
			th.stock("A", 10)
			th.changes = nil
			got, err := th.PutStock(t.Context(), tt.sku, tt.change)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("got error %v, want %v", err, tt.err)
			}
			if err != nil {
				equal(t, "changes", len(th.changes), 0)
				return
			}
			if got.Version != tt.want.Version || got.Available != tt.want.Available || got.LowAt != hub.DefaultLowAt {
				t.Errorf("got %+v, want version %d, available %d, lowAt %d", got, tt.want.Version, tt.want.Available,
					hub.DefaultLowAt)
			}
		})
	}
}

// TestStockIsNeverBelowZero checks that taking more than there is is not a malformed
// request: the same request can succeed later.
func TestStockIsNeverBelowZero(t *testing.T) {
	for _, available := range []int{0, 10} {
		th := newTestHub(t)
		th.vendorStock("A", "acme", available)
		th.changes = nil
		more := -available - 1
		_, err := th.PutStock(t.Context(), "A", hub.StockChange{Add: &more})
		wantCode(t, err, wire.CodeNoStock)
		_, err = th.VendorStock(t.Context(), acme, "A", hub.StockChange{Add: &more})
		wantCode(t, err, wire.CodeNoStock)
		equal(t, "changes", len(th.changes), 0)
	}
}

// TestStockOfTheShop checks changes of items that only a shop writes: with a quantity
// below zero, or with a stock that is not tracked.
func TestStockOfTheShop(t *testing.T) {
	n := func(n int) *int { return &n }
	yes := true
	short := hub.Item{SKU: "RED CAP", Version: 3, Available: -4, LowAt: 5}
	onOrder, untracked := short, hub.Item{SKU: "RED CAP", Version: 3, Available: 2, LowAt: 5, Untracked: true}
	onOrder.BackOrder = true
	for _, tt := range []struct {
		name    string
		item    hub.Item
		change  hub.StockChange
		want    int // available
		code    wire.Code
		message string
	}{
		{"one more on back order", onOrder, hub.StockChange{Add: n(1)}, -3, "", ""},
		{"one more of what is short", short, hub.StockChange{Add: n(1)}, -3, "", ""},
		{"above zero again", short, hub.StockChange{Add: n(10)}, 6, "", ""},
		{"another threshold", short, hub.StockChange{LowAt: n(2)}, -4, "", ""},
		{"fewer of what is short", onOrder, hub.StockChange{Add: n(-1)}, 0, wire.CodeNoStock,
			`only 0 pieces are left, and "add" takes 1 away`},
		{"set below zero", short, hub.StockChange{Available: n(-3)}, 0, wire.CodeBadField,
			`"available" must be a number from 0 to 1000000000, this would be -3`},
		{"add to what is not tracked", untracked, hub.StockChange{Add: n(1)}, 0, wire.CodeBadField,
			`the stock of "RED CAP" is not tracked; set "tracked" and "available"`},
		{"add and track from now on", untracked, hub.StockChange{Add: n(1), Tracked: &yes}, 0, wire.CodeBadField,
			`the stock of "RED CAP" is not tracked; set "tracked" and "available"`},
		{"add and track no more", short, hub.StockChange{Add: n(1), Tracked: new(bool)}, 0, wire.CodeBadField,
			`the stock of "RED CAP" is not tracked; set "tracked" and "available"`},
		{"set and track from now on", untracked, hub.StockChange{Available: n(7), Tracked: &yes}, 7, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			if err := th.store.PutItem(t.Context(), tt.item, 0); err != nil {
				t.Fatal(err)
			}
			got, err := th.PutStock(t.Context(), tt.item.SKU, tt.change)
			if tt.code != "" {
				equal(t, "message", wantCode(t, err, tt.code).Message, tt.message)
				return
			}
			if err != nil || got.Available != tt.want {
				t.Errorf("got %d, %v, want %d", got.Available, err, tt.want)
			}
		})
	}
}

func TestDeleteStock(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 10)
	if _, err := th.DeleteStock(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	if _, err := th.DeleteStock(t.Context(), "A"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("second delete: got %v, want ErrGone", err)
	}
	if _, err := th.Stock(t.Context(), "A"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("read: got %v, want ErrGone", err)
	}
	item := th.stock("A", 4)
	equal(t, "created again", []any{item.Version, item.Vendor}, []any{3, ""})
}

func TestParseTopic(t *testing.T) {
	good, bad := testNames(t)
	topics := []string{"sku:A", "sku:TEE-RED.M_1~x", "cart:u~alice", "vendor:acme", "sku:A:B", "sku:a b", "sku:ä"}
	for _, name := range good {
		topics = append(topics, "sku:"+name, "vendor:"+name)
	}
	for _, good := range topics {
		topic, err := hub.ParseTopic(good)
		if err != nil || topic.String() != good {
			t.Errorf("%s: got %v, %v", good, topic, err)
		}
	}
	topics = []string{"", "sku", "sku:", "cart", ":A", "SKU:A", "list:A", " sku:A", "sku:A\n", "cart:a b", "cart:ä",
		"cart:a:b", "cart:" + strings.Repeat("c", wire.MaxSafeName+1)}
	for _, name := range bad {
		topics = append(topics, "sku:"+name, "vendor:"+name, "cart:"+name)
	}
	for _, bad := range topics {
		if topic, err := hub.ParseTopic(bad); !errors.Is(err, hub.ErrInvalid) {
			t.Errorf("%q: got %v, %v, want ErrInvalid", bad, topic, err)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, seed := range []string{"sku:A", "cart", "cart:u~alice", "vendor:", "sku:\x00", "sku:A:B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		topic, err := hub.ParseTopic(s)
		if err != nil {
			if topic != (hub.Topic{}) || !errors.Is(err, hub.ErrInvalid) {
				t.Errorf("got %v with error %v", topic, err)
			}
			return
		}
		if topic.String() != s || !wire.IsName(topic.Name) || topic.Kind == hub.KindCart && !wire.IsSafeName(topic.Name) {
			t.Errorf("%q became %q", s, topic)
		}
	})
}
