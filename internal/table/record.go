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

// Stamp is what a stream adds to a change.
type Stamp struct {
	SequenceNumber string // decimal digits, rising within a shard
	At             time.Time
	StreamARN      string
	Region         string
}

// Key is the key of the changed row, as a stream orders by it.
func Key(c hub.Change) string {
	if c.NewCart != nil {
		return AttrCart + ":" + c.NewCart.ID
	}
	return AttrSKU + ":" + c.NewItem.SKU
}

// Record writes a change as the event source mapping of a DynamoDB stream hands
// it to a function: one element of "Records".
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
			// The stream knows seconds only.
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
		return nil, fmt.Errorf("%w: a change of nothing", hub.ErrInvalid)
	}
	if stream.OldImage == nil {
		record.EventName = string(events.DynamoDBOperationTypeInsert)
	}
	data, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("stream record %s: %w", s.SequenceNumber, err)
	}
	return data, nil
}

// eventID is unique and nothing else: who confuses it with the sequence number
// shall notice.
func eventID(sequenceNumber string) string {
	sum := sha256.Sum256([]byte(sequenceNumber))
	return hex.EncodeToString(sum[:16])
}

// Change reads a stream record of a shop with our names, see [Layout.Change].
func Change(record events.DynamoDBEventRecord) (hub.Change, error) { return Layout{}.Change(record) }

// Change reads a stream record. The error is ErrInvalid: the record is not of one
// of the tables, or its row is not as rows are.
//
// A REMOVE is told as a tombstone one version later: whoever deletes rows for
// good must not make them again with lower versions.
func (l Layout) Change(record events.DynamoDBEventRecord) (hub.Change, error) {
	var c hub.Change
	var err error
	stream := record.Change
	if _, isCart := stream.Keys[l.Cart.Of(AttrCart)]; isCart {
		c.OldCart, err = read(l.Cart.ours(stream.OldImage), cartOf)
		if err == nil {
			c.NewCart, err = read(l.Cart.ours(stream.NewImage), cartOf)
		}
		if c.NewCart == nil && c.OldCart != nil {
			next := c.OldCart.Version + 1
			c.NewCart = &hub.Cart{ID: c.OldCart.ID, Version: next, Floor: next}
		}
	} else {
		c.OldItem, err = read(l.Inventory.ours(stream.OldImage), itemOf)
		if err == nil {
			c.NewItem, err = read(l.Inventory.ours(stream.NewImage), itemOf)
		}
		if c.NewItem == nil && c.OldItem != nil {
			gone := *c.OldItem
			gone.Version, gone.Available, gone.Deleted = gone.Version+1, 0, true
			c.NewItem = &gone
		}
	}
	// With the view type OLD_IMAGE, a row that lives on would look removed.
	lost := stream.NewImage == nil && record.EventName != string(events.DynamoDBOperationTypeRemove)
	switch {
	case err != nil:
		return hub.Change{}, fmt.Errorf("%w: record %s: %v", hub.ErrInvalid, stream.SequenceNumber, err)
	case lost || c.NewItem == nil && c.NewCart == nil:
		return hub.Change{}, fmt.Errorf("%w: record %s has no image (the stream's view type must be NEW_AND_OLD_IMAGES)", hub.ErrInvalid, stream.SequenceNumber)
	}
	return c, nil
}

// read reads an image, if there is one.
func read[T any](image Row, of func(Row) (T, error)) (*T, error) {
	if image == nil {
		return nil, nil
	}
	row, err := of(image)
	if err != nil {
		return nil, err
	}
	return &row, nil
}
