package table_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// FuzzChange checks that any record is read or refused, and that a change that was
// read can be written and read again.
func FuzzChange(f *testing.F) {
	for _, file := range eventFiles(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var event struct{ Records []json.RawMessage }
		if err := json.Unmarshal(data, &event); err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		for _, record := range event.Records {
			f.Add([]byte(record))
		}
	}
	for _, change := range stored() {
		data, err := table.Record(change[0], stamp)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		`{}`, `{"dynamodb":{"Keys":{"cart":{"NULL":true}},"NewImage":{}}}`,
		`{"eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":1768205730,"Keys":{"cart":{"S":"u~ann"}},` +
			`"OldImage":{"cart":{"S":"u~ann"}}}}`,
		`{"eventName":"REMOVE","dynamodb":{"Keys":{},"OldImage":{"sku":{"S":"A"},"version":{"N":"9007199254740991"}}}}`,
		`{"eventName":"INSERT","dynamodb":{"NewImage":{"sku":{"S":"A"},"version":{"N":"1.5"},"updatedAt":{"N":"-1"}}}}`,
		`{"eventName":"INSERT","dynamodb":{"Keys":{"cart":{"S":"c"}},"NewImage":{"cart":{"S":"c"},"version":{"N":"1"},` +
			`"lines":{"M":{"A":{"M":{"version":{"N":"1"}}}}}}}}`,
		`{"eventName":"INSERT","dynamodb":{"NewImage":{"sku":{"S":"A"},"version":{"N":"1"},"available":{"N":"-4"},` +
			`"backorder":{"BOOL":true},"backAt":{"S":"2026-12-24T08:00:00Z"},` +
			`"updatedAt":{"S":"2026-11-28T14:07:07.25+01:00"}}}}`,
		`{"eventName":"INSERT","dynamodb":{"NewImage":{"sku":{"S":"A"},"version":{"N":"1"},"tracked":{"BOOL":false},` +
			`"lowAt":{"S":"5"},"updatedAt":{"N":"1795874827.25"}}}}`,
		`{"eventName":"MODIFY","dynamodb":{"OldImage":{"sku":{"S":"A"}},"NewImage":{"sku":{"S":"A"},"version":{"N":"1"},` +
			`"available":{"N":"1"},"updatedAt":{"N":"5"}}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		record, err := decode(text)
		if err != nil {
			return // Lambda's runtime refuses it
		}
		c, err := table.Change(record)
		if err != nil {
			if !errors.Is(err, hub.ErrInvalid) || !reflect.DeepEqual(c, hub.Change{}) {
				t.Errorf("got %s, %v, want nothing and %v", show(c), err, hub.ErrInvalid)
			}
			return
		}
		if (c.NewItem == nil) == (c.NewCart == nil) || c.OldItem != nil && c.NewItem == nil || c.OldCart != nil &&
			c.NewCart == nil {
			t.Fatalf("got %s, want an item or a cart as it is now", show(c))
		}
		version := int64(0)
		if c.NewItem != nil {
			version = c.NewItem.Version
		} else {
			version = c.NewCart.Version
		}
		if version > wire.MaxVersion || c.Removed && c.OldUnreadable {
			return // a tombstone after the largest version, or after a row that could not be read
		}
		c.OldUnreadable = false // package hub writes no such rows
		wantSame(t, c, stamp)
	})
}

// decode reads a record as Lambda's runtime does. aws-lambda-go panics on a binary
// set that holds anything but strings; no stream has one.
func decode(text []byte) (record events.DynamoDBEventRecord, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("aws-lambda-go: %v", p)
		}
	}()
	err = json.Unmarshal(text, &record)
	return record, err
}
