package dynamostore_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// While versions of the functions run side by side, and after one is taken back, each
// reads what the other wrote. testdata/releases has the rows that earlier releases left,
// and the messages of their clients. To add those of this one:
//
//	go test ./internal/hub/dynamostore -run TestReleases -release NAME
var release = flag.String("release", "", "write the rows of this release into testdata/releases/NAME")

const releases = "testdata/releases"

// released is what a release left.
type released struct {
	Tables   map[string][]map[string]any // by the role of the table
	Messages []json.RawMessage           // from clients
}

var (
	releaseTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	releasedAnn = hub.Principal{
		User: "ann", Role: hub.RoleCustomer, Issued: releaseTime, Expires: releaseTime.Add(time.Hour),
	}
	phone = releasedConnection("phone", releasedAnn)
	tab   = releasedConnection("tab", hub.Principal{User: "guest:9f2c", Role: hub.RoleGuest})
	desk  = releasedConnection("desk", hub.Principal{User: "vic", Role: hub.RoleVendor, Vendor: "acme"})
)

func releasedConnection(id string, p hub.Principal) hub.Connection {
	return hub.Connection{
		ID: id, Principal: p, Endpoint: "a1b2c3.execute-api.eu-central-1.amazonaws.com/v1", Protocol: wire.Subprotocol,
		ConnectedAt: releaseTime,
	}
}

// answering is a hub on a store, whose posts are recorded by connection.
type answering struct {
	*hub.Hub
	t      *testing.T
	store  hub.Store
	posted map[string]string
}

func newAnswering(t *testing.T, db testDB, now time.Time) answering {
	a := answering{t: t, store: db.store(db.client), posted: map[string]string{}}
	a.Hub = hub.New(a.store, a, func() time.Time { return now })
	return a
}

// Post implements [hub.Poster].
func (a answering) Post(_ context.Context, posts []hub.Post) []error {
	for _, p := range posts {
		a.posted[p.ConnectionID] += string(p.Data)
	}
	return make([]error, len(posts))
}

// Disconnect implements [hub.Poster].
func (answering) Disconnect(context.Context, string, string) error { return nil }

// say sends a message and returns its answer.
func (a answering) say(c hub.Connection, text string) string {
	a.t.Helper()
	r, err := wire.Decode([]byte(text), false)
	if err != nil {
		a.t.Fatal(err)
	}
	var answer wire.Answer
	switch r.Action {
	case wire.ActionSubscribe:
		answer, err = a.Subscribe(a.t.Context(), c, r)
	case wire.ActionGet:
		answer, err = a.Get(a.t.Context(), c, r)
	case wire.ActionAdd:
		answer, err = a.Add(a.t.Context(), c, r)
	}
	if err != nil {
		a.t.Fatalf("%s: %v", text, err)
	}
	return string(wire.Encode(answer))
}

func (a answering) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

const (
	addTwo        = `{"action":"add","sku":"MUG","quantity":2,"key":"k1"}`
	releaseSecret = "a ticket's secret that nobody guesses"
)

// leave writes at least one row of each kind that lasts.
func (a answering) leave() {
	a.t.Helper()
	ctx := a.t.Context()
	a.must(a.store.PutItem(ctx, hub.Item{SKU: "MUG", Version: 1, Available: 40, LowAt: 5, UpdatedAt: releaseTime}, 0))
	a.must(a.store.PutItem(ctx, hub.Item{SKU: "TEE", Version: 1, Available: 9, LowAt: 5, Vendor: "acme"}, 0))
	for _, c := range []struct {
		hub.Connection
		topics string
	}{{phone, `["sku:MUG","cart"]`}, {tab, `["sku:MUG","sku:TEE"]`}, {desk, `["vendor:acme"]`}} {
		a.must(a.Connect(ctx, c.Connection))
		a.say(c.Connection, `{"action":"subscribe","topics":`+c.topics+`}`)
	}
	a.say(phone, addTwo)
	_, err := a.IssueTicket(ctx, releaseSecret, releasedAnn)
	a.must(err)
	_, err = a.Revoke(ctx, "bob")
	a.must(err)
	tee, mug := hub.Topic{Kind: hub.KindSKU, Name: "TEE"}, hub.Topic{Kind: hub.KindSKU, Name: "MUG"}
	a.must(mark(ctx, a.store, "tab", []hub.Topic{tee}, releaseTime))
	a.must(a.store.AskSweep(ctx, mug, "1000", "", releaseTime))
}

// tablesOf returns the names of the tables by their role.
func (db testDB) tablesOf() map[string]string {
	return map[string]string{
		"hub": db.options.HubTable, "inventory": db.options.InventoryTable, "cart": db.options.CartTable,
		"sweep": db.options.SweepTable,
	}
}

