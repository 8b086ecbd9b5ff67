package metrics

import (
	"context"
	"time"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// Metric is one metric in CloudWatch.
type Metric struct {
	Name string
	Unit string // as CloudWatch spells it
	Help string // what it counts or measures
}

// Units of CloudWatch.
const (
	Count        = "Count"
	Milliseconds = "Milliseconds"
)

// Series lists all metrics. Their dimension is the function, and for refused handshakes
// the reason too: one of [handler.Refusals]. Each combination of dimensions costs
// money, so connections and SKUs are no dimensions.
var Series = []Metric{
	{"Connects", Count, "connections accepted"},
	{"HandshakesRefused", Count, "handshakes refused, by reason"},
	{"HandshakesDowngraded", Count, "handshakes accepted as a guest's because of their token or ticket, by reason"},
	{"Deprecated", Count, "connections and HTTP requests with a version that is deprecated or has ended"},
	{"DisconnectsByClient", Count, "connections that the client closed (1000, 1001, 1005)"},
	{"DisconnectsByHub", Count,
		"connections that the hub closed (1000, with a text): floods, erased users, and those it could not heal"},
	{"DisconnectsByLimit", Count,
		"connections that the gateway closed after ten idle minutes or two hours (1001, Going away)"},
	{"DisconnectsLost", Count, "connections that broke (1006)"},
	{"DisconnectsRefused", Count,
		"connections that the gateway closed because of what the client sent (1003, 1007, 1008, 1009)"},
	{"DisconnectsOther", Count, "connections that closed with another code"},
	{"Changes", Count, "committed changes that reached broadcast"},
	{"Coalesced", Count, "changes not sent because the batch had a newer one of the same row"},
	{"Suppressed", Count, "changed rows with no visible difference for any subscriber"},
	{"VersionNotRaised", Count, "changes that did not raise the version of their row, and removed rows"},
	{"Posts", Count, "connections that received their changes, once per batch"},
	{"Gone", Count, "connections found gone (410) and removed"},
	{"Throttled", Count, "connections not served because of 429, after all retries"},
	{"Marked", Count, "connections not served, for any reason; they get retry marks"},
	{"Denied", Count, "subscribers that may no longer see the topic"},
	{"Failed", Count, "stream records that must come again, and errors of healing and of sweeps"},
	{"UnreadableRows", Count, "rows of the shop that cannot be read: stream records put aside, and rows found by a read"},
	{"Healed", Count, "marked connections served later"},
	{"HealClosed", Count, "marked connections closed after a minute; their clients reconnect"},
	{"HealLeft", Count, "marked connections that wait for the next healing"},
	{"Crowds", Count, "changed rows whose badge viewers were left to a sweep"},
	{"SweepsBegun", Count, "sweeps whose first viewers were served"},
	{"SweepsEnded", Count, "sweeps that ended: their crowds have the newest value"},
	{"SweepPages", Count, "pages of sweeps that were served"},
	{"SweepPosts", Count, "connections that received a value from a sweep, once per page"},
	{"Latency", Milliseconds, "from the time in the row to the last accepted post, once per changed row"},
}

// Report is what one event adds to the metrics of a function.
type Report struct {
	Reason    handler.Refusal // dimension; "": the metrics have none
	Counts    map[string]int  // by the name of the metric
	Latencies []time.Duration // of the metric Latency
	Took      time.Duration   // that a batch took; no metric
	Causes    []string        // requests that made changes of a batch; no metric
}

// Observer receives the reports of one function. Handlers call its methods.
type Observer func(context.Context, Report)

// counts are values by the name of their metric.
type counts = map[string]int

// Connected counts a connection.
func (o Observer) Connected(ctx context.Context) { o(ctx, Report{Counts: counts{"Connects": 1}}) }

// Refused counts a handshake that was refused.
func (o Observer) Refused(ctx context.Context, reason handler.Refusal) {
	o(ctx, Report{Reason: reason, Counts: counts{"HandshakesRefused": 1}})
}

// Downgraded counts a handshake that was accepted as a guest's although it had a token
// or a ticket.
func (o Observer) Downgraded(ctx context.Context, reason handler.Refusal) {
	o(ctx, Report{Reason: reason, Counts: counts{"HandshakesDowngraded": 1}})
}

// Deprecated counts a connection or a request with a version that is deprecated.
func (o Observer) Deprecated(ctx context.Context) { o(ctx, Report{Counts: counts{"Deprecated": 1}}) }

// reasonDeleted is the reason of a connection that the hub closed (G-CLOSE-4). A client
// that closes with 1000 has a reason of its own, usually none.
const reasonDeleted = "Connection Closed Normally"

// Disconnected counts a closed connection by who or what closed it (G-CLOSE-1 to 10).
func (o Observer) Disconnected(ctx context.Context, code int, reason string) {
	name := "DisconnectsOther"
	switch {
	case code == 1000 && reason == reasonDeleted:
		name = "DisconnectsByHub"
	case code == 1001 && reason == "Going away":
		name = "DisconnectsByLimit"
	case code == 1000 || code == 1001 || code == 1005:
		name = "DisconnectsByClient"
	case code == 1006:
		name = "DisconnectsLost"
	case code == 1003 || code == 1007 || code == 1008 || code == 1009:
		name = "DisconnectsRefused"
	}
	o(ctx, Report{Counts: counts{name: 1}})
}

// Broadcast counts the results of a batch.
func (o Observer) Broadcast(ctx context.Context, r hub.Report) {
	o(ctx, Report{Counts: counts{
		"Changes": r.Changes, "Coalesced": r.Coalesced, "Suppressed": r.Suppressed, "VersionNotRaised": r.VersionNotRaised,
		"Posts": r.Posts, "Gone": r.Gone, "Throttled": r.Throttled,
		"Marked": r.Marked, "Denied": r.Denied, "Failed": r.Failed,
		"UnreadableRows": r.Unreadable, "Crowds": r.Crowds,
	}, Latencies: r.Latencies, Took: r.Took, Causes: r.Causes})
}

// UnreadableRow counts a row of the shop that a read found and cannot be read.
func (o Observer) UnreadableRow(ctx context.Context) {
	o(ctx, Report{Counts: counts{"UnreadableRows": 1}})
}

// Healed counts the results of a healing.
func (o Observer) Healed(ctx context.Context, r hub.HealReport) {
	o(ctx, Report{Counts: counts{
		"Healed": r.Healed, "Gone": r.Gone, "HealClosed": r.Closed, "HealLeft": r.Kept, "Failed": r.Failed,
	}})
}

// Swept counts the results of a sweeping.
func (o Observer) Swept(ctx context.Context, r hub.SweepReport) {
	o(ctx, Report{Counts: counts{
		"SweepsBegun": r.Begun, "SweepsEnded": r.Ended, "SweepPages": r.Pages, "SweepPosts": r.Posts,
		"Gone": r.Gone, "Throttled": r.Throttled, "Marked": r.Marked, "Failed": r.Failed,
	}})
}
