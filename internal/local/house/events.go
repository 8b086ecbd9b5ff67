package house

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/trace"
	"github.com/securecart/hub/internal/local/webserver"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// The names of functions in template.yaml that the log names.
const (
	broadcastFunction = "broadcast"
	restFunction      = "rest"
)

// newObserver adds to the log what the gateway does.
func newObserver(log *events.Log, private bool) *events.Gateway {
	return &events.Gateway{
		Log: log, In: events.HubFrame(private), Out: events.HubAnswer(private),
		Function: func(route string) string {
			switch route {
			case "":
				return "authorize"
			case "$connect", "$disconnect":
				return strings.TrimPrefix(route, "$")
			}
			return "message"
		},
		Cart: func(user, role string) string {
			p := hub.Principal{User: user, Role: hub.Role(role)}
			return hub.Topic{Kind: hub.KindCart, Name: p.CartID()}.String()
		},
	}
}

// logRow adds a row that was committed.
func (f *feed) logRow(ctx context.Context, c hub.Change) context.Context {
	topic, version := subject(c)
	e := events.Event{Type: events.Row, Topic: topic, Version: version, Text: images(c)}
	if c.Removed {
		e.Note = "removed"
	}
	return events.With(ctx, f.events.Add(ctx, e))
}

// logRecord adds a record of a stream and returns its id.
func (f *feed) logRecord(ctx context.Context, c hub.Change) uint64 {
	topic, version := subject(c)
	return f.events.Add(ctx, events.Event{Type: events.Record, Topic: topic, Version: version})
}

// subject is what a change is of.
func subject(c hub.Change) (topic string, version uint64) {
	if c.NewCart != nil {
		return hub.Topic{Kind: hub.KindCart, Name: c.NewCart.ID}.String(), uint64(max(0, c.NewCart.Version))
	}
	return hub.Topic{Kind: hub.KindSKU, Name: c.NewItem.SKU}.String(), uint64(max(0, c.NewItem.Version))
}

// images returns what those who see exact figures see of a SKU before and after a change;
// "" for a cart.
func images(c hub.Change) string {
	if c.NewItem == nil {
		return ""
	}
	badge := func(i *hub.Item) *wire.Badge {
		if i == nil {
			return nil
		}
		b := i.Badge(hub.ShapeExact)
		return &b
	}
	text, err := json.Marshal(trace.Images{Was: badge(c.OldItem), Is: badge(c.NewItem)})
	if err != nil {
		return "" // unreachable: badges marshal
	}
	return string(text)
}

// tracer returns what completes the answers to why.
func (h *House) tracer() *trace.Tracer {
	queued := func(id string) int {
		for _, c := range h.gateway.Connections() {
			if c.ConnectionID == id {
				return c.Queued
			}
		}
		return 0
	}
	return &trace.Tracer{Log: h.events, Queued: queued, Healing: healEvery}
}

// logTables adds the records of tables outside of this process to the log before a mapping
// gets them. Nobody knows who wrote their rows.
func logTables(log *events.Log, layout table.Layout, put func(esm.Record)) func(esm.Record) {
	return func(r esm.Record) {
		e := events.Event{Type: events.Record, Note: "of a table outside of localhub"}
		var record awsevents.DynamoDBEventRecord
		if json.Unmarshal(r.Data, &record) == nil {
			if change, err := layout.Change(record, func(string, error) {}); err == nil {
				e.Topic, e.Version = subject(change)
				e.Text = images(change)
			}
		}
		r.Tag = log.Add(context.Background(), e)
		put(r)
	}
}

// work is what a function did in one invocation, in the words of its report.
type work struct {
	count int // connections that received everything
	note  string
}

type workKey struct{}

// report keeps what a function did for the answer that the log gets.
func report(ctx context.Context, count int, parts ...any) {
	w, ok := ctx.Value(workKey{}).(*work)
	if !ok {
		return
	}
	var words []string
	for i := 0; i+1 < len(parts); i += 2 {
		if n := parts[i].(int); n != 0 {
			words = append(words, fmt.Sprint(n, " ", parts[i+1]))
		}
	}
	w.count, w.note = count, strings.Join(words, ", ")
}

