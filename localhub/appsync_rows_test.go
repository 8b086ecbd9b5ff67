package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// oddValues are values of an attribute, as DynamoDB has them: each type, and the numbers and
// texts at which something changes.
var oddValues = []string{
	`{"NULL":true}`, `{"BOOL":true}`, `{"BOOL":false}`, `{"L":[]}`, `{"L":[{"N":"4"}]}`, `{"M":{}}`, `{"SS":["4"]}`,
	`{"NS":["4"]}`, `{"B":"AAAA"}`, `{"S":""}`, `{"S":"no"}`, `{"S":"4"}`, `{"N":"0"}`, `{"N":"1"}`, `{"N":"-1"}`,
	`{"N":"3"}`, `{"N":"4"}`, `{"N":"5"}`, `{"N":"6"}`, `{"N":"1.5"}`, `{"N":"999"}`, `{"N":"1000"}`,
	`{"N":"1000000000"}`, `{"N":"1000000001"}`, `{"N":"-1000000000"}`, `{"N":"-1000000001"}`,
	`{"N":"9007199254740991"}`, `{"N":"9007199254740992"}`, `{"N":"9007199254740993"}`,
	`{"S":"2026-12-24"}`, `{"S":"2026-12-24T18Z"}`, `{"S":"2026-12-24 18Z"}`, `{"S":"2026-02-29"}`, `{"S":"2028-02-29"}`,
	`{"S":"2100-02-29T"}`, `{"S":"2000-02-29"}`, `{"S":"2026-04-31"}`, `{"S":"2026-13-01"}`, `{"S":"2026-1-01"}`,
	`{"S":"T2026-12-24"}`,
}

// oddRows returns rows with each attribute missing and with each odd value of it, beside
// right values of the others, by their names.
func oddRows(bases map[string]string, attributes ...string) map[string]string {
	rows := maps.Clone(bases)
	for name, base := range bases {
		for _, attribute := range attributes {
			var row map[string]json.RawMessage
			if err := json.Unmarshal([]byte("{"+base+"}"), &row); err != nil {
				panic(err)
			}
			for i, value := range append(oddValues, "") {
				if row[attribute] = json.RawMessage(value); value == "" {
					delete(row, attribute)
				}
				text, err := json.Marshal(row)
				if err != nil {
					panic(err)
				}
				rows[fmt.Sprintf("%s-%s-%d", name, attribute, i)] = string(text[1 : len(text)-1])
			}
		}
	}
	return rows
}

// stockRows are rows of the inventory as shops write them, right and wrong, without their key.
func stockRows() map[string]string {
	const version = `"version":{"N":"7"}`
	return oddRows(map[string]string{
		"PLENTY":    `"available":{"N":"9"},` + version,
		"FEW":       `"available":{"N":"4"},"lowAt":{"N":"4"},` + version,
		"NONE":      `"available":{"N":"0"},` + version,
		"BACK":      `"available":{"N":"-3"},"backorder":{"BOOL":true},"backAt":{"S":"2026-12-24"},` + version,
		"UNTRACKED": `"tracked":{"BOOL":false},` + version,
		"DELETED":   `"deleted":{"BOOL":true},` + version,
	}, "version", "available", "lowAt", "deleted", "tracked", "backorder", "backAt", "vendor", "updatedAt")
}

func testAppSyncStock(t *testing.T, api *appSync, hub *instance, table chatTable) {
	rows := stockRows()
	skus := slices.Sorted(maps.Keys(rows))
	putRows(t, table, "securecart-inventory", "sku", "", rows)
	states := map[any]int{}
	count := func(badge map[string]any) { states[badge["state"]]++ }
	for chunk := range slices.Chunk(skus, 97) {
		compareStock(t, api, hub, append(chunk, "TEE-RED-M", "NOBODY-HAS-IT", chunk[0]), count, rows)
	}
	for _, state := range []any{"in", "low", "out", "back", nil} {
		if states[state] < 40 {
			t.Errorf("%d badges are %v, so too few were compared: %v", states[state], state, states)
		}
	}
	for query, problem := range map[string]string{
		`{stock(skus: []) {sku}}`: "ask for 1 to 100 SKUs",
		`{stock(skus: ["` + strings.Repeat(`A","`, 100) + `B"]) {sku}}`: "ask for 1 to 100 SKUs",
	} {
		if got := api.ask(t, nil, query); len(got.Requests) != 0 || !slices.Equal(got.Errors, []string{problem}) {
			t.Errorf("%.40s: got %q, %v, want %q", query, got.Errors, got.Requests, problem)
		}
	}
}

// testAppSyncNames: a SKU that the hub does not take is null, and costs no other one its badge.
func testAppSyncNames(t *testing.T, api *appSync, hub *instance, table chatTable) {
	const row = `"available":{"N":"9"},"version":{"N":"1"}`
	rows := map[string]string{}
	for _, sku := range []string{"RED CAP", "Größe 42", "茶", "a/b?c=d&e", "__proto__", `"quoted\"`, "👟",
		strings.Repeat("A", 128), strings.Repeat("é", 64)} {
		rows[sku] = row
	}
	good := len(rows)
	for _, sku := range []string{" A", "A ", "tab\there", "line\n", "zero\u200bwidth", "no\u00a0break",
		strings.Repeat("A", 129), strings.Repeat("é", 64) + "A"} {
		rows[sku] = row
	}
	putRows(t, table, "securecart-inventory", "sku", "", rows)
	skus := append(slices.Sorted(maps.Keys(rows)), "", strings.Repeat("A", 3_000)) // no table has these two
	seen := 0
	compareStock(t, api, hub, skus, func(badge map[string]any) {
		if badge != nil {
			seen++
		}
	}, rows)
	if seen != good {
		t.Errorf("got %d badges, want %d", seen, good)
	}
	got := api.ask(t, nil, `{stock(skus: ["", " "]) {sku}}`)
	if len(got.Errors) > 0 || len(got.Requests) > 0 || !reflect.DeepEqual(got.Data.Stock, []map[string]any{nil, nil}) {
		t.Errorf("two SKUs that are none: got %+v, want two that are null, and no request", got)
	}
}

