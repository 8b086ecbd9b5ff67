package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// unreadable is a record with a malformed row: half a piece in stock.
func unreadable(sequence int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(
		`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"%d","Keys":{"sku":{"S":"MUG"}},`+
			`"NewImage":{"sku":{"S":"MUG"},"version":{"N":"1"},"available":{"N":"0.5"}}},`+
			`"eventSourceARN":"arn:aws:dynamodb:eu-central-1:123456789012:table/stock/stream/2026"}`, sequence))
}

// TestUnreadableRecordIsPutAside checks that a record that can never be read is
// logged and counted, and that the answer does not name it: the mapping would send
// everything behind it again.
func TestUnreadableRecordIsPutAside(t *testing.T) {
	for _, tt := range []struct {
		name   string
		at     []int  // positions of unreadable records among three good ones
		broken string // SKU whose subscribers cannot be read, or ""
		want   string
	}{
		{"first", []int{0}, "", ""},
		{"in the middle", []int{2}, "", ""},
		{"last", []int{3}, "", ""},
		{"two", []int{4, 1}, "", ""},
		{"before a failure", []int{1}, "C", "103"},
		{"two before a failure", []int{0, 1}, "A", "102"},
		{"after a failure", []int{3}, "B", "101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := shop(t)
			var sent []string
			for _, name := range []string{"A", "B", "C"} {
				b.stock(name, 0)
				if name != tt.broken {
					sent = append(sent, outOf(name))
				}
			}
			if tt.broken != "" {
				b.store.topicErrs[sku(tt.broken)] = errInside
			}
			records := b.records(0)
			for _, at := range slices.Sorted(slices.Values(tt.at)) {
				records = slices.Insert(records, at, unreadable(0))
			}
			for i, r := range records {
				records[i] = renumbered(t, r, 100+i)
			}
			wantFailed(t, b.deliver(records...), tt.want)
			b.wantSent(sent...)
			counted := b.report.Unreadable
			if tt.want != "" { // the mapping delivers the records from there on again
				delete(b.store.topicErrs, sku(tt.broken))
				first, _ := strconv.Atoi(tt.want)
				wantFailed(t, b.deliver(records[first-100:]...), "")
				counted += b.report.Unreadable
			}
			logged := b.logged("unreadable record")
			if counted != len(tt.at) {
				t.Errorf("counted %d unreadable records, want each of %d once", counted, len(tt.at))
			}
			if len(logged) != len(tt.at) {
				t.Fatalf("got log records %v, want %d", logged, len(tt.at))
			}
			for _, line := range logged {
				want := "item \"MUG\": available: wanted a whole number from -1000000000 to 1000000000, got 0.5"
				if text, _ := line["error"].(string); line["sequence"] == "" || line["table"] != "stock" ||
					line["key"] != "MUG" || !strings.HasSuffix(text, want) {
					t.Errorf("got %v, want the record, its table and key, and %q", line, want)
				}
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		b := shop(t)
		wantFailed(t, b.deliver(unreadable(7)), "")
		b.wantSent()
		b.wantReport(hub.Report{Unreadable: 1})
	})
	t.Run("of a row that a client shows", func(t *testing.T) {
		b := shop(t)
		wantFailed(t, b.deliver(json.RawMessage(`{"eventName":"MODIFY","dynamodb":{"SequenceNumber":"7",`+
			`"Keys":{"sku":{"S":"A"}},"NewImage":{"sku":{"S":"A"},"version":{"N":"2"}}}}`)), "")
		b.wantSent() // its value stays until the client subscribes again
		b.wantReport(hub.Report{Unreadable: 1})
	})
	t.Run("of a cart", func(t *testing.T) {
		b := shop(t)
		wantFailed(t, b.deliver(json.RawMessage(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"7",`+
			`"Keys":{"cart":{"S":"u~ann"}},"NewImage":{"cart":{"S":"u~ann"},"version":{"N":"1"},"lines":{"L":[]}}}}`)), "")
		lines := b.logged("unreadable record")
		if len(lines) != 1 || lines[0]["key"] != table.HashID("u~ann") || strings.Contains(fmt.Sprint(lines), "u~ann") {
			t.Errorf("got log records %v, want one with a hashed key", lines)
		}
	})
}

// TestUnreadableOldImageIsSent checks that a good change behind a bad one is sent. It
// has a rev, because clients may show a higher version from before the bad one.
func TestUnreadableOldImageIsSent(t *testing.T) {
	b := shop(t)
	wantFailed(t, b.deliver(json.RawMessage(
		`{"eventName":"MODIFY","dynamodb":{"SequenceNumber":"7","Keys":{"sku":{"S":"A"}},`+
			`"OldImage":{"sku":{"S":"A"},"version":{"N":"1"},"available":{"N":"1.5"}},`+
			`"NewImage":{"sku":{"S":"A"},"version":{"N":"2"},"available":{"N":"0"}}}}`)), "")
	b.wantSent(`on-A {"type":"delta","epoch":"k3","topics":{"sku:A":{"version":2,"state":"out","rev":"7"}}}`)
	b.wantReport(hub.Report{Changes: 1, Posts: 1})
}

// TestRemovedUnreadableRowIsSent checks that a row that could not be read and was
// removed is out of stock: it may begin again with a lower version.
func TestRemovedUnreadableRowIsSent(t *testing.T) {
	b := shop(t)
	wantFailed(t, b.deliver(json.RawMessage(
		`{"eventName":"REMOVE","dynamodb":{"SequenceNumber":"8","Keys":{"sku":{"S":"A"}},`+
			`"OldImage":{"sku":{"S":"A"},"version":{"N":"1"},"available":{"N":"1.5"}}}}`)), "")
	b.wantSent(`on-A {"type":"delta","epoch":"k3","topics":{"sku:A":{"version":0,"state":"out","rev":"8"}}}`)
	b.wantReport(hub.Report{Changes: 1, Posts: 1})
}

// TestRemovedUnreadableCartIsSent checks that a cart that could not be read and was
// removed is empty on screens: its key and the time of the record are enough.
func TestRemovedUnreadableCartIsSent(t *testing.T) {
	b := shop(t)
	b.openAs("phone", "ann").wantAnswer("sub cart", "snapshot")
	wantFailed(t, b.deliver(json.RawMessage(
		`{"eventName":"REMOVE","dynamodb":{"SequenceNumber":"8","Keys":{"cart":{"S":"u~ann"}},`+
			`"ApproximateCreationDateTime":1768205730,"OldImage":{"cart":{"S":"u~ann"},"lines":{"L":[]}}}}`)), "")
	b.wantSent(`phone {"type":"delta","epoch":"k3","topics":{"cart":{"version":1768205730000000,"lines":{}}}}`)
	b.wantReport(hub.Report{Changes: 1, Posts: 1})
}

// TestOmittedAttributesAreLoggedOnce checks that a row with an odd optional attribute
// is sent, and that the log names each attribute once.
func TestOmittedAttributesAreLoggedOnce(t *testing.T) {
	b := shop(t)
	for n, name := range []string{"A", "B", "A"} {
		wantFailed(t, b.deliver(json.RawMessage(fmt.Sprintf(
			`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"%d","Keys":{"sku":{"S":%q}},"NewImage":{"sku":{"S":%q},`+
				`"version":{"N":"%d"},"available":{"N":"0"},"lowAt":{"S":"5"},"vendor":{"N":"12"}}}}`, n, name, name, 2+n))), "")
	}
	if len(b.poster.sent) != 3 {
		t.Errorf("got %q, want three posts", b.poster.sent)
	}
	var got []string
	for _, line := range b.logged("attribute left out") {
		got = append(got, fmt.Sprint(line["level"], " ", line["error"]))
	}
	want := []string{
		`WARN item "A": lowAt: wanted a number, got a string`, `WARN item "A": vendor: wanted a string, got a number`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMissingAttributeIsLogged checks that one line names a required attribute that
// no row of the first batches has.
func TestMissingAttributeIsLogged(t *testing.T) {
	b := shop(t)
	for n := range 6 {
		b.deliver(json.RawMessage(fmt.Sprintf(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"%d",`+
			`"Keys":{"sku":{"S":"A"}},"NewImage":{"sku":{"S":"A"},"version":{"N":"%d"},"stock":{"N":"1"}}}}`, n, 2+n)))
	}
	lines := b.logged("attribute missing")
	if len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0]["error"]), `has the attribute "available"`) {
		t.Errorf("got log records %v, want one that names available", lines)
	}
	if good := shop(t); len(good.logged("attribute missing")) != 0 {
		t.Error("a good inventory was warned of")
	}
}

