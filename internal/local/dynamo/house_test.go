package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/table"
)

// testHouse is a hub with a DynamoDB engine and its streams, of a shop that has its
// own names for attributes. Functions reach it over HTTP: for posts, and for the
// keys of its issuer.
type testHouse struct {
	*house.House
	t        testing.TB
	endpoint string
	names    dynamostore.Options
	tables   *dynamo.Tables
}

func openHouse(t testing.TB, o house.Options) *testHouse {
	t.Helper()
	return openHouseOn(t, o, func(tables *dynamo.Tables) house.Tables { return tables })
}

// openHouseOn opens a house on tables that wrap changes.
func openHouseOn(t testing.TB, o house.Options, wrap func(*dynamo.Tables) house.Tables) *testHouse {
	t.Helper()
	h := &testHouse{t: t, endpoint: engine(t), names: newNames()}
	h.names.Layout.Inventory = table.Names{
		table.AttrSKU: "productId", table.AttrAvailable: "stock", table.AttrVersion: "rev",
	}
	h.names.Layout.Cart = table.Names{table.AttrCart: "id"}
	o.Rows.Layout = h.names.Layout
	h.tables = openTables(t, dynamo.Options{Endpoint: h.endpoint, Names: h.names, Create: true})
	var public, admin http.Handler // known before the first request
	sockets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public.ServeHTTP(w, r)
	}))
	t.Cleanup(sockets.Close)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		admin.ServeHTTP(w, r)
	}))
	t.Cleanup(issuer.Close)
	o.Rows.Tables, o.Functions.CallbackURL, o.Admin.URL = wrap(h.tables), sockets.URL+"/v1", issuer.URL
	var err error
	if h.House, err = house.New(o); err != nil {
		t.Fatal(err)
	}
	public, admin = h.House, h.Admin()
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// load is how much TestHouse does. Clients are a multiple of four times the users.
type load struct {
	clients int
	users   int // with four clients each
	skus    int
	watched int // SKUs that each client watches
	stock   int // changes of stock
	carts   int // changes of carts
}

// houseLoad is the full load where tools are required, as .ci/run does, and one
// that takes a second or two otherwise.
func houseLoad() load {
	if os.Getenv(dynamotest.ToolsVariable) == "required" {
		return load{clients: 200, users: 50, skus: 20, watched: 5, stock: 2_000, carts: 500}
	}
	return load{clients: 40, users: 10, skus: 20, watched: 5, stock: 200, carts: 50}
}

// TestHouse runs the house with the functions' executables, as in AWS. Many clients
// watch many changes of stock and carts, and in the end every client shows the
// newest state of all that it watches. The load is 200 clients and 2500 changes if
// HUB_TEST_TOOLS is "required", and a fifth of the clients with a tenth of the
// changes otherwise.
func TestHouse(t *testing.T) {
	load := houseLoad()
	var output functionOutput
	t.Cleanup(func() { // after the functions have ended
		if !t.Failed() && !t.Skipped() {
			output.check(t, load)
		}
	})
	h := openHouse(t, house.Options{Functions: house.Functions{BootstrapDir: bootstraps(t), Output: &output}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for i := range load.skus {
		h.setStock(ctx, fmt.Sprint("S", i), 50)
		h.setStock(ctx, fmt.Sprint("P", i), 1_000) // what carts take
	}
	clients := h.connectClients(ctx, load)
	if t.Failed() {
		t.FailNow()
	}
	began := time.Now()
	var writing sync.WaitGroup
	for part := range 4 {
		writing.Go(func() {
			for n := part; n < load.stock; n += 4 {
				h.setStock(ctx, fmt.Sprint("S", n%load.skus), (n*7)%11)
			}
		})
		writing.Go(func() {
			for n := part; n < load.carts; n += 4 {
				c := clients[n%load.clients/4*4+part] // each client is used by one part
				c.request(ctx, fmt.Sprintf("set P%d %d key=k%d", n%load.skus, n%3, n), "ok")
			}
		})
	}
	writing.Wait()
	written := time.Since(began)
	// Every item ends at a quantity that badges show, so that its last change reaches
	// everybody.
	for i := range load.skus {
		h.setStock(ctx, fmt.Sprint("S", i), 1+i%5)
	}
	h.checkClients(ctx, load, clients)
	t.Logf("%d changes of stock and %d of carts written in %s, all %d clients up to date after %s", load.stock,
		load.carts, written.Round(time.Millisecond), load.clients, time.Since(began).Round(time.Millisecond))
	for _, c := range clients {
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	}
}

// connectClients connects all clients, four at a time.
func (h *testHouse) connectClients(ctx context.Context, load load) []*client {
	clients := make([]*client, load.clients)
	var connecting sync.WaitGroup
	for part := range 4 {
		connecting.Go(func() {
			for i := part; i < load.clients; i += 4 {
				var skus []string
				for n := range load.watched {
					skus = append(skus, fmt.Sprint("S", (i+n*3)%load.skus))
				}
				clients[i] = h.connect(ctx, fmt.Sprint("user", i%load.users), skus)
			}
		})
	}
	connecting.Wait()
	return clients
}

// setStock sets the stock of an item. Others change the same item at the same time.
func (h *testHouse) setStock(ctx context.Context, sku string, available int) {
	for range 50 {
		_, err := h.Hub().PutStock(ctx, sku, hub.StockChange{Available: &available})
		if err == nil {
			return
		}
		if !errors.Is(err, hub.ErrConflict) {
			h.t.Error(err)
			return
		}
	}
	h.t.Errorf("%s: 50 conflicts in a row", sku)
}

// checkClients waits until every client shows what is stored.
func (h *testHouse) checkClients(ctx context.Context, load load, clients []*client) {
	var skus []string
	for i := range load.skus {
		skus = append(skus, fmt.Sprint("S", i))
	}
	items, err := h.tables.Items(ctx, skus)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, c := range clients {
		cart, err := h.tables.Cart(ctx, "u~"+fmt.Sprint("user", i%load.users))
		if err != nil {
			h.t.Fatal(err)
		}
		lines := map[string]int{}
		for sku, l := range cart.Lines {
			if l.Quantity > 0 {
				lines[sku] = l.Quantity
			}
		}
		c.waitFor(ctx, func() (problem string) {
			for sku, got := range c.badges {
				want := items[sku].Badge(hub.ShapeBadge)
				if got.State != want.State || got.Quantity != nil && want.Quantity != nil && *got.Quantity != *want.Quantity {
					return fmt.Sprintf("client %d shows %s as %+v, want %+v", i, sku, got, want)
				}
			}
			if c.version != cart.Version || fmt.Sprint(c.lines) != fmt.Sprint(lines) {
				return fmt.Sprintf("client %d shows cart version %d %v, want version %d %v",
					i, c.version, c.lines, cart.Version, lines)
			}
			return ""
		})
	}
}
