package dynamostore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

// costMeter counts updates, and what they cost according to the engine.
type costMeter struct {
	dynamostore.API
	requests *int
	units    *float64
}

func (m costMeter) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.API.UpdateItem(ctx, in, o...)
	*m.requests++
	if err == nil && out.ConsumedCapacity != nil {
		*m.units += aws.ToFloat64(out.ConsumedCapacity.CapacityUnits)
	}
	return out, err
}

// TestCountCostsOneUnit checks that counting a message costs one request and one
// write unit, however many topics its connection has.
func TestCountCostsOneUnit(t *testing.T) {
	db := newTestDB(t)
	requests, units := 0, 0.0
	s := db.store(costMeter{db.client, &requests, &units})
	c := connection("c1")
	var topics []hub.Topic
	for i := range 200 {
		topics = append(topics, hub.Topic{Kind: hub.KindSKU, Name: fmt.Sprintf("a-SKU-with-a-long-name-%040d", i)})
	}
	if err := s.PutConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Subscribe(t.Context(), c, topics); err != nil {
		t.Fatal(err)
	}
	requests, units = 0, 0
	const messages = 60
	h := hub.New(s, nil, func() time.Time { return now })
	for range messages {
		_ = h.Admit(t.Context(), c, 10) // refused messages cost the same
	}
	if requests != messages || units != messages {
		t.Errorf("%d messages cost %d requests and %v units, want one of each per message", messages, requests, units)
	}
}
