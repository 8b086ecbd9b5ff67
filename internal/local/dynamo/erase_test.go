package dynamo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// TestErasedUsersLeaveNothing lets a customer with two devices and a guest fill their
// carts, erases both, and reads all tables and all that was logged: nothing names the
// two, their connections, or what was in their carts, but the documented hashes. Logs
// have ids of connections, as documented. It runs with the functions' executables, which
// keep connections in the hub table and write metrics to their output, and with the
// handlers in this process.
func TestErasedUsersLeaveNothing(t *testing.T) {
	for name, functions := range map[string]func(*testing.T, *functionOutput) house.Functions{
		"bootstraps": func(t *testing.T, o *functionOutput) house.Functions {
			return house.Functions{BootstrapDir: bootstraps(t), Output: o}
		},
		"in process": func(*testing.T, *functionOutput) house.Functions { return house.Functions{} },
	} {
		t.Run(name, func(t *testing.T) {
			var output, log functionOutput
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			e := eraseTest{t: t, output: &output, log: &log}
			e.testHouse = openHouse(t, house.Options{
				Functions: functions(t, &output), Log: slog.New(slog.NewJSONHandler(&log, nil)),
			})
			e.useCarts(ctx)
			e.wantTables(ctx, true)
			for _, path := range []string{"/v1/users/", "/admin/users/"} { // as operators, and by the function's event
				e.erase(path, "mark-alice")
				e.erase(path, e.guest)
			}
			for _, c := range e.clients {
				for range c.answers { // until the connection has ended
				}
			}
			e.awaitDisconnects(ctx)
			e.wantTables(ctx, false)
			e.wantLogs()
			e.wantHashes(ctx, name == "bootstraps")
			e.bystander.request(ctx, "add BESIDE 1", "ok")
		})
	}
}

// eraseTest is one run of TestErasedUsersLeaveNothing.
type eraseTest struct {
	*testHouse
	t           *testing.T
	output, log *functionOutput // of the functions, and of the house

	clients     []*client
	bystander   *client
	guest       string // the guest's user
	connections []string
}

func (e *eraseTest) useCarts(ctx context.Context) {
	e.setStock(ctx, "mark-sku", 50)
	e.setStock(ctx, "BESIDE", 50)
	for _, user := range []string{"mark-alice", "mark-alice", ""} {
		e.clients = append(e.clients, e.connect(ctx, user, []string{"mark-sku", "BESIDE"}))
	}
	var open struct {
		Connections []struct{ ConnectionID, User string }
	}
	if err := json.Unmarshal(e.admin("GET", "/admin/connections", http.StatusOK), &open); err != nil {
		e.t.Fatal(err)
	}
	for _, c := range open.Connections {
		e.connections = append(e.connections, c.ConnectionID)
		if strings.HasPrefix(c.User, hub.GuestUserPrefix) {
			e.guest = c.User
		}
	}
	if len(e.connections) != 3 || e.guest == "" {
		e.t.Fatalf("got connections %v", open)
	}
	for _, c := range e.clients {
		c.request(ctx, "add mark-sku 3 key=mark-key", "")
		c.request(ctx, "set mark-sku 2", "ok")
	}
	e.bystander = e.connect(ctx, "bystander", []string{"BESIDE"})
	e.bystander.request(ctx, "add BESIDE 2 key=k", "ok")
}

func (e *eraseTest) erase(path, user string) {
	e.t.Helper()
	e.admin("DELETE", path+user, http.StatusNoContent)
}

