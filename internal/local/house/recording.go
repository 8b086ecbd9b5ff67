package house

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/stockjson"
)

// newRecorder returns the recorder of the house. It reads messages before they are masked
// for the log of events.
func (h *House) newRecorder() *recording.Recorder {
	return recording.New(recording.Options{
		Header: h.recordingHeader, Before: h.before, CartID: cartID, Log: h.opts.Log,
		Verify: func(token string) (recording.Person, bool) {
			p, err := h.identity.verifier.Verify(context.Background(), token)
			return recording.Person{User: p.User, Role: string(p.Role), Vendor: p.Vendor}, err == nil
		},
	})
}

// Recorder records what happens in the house.
func (h *House) Recorder() *recording.Recorder { return h.recorder }

func (h *House) recordingHeader() recording.Header {
	return recording.Header{
		Localhub: h.opts.Recording.Localhub, Started: h.Now().UTC(),
		Settings: recording.Settings{
			Limits: h.opts.Limits, Deprecations: h.opts.Deprecations.String(),
			IdleTimeoutMs: h.opts.Gateway.IdleTimeout.Milliseconds(), MaxAgeMs: h.opts.Gateway.MaxAge.Milliseconds(),
			BatchWindowMs: int64(h.opts.BatchWindow / time.Millisecond), PostsPerSecond: h.opts.PostsPerSecond,
		},
	}
}

// before returns the items in memory, and the faults that are set. Items of tables outside
// of this process are not in a recording.
func (h *House) before() []recording.Event {
	items, _ := h.memory.Stock("", maxItems)
	events := make([]recording.Event, 0, len(items)+1)
	for i := range items {
		item := stockjson.NewItem(items[i], nil)
		events = append(events, recording.Event{Type: recording.Stock, Item: &item})
	}
	set, _ := h.gateway.Faults()
	if rates := faults.Rates(set); len(rates) > 0 {
		body, _ := json.Marshal(map[string]any{"every": rates, "slowBy": set.SlowBy.String()}) // plain values
		events = append(events, recording.Event{
			Type: recording.Admin, Method: http.MethodPost, Path: "/admin/faults", Body: string(body),
		})
	}
	return events
}

// maxItems is more than any localhub has: a recording begins with all of them.
const maxItems = 1 << 30

// cartID returns the id of a user's cart.
func cartID(user, role string) string {
	return hub.Principal{User: user, Role: hub.Role(role)}.CartID()
}

// observe adds what the gateway does to the log of events and to the recording, and counts
// it for costs and alarms.
func (h *House) observe(ctx context.Context, o gatewaytest.Observation) context.Context {
	h.recorder.Observe(ctx, o)
	h.cost.Observe(o)
	if o.Kind == gatewaytest.ObservedAnswer && o.Code != "" && o.Status >= http.StatusInternalServerError {
		h.alarms.Unanswered()
	}
	return h.observer.Observe(ctx, o)
}
