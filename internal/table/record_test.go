package table_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// streamDir holds events as an event source mapping of a stream sends them.
const streamDir = "../../testdata/events/stream"

func ms(n int64) time.Time { return time.UnixMilli(n).UTC() }

var stamp = table.Stamp{
	SequenceNumber: "731420000000002117734980",
	At:             ms(1768205730123),
	StreamARN:      "arn:aws:dynamodb:eu-central-1:123456789012:table/inventory/stream/2026-01-12T08:15:30.417",
	Region:         "eu-central-1",
}

// show describes a change in failures.
func show(c hub.Change) string {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Sprintf("%+v", c)
	}
	return string(data)
}

// write makes a record of a change and decodes its JSON as Lambda's runtime does.
func write(t rapid.TB, c hub.Change, s table.Stamp) events.DynamoDBEventRecord {
	t.Helper()
	data, err := table.Record(c, s)
	if err != nil {
		t.Fatalf("Record(%s): %v", show(c), err)
	}
	var record events.DynamoDBEventRecord
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatalf("malformed record: %v: %s", err, data)
	}
	return record
}

// wantSame checks that a change is unchanged after it was written and read.
func wantSame(t rapid.TB, c hub.Change, s table.Stamp) {
	t.Helper()
	back, err := table.Change(write(t, c, s))
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Fatalf("written and read\n got %s, %v\nwant %s", show(back), err, show(c))
	}
}

func safeNames() *rapid.Generator[string] { return rapid.StringMatching(`[A-Za-z0-9._~-]{1,64}`) }

func names() *rapid.Generator[string] {
	return rapid.OneOf(safeNames(), rapid.String().Filter(wire.IsName))
}

// times generates times in milliseconds, and the zero time. Earlier ones would be
// read as seconds.
func times() *rapid.Generator[time.Time] {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Map(rapid.Int64Range(100_000_000_000, 253_402_300_799_999), ms),
	)
}

func versions() *rapid.Generator[int64] { return rapid.Int64Range(1, wire.MaxVersion) }

func items(sku string) *rapid.Generator[*hub.Item] {
	return rapid.Custom(func(t *rapid.T) *hub.Item {
		return &hub.Item{
			SKU:       sku,
			Version:   versions().Draw(t, "version"),
			Available: rapid.IntRange(-hub.MaxAvailable, hub.MaxAvailable).Draw(t, "available"),
			LowAt:     rapid.IntRange(0, hub.MaxAvailable).Draw(t, "lowAt"),
			Vendor:    rapid.OneOf(rapid.Just(""), names()).Draw(t, "vendor"),
			UpdatedAt: times().Draw(t, "updatedAt"),
			Deleted:   rapid.Bool().Draw(t, "deleted"),
			Untracked: rapid.Bool().Draw(t, "untracked"),
			BackOrder: rapid.Bool().Draw(t, "backorder"),
			BackAt:    rapid.SampledFrom([]string{"", "2026-12-24", "2027-02-28"}).Draw(t, "backAt"),
		}
	})
}

func carts(id string) *rapid.Generator[*hub.Cart] {
	return rapid.Custom(func(t *rapid.T) *hub.Cart {
		c := &hub.Cart{
			ID:        id,
			Version:   versions().Draw(t, "version"),
			Floor:     rapid.Int64Range(0, wire.MaxVersion).Draw(t, "floor"),
			Ordered:   rapid.Int64Range(0, wire.MaxVersion).Draw(t, "ordered"),
			UpdatedAt: times().Draw(t, "updatedAt"),
		}
		for _, sku := range rapid.SliceOfNDistinct(names(), 0, 5, rapid.ID[string]).Draw(t, "skus") {
			if c.Lines == nil {
				c.Lines = map[string]hub.CartLine{}
			}
			c.Lines[sku] = hub.CartLine{
				Quantity: rapid.IntRange(0, wire.MaxQuantity).Draw(t, "quantity"),
				Version:  versions().Draw(t, "line version"),
				At:       times().Draw(t, "at"),
			}
		}
		return c
	})
}