// renumbered returns a record with another sequence number.
func renumbered(t testing.TB, record json.RawMessage, sequence int) json.RawMessage {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(record, &r); err != nil {
		t.Fatal(err)
	}
	object(r, "dynamodb")["SequenceNumber"] = strconv.Itoa(sequence)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestVersionNotRaised checks that a writer that does not count versions is logged
// once for each SKU and cart, and counted for each change. A removed cart is neither.
func TestVersionNotRaised(t *testing.T) {
	b := shop(t)
	var log bytes.Buffer
	broadcast := handler.Broadcast(b.hub, handler.BroadcastOptions{
		OnBatch: func(_ context.Context, r hub.Report) { b.report = &r },
	}, slog.New(slog.NewJSONHandler(&log, nil)))
	record := func(sku, sequence string) events.DynamoDBEventRecord {
		return recordOf(t, fmt.Sprintf(`{"eventName":"MODIFY","dynamodb":{"SequenceNumber":"%s","Keys":{"sku":{"S":"%s"}},`+
			`"OldImage":{"sku":{"S":"%[2]s"},"version":{"N":"3"},"available":{"N":"9"}},`+
			`"NewImage":{"sku":{"S":"%[2]s"},"version":{"N":"3"},"available":{"N":"0"}}}}`, sequence, sku))
	}
	cart := func(event, id, images, sequence string) events.DynamoDBEventRecord {
		image := `{"cart":{"S":"` + id + `"},"version":{"N":"3"},"lines":{"M":{}}}`
		return recordOf(t, fmt.Sprintf(`{"eventName":"%s","dynamodb":{"SequenceNumber":"%s",`+
			`"Keys":{"cart":{"S":"%s"}},%s}}`, event, sequence, id, strings.ReplaceAll(images, "IMAGE", image)))
	}
	for _, want := range []int{4, 4} {
		e := handler.BroadcastEvent{}
		e.Records = []events.DynamoDBEventRecord{
			record("A", "100"), record("A", "101"), record("B", "102"),
			cart("MODIFY", "u~ann", `"OldImage":IMAGE,"NewImage":IMAGE`, "103"),
			cart("REMOVE", "u~bob", `"OldImage":IMAGE`, "104"),
		}
		if _, err := broadcast(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if b.report.VersionNotRaised != want {
			t.Errorf("counted %d changes, want %d", b.report.VersionNotRaised, want)
		}
	}
	for _, row := range []string{`"sku":"A"`, `"sku":"B"`, `"key":"` + table.HashID("u~ann") + `"`} {
		if n := strings.Count(log.String(), `"msg":"version not raised",`+row); n != 1 {
			t.Errorf("%d lines for %s, want 1:\n%s", n, row, &log)
		}
	}
	if n := strings.Count(log.String(), "version not raised"); n != 3 || strings.Contains(log.String(), "u~") {
		t.Errorf("got %d lines, want 3 without the name of a cart:\n%s", n, &log)
	}
}

// TestVersionNotRaisedIsBounded checks that a process logs so many SKUs and no more,
// and that they hide no cart.
func TestVersionNotRaisedIsBounded(t *testing.T) {
	b := shop(t)
	broadcast := handler.Broadcast(b.hub, handler.BroadcastOptions{}, b.logger())
	e := handler.BroadcastEvent{}
	add := func(key, id, stock string) {
		row := fmt.Sprintf(`{%q:{"S":%q},"version":{"N":"3"}%s}`, key, id, stock)
		e.Records = append(e.Records, recordOf(t, fmt.Sprintf(
			`{"eventName":"MODIFY","dynamodb":{"Keys":{%q:{"S":%q}},"OldImage":%s,"NewImage":%[3]s}}`, key, id, row)))
	}
	for n := range 1_001 {
		add("sku", fmt.Sprint("S", n), `,"available":{"N":"9"}`)
	}
	add("cart", "u~ann", "")
	if _, err := broadcast(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	lines := b.logged("version not raised")
	if len(lines) != 1_001 || lines[1_000]["key"] != table.HashID("u~ann") {
		t.Errorf("got %d lines, want 1000 SKUs and the cart", len(lines))
	}
}

func recordOf(t testing.TB, text string) (r events.DynamoDBEventRecord) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