// admin sends a request to the admin API and returns the answer.
func (e *eraseTest) admin(method, path string, status int) []byte {
	e.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8788"+path, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	e.Admin().ServeHTTP(rec, r)
	if rec.Code != status {
		e.t.Fatalf("%s %s: got %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// scan returns all rows of a table.
func (e *eraseTest) scan(ctx context.Context, table string) []map[string]types.AttributeValue {
	e.t.Helper()
	var rows []map[string]types.AttributeValue
	in := dynamodb.ScanInput{TableName: &table}
	for pages := dynamodb.NewScanPaginator(newShopClient(e.endpoint), &in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			e.t.Fatal(err)
		}
		rows = append(rows, page.Items...)
	}
	return rows
}

// people are the texts that name the customer, the guest, and what they did.
func (e *eraseTest) people() []string {
	return []string{"mark-alice", strings.TrimPrefix(e.guest, hub.GuestUserPrefix), "mark-key"}
}

// awaitDisconnects waits until the $disconnect of each connection has run: it follows the end
// of the connection.
func (e *eraseTest) awaitDisconnects(ctx context.Context) {
	e.t.Helper()
	for _, id := range e.connections {
		for strings.Contains(e.text(e.scan(ctx, e.testHouse.names.HubTable)), id) {
			if ctx.Err() != nil {
				e.t.Fatalf("the tables still have the connection %s", id)
			}
		}
	}
}

// wantTables fails unless the tables have all of the names, or none. The item is the
// shop's, so its own table has its name.
func (e *eraseTest) wantTables(ctx context.Context, there bool) {
	e.t.Helper()
	ours := e.text(e.scan(ctx, e.testHouse.names.HubTable)) + e.text(e.scan(ctx, e.testHouse.names.CartTable))
	all := ours + e.text(e.scan(ctx, e.testHouse.names.InventoryTable))
	for _, name := range e.people() {
		if strings.Contains(all, name) != there {
			e.t.Errorf("the tables have %s: %t, want %t", name, !there, there)
		}
	}
	if strings.Contains(ours, "mark-sku") != there {
		e.t.Errorf("the tables have what was in the carts: %t, want %t", !there, there)
	}
	for _, id := range e.connections {
		if !there && strings.Contains(all, id) {
			e.t.Errorf("the tables have the connection %s", id)
		}
	}
}

// text returns rows as JSON, binary data as it is.
func (e *eraseTest) text(rows []map[string]types.AttributeValue) string {
	var all strings.Builder
	for _, row := range rows {
		for _, value := range row {
			if b, ok := value.(*types.AttributeValueMemberB); ok {
				all.Write(b.Value)
			}
		}
		data, err := json.Marshal(row)
		if err != nil {
			e.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// wantLogs fails if a line of the house or of a function has one of the names. Metrics
// are lines of the functions.
func (e *eraseTest) wantLogs() {
	e.t.Helper()
	for where, o := range map[string]*functionOutput{"the functions": e.output, "the house": e.log} {
		for _, name := range append(e.people(), "mark-sku") {
			if text := o.String(); strings.Contains(text, name) {
				e.t.Errorf("the log of %s has %s: %s", where, name, text)
			}
		}
	}
	if text := e.output.String() + e.log.String(); !strings.Contains(text, `"msg":"erased"`) {
		e.t.Errorf("no log mentions the erasure: %s", text)
	}
	if metrics := e.admin("GET", "/metrics", http.StatusOK); len(metrics) == 0 ||
		slices.ContainsFunc(e.people(), func(name string) bool { return bytes.Contains(metrics, []byte(name)) }) {
		e.t.Errorf("got metrics %s, want some without names", metrics)
	}
}

// wantHashes fails unless the hub table has the rows that docs/operations.md lists, with
// nothing but a time.
func (e *eraseTest) wantHashes(ctx context.Context, connectionsInTable bool) {
	e.t.Helper()
	want := map[string]string{}
	for _, id := range []string{"u~mark-alice", "g~" + strings.TrimPrefix(e.guest, hub.GuestUserPrefix)} {
		want["R#"+hub.NameHash(id)] = "expires pk revoked sk"
	}
	for _, id := range e.connections {
		if connectionsInTable {
			want["C#"+hub.NameHash(id)] = "expires pk sk"
		}
	}
	for _, row := range e.scan(ctx, e.testHouse.names.HubTable) {
		pk := row["pk"].(*types.AttributeValueMemberS).Value
		if attributes, ok := want[pk]; ok {
			delete(want, pk)
			got := strings.Join(slices.Sorted(maps.Keys(row)), " ")
			if got != attributes {
				e.t.Errorf("%s has the attributes %s, want %s", pk, got, attributes)
			}
		}
	}
	if len(want) > 0 {
		e.t.Errorf("the hub table does not have %v", want)
	}
}
