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
	"github.com/securecart/hub/internal/wire"
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
	if err := errOf(s.Subscribe(t.Context(), c, topics)); err != nil {
		t.Fatal(err)
	}
	requests, units = 0, 0
	const messages = 60
	h := hub.New(s, nil, func() time.Time { return now })
	for range messages {
		_, _ = h.Admit(t.Context(), c, 10) // refused messages cost the same
	}
	if requests != messages || units != messages {
		t.Errorf("%d messages cost %d requests and %v units, want one of each per message", messages, requests, units)
	}
}

// TestLooksOfOthersCostNothing checks that the counters of a guest's request do not grow
// with what other guests of its address looked at and sent.
func TestLooksOfOthersCostNothing(t *testing.T) {
	db := newTestDB(t)
	requests, units := 0, 0.0
	h := hub.New(db.store(costMeter{db.client, &requests, &units}), nil, func() time.Time { return now })
	cost := func(name string, first, n int) (int, float64) {
		t.Helper()
		c := connection(name)
		c.Principal = hub.Principal{User: hub.GuestUserPrefix + name, Role: hub.RoleGuest}
		c.ClientHash = "office"
		if err := db.store(db.client).PutConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		var r wire.Request
		for i := first; i < first+n; i++ {
			r.Topics = append(r.Topics, wire.Topic{Name: fmt.Sprintf("sku:a-product-with-a-long-name-%090d", i)})
		}
		requests, units = 0, 0
		if _, err := h.Admit(t.Context(), c, 10); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Get(t.Context(), c, r); err != nil {
			t.Fatal(err)
		}
		return requests, units
	}
	firstRequests, firstUnits := cost("first", 0, 100)
	for i := range 30 {
		cost(fmt.Sprint("other", i), 100*i, 100)
	}
	lastRequests, lastUnits := cost("last", 9_000, 100)
	t.Logf("a look at 100 new products costs %d requests and %v units", lastRequests, lastUnits)
	if lastRequests != firstRequests || lastUnits != firstUnits {
		t.Errorf("%d requests and %v units, before the others %d and %v", lastRequests, lastUnits, firstRequests, firstUnits)
	}
	if lastUnits > 4 {
		t.Errorf("%v units, want 4 at most", lastUnits)
	}
}
