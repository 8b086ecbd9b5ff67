package handler_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// records returns all changes since the last call as stream records, numbered from
// first.
func (b *fixture) records(first int) []json.RawMessage {
	b.t.Helper()
	var records []json.RawMessage
	for i, c := range b.changes {
		data, err := table.Record(c, table.Stamp{SequenceNumber: strconv.Itoa(first + i), At: b.now, Region: "eu-central-1"})
		if err != nil {
			b.t.Fatal(err)
		}
		records = append(records, data)
	}
	b.changes = nil
	return records
}

// deliver invokes the broadcast function with a batch.
func (b *fixture) deliver(records ...json.RawMessage) events.DynamoDBEventResponse {
	b.t.Helper()
	b.report = nil
	if records == nil {
		records = []json.RawMessage{}
	}
	batch, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		b.t.Fatal(err)
	}
	got, err := call[events.DynamoDBEventResponse](b.t, b.broadcast, batch)
	if err != nil {
		b.t.Fatalf("broadcast: %v, want an answer", err)
	}
	if b.report == nil && len(records) > 0 {
		b.t.Error("the batch was not reported")
		b.report = &hub.Report{}
	}
	return got
}

// wantFailed checks that the answer names one sequence number, or none if it is "".
func wantFailed(t testing.TB, got events.DynamoDBEventResponse, want string) {
	t.Helper()
	var names []string
	for _, f := range got.BatchItemFailures {
		names = append(names, f.ItemIdentifier)
	}
	if joined := strings.Join(names, ","); joined != want {
		t.Errorf("got failed %q, want %q", joined, want)
	}
}

// shop returns a fixture with three SKUs and one subscriber for each, which has the
// current state.
func shop(t testing.TB) *fixture {
	t.Helper()
	b := newFixture(t)
	b.store.topicErrs = map[hub.Topic]error{}
	for _, sku := range []string{"A", "B", "C"} {
		b.stock(sku, 40)
		b.open("on-"+sku, nil).wantAnswer("sub sku:"+sku, "snapshot")
	}
	b.changes, b.poster.sent, b.now = nil, nil, b.now.Add(time.Second)
	return b
}

func sku(name string) hub.Topic { return hub.Topic{Kind: hub.KindSKU, Name: name} }

// outOf is the post for the subscriber of a SKU with version 2, sold out.
func outOf(name string) string {
	return fmt.Sprintf(`on-%[1]s {"type":"delta","epoch":"k3","topics":{"sku:%[1]s":{"version":2,"state":"out"}}}`, name)
}