func changes() *rapid.Generator[hub.Change] {
	return rapid.Custom(func(t *rapid.T) hub.Change {
		name := names().Draw(t, "sku")
		old := rapid.Bool().Draw(t, "was there before")
		var c hub.Change
		if rapid.Bool().Draw(t, "cart") {
			name = safeNames().Draw(t, "id")
			c.NewCart = carts(name).Draw(t, "new")
			if old {
				c.OldCart = carts(name).Draw(t, "old")
			}
			return c
		}
		c.NewItem = items(name).Draw(t, "new")
		if old {
			c.OldItem = items(name).Draw(t, "old")
		}
		return c
	})
}

// TestRoundTrip checks that change → record → change is the identity.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { wantSame(t, changes().Draw(t, "change"), stamp) })
}

// TestAnySKURoundTrip checks that records of each SKU are read as they were written,
// in items and in carts, and that a row with another name is refused.
func TestAnySKURoundTrip(t *testing.T) {
	good, bad := hubtest.Names(t)
	for _, sku := range good {
		item := hub.Item{SKU: sku, Version: 2, Available: 3, LowAt: 5, Vendor: sku}
		line := map[string]hub.CartLine{sku: {Quantity: 1, Version: 2}}
		for _, c := range []hub.Change{{NewItem: &item}, {NewCart: &hub.Cart{ID: "u~ann", Version: 2, Lines: line}}} {
			wantSame(t, c, stamp)
		}
	}
	for _, sku := range bad {
		text, err := json.Marshal(sku)
		if err != nil {
			t.Fatal(err)
		}
		wantInvalid(t, recordOf(t, "INSERT", `{"sku":{"S":`+string(text)+`}}`,
			`{"sku":{"S":`+string(text)+`},"version":{"N":"7"}}`, ""))
		wantInvalid(t, recordOf(t, "INSERT", cartKeys, `{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{`+
			string(text)+`:{"M":{"quantity":{"N":"1"},"version":{"N":"7"}}}}}}`, ""))
	}
}

func TestRecordOfNothing(t *testing.T) {
	for name, c := range map[string]hub.Change{
		"empty":             {},
		"only the old item": {OldItem: &hub.Item{SKU: "MUG", Version: 1}},
		"only the old cart": {OldCart: &hub.Cart{ID: "u~ann", Version: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if data, err := table.Record(c, stamp); !errors.Is(err, hub.ErrInvalid) {
				t.Errorf("got %s, %v, want %v", data, err, hub.ErrInvalid)
			}
		})
	}
}

func TestKey(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    hub.Change
		want string
	}{
		{"item", hub.Change{NewItem: &hub.Item{SKU: "MUG"}}, "sku:MUG"},
		{"cart", hub.Change{NewCart: &hub.Cart{ID: "u~ann"}}, "cart:u~ann"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := table.Key(tt.c); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// shape describes decoded JSON by its types: objects by their fields, numbers and
// booleans by their kind, and a string of digits as "digits".
func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for name, inside := range v {
			m[name] = shape(inside)
		}
		return m
	case json.Number:
		if regexp.MustCompile(`^(0|[1-9][0-9]*)$`).MatchString(string(v)) {
			return "whole number"
		}
		return "number"
	case string:
		if regexp.MustCompile(`^-?[0-9]+$`).MatchString(v) {
			return "digits"
		}
		return "text"
	case bool:
		return "boolean"
	}
	return fmt.Sprintf("%T", v)
}

