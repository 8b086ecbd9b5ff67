package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	houseClients = 200
	houseUsers   = 50 // four devices each
	houseSKUs    = 20
	houseWatches = 5 // SKUs each client watches
	houseStock   = 2_000
	houseCarts   = 500
)

// engine is a DynamoDB of the test's own, or the one that the environment names.
func engine(t testing.TB) (endpoint string) {
	t.Helper()
	endpoint, stop, err := dynamotest.Start("../../..", os.Getenv)
	switch {
	case dynamotest.MaySkip(err, os.Getenv):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return endpoint
}

// names are tables that nobody else uses.
func names() dynamostore.Options {
	prefix := "house-" + rand.Text()[:8] + "-"
	return dynamostore.Options{HubTable: prefix + "hub", InventoryTable: prefix + "inventory", CartTable: prefix + "carts"}
}

func tables(t testing.TB, o dynamo.Options) *dynamo.Tables {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	tables, err := dynamo.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tables.Close)
	return tables
}

// build builds the bootstraps as `make build` does, for this machine.
func build(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range []string{"connect", "disconnect", "message", "authorize", "broadcast", "ticket"} {
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", filepath.Join(dir, f, "bootstrap"), "./"+f)
		cmd.Dir, cmd.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", f, err, out)
		}
	}
	return dir
}

// realHouse is the hub with a real DynamoDB and its streams, of a shop that has names
// of its own for attributes. Functions reach it over
// HTTP: for posts, and for the keys of its issuer.
type realHouse struct {
	*house.House
	t        testing.TB
	endpoint string
	names    dynamostore.Options
	tables   *dynamo.Tables
}

func openHouse(t testing.TB, o house.Options) *realHouse {
	t.Helper()
	h := &realHouse{t: t, endpoint: engine(t), names: names()}
	h.names.Layout.Inventory = table.Names{table.AttrSKU: "productId", table.AttrAvailable: "stock", table.AttrVersion: "rev"}
	h.names.Layout.Cart = table.Names{table.AttrCart: "id"}
	o.Rows.Layout = h.names.Layout
	h.tables = tables(t, dynamo.Options{Endpoint: h.endpoint, Names: h.names, Create: true})
	var public, admin http.Handler // known before the first request
	sockets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { public.ServeHTTP(w, r) }))
	t.Cleanup(sockets.Close)
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { admin.ServeHTTP(w, r) }))
	t.Cleanup(issuer.Close)
	o.Rows.Tables, o.Functions.CallbackURL, o.Admin.URL = h.tables, sockets.URL+"/v1", issuer.URL
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

// TestHouse runs the house as it is in AWS, with real bootstraps, 200 clients,
// 2 000 changes of stock and 500 of carts, and every client ends with the newest
// of all it watches.
func TestHouse(t *testing.T) {
	var out output
	t.Cleanup(func() { // when the functions have ended
		if !t.Failed() && !t.Skipped() {
			out.judge(t)
		}
	})
	h := openHouse(t, house.Options{Functions: house.Functions{Build: build(t), Output: &out}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for i := range houseSKUs {
		h.setStock(ctx, fmt.Sprint("S", i), 50)
		h.setStock(ctx, fmt.Sprint("P", i), 1_000) // what carts take
	}
	devices := make([]*device, houseClients)
	var opening sync.WaitGroup
	for part := range 4 {
		opening.Go(func() {
			for i := part; i < houseClients; i += 4 {
				var skus []string
				for w := range houseWatches {
					skus = append(skus, fmt.Sprint("S", (i+w*3)%houseSKUs))
				}
				devices[i] = h.device(ctx, fmt.Sprint("user", i%houseUsers), skus)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	began := time.Now()
	var writing sync.WaitGroup
	for part := range 4 {
		writing.Go(func() {
			for n := part; n < houseStock; n += 4 {
				h.setStock(ctx, fmt.Sprint("S", n%houseSKUs), (n*7)%11)
			}
		})
		writing.Go(func() {
			for n := part; n < houseCarts; n += 4 {
				d := devices[n%houseClients/4*4+part] // each device is used by one part
				d.ask(ctx, fmt.Sprintf("set P%d %d key=k%d", n%houseSKUs, n%3, n), "ok")
			}
		})
	}
	writing.Wait()
	written := time.Since(began)
	h.setStockAll(ctx)
	h.judge(ctx, devices)
	t.Logf("%d changes of stock and %d of carts written in %s, all %d clients right after %s",
		houseStock, houseCarts, written.Round(time.Millisecond), houseClients, time.Since(began).Round(time.Millisecond))
	for _, d := range devices {
		_ = d.conn.Close(websocket.StatusNormalClosure, "")
	}
}

func (h *realHouse) setStock(ctx context.Context, sku string, available int) {
	// Others change the same item; that is the point.
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
	h.t.Errorf("%s: fifty conflicts", sku)
}

// setStockAll leaves every item at a figure that shows, so that the last change is
// one that everybody is told of.
func (h *realHouse) setStockAll(ctx context.Context) {
	for i := range houseSKUs {
		h.setStock(ctx, fmt.Sprint("S", i), 1+i%5)
	}
}

// judge compares every screen with what is stored.
func (h *realHouse) judge(ctx context.Context, devices []*device) {
	var skus []string
	for i := range houseSKUs {
		skus = append(skus, fmt.Sprint("S", i))
	}
	items, err := h.tables.Items(ctx, skus)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, d := range devices {
		cart, err := h.tables.Cart(ctx, "u~"+fmt.Sprint("user", i%houseUsers))
		if err != nil {
			h.t.Fatal(err)
		}
		lines := map[string]int{}
		for sku, l := range cart.Lines {
			if l.Quantity > 0 {
				lines[sku] = l.Quantity
			}
		}
		d.shows(ctx, func() string {
			for sku, got := range d.badges {
				if want := items[sku].Badge(hub.ShapeBadge); got.State != want.State || got.Quantity != nil && want.Quantity != nil && *got.Quantity != *want.Quantity {
					return fmt.Sprintf("client %d shows %s as %+v, it is %+v", i, sku, got, want)
				}
			}
			if d.version != cart.Version || fmt.Sprint(d.lines) != fmt.Sprint(lines) {
				return fmt.Sprintf("client %d shows cart %d %v, it is %d %v", i, d.version, d.lines, cart.Version, lines)
			}
			return ""
		})
	}
}