func (b *fixture) wantSent(want ...string) {
	b.t.Helper()
	got := slices.Sorted(slices.Values(b.poster.sent))
	if slices.Sort(want); !slices.Equal(got, want) {
		b.t.Errorf("sent\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// wantReport checks the report of the last batch.
func (b *fixture) wantReport(want hub.Report) {
	b.t.Helper()
	if !reflect.DeepEqual(*b.report, want) {
		b.t.Errorf("got report %+v, want %+v", *b.report, want)
	}
}

func TestBroadcastSends(t *testing.T) {
	b := shop(t)
	b.stock("A", 0)
	b.stock("C", 0)
	wantFailed(t, b.deliver(b.records(100)...), "")
	b.wantSent(outOf("A"), outOf("C"))
	b.wantReport(hub.Report{Changes: 2, Posts: 2, Latencies: []time.Duration{0, 0}})
}

// TestBroadcastNamesTheRequest: the way of a change can be followed from the access log
// to the batch that sent it.
func TestBroadcastNamesTheRequest(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	b.deliver(b.records(1)...)
	if b.report.Causes != nil {
		t.Errorf("a change of stock was made by %q", b.report.Causes)
	}
	b.openAs("c1", "ann").wantAnswer("add MUG 2", "ok")
	b.deliver(b.records(2)...)
	const inEvent = "lN_kWzsyQlkFJK8=" // testdata/events/message.json
	line := b.logged("metrics")
	if got := line[len(line)-1]["causes"]; got != inEvent || b.cart("u~ann").Cause != inEvent {
		t.Errorf("the batch was made by %v, the cart by %q, want %s", got, b.cart("u~ann").Cause, inEvent)
	}
}

// TestBroadcastNamesLowestFailed checks that the answer names the first failed
// change, because the stream delivers again from there, and that everything else is
// sent.
func TestBroadcastNamesLowestFailed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		broken []string // SKUs whose subscribers cannot be read
		want   string
	}{
		{"first", []string{"A"}, "100"},
		{"in the middle", []string{"B"}, "101"},
		{"last", []string{"C"}, "102"},
		{"two", []string{"C", "B"}, "101"},
		{"all", []string{"C", "B", "A"}, "100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := shop(t)
			var sent []string
			for _, name := range []string{"A", "B", "C"} {
				b.stock(name, 0)
				if slices.Contains(tt.broken, name) {
					b.store.topicErrs[sku(name)] = errInside
				} else {
					sent = append(sent, outOf(name))
				}
			}
			wantFailed(t, b.deliver(b.records(100)...), tt.want)
			b.wantSent(sent...)
			if records := b.logged("broadcast"); len(records) == 0 || records[0]["level"] != "ERROR" {
				t.Errorf("got log records %v, want an error", records)
			}
		})
	}
}

func TestBroadcastCoalescedChangeFails(t *testing.T) {
	b := shop(t)
	b.stock("B", 0)
	b.stock("A", 0)
	b.stock("B", 3)
	b.store.topicErrs[sku("B")] = errInside
	// Only the newest of B's changes would have been sent, but the stream must go
	// on from the oldest.
	wantFailed(t, b.deliver(b.records(100)...), "100")
	b.wantSent(outOf("A"))
}

// mark adds a retry mark for the topic of A.
func (b *fixture) mark(id string) {
	b.t.Helper()
	missed := []hub.Undelivered{{ConnectionID: id, Topics: []hub.Topic{sku("A")}}}
	if err := b.store.MarkForRetry(b.t.Context(), missed, b.now)[0]; err != nil {
		b.t.Fatal(err)
	}
}

func TestBroadcastEmptyBatch(t *testing.T) {
	t.Run("nothing to do", func(t *testing.T) {
		b := shop(t)
		wantFailed(t, b.deliver(), "")
		b.wantSent()
	})
	t.Run("nothing to do, and every call fails", func(t *testing.T) {
		b := shop(t)
		b.forgetEpoch()
		b.store.errs["Epoch"] = errInside
		wantFailed(t, b.deliver(), "")
	})
	t.Run("marked connections are healed", func(t *testing.T) {
		b := shop(t)
		b.stock("A", 0)
		b.changes = nil // not broadcast
		b.mark("on-A")
		b.deliver()
		b.wantSent(outOf("A"))
	})
	t.Run("a failed healing is counted", func(t *testing.T) {
		for call, fill := range map[string]func(*fixture){
			"RetryMarks":    func(*fixture) {},
			"ConnectionsOf": func(b *fixture) { b.mark("on-A") },
		} {
			b := shop(t)
			fill(b)
			b.store.errs[call] = errInside
			wantFailed(t, b.deliver(), "")
			lines := b.logged("metrics")
			if last := lines[len(lines)-1]; last["Failed"] != 1.0 {
				t.Errorf("%s fails: got the metrics %v, want Failed 1", call, last)
			}
		}
	})
	t.Run("no records at all", func(t *testing.T) {
		got, err := call[events.DynamoDBEventResponse](t, shop(t).broadcast, []byte(`{}`))
		if err != nil {
			t.Errorf("got %v, want an answer", err)
		}
		wantFailed(t, got, "")
	})
}

