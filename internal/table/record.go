package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
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
func Change(record events.DynamoDBEventRecord) (hub.Change, error) { return Layout{}.Change(record) }

// Change reads a stream record. It returns hub.ErrInvalid if the record is not from
// one of the tables, or if its row is malformed.
//
// A REMOVE becomes a tombstone or an empty cart with the next version, see
// [hub.Change].
func (l Layout) Change(record events.DynamoDBEventRecord) (hub.Change, error) {
	var c hub.Change
	var err error
	stream := record.Change
	if _, isCart := stream.Keys[l.Cart.Attribute(AttrCart)]; isCart {
		c.OldCart, c.NewCart, err = images(stream, l.Cart, cartOf)
		if c.NewCart == nil && c.OldCart != nil {
			next := c.OldCart.Version + 1
			c.NewCart, c.Removed = &hub.Cart{ID: c.OldCart.ID, Version: next, Floor: next}, true
		}
	} else {
		c.OldItem, c.NewItem, err = images(stream, l.Inventory, l.Inventory.itemOf)
		if c.NewItem == nil && c.OldItem != nil {
			tombstone := *c.OldItem
			tombstone.Version, tombstone.Available, tombstone.Deleted = tombstone.Version+1, 0, true
			c.NewItem, c.Removed = &tombstone, true
		}
	}
	// With the view type OLD_IMAGE, a row that still exists would look removed.
	isRemove := record.EventName == string(events.DynamoDBOperationTypeRemove)
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

// images reads the old and the new image of a record, as far as it has them. The new
// image is not read if the old one is malformed.
func images[T any](
	s events.DynamoDBStreamRecord, names Names, parse func(Row) (T, error),
) (before, after *T, err error) {
	if before, err = readImage(names.toHubNames(s.OldImage), parse); err != nil {
		return nil, nil, err
	}
	after, err = readImage(names.toHubNames(s.NewImage), parse)
	return before, after, err
}

// readImage reads an image, or returns nil if there is none.
func readImage[T any](image Row, parse func(Row) (T, error)) (*T, error) {
	if image == nil {
		return nil, nil
	}
	row, err := parse(image)
	if err != nil {
		return nil, err
	}
	return &row, nil
}