// TestShape checks that a record has the documented fields of the documented types,
// and no others:
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
func TestShape(t *testing.T) {
	n, s := map[string]any{"N": "digits"}, map[string]any{"S": "text"}
	item := map[string]any{"sku": s, "version": n, "available": n, "lowAt": n, "vendor": s, "updatedAt": n}
	tombstone := maps.Clone(item)
	tombstone["deleted"] = map[string]any{"BOOL": "boolean"}
	line := map[string]any{"M": map[string]any{"quantity": n, "version": n, "at": n}}
	cart := map[string]any{
		"cart": s, "version": n, "floor": n, "updatedAt": n, "lines": map[string]any{"M": map[string]any{"MUG": line}},
	}
	empty := maps.Clone(cart)
	empty["lines"] = map[string]any{"M": map[string]any{}}

	mug := &hub.Item{SKU: "MUG", Version: 2, Available: 7, LowAt: 5, Vendor: "acme", UpdatedAt: ms(1768205730123)}
	deleted := &hub.Item{SKU: "MUG", Version: 3, LowAt: 5, Vendor: "acme", UpdatedAt: ms(1768205730123), Deleted: true}
	ann := &hub.Cart{
		ID: "u~ann", Version: 2, UpdatedAt: ms(1768205730123),
		Lines: map[string]hub.CartLine{"MUG": {Quantity: 1, Version: 2, At: ms(1768205730123)}},
	}
	bare := &hub.Cart{ID: "u~ann", Version: 1, UpdatedAt: ms(1768205730123)}

	for _, tt := range []struct {
		name   string
		change hub.Change
		event  string
		keys   map[string]any
		images map[string]any
	}{
		{"new item", hub.Change{NewItem: mug}, "INSERT", map[string]any{"sku": s}, map[string]any{"NewImage": item}},
		{
			"deleted item", hub.Change{OldItem: mug, NewItem: deleted}, "MODIFY", map[string]any{"sku": s},
			map[string]any{"NewImage": tombstone, "OldImage": item},
		},
		{"new cart", hub.Change{NewCart: bare}, "INSERT", map[string]any{"cart": s}, map[string]any{"NewImage": empty}},
		{
			"changed cart", hub.Change{OldCart: bare, NewCart: ann}, "MODIFY", map[string]any{"cart": s},
			map[string]any{"NewImage": cart, "OldImage": empty},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := table.Record(tt.change, stamp)
			if err != nil {
				t.Fatal(err)
			}
			dec := json.NewDecoder(strings.NewReader(string(data)))
			dec.UseNumber()
			var record map[string]any
			if err := dec.Decode(&record); err != nil {
				t.Fatal(err)
			}
			stream := map[string]any{
				"ApproximateCreationDateTime": "whole number", "SequenceNumber": "digits", "SizeBytes": "whole number",
				"StreamViewType": "text",
				"Keys":           tt.keys,
			}
			maps.Copy(stream, tt.images)
			want := map[string]any{
				"eventID": "text", "eventName": "text", "eventVersion": "text", "eventSource": "text", "awsRegion": "text",
				"eventSourceARN": "text",
				"dynamodb":       stream,
			}
			if got := shape(record); !reflect.DeepEqual(got, want) {
				t.Errorf("shape of %s\n got %v\nwant %v", data, got, want)
			}
			for field, want := range map[string]string{
				"eventName": tt.event, "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": stamp.Region,
				"eventSourceARN": stamp.StreamARN,
			} {
				if got := record[field]; got != want {
					t.Errorf("%s: got %v, want %s", field, got, want)
				}
			}
			in := record["dynamodb"].(map[string]any)
			for field, want := range map[string]string{
				"SequenceNumber": stamp.SequenceNumber, "StreamViewType": "NEW_AND_OLD_IMAGES",
				"ApproximateCreationDateTime": "1768205730", // a stream has whole seconds only
			} {
				if got := fmt.Sprint(in[field]); got != want {
					t.Errorf("%s: got %s, want %s", field, got, want)
				}
			}
		})
	}
}

