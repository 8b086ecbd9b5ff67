package admin

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/faults"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/tap"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/wire"
)

const (
	// tapPath is that of the feed. A page cannot set the headers of a WebSocket, so it may
	// send the token as a subprotocol there.
	tapPath = "/admin/tap"

	// maxLatest is the most events of one answer. Our own choice.
	maxLatest = 1000
)

// tap opens a feed of events.
func (a core) tap(w http.ResponseWriter, r *http.Request) {
	f, err := events.ParseFilter(r.URL.Query())
	if err != nil {
		refuse(w, wire.CodeBadField, err.Error())
		return
	}
	var refused *tap.Refusal
	if errors.As(a.Tap.Serve(w, r, f), &refused) {
		code := wire.CodeBadField
		switch refused.Status {
		case http.StatusTooManyRequests:
			code = wire.CodeLimit
		case http.StatusServiceUnavailable:
			code = wire.CodeBusy
		}
		reply(w, refused.Status, stockjson.NewProblem(code, refused.Reason))
	}
}

// getEvents returns the latest events, for programs without sockets.
func (a core) getEvents(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f, err := events.ParseFilter(q, "last")
	if err != nil {
		refuse(w, wire.CodeBadField, err.Error())
		return
	}
	last := maxLatest
	if text := q.Get("last"); text != "" {
		if last, err = strconv.Atoi(text); err != nil || last < 1 || last > maxLatest {
			refuse(w, wire.CodeBadField, `"last" must be a whole number from 1 to `+strconv.Itoa(maxLatest))
			return
		}
	}
	found := a.Events.Latest(last, f)
	if found == nil {
		found = []events.Event{}
	}
	reply(w, http.StatusOK, map[string]any{"events": found, "boot": a.Events.Boot()})
}

// situation is what is not as usual, in one answer.
type situation struct {
	Boot            string            `json:"boot"` // names the log of events
	Now             time.Time         `json:"now"`
	UptimeMs        int64             `json:"uptimeMs"`
	ClockAheadMs    int64             `json:"clockAheadMs"` // what Warp has added
	Faults          map[string]int    `json:"faults"`       // each happens once in so many times
	Recording       *recording.Status `json:"recording"`    // null: nothing is recorded
	Recordings      bool              `json:"recordings"`   // there is a folder for them
	StreamHeld      bool              `json:"streamHeld"`   // changes wait, see POST /admin/stream
	Private         bool              `json:"private"`      // the log has carts as they are
	Template        bool              `json:"template"`     // the API of a template, not the hub
	EventsPerSecond int               `json:"eventsPerSecond"`
	Connections     int               `json:"connections"`

	Version  string `json:"version,omitempty"` // of localhub
	Socket   string `json:"socket,omitempty"`  // the URL of the sockets
	Epoch    string `json:"epoch,omitempty"`   // of the rows
	IdleMs   int64  `json:"idleMs,omitempty"`  // after which a connection without a message is closed
	MaxAgeMs int64  `json:"maxAgeMs,omitempty"`
}

func (a core) getSituation(w http.ResponseWriter, r *http.Request) {
	epoch := ""
	if a.About.Epoch != nil {
		epoch, _ = a.About.Epoch(r.Context()) // rows that cannot be read have none to tell; /readyz says why
	}
	set, _ := a.Gateway.Faults()
	now := a.Clock.Now()
	ahead := a.Clock.Ahead()
	reply(w, http.StatusOK, situation{
		Boot: a.Events.Boot(), Now: now.UTC(), UptimeMs: now.Add(-ahead).Sub(a.started).Milliseconds(),
		ClockAheadMs: ahead.Milliseconds(), Faults: faults.Rates(set), Private: a.ShowPrivate, Template: a.template,
		EventsPerSecond: a.Events.PerSecond(), Connections: a.Gateway.Stats().Open,
		Version: a.About.Version, Socket: a.About.Socket, Epoch: epoch,
		IdleMs: a.About.Idle.Milliseconds(), MaxAgeMs: a.About.MaxAge.Milliseconds(),
		StreamHeld: a.About.Held != nil && a.About.Held(),
		Recording:  a.Recorder.Status(), Recordings: a.Recorder != nil && a.Recordings != nil,
	})
}

// getCost says what the session would have cost on AWS.
func (a core) getCost(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, a.Cost.Report(a.Clock.Now()))
}
