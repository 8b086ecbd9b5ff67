package trace_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/trace"
	"github.com/securecart/hub/internal/wire"
)

// alicesQuestion is about MUG, of which alice sees the badge.
var alicesQuestion = hub.Asked{
	Connection: hub.Connection{ID: "c1", Principal: hub.Principal{User: "alice", Role: hub.RoleCustomer}},
	Topic:      hub.Topic{Kind: hub.KindSKU, Name: "MUG"}, Name: "sku:MUG", Shape: hub.ShapeBadge, Subscribed: true,
}

var rowsAnswer = wire.Why{Topic: "sku:MUG", Reason: wire.WhyCurrent, Message: "as the rows tell"}

func newTracer(log *events.Log) *trace.Tracer {
	return &trace.Tracer{Log: log, Queued: func(string) int { return 0 }, Healing: time.Second}
}

func add(log *events.Log, e events.Event, cause ...uint64) uint64 {
	e.Cause = cause
	return log.Add(context.Background(), e)
}

const moved = `{"was":{"version":1,"state":"in","quantity":9},"is":{"version":2,"state":"low","quantity":3}}`

// TestLogThatLostTheSubscription: the answer of the rows stays, because nobody knows since
// when the connection follows the topic.
func TestLogThatLostTheSubscription(t *testing.T) {
	log := events.New(time.Now)
	add(log, events.Event{Type: events.Open, Conn: "c1", User: "alice", Role: "customer"})
	tracer := newTracer(log)
	if w := tracer.Complete(alicesQuestion, rowsAnswer); w.Reason != wire.WhyUnchanged {
		t.Errorf("with the whole log: got %+v, want unchanged", w)
	}
	for range events.MaxEvents {
		add(log, events.Event{Type: events.In, Conn: "c2"})
	}
	if w := tracer.Complete(alicesQuestion, rowsAnswer); !reflect.DeepEqual(w, rowsAnswer) {
		t.Errorf("got %+v, want %+v", w, rowsAnswer)
	}
}

// TestRecordOfAnotherProcess: a row that was written elsewhere has no commit, so its way
// begins in the stream.
func TestRecordOfAnotherProcess(t *testing.T) {
	log := events.New(time.Now)
	add(log, events.Event{Type: events.Open, Conn: "c1", User: "alice", Role: "customer"})
	record := add(log, events.Event{Type: events.Record, Topic: "sku:MUG", Version: 2, Text: moved})
	batch := add(log, events.Event{Type: events.Batch, Attempt: 1}, record)
	add(log, events.Event{Type: events.Answer, Code: "failed"}, batch)
	w := newTracer(log).Complete(alicesQuestion, rowsAnswer)
	if w.Message != "pending: the batch failed (attempt 1), and comes again" {
		t.Errorf("after a failed batch: got %+v", w)
	}
	batch = add(log, events.Event{Type: events.Batch, Attempt: 2}, record)
	post := add(log, events.Event{Type: events.Post, Conn: "c1", Status: 200, Topic: "sku:MUG", Version: 2}, batch)
	add(log, events.Event{Type: events.Out, Conn: "c1"}, post)
	add(log, events.Event{Type: events.Answer}, batch)
	w = newTracer(log).Complete(alicesQuestion, rowsAnswer)
	var steps []string
	for _, s := range w.Path {
		steps = append(steps, fmt.Sprint(s.Step, s.Note))
	}
	if want := "[stream batch2 attempts post accepted]"; fmt.Sprint(steps) != want || w.Reason != wire.WhyCurrent {
		t.Errorf("got %s %v, want current %s", w.Reason, steps, want)
	}
}

// TestOthersAreLeftOut: posts to another user, also one of the same name, tell alice nothing.
func TestOthersAreLeftOut(t *testing.T) {
	for _, other := range [][2]string{{"bob", "customer"}, {"alice", "guest"}} {
		log := events.New(time.Now)
		add(log, events.Event{Type: events.Open, Conn: "c2", User: other[0], Role: other[1]})
		add(log, events.Event{Type: events.Open, Conn: "c1", User: "alice", Role: "customer"})
		add(log, events.Event{Type: events.Close, Conn: "c2", User: other[0], Role: other[1]})
		row := add(log, events.Event{Type: events.Row, Topic: "sku:MUG", Version: 2, Text: moved})
		batch := add(log, events.Event{Type: events.Batch, Attempt: 1}, row)
		add(log, events.Event{Type: events.Post, Conn: "c2", Status: 410, Topic: "sku:MUG", Version: 2}, batch)
		add(log, events.Event{Type: events.Answer}, batch)
		asked := alicesQuestion
		asked.Subscribed = false
		if w := newTracer(log).Complete(asked, rowsAnswer); !reflect.DeepEqual(w, rowsAnswer) {
			t.Errorf("%v: got %+v, want %+v", other, w, rowsAnswer)
		}
	}
}

// TestRefusedStaysRefused: where the caller sees nothing, nothing is added.
func TestRefusedStaysRefused(t *testing.T) {
	log := events.New(time.Now)
	add(log, events.Event{Type: events.Open, Conn: "c1", User: "alice", Role: "customer"})
	add(log, events.Event{Type: events.Row, Topic: "sku:MUG", Version: 2, Text: moved})
	asked := alicesQuestion
	asked.Shape = hub.ShapeNone
	denied := wire.Why{Topic: "sku:MUG", Reason: wire.WhyDenied}
	if w := newTracer(log).Complete(asked, denied); !reflect.DeepEqual(w, denied) {
		t.Errorf("got %+v, want %+v", w, denied)
	}
}
