package alarms

import (
	"fmt"
	"strings"
	"time"
)

// Metric is one metric in CloudWatch and how it is summed up over a period.
type Metric struct {
	Namespace string // "": that of the hub's own metrics
	Name      string
	Function  string // dimension: the function that reports it
	Reason    string // dimension of refused handshakes; "": the metric has none
	Queue     string // dimension: logical id of the queue
	API       string // dimension: logical id of the API; its stage is the other one
	Stat      string // a statistic of CloudWatch
}

// Statistics of CloudWatch.
const (
	Sum     = "Sum"
	Maximum = "Maximum"
	P99     = "p99"
)

// Namespaces of AWS.
const (
	apiGateway = "AWS/ApiGateway"
	lambda     = "AWS/Lambda"
	sqs        = "AWS/SQS"
)

// Alarm is one alarm. It goes off when its value was above a limit in each of the newest
// periods. A period without data is good. What fails once and then works wakes nobody: a
// batch is repeated and clients try again, so a fault that stays is above the limit soon.
type Alarm struct {
	ID   string // logical id in template.yaml
	Help string // what it means
	Link string // heading in docs/operations.md

	Value   []Metric // their sum is the value
	Rest    []Metric // if any, the value is the sum in percent of Value and Rest together
	Above   float64
	Period  time.Duration
	Periods int
}

// List has all alarms.
var List = []Alarm{
	{
		ID: "FailureQueuesAlarm", Help: "Changes were given up", Link: "failure-queues",
		Value: []Metric{visible("InventoryFailures"), visible("CartFailures")},
		Above: 0, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "IteratorAgeAlarm", Help: "Changes wait, or a crowd is swept for minutes", Link: "changes-wait",
		Value: []Metric{{Namespace: lambda, Name: "IteratorAge", Function: "broadcast", Stat: Maximum}},
		Above: 5000, Period: time.Minute, Periods: 3,
	},
	{
		ID: "BroadcastErrorsAlarm", Help: "The broadcast function failed", Link: "errors-of-functions",
		Value: errorsOf("broadcast"),
		Above: 2, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "FunctionErrorsAlarm", Help: "A function failed that answers clients", Link: "errors-of-functions",
		Value: errorsOf("authorize", "connect", "disconnect", "message", "rest"),
		Above: 2, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "GatewayErrorsAlarm", Help: "The gateway gets no answer from a function", Link: "errors-of-the-gateway",
		Value: []Metric{executionErrors},
		Above: 2, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "HandshakeFailuresAlarm", Help: "Handshakes fail, by the hub or the issuer", Link: "refused-handshakes",
		Value: []Metric{
			refused("authorize", "internal"), refused("authorize", "unchecked"), downgraded("unchecked"),
			refused("connect", "internal"),
		},
		Above: 2, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "RefusedHandshakesAlarm", Link: "refused-handshakes",
		Help: "Many handshakes have a foreign origin, bypass the edge, or have a bad token or ticket",
		Value: []Metric{
			refused("authorize", "edge"), refused("authorize", "origin"),
			refused("authorize", "token_bad"), downgraded("token_bad"),
			refused("authorize", "ticket"), downgraded("ticket"),
		},
		Above: 100, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "FailedAlarm", Help: "Changes or healings fail", Link: "failed-records",
		Value: []Metric{broadcast("Failed", Sum)},
		Above: 0, Period: time.Minute, Periods: 3,
	},
	{
		ID: "ThrottledAlarm", Help: "The account's requests are used up: posts get 429", Link: "throttled-posts",
		Value: []Metric{broadcast("Throttled", Sum)},
		Rest:  []Metric{broadcast("Posts", Sum), broadcast("SweepPosts", Sum)},
		Above: 5, Period: time.Minute, Periods: 3,
	},
	{
		ID: "UnreadableRowsAlarm", Help: "The shop writes rows that cannot be read", Link: "unreadable-rows",
		Value: []Metric{
			broadcast("UnreadableRows", Sum), {Name: "UnreadableRows", Function: "message", Stat: Sum},
			{Name: "UnreadableRows", Function: "rest", Stat: Sum},
		},
		Above: 0, Period: 5 * time.Minute, Periods: 1,
	},
	{
		ID: "VersionNotRaisedAlarm", Help: "A writer does not count the versions of its rows", Link: "version-not-raised",
		Value: []Metric{broadcast("VersionNotRaised", Sum)},
		Above: 0, Period: 5 * time.Minute, Periods: 3,
	},
	{
		ID: "HealClosedAlarm", Help: "Posts to some connections keep failing; they reconnect", Link: "healing",
		Value: []Metric{broadcast("HealClosed", Sum)},
		Above: 0, Period: 5 * time.Minute, Periods: 3,
	},
	{
		ID: "LatencyAlarm", Help: "One screen in a hundred is over 3 seconds late", Link: "latency",
		Value: []Metric{broadcast("Latency", P99)},
		Above: 3000, Period: time.Minute, Periods: 3,
	},
}

// executionErrors are handshakes and messages whose function gave no answer.
var executionErrors = Metric{Namespace: apiGateway, Name: "ExecutionError", API: "Api", Stat: Sum}

func visible(queue string) Metric {
	return Metric{Namespace: sqs, Name: "ApproximateNumberOfMessagesVisible", Queue: queue, Stat: Maximum}
}

func errorsOf(functions ...string) []Metric {
	var all []Metric
	for _, f := range functions {
		all = append(all, Metric{Namespace: lambda, Name: "Errors", Function: f, Stat: Sum})
	}
	return all
}

func refused(function, reason string) Metric {
	return Metric{Name: "HandshakesRefused", Function: function, Reason: reason, Stat: Sum}
}

func downgraded(reason string) Metric {
	return Metric{Name: "HandshakesDowngraded", Function: "authorize", Reason: reason, Stat: Sum}
}

func broadcast(name, stat string) Metric {
	return Metric{Name: name, Function: "broadcast", Stat: stat}
}

// Description is the text of the alarm in CloudWatch.
func (a Alarm) Description() string { return a.Help + ": docs/operations.md#" + a.Link }

// String names a metric for people: "HandshakesRefused origin of authorize".
func (m Metric) String() string {
	name := m.Name
	if m.Reason != "" {
		name += " " + m.Reason
	}
	if m.Stat == P99 {
		name += " " + P99
	}
	return name + " of " + m.Function + m.Queue + m.API
}

// Metrics are all metrics of an alarm: m1, m2 and so on in its expression.
func (a Alarm) Metrics() []Metric { return append(a.Value[:len(a.Value):len(a.Value)], a.Rest...) }

// Expression is the value as metric math of CloudWatch, "" if it is one metric. A metric
// without data counts as zero beside others; alone it makes no value.
func (a Alarm) Expression() string {
	if len(a.Metrics()) == 1 {
		return ""
	}
	var terms []string
	for i := range a.Metrics() {
		terms = append(terms, fmt.Sprintf("FILL(m%d, 0)", i+1))
	}
	if len(a.Value) == 1 {
		terms[0] = "m1"
	}
	value := strings.Join(terms[:len(a.Value)], " + ")
	if a.Rest == nil {
		return value
	}
	return fmt.Sprintf("100 * %s / (%s)", value, strings.Join(terms, " + "))
}