// compareStock asks the example and the hub for SKUs, and compares each badge. seen gets them.
func compareStock(t *testing.T, api *appSync, hub *instance, skus []string, seen func(map[string]any),
	rows map[string]string) {
	t.Helper()
	var want struct{ Topics map[string]map[string]any }
	if status := hub.getJSON(t, "/stock?"+url.Values{"sku": skus}.Encode(), "", &want); status != http.StatusOK {
		t.Fatalf("the hub answers %d to %q", status, skus)
	}
	list, _ := json.Marshal(skus)
	got := api.ask(t, nil, `{stock(skus: `+string(list)+`) {sku version state quantity until}}`)
	if len(got.Errors) > 0 || len(got.Data.Stock) != len(skus) {
		t.Fatalf("got %d badges, %v, want %d", len(got.Data.Stock), got.Errors, len(skus))
	}
	for i, sku := range skus {
		badge := got.Data.Stock[i]
		if badge != nil && badge["sku"] != sku {
			t.Errorf("badge %d is of %v, want %s", i, badge["sku"], sku)
		}
		maps.DeleteFunc(badge, func(name string, value any) bool { return name == "sku" || value == nil })
		if hubs := want.Topics["sku:"+sku]; !reflect.DeepEqual(badge, hubs) {
			t.Errorf("%.80q %s: got %v, and the hub says %v", sku, rows[sku], badge, hubs)
		}
		seen(badge)
	}
}

// putRows writes rows by their keys, with a prefix before each.
func putRows(t *testing.T, table chatTable, name, key, prefix string, rows map[string]string) {
	t.Helper()
	for value, attributes := range rows {
		text, _ := json.Marshal(prefix + value)
		table.call(t, "PutItem",
			`{"TableName":"`+name+`","Item":{"`+key+`":{"S":`+string(text)+`},`+attributes+`}}`)
	}
}

// getJSON reads a path of the hub's REST API, and returns the status.
func (i *instance) getJSON(t *testing.T, path, token string, into any) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http"+strings.TrimPrefix(i.socket, "ws")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %s, %v", path, resp.Status, err)
	}
	return resp.StatusCode
}

// issueToken asks the admin API for a token, without a process of its own.
func issueToken(t *testing.T, hub *instance, user string) string {
	t.Helper()
	resp, err := http.Post("http://"+hub.adminAddress()+"/admin/token", "application/json",
		strings.NewReader(`{"user":"`+user+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("a token for %s: %s, %v", user, resp.Status, err)
	}
	return answer.Token
}

// cartRows are rows of carts, right and wrong, without their key.
func cartRows() map[string]string {
	const line = `"quantity":{"N":"2"},"version":{"N":"3"}`
	rows := oddRows(map[string]string{
		"cart": `"version":{"N":"7"},"floor":{"N":"0"},"lines":{"M":{"MUG":{"M":{` + line + `}}}}`,
	}, "version", "floor", "lines", "ordered", "updatedAt", "expires", "cause")
	for name, odd := range oddRows(map[string]string{"line": line}, "quantity", "version", "at") {
		rows[name] = `"version":{"N":"7"},"lines":{"M":{"MUG":{"M":{` + odd + `}},"TEE-RED-M":{"M":{` + line + `}}}}`
	}
	for i, value := range oddValues {
		rows[fmt.Sprintf("odd-%d", i)] = `"version":{"N":"7"},"lines":{"M":{"MUG":` + value + `}}`
	}
	return rows
}

// testOddCarts: a cart that the hub cannot read is an error, and never an empty cart.
func testOddCarts(t *testing.T, api *appSync, hub *instance, table chatTable) {
	rows := cartRows()
	putRows(t, table, "securecart-carts", "cart", "u~", rows)
	unreadable := 0
	for _, user := range slices.Sorted(maps.Keys(rows)) {
		var want struct {
			Topics struct {
				Cart struct {
					Version float64
					Lines   map[string]struct{ Quantity, Version float64 }
				}
			}
		}
		status := hub.getJSON(t, "/cart", issueToken(t, hub, user), &want)
		got := api.ask(t, identity{"sub": user}, `{cart {version lines {sku quantity version}}}`)
		if status != http.StatusOK {
			unreadable++
			if !slices.Equal(got.Errors, []string{"the cart cannot be read"}) {
				t.Errorf("%s %s: got %v, %q, and the hub says %d", user, rows[user], got.Data.Cart, got.Errors, status)
			}
			continue
		}
		lines := []any{}
		for _, sku := range slices.Sorted(maps.Keys(want.Topics.Cart.Lines)) {
			line := want.Topics.Cart.Lines[sku]
			lines = append(lines, map[string]any{"sku": sku, "quantity": line.Quantity, "version": line.Version})
		}
		cart := map[string]any{"version": want.Topics.Cart.Version, "lines": lines}
		if len(got.Errors) > 0 || !reflect.DeepEqual(got.Data.Cart, cart) {
			t.Errorf("%s %s: got %v, %q, and the hub says %v", user, rows[user], got.Data.Cart, got.Errors, cart)
		}
	}
	if unreadable < 50 || unreadable > len(rows)-50 {
		t.Errorf("the hub cannot read %d of %d carts, so one kind was hardly compared", unreadable, len(rows))
	}
}
