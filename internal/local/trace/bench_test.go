package trace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/trace"
	"github.com/securecart/hub/internal/wire"
)

// BenchmarkComplete is one why over a full log: 1 000 people watch one SKU.
func BenchmarkComplete(b *testing.B) {
	log := events.New(time.Now)
	ctx := context.Background()
	const people = 1000
	text := `{"type":"delta","epoch":"k3","topics":{"sku:MUG":{"version":9,"state":"low","quantity":3}}}`
	for n := 0; n < events.MaxEvents; n += 3 + 2*people {
		images := `{"was":{"version":8,"state":"in","quantity":9},"is":{"version":9,"state":"low","quantity":3}}`
		row := log.Add(ctx, events.Event{Type: events.Row, Topic: "sku:MUG", Version: 9, Text: images})
		record := log.Add(ctx, events.Event{Type: events.Record, Topic: "sku:MUG", Version: 9, Cause: []uint64{row}})
		batch := log.Add(ctx, events.Event{Type: events.Batch, Cause: []uint64{record}})
		for i := range people {
			e := events.Event{
				Type: events.Post, Conn: fmt.Sprint("c", i), User: fmt.Sprint("guest:", i), Role: "guest", Status: 200,
				Topic: "sku:MUG", Version: 9, Text: text, Bytes: len(text), Cause: []uint64{batch},
			}
			post := log.Add(ctx, e)
			e.Type, e.Cause = events.Out, []uint64{post}
			log.Add(ctx, e)
		}
	}
	tracer := trace.Tracer{Log: log, Queued: func(string) int { return 0 }, Healing: time.Second}
	asked := hub.Asked{
		Connection: hub.Connection{ID: "c1", Principal: hub.Principal{User: "guest:1", Role: hub.RoleGuest}},
		Topic:      hub.Topic{Kind: hub.KindSKU, Name: "MUG"}, Name: "sku:MUG", Shape: hub.ShapeBadge, Subscribed: true,
	}
	for b.Loop() {
		w := tracer.Complete(asked, wire.Why{Topic: "sku:MUG", Reason: wire.WhyCurrent})
		if !strings.Contains(w.Message, "v9 went to you") || len(w.Path) != 5 {
			b.Fatalf("got %+v", w)
		}
	}
}
