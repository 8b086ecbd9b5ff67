package events_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/events"
)

// TestLogKeepsEventsWhole: what the log gives is what it got, whatever the fields are.
func TestLogKeepsEventsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string { return strings.Repeat("é\x00", r.IntN(most/4)) }
	number := func() int { return int(r.Int64()>>r.IntN(63)) * (1 - 2*r.IntN(2)) }
	now := time.UnixMicro(0)
	l := events.New(func() time.Time { return now })
	var want []events.Event
	for id := range uint64(3_000) {
		now = time.UnixMicro(r.Int64() >> 8)
		e := events.Event{
			ID: id + 1, At: now.UnixMicro(), Type: events.Types[r.IntN(len(events.Types))], Conn: text(40), User: text(99),
			Role: text(9), Address: text(20), Topic: text(events.MaxName), Dir: text(9), Route: text(50), Function: text(9),
			Attempt: number(), Version: r.Uint64(), Status: number(), Code: text(30), Bytes: number(),
			Text: text(events.MaxText), Took: r.Int64(), Count: number(), Note: text(99),
		}
		for range r.IntN(4) {
			e.Cause = append(e.Cause, r.Uint64())
		}
		want = append(want, e)
		l.Add(t.Context(), e)
	}
	got, _ := readAll(l, 0, events.Filter{})
	if len(got) != len(want) {
		t.Fatalf("got %d events, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}