func TestBroadcastWithoutEpoch(t *testing.T) {
	t.Run("the whole batch comes again", func(t *testing.T) {
		b := shop(t)
		b.stock("A", 0)
		b.stock("B", 0)
		b.forgetEpoch()
		b.store.errs["Epoch"] = errInside
		wantFailed(t, b.deliver(b.records(100)...), "100")
		b.wantSent()
	})
	t.Run("unreadable records do not", func(t *testing.T) {
		b := shop(t)
		b.forgetEpoch()
		b.store.errs["Epoch"] = errInside
		wantFailed(t, b.deliver(unreadable(100), unreadable(101)), "")
		b.stock("A", 0)
		wantFailed(t, b.deliver(append([]json.RawMessage{unreadable(102)}, b.records(103)...)...), "103")
	})
}

// TestBroadcastListeners checks that a subscriber that cannot be served fails
// nothing, unless its retry mark cannot be stored either.
func TestBroadcastListeners(t *testing.T) {
	deliver := func(t *testing.T, kind error, mark error) (*fixture, events.DynamoDBEventResponse) {
		b := shop(t)
		b.poster.answer = func(p hub.Post) error {
			if p.ConnectionID == "on-B" {
				return kind
			}
			return nil
		}
		b.store.errs["MarkForRetry"] = mark
		for _, name := range []string{"A", "B", "C"} {
			b.stock(name, 0)
		}
		got := b.deliver(b.records(100)...)
		b.wantSent(outOf("A"), outOf("C"))
		return b, got
	}
	t.Run("gone", func(t *testing.T) {
		b, got := deliver(t, hub.ErrGone, errInside)
		wantFailed(t, got, "")
		b.wantNoRow("on-B")
	})
	t.Run("throttled", func(t *testing.T) {
		b, got := deliver(t, hub.ErrThrottled, nil)
		wantFailed(t, got, "")
		marks, _, err := b.store.RetryMarks(t.Context(), "", 10)
		if err != nil || len(marks) != 1 || marks[0].ConnectionID != "on-B" {
			t.Errorf("got marks %v, %v, want one on on-B", marks, err)
		}
		b.wantReport(hub.Report{Changes: 3, Posts: 2, Marked: 1, Throttled: 1, Latencies: []time.Duration{0, 0}})
	})
	t.Run("throttled, and the mark fails", func(t *testing.T) {
		b, got := deliver(t, hub.ErrThrottled, errInside)
		wantFailed(t, got, "101")
		b.wantReport(hub.Report{Changes: 3, Posts: 2, Marked: 1, Throttled: 1, Failed: 2, Latencies: []time.Duration{0, 0}})
	})
}

func TestBroadcastUnobserved(t *testing.T) {
	b := shop(t)
	b.stock("A", 0)
	b.broadcast = lambda.NewHandler(handler.Broadcast(b.hub, handler.BroadcastOptions{}, b.logger()))
	batch, err := json.Marshal(map[string]any{"Records": b.records(100)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := call[map[string]any](t, b.broadcast, batch)
	// An answer without failures is null or has an empty list.
	if want := map[string]any{"batchItemFailures": nil}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	b.wantSent(outOf("A"))
}

// TestBroadcastCart checks that a change of a cart reaches only the devices of its
// owner.
func TestBroadcastCart(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	phone, laptop, stranger := b.openAs("phone", "ann"), b.openAs("laptop", "ann"), b.openAs("stranger", "bob")
	for _, c := range []*testConn{phone, laptop, stranger} {
		c.wantAnswer("sub cart", "snapshot")
	}
	b.changes = nil
	phone.wantAnswer("add MUG 2", "ok")
	wantFailed(t, b.deliver(b.records(100)...), "")
	const delta = ` {"type":"delta","epoch":"k3","topics":{"cart":{"version":1,"lines":{"MUG":{"quantity":2,` +
		`"version":1}}}}}`
	b.wantSent("laptop"+delta, "phone"+delta)
}