// batched, healed and swept keep reports for the log.
func batched(ctx context.Context, r hub.Report) {
	report(ctx, r.Posts, r.Posts, "posted", r.Gone, "gone", r.Marked, "marked", r.Coalesced, "coalesced",
		r.Suppressed, "with the same badge", r.Crowds, "left to a sweep", r.Denied, "denied", r.Unreadable, "unreadable",
		r.VersionNotRaised, "without a raised version")
}

func healed(ctx context.Context, r hub.HealReport) {
	report(ctx, r.Healed, r.Healed, "healed", r.Gone, "gone", r.Closed, "closed", r.Kept, "kept", r.Failed, "failed")
}

func swept(ctx context.Context, r hub.SweepReport) {
	report(ctx, r.Posts, r.Posts, "posted", r.Pages, "pages", r.Ended, "ended", r.Gone, "gone", r.Marked, "marked",
		r.Failed, "failed")
}

// observe adds a batch of a mapping to the log, and its answer when the function has ended. It keeps
// the batch.
func (k *keptBatches) observe(
	log *events.Log, what string, of **esm.Mapping, meter *alarms.Meter,
) func(context.Context, esm.Batch) (context.Context, func(int, error)) {
	return func(ctx context.Context, b esm.Batch) (context.Context, func(int, error)) {
		e := events.Event{Type: events.Batch, Function: broadcastFunction, Note: what,
			Attempt: b.Attempt + 1, Count: len(b.Records)}
		for _, r := range b.Records {
			if r.Tag != 0 { // bells of tables outside of this process have none
				e.Cause = append(e.Cause, r.Tag)
			}
		}
		w := new(work)
		started := time.Now()
		id := log.Add(ctx, e)
		k.keep(id, *of, b)
		if at, ok := written(b.Records[len(b.Records)-1]); ok {
			meter.Aged(broadcastFunction, at)
		}
		ctx = events.With(context.WithValue(ctx, workKey{}, w), id)
		return ctx, func(acknowledged int, err error) {
			answer := events.Event{Type: events.Answer, Function: broadcastFunction, Count: w.count, Note: w.note,
				Took: time.Since(started).Microseconds()}
			if err != nil {
				answer.Code = "failed"
				answer.Note = strings.TrimPrefix(fmt.Sprintf("%s, %d of %d acknowledged", w.note, acknowledged, e.Count), ", ")
			}
			log.Add(ctx, answer)
		}
	}
}

// written returns when a record came into its stream.
func written(r esm.Record) (at time.Time, ok bool) {
	var record awsevents.DynamoDBEventRecord
	err := json.Unmarshal(r.Data, &record)
	at = record.Change.ApproximateCreationDateTime.Time
	return at, err == nil && !at.IsZero()
}

// heal invokes the healer. The log has it only if it did something.
func (h *House) heal(ctx context.Context) error {
	w := new(work)
	started := time.Now()
	logged := false
	ctx = events.WithLate(context.WithValue(ctx, workKey{}, w), func() uint64 {
		logged = true
		return h.events.Add(context.Background(), events.Event{Type: events.Heal, Function: broadcastFunction})
	})
	_, err := h.functions.broadcast.Invoke(ctx, []byte(healEvent))
	if !logged && w.note == "" && err == nil {
		return nil
	}
	answer := events.Event{Type: events.Answer, Function: broadcastFunction, Count: w.count, Note: w.note,
		Took: time.Since(started).Microseconds()}
	if err != nil {
		answer.Code = "failed"
	}
	h.events.Add(ctx, answer)
	return err
}

// logRequests adds requests to a function over HTTP to the log: an invocation, whose context
// the request gets, and its answer. It keeps neither header nor query nor body.
func logRequests(log *events.Log, function string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := events.Event{Type: events.Invoke, Function: function, Route: r.Method + " " + r.URL.Path}
		ctx := events.With(r.Context(), log.Add(r.Context(), e))
		started := time.Now()
		recorded := &webserver.StatusWriter{ResponseWriter: w}
		next.ServeHTTP(recorded, r.WithContext(ctx))
		e.Type, e.Status, e.Took = events.Answer, recorded.Status(), time.Since(started).Microseconds()
		log.Add(ctx, e)
	})
}

// both calls two observers of a report.
func both[R any](a, b func(context.Context, R)) func(context.Context, R) {
	return func(ctx context.Context, r R) {
		a(ctx, r)
		b(ctx, r)
	}
}