// stored has the changes of the events under streamDir.
func stored() map[string][]hub.Change {
	tee := hub.Item{SKU: "TEE-RED-M", Version: 43, Available: 2, LowAt: 3, Vendor: "acme", UpdatedAt: ms(1768205790456)}
	before := tee
	before.Version, before.Available, before.UpdatedAt = 42, 3, ms(1768205781001)
	first := before
	first.Version, first.Available, first.UpdatedAt = 1, 40, ms(1768205730123)
	tombstone := tee
	tombstone.Version, tombstone.Available, tombstone.Deleted, tombstone.UpdatedAt = 44, 0, true, ms(1768205999000)
	removed := tombstone
	removed.UpdatedAt = time.Time{}

	one := hub.Cart{
		ID: "u~ann", Version: 1, UpdatedAt: ms(1768205730500),
		Lines: map[string]hub.CartLine{"MUG": {Quantity: 1, Version: 1, At: ms(1768205730500)}},
	}
	two := hub.Cart{ID: "u~ann", Version: 2, UpdatedAt: ms(1768205800250), Lines: map[string]hub.CartLine{
		"MUG":       {Quantity: 0, Version: 2, At: ms(1768205800250)},
		"TEE-RED-M": {Quantity: 2, Version: 2, At: ms(1768205800250)},
	}}
	emptied := hub.Cart{ID: "u~ann", Version: 3, Floor: 3}
	expired := two
	expired.Expires = ms(1775981800000)

	return map[string][]hub.Change{
		"inventory-insert":             {{NewItem: &first}},
		"inventory-modify":             {{OldItem: &before, NewItem: &tee}},
		"inventory-tombstone":          {{OldItem: &tee, NewItem: &tombstone}},
		"inventory-remove":             {{OldItem: &tee, NewItem: &removed, Removed: true}},
		"inventory-expired":            {{OldItem: &tee, NewItem: &removed, Removed: true}},
		"inventory-foreign-attributes": {{NewItem: &hub.Item{SKU: "MUG", Version: 7, Available: 3, LowAt: hub.DefaultLowAt}}},
		"cart-insert":                  {{NewCart: &one}},
		"cart-modify":                  {{OldCart: &one, NewCart: &two}},
		"cart-remove":                  {{OldCart: &two, NewCart: &emptied, Removed: true}},
		"cart-expired":                 {{OldCart: &expired, NewCart: &emptied, Removed: true}},
		"batch": {
			{NewItem: &hub.Item{SKU: "CAP-NAVY", Version: 1, Available: 12, LowAt: hub.DefaultLowAt}},
			{OldCart: &two, NewCart: &hub.Cart{ID: "u~ann", Version: 3, Floor: 2, UpdatedAt: ms(1768206000000)}},
			{
				OldItem: &hub.Item{SKU: "CAP-SAND", Version: 9, Available: 1, LowAt: hub.DefaultLowAt},
				NewItem: &hub.Item{SKU: "CAP-SAND", Version: 10, LowAt: hub.DefaultLowAt, Deleted: true}, Removed: true,
			},
		},
	}
}

// TestStreamEvents reads records as AWS documents them.
func TestStreamEvents(t *testing.T) {
	want := stored()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t.Run(name, func(t *testing.T) {
			event := readEvent(t, filepath.Join(streamDir, name+".json"))
			if len(event.Records) != len(want[name]) {
				t.Fatalf("got %d records, want %d", len(event.Records), len(want[name]))
			}
			for i, record := range event.Records {
				got, err := table.Change(record)
				if err != nil || !reflect.DeepEqual(got, want[name][i]) {
					t.Errorf("record %d\n got %s, %v\nwant %s", i, show(got), err, show(want[name][i]))
				}
			}
		})
	}
	for _, file := range eventFiles(t) {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); want[name] == nil {
			t.Errorf("%s: no changes are listed for it", file)
		}
	}
}

func eventFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(streamDir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("events: got %d files, %v, want some", len(files), err)
	}
	return files
}

func readEvent(t testing.TB, file string) events.DynamoDBEvent {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var event events.DynamoDBEvent
	if err := json.Unmarshal(data, &event); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return event
}