// TestReleases: functions of this release work with the rows of earlier ones, and
// understand their clients.
func TestReleases(t *testing.T) {
	engine(t)
	if *release != "" {
		writeRelease(t, filepath.Join(releases, *release+".json"))
	}
	files, err := filepath.Glob(filepath.Join(releases, "*.json"))
	if err != nil || len(files) < 2 {
		t.Fatalf("found %d releases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var old released
			if err := json.Unmarshal(data, &old); err != nil {
				t.Fatal(err)
			}
			db := newTestDB(t)
			for role, rows := range old.Tables {
				name := db.tablesOf()[role]
				for _, row := range rows {
					item := fromJSON(map[string]any{"M": row}).(*types.AttributeValueMemberM).Value
					if _, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, message := range old.Messages {
				if _, err := wire.Decode(message, false); err != nil {
					t.Errorf("the client says %s: %v", message, err)
				}
			}
			a := newAnswering(t, db, releaseTime.Add(20*time.Second))
			a.answersOld()
			a.broadcastsToOld()
		})
	}
}

// answersOld checks what the functions do that answer requests.
func (a answering) answersOld() {
	a.t.Helper()
	ctx := a.t.Context()
	for _, tt := range []struct{ say, want string }{
		{addTwo, `"duplicate":true`},
		{`{"action":"get","topics":"*"}`, `"cart":{`},
		{`{"action":"get","topics":["cart","sku:MUG"]}`, `"lines":{"MUG":{"quantity":2,`},
		{`{"action":"add","sku":"MUG","quantity":1}`, `"lines":{"MUG":{"quantity":3,`},
		{`{"action":"subscribe","topics":["sku:TEE"]}`, `"sku:TEE":{"version":1,"state":"in"}`},
	} {
		if got := a.say(phone, tt.say); !strings.Contains(got, tt.want) {
			a.t.Errorf("%s: got %s, want %s in it", tt.say, got, tt.want)
		}
	}
	if p, err := a.RedeemTicket(ctx, releaseSecret); err != nil || p.User != "ann" {
		a.t.Errorf("the ticket: got %+v, %v", p, err)
	}
	bob := hub.Principal{User: "bob", Role: hub.RoleCustomer, Issued: releaseTime.Add(-time.Hour)}
	if revoked, err := a.Revoked(ctx, bob); err != nil || !revoked {
		a.t.Errorf("bob is revoked: %t, %v", revoked, err)
	}
}

// broadcastsToOld checks what the broadcast function does.
func (a answering) broadcastsToOld() {
	a.t.Helper()
	ctx := a.t.Context()
	if report, _, err := a.Heal(ctx, ""); err != nil || report.Healed != 1 {
		a.t.Errorf("heal: %+v, %v", report, err)
	}
	items, err := a.store.Items(ctx, []string{"MUG", "TEE"})
	a.must(err)
	cart, err := a.store.Cart(ctx, releasedAnn.CartID())
	a.must(err)
	var changes []hub.Change
	for _, sku := range []string{"MUG", "TEE"} {
		old := items[sku]
		sold := old
		sold.Version, sold.Available = 2, 0
		a.must(a.store.PutItem(ctx, sold, 1))
		changes = append(changes, hub.Change{OldItem: &old, NewItem: &sold})
	}
	if _, err := a.Broadcast(ctx, append(changes, hub.Change{NewCart: &cart})); err != nil {
		a.t.Errorf("broadcast: %v", err)
	}
	if report, err := a.Sweep(ctx, func() bool { return true }); err != nil || report.Ended != 1 {
		a.t.Errorf("sweep: %+v, %v", report, err)
	}
	for id, want := range map[string][]string{
		"phone": {`"sku:MUG":{"version":2,`, `"cart":{"version":`},
		"tab":   {`"sku:MUG":{"version":2,`, `"sku:TEE":{"version":1,`}, // by the sweep, and healed
		"desk":  {`"sku:TEE":{"version":2,`},
	} {
		if slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(a.posted[id], w) }) {
			a.t.Errorf("%s got %s, want %s in it", id, a.posted[id], want)
		}
	}
}

// writeRelease writes what this release leaves.
func writeRelease(t *testing.T, file string) {
	t.Helper()
	db := newTestDB(t)
	newAnswering(t, db, releaseTime).leave()
	left := released{Tables: map[string][]map[string]any{}}
	for role, name := range db.tablesOf() {
		out, err := db.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range out.Items {
			row := toJSON(&types.AttributeValueMemberM{Value: item}).(map[string]any)["M"].(map[string]any)
			left.Tables[role] = append(left.Tables[role], row)
		}
	}
	messages, err := filepath.Glob("../../../testdata/protocol/*.client.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range messages {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		left.Messages = append(left.Messages, data)
	}
	data, err := json.MarshalIndent(left, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// toJSON returns a value as DynamoDB's API has it.
func toJSON(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *types.AttributeValueMemberSS:
		slices.Sort(v.Value)
		return map[string]any{"SS": v.Value}
	case *types.AttributeValueMemberM:
		m := map[string]any{}
		for name, each := range v.Value {
			m[name] = toJSON(each)
		}
		return map[string]any{"M": m}
	}
	panic("no row has such a value")
}

// fromJSON is the inverse of toJSON.
func fromJSON(v any) types.AttributeValue {
	for kind, value := range v.(map[string]any) {
		switch kind {
		case "S":
			return &types.AttributeValueMemberS{Value: value.(string)}
		case "N":
			return &types.AttributeValueMemberN{Value: value.(string)}
		case "BOOL":
			return &types.AttributeValueMemberBOOL{Value: value.(bool)}
		case "B":
			data, err := base64.StdEncoding.DecodeString(value.(string))
			if err != nil {
				panic(err)
			}
			return &types.AttributeValueMemberB{Value: data}
		case "SS":
			var set []string
			for _, each := range value.([]any) {
				set = append(set, each.(string))
			}
			return &types.AttributeValueMemberSS{Value: set}
		case "M":
			m := map[string]types.AttributeValue{}
			for name, each := range value.(map[string]any) {
				m[name] = fromJSON(each)
			}
			return &types.AttributeValueMemberM{Value: m}
		}
	}
	panic("no row has such a value")
}
