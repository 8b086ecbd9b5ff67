package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Stamp has the fields that a stream adds to a change.
type Stamp struct {
	SequenceNumber string // decimal digits, increasing within a shard
	At             time.Time
	StreamARN      string
	Region         string
}

// Key identifies the changed row. A stream keeps the changes of one key in order.
func Key(c hub.Change) string {
	if c.NewCart != nil {
		return AttrCart + ":" + c.NewCart.ID
	}
	return AttrSKU + ":" + c.NewItem.SKU
}

// Record returns a change as the event source mapping of a DynamoDB stream passes it to
// a function: one element of "Records".
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func Record(c hub.Change, s Stamp) ([]byte, error) {
	record := events.DynamoDBEventRecord{
		AWSRegion:      s.Region,
		EventID:        eventID(s.SequenceNumber),
		EventName:      string(events.DynamoDBOperationTypeModify),
		EventSource:    "aws:dynamodb",
		EventVersion:   "1.1",
		EventSourceArn: s.StreamARN,
		Change: events.DynamoDBStreamRecord{
			// A stream has whole seconds only.
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: s.At.Truncate(time.Second)},
			SequenceNumber:              s.SequenceNumber,
			StreamViewType:              string(events.DynamoDBStreamViewTypeNewAndOldImages),
		},
	}
	stream := &record.Change
	switch {
	case c.NewCart != nil:
		stream.Keys = Row{AttrCart: events.NewStringAttribute(c.NewCart.ID)}
		stream.NewImage = cartRow(*c.NewCart)
		if c.OldCart != nil {
			stream.OldImage = cartRow(*c.OldCart)
		}
	case c.NewItem != nil:
		stream.Keys = Row{AttrSKU: events.NewStringAttribute(c.NewItem.SKU)}
		stream.NewImage = itemRow(*c.NewItem)
		if c.OldItem != nil {
			stream.OldImage = itemRow(*c.OldItem)
		}
	default:
		return nil, fmt.Errorf("%w: the change has no row", hub.ErrInvalid)
	}
	switch {
	case c.Removed:
		record.EventName, stream.NewImage = string(events.DynamoDBOperationTypeRemove), nil
	case stream.OldImage == nil:
		record.EventName = string(events.DynamoDBOperationTypeInsert)
	}
	data, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("stream record %s: %w", s.SequenceNumber, err)
	}
	return data, nil
}

// eventID returns a unique id that does not look like a sequence number, so that
// tests fail if a program confuses the two.
func eventID(sequenceNumber string) string {
	sum := sha256.Sum256([]byte(sequenceNumber))
	return hex.EncodeToString(sum[:16])
}

// Change reads a stream record with the hub's attribute names, see [Layout.Change].
func Change(record events.DynamoDBEventRecord) (hub.Change, error) {
	return Layout{}.Change(record, nil)
}

// Omitted gets an optional attribute that was left out of a new image, because its
// value cannot be read. attribute identifies it: "item lowAt". err describes the problem.
type Omitted func(attribute string, err error)

// Change reads a stream record. It returns hub.ErrInvalid if the record is not from
// one of the tables, or if its row is malformed. omitted may be nil.
//
// An old image that is malformed counts as missing: the new one is what subscribers
// need.
//
// A REMOVE becomes a tombstone or an empty cart with the next version, see
// [hub.Change]. Its old image need not be readable, if the key is.
func (l Layout) Change(record events.DynamoDBEventRecord, omitted Omitted) (hub.Change, error) {
	var c hub.Change
	var err error
	stream := record.Change
	isRemove := record.EventName == string(events.DynamoDBOperationTypeRemove)
	if _, isCart := stream.Keys[l.Cart.Attribute(AttrCart)]; isCart {
		c.OldCart, c.NewCart, err = images(stream, cartReader(l.Cart, nil), cartReader(l.Cart, omitted))
		if c.NewCart == nil && c.OldCart != nil {
			c = hub.RemovedCart(*c.OldCart)
		}
	} else {
		c.OldItem, c.NewItem, err = images(stream, itemReader(l.Inventory, nil), itemReader(l.Inventory, omitted))
		if c.NewItem == nil && c.OldItem != nil {
			c = hub.RemovedItem(*c.OldItem)
		}
	}
	if err != nil && isRemove {
		if removed, ok := l.removedUnreadable(stream); ok {
			c, err = removed, nil // it does not matter any more what the row was
		}
	}
	c.OldUnreadable = stream.OldImage != nil && c.OldItem == nil && c.OldCart == nil
	// With the view type OLD_IMAGE, a row that still exists would look removed.
	noImage := stream.NewImage == nil && !isRemove || c.NewItem == nil && c.NewCart == nil
	switch {
	case err != nil:
		return hub.Change{}, fmt.Errorf("%w: record %s: %v", hub.ErrInvalid, stream.SequenceNumber, err)
	case noImage:
		return hub.Change{}, fmt.Errorf("%w: record %s has no image (the stream's view type must be NEW_AND_OLD_IMAGES)",
			hub.ErrInvalid, stream.SequenceNumber)
	}
	return c, nil
}

// removedUnreadable returns the change for a removed row that could not be read. It
// needs the row's key, and for a cart the time of the record.
func (l Layout) removedUnreadable(stream events.DynamoDBStreamRecord) (c hub.Change, ok bool) {
	if _, isCart := stream.Keys[l.Cart.Attribute(AttrCart)]; isCart {
		keys := reader{row: stream.Keys, names: l.Cart}
		c = hub.RemovedUnreadableCart(keys.name(AttrCart, wire.IsSafeName), stream.ApproximateCreationDateTime.Time)
		return c, keys.err == nil && 0 < c.NewCart.Version && c.NewCart.Version <= wire.MaxVersion
	}
	keys := reader{row: stream.Keys, names: l.Inventory}
	return hub.RemovedUnreadableItem(keys.name(AttrSKU, wire.IsName)), keys.err == nil
}

// images reads the old and the new image of a record, as far as it has them. If the
// row was removed, the old image is all there is.
func images[T any](s events.DynamoDBStreamRecord, readOld, readNew readRow[T]) (before, after *T, err error) {
	before, err = readImage(s.OldImage, readOld)
	if s.NewImage == nil {
		return before, nil, err
	}
	after, err = readImage(s.NewImage, readNew)
	return before, after, err
}

// readImage reads an image, or returns nil if there is none.
func readImage[T any](image Row, read readRow[T]) (*T, error) {
	if image == nil {
		return nil, nil
	}
	row, err := read(image)
	if err != nil {
		return nil, err
	}
	return &row, nil
}

// Origin returns the table and the key of a record, as a log may name them: the id
// of a cart is hashed, see [HashID].
func (l Layout) Origin(record events.DynamoDBEventRecord) (tableName, key string) {
	_, path, _ := strings.Cut(record.EventSourceArn, ":table/")
	tableName, _, _ = strings.Cut(path, "/")
	keys := record.Change.Keys
	if v, ok := keys[l.Inventory.Attribute(AttrSKU)]; ok {
		return tableName, describeKey(v, shorten)
	}
	if v, ok := keys[l.Cart.Attribute(AttrCart)]; ok {
		return tableName, describeKey(v, HashID)
	}
	return tableName, "" // of another table
}

func describeKey(v events.DynamoDBAttributeValue, describe func(string) string) string {
	if v.DataType() != events.DataTypeString {
		return typeOf(v)
	}
	return describe(v.String())
}

// HashID returns a hash of a cart's id, which identifies a person. Logs have the
// hash: the first 16 digits of what sha256sum prints for the id.
func HashID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}
