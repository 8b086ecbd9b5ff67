package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/metrics"
)

// Values of parameters.
const (
	alarmTopic = "arn:aws-p:sns:region-1:account:on-call"
	alarmEmail = "on-call@shop.test"
)

// checkAlarms: the alarms are those of the list, and tell whom the parameters name.
func checkAlarms(k *checker) {
	for _, s := range k.scenes() {
		actions := []any{}
		if topic := s.given["AlarmTopicArn"]; topic != "" {
			actions = append(actions, topic)
		}
		if s.given["AlarmEmail"] != "" {
			actions = append(actions, "<AlarmTopic>")
		}
		for _, a := range alarms.List {
			want := alarmProperties(a)
			want["AlarmActions"], want["OKActions"] = actions, actions
			got := s.props(k.t.resources[a.ID])
			for name := range want {
				k.want(s.name+": "+name+" of "+a.ID, got[name], want[name])
			}
			k.want("the number of properties of "+a.ID, len(got), len(want))
		}
	}
	for _, r := range k.t.ofType(kindAlarm) {
		if !slices.ContainsFunc(alarms.List, func(a alarms.Alarm) bool { return a.ID == r.id }) {
			k.failf("the list has no alarm %s", r.id)
		}
	}
}

// checkAlarmTopic: the topic is made for an e-mail address, and CloudWatch may publish.
func checkAlarmTopic(k *checker) {
	for _, s := range k.scenes() {
		for _, id := range []string{"AlarmTopic", "AlarmTopicPolicy"} {
			r := k.t.resources[id]
			k.want(s.name+": "+id+" is made", r.kind != "" && s.made(r), s.given["AlarmEmail"] != "")
		}
		if email := s.given["AlarmEmail"]; email != "" {
			k.want("the topic", s.props(k.t.resources["AlarmTopic"]), object{
				"Subscription": []any{object{"Protocol": "email", "Endpoint": email}},
			})
			k.want("its policy", s.props(k.t.resources["AlarmTopicPolicy"]), object{
				"Topics": []any{"<AlarmTopic>"},
				"PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
					"Effect": "Allow", "Principal": object{"Service": "cloudwatch.amazonaws.com"},
					"Action": "sns:Publish", "Resource": "<AlarmTopic>",
					"Condition": object{"StringEquals": object{"aws:SourceAccount": "account"}},
				}, object{
					"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "<AlarmTopic>",
					"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
				}}},
			})
		}
	}
}

// searched matches the names in a search of metrics.
var searched = regexp.MustCompile(`\{"SecureCartHub",(?:Function|Function,Reason)\} MetricName=\(([^)]*)\)`)

// checkDashboard: the dashboard has every alarm, every metric of the functions and what
// alarms watch beside these.
func checkDashboard(k *checker) {
	var board struct {
		Widgets []struct {
			Properties struct {
				Alarms  []string
				Metrics [][]any
			}
		}
	}
	body := k.scenes()[0].text(k.one(kindDashboard).properties["DashboardBody"])
	if err := json.Unmarshal([]byte(body), &board); err != nil {
		k.failf("the dashboard: %v", err)
	}
	got, want := map[string]bool{}, map[string]bool{}
	for _, w := range board.Widgets {
		for _, arn := range w.Properties.Alarms {
			got[arn] = true
		}
		for _, m := range w.Properties.Metrics {
			search, isSearch := m[0].(object)
			if !isSearch {
				got[fmt.Sprint(m)] = true
				continue
			}
			expression, _ := search["expression"].(string)
			for _, names := range searched.FindAllStringSubmatch(expression, -1) {
				for name := range strings.SplitSeq(names[1], " OR ") {
					got[strings.Trim(name, `"`)] = true
				}
			}
		}
	}
	for _, s := range metrics.Series {
		want[s.Name] = true
	}
	for _, a := range alarms.List {
		want["<"+a.ID+".Arn>"] = true
		for _, m := range a.Metrics() {
			if m.Namespace != "" {
				metric := []any{m.Namespace, m.Name}
				for _, d := range dimensionsOf(m) {
					metric = append(metric, d.(object)["Name"], d.(object)["Value"])
				}
				want[fmt.Sprint(metric)] = true
			}
		}
	}
	for what := range want {
		if !got[what] {
			k.failf("the dashboard does not have %s", what)
		}
	}
	for what := range got {
		if !want[what] {
			k.failf("the dashboard has %s, which nobody reports", what)
		}
	}
}

// alarmProperties are the properties of an alarm, except for its actions.
func alarmProperties(a alarms.Alarm) object {
	p := object{
		"AlarmDescription":   a.Description(),
		"ComparisonOperator": "GreaterThanThreshold", "Threshold": withInts(a.Above),
		"EvaluationPeriods": a.Periods, "TreatMissingData": "notBreaching",
	}
	period := int(a.Period.Seconds())
	if a.Expression() == "" {
		m := a.Value[0]
		p["Namespace"], p["MetricName"], p["Dimensions"] = namespaceOf(m), m.Name, dimensionsOf(m)
		p["Period"] = period
		if m.Stat == alarms.P99 {
			p["ExtendedStatistic"] = m.Stat
		} else {
			p["Statistic"] = m.Stat
		}
		return p
	}
	metrics := []any{object{"Id": "value", "Expression": a.Expression()}}
	for i, m := range a.Metrics() {
		metrics = append(metrics, object{
			"Id": fmt.Sprintf("m%d", i+1), "ReturnData": false,
			"MetricStat": object{"Stat": m.Stat, "Period": period, "Metric": object{
				"Namespace": namespaceOf(m), "MetricName": m.Name, "Dimensions": dimensionsOf(m),
			}},
		})
	}
	p["Metrics"] = metrics
	return p
}

func namespaceOf(m alarms.Metric) string {
	if m.Namespace == "" {
		return "SecureCartHub"
	}
	return m.Namespace
}

func dimensionsOf(m alarms.Metric) []any {
	dimension := func(name, value string) any { return object{"Name": name, "Value": value} }
	switch {
	case m.Queue != "":
		return []any{dimension("QueueName", "<"+m.Queue+".QueueName>")}
	case m.API != "":
		return []any{dimension("ApiId", "<"+m.API+">"), dimension("Stage", "v1")}
	}
	function := "<" + functionID(config.Function(m.Function)) + ">"
	switch {
	case m.Namespace != "":
		return []any{dimension("FunctionName", function)}
	case m.Reason != "":
		return []any{dimension("Function", function), dimension("Reason", m.Reason)}
	}
	return []any{dimension("Function", function)}
}

// TestAlarmsAreDocumented: docs/operations.md has a row for each alarm, with its limit and
// minutes, and the heading that its description names.
func TestAlarmsAreDocumented(t *testing.T) {
	doc := read(t, "docs/operations.md")
	headings := anchors(doc)
	watched := 0
	for _, a := range alarms.List {
		watched += len(a.Metrics())
		row := regexp.QuoteMeta("| [`"+a.ID+"`](#"+a.Link+") | ") + "[^|]+" +
			regexp.QuoteMeta(fmt.Sprintf(" | %s | %s |\n", grouped(a.Above), minutesOf(a)))
		if !regexp.MustCompile(row).MatchString(doc) {
			t.Errorf("docs/operations.md has no row for %s that matches %q", a.ID, row)
		}
		if !headings[a.Link] {
			t.Errorf("docs/operations.md has no heading %s, which %s names", a.Link, a.ID)
		}
	}
	want := fmt.Sprintf("The alarms watch %d metrics", watched)
	if !strings.Contains(strings.Join(strings.Fields(read(t, "docs/deploy.md")), " "), want) {
		t.Errorf("docs/deploy.md does not say %q", want)
	}
}

// minutesOf are the minutes of an alarm: 5, or 3 × 1.
func minutesOf(a alarms.Alarm) string {
	if a.Periods == 1 {
		return fmt.Sprint(a.Period.Minutes())
	}
	return fmt.Sprintf("%d × %v", a.Periods, a.Period.Minutes())
}

// grouped is a number as documents write it: 5 000.
func grouped(n float64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d %03d", int(n)/1000, int(n)%1000)
}

// TestAlarmsWatchMetrics: each function reports the metrics of the hub's own namespace that
// alarms watch at it, and the reasons exist.
func TestAlarmsWatchMetrics(t *testing.T) {
	boot := read(t, "internal/cloud/boot/boot.go") + read(t, "internal/cloud/boot/broadcast.go")
	for _, a := range alarms.List {
		for _, m := range a.Metrics() {
			if m.Namespace != "" {
				continue
			}
			code := read(t, m.Function+"/main.go")
			if strings.Contains(code, "e.Broadcast(") || m.Name == "UnreadableRows" {
				code += boot
			}
			reports := func(method string) bool { return strings.Contains(code, "e.Metrics."+method) }
			if !slices.ContainsFunc(methodsOf(m.Name), reports) {
				t.Errorf("%s watches the metric %s, which %s does not report", a.ID, m.Name, m.Function)
			}
			if m.Reason != "" && !slices.Contains(handler.Refusals, handler.Refusal(m.Reason)) {
				t.Errorf("%s watches the reason %s, which does not exist", a.ID, m.Reason)
			}
		}
	}
}

// canary matches the minutes that a new version has a tenth of the work.
var canary = regexp.MustCompile(`^Canary10Percent(\d+)Minutes$`)

// TestBrakesAreInTime: an alarm that stops a gradual deployment can go off while the new
// version has a tenth of the work, although CloudWatch gets values a minute late.
func TestBrakesAreInTime(t *testing.T) {
	_, parsed := readTemplate(t)
	preference := sub(parsed.resources[functionID(config.Broadcast)].properties, "DeploymentPreference")
	kind, _ := preference["Type"].(string)
	m := canary.FindStringSubmatch(kind)
	brakes, _ := preference["Alarms"].([]any)
	if m == nil || len(brakes) == 0 {
		t.Fatalf("the template deploys by %q, with the alarms %v", kind, brakes)
	}
	minutes, _ := strconv.Atoi(m[1])
	for _, brake := range brakes {
		id := brake.(object)["Ref"]
		i := slices.IndexFunc(alarms.List, func(a alarms.Alarm) bool { return a.ID == id })
		if i < 0 {
			t.Errorf("the list has no alarm %v", id)
			continue
		}
		a := alarms.List[i]
		// The first bad value in the newest period is enough for an alarm of one period.
		if needs := time.Duration(a.Periods-1)*a.Period + 2*time.Minute; needs > time.Duration(minutes)*time.Minute {
			t.Errorf("%s needs %v, and a new version has %d minutes", a.ID, needs, minutes)
		}
	}
}

// methodsOf returns the methods of an observer that report a metric.
func methodsOf(metric string) (methods []string) {
	method := ""
	o := metrics.Observer(func(_ context.Context, r metrics.Report) {
		if _, counts := r.Counts[metric]; counts || metric == "Latency" && method == "Broadcast" {
			methods = append(methods, method)
		}
	})
	for name, report := range map[string]func(context.Context){
		"Refused":       func(ctx context.Context) { o.Refused(ctx, "") },
		"Downgraded":    func(ctx context.Context) { o.Downgraded(ctx, "") },
		"Broadcast":     func(ctx context.Context) { o.Broadcast(ctx, hub.Report{}) },
		"Healed":        func(ctx context.Context) { o.Healed(ctx, hub.HealReport{}) },
		"Swept":         func(ctx context.Context) { o.Swept(ctx, hub.SweepReport{}) },
		"UnreadableRow": o.UnreadableRow,
	} {
		method = name
		report(context.Background())
	}
	return methods
}

var alarmMutations = []mutation{
	{"alarms", "missing data that is bad", "  FailedAlarm:\n", "TreatMissingData: notBreaching",
		"TreatMissingData: breaching"},
	{"alarms", "another limit", "  IteratorAgeAlarm:\n", "Threshold: 5000", "Threshold: 5"},
	{"alarms", "another period", "  HandshakeFailuresAlarm:\n", "Period: 300", "Period: 60"},
	{"alarms", "the errors of another function", "  BroadcastErrorsAlarm:\n", "!Ref BroadcastFunction",
		"!Ref RestFunction"},
	{"alarms", "an average", "  IteratorAgeAlarm:\n", "Statistic: Maximum", "Statistic: Average"},
	{"alarms", "a queue by its URL", "  FailureQueuesAlarm:\n", "!GetAtt CartFailures.QueueName", "!Ref CartFailures"},
	{"alarms", "a stage that does not exist", "  GatewayErrorsAlarm:\n", "Value: v1", "Value: v2"},
	{"alarms", "a metric in another namespace", "  HealClosedAlarm:\n", "!Ref MetricsNamespace", "SecureCart"},
	{"alarms", "a sum that needs both", "  UnreadableRowsAlarm:\n", "FILL(m2, 0)", "m2"},
	{"alarms", "a reason that nobody reports", "  HandshakeFailuresAlarm:\n", "Value: unchecked", "Value: uncheckt"},
	{"alarms", "no link to the run-book", "  ThrottledAlarm:\n", ": docs/operations.md#throttled-posts", ""},
	{"alarms", "an alarm that tells nobody", "  FailedAlarm:\n", "AlarmActions:", "InsufficientDataActions:"},
	{"alarms", "a shop's topic that is not told", "  FailedAlarm:\n", "!If [HasAlarmTopic,", "!If [HasAlarmEmail,"},
	{"alarms", "an alarm that is switched off", "  FailedAlarm:\n", "    Properties:\n",
		"    Properties:\n      ActionsEnabled: false\n"},
	{"alarms", "an alarm that the list does not have", "  FailedAlarm:\n", "    Type: AWS::CloudWatch::Alarm\n",
		"    Type: AWS::CloudWatch::Alarm\n  OtherAlarm:\n    Type: AWS::CloudWatch::Alarm\n"},
	{"dashboard", "a metric left out", "  Dashboard:\n", `\"Connects\" OR `, ""},
	{"dashboard", "a metric that nobody reports", "  Dashboard:\n", `\"Connects\"`, `\"Connects\" OR \"Connections\"`},
	{"dashboard", "another namespace", "  Dashboard:\n", `{\"${MetricsNamespace}\",Function} MetricName=(\"Failed\"`,
		`{\"Hub\",Function} MetricName=(\"Failed\"`},
	{"dashboard", "an alarm left out", "  Dashboard:\n", `"${FailedAlarm.Arn}",`, ""},
	{"dashboard", "a queue left out", "  Dashboard:\n", "${CartFailures.QueueName}", "${InventoryFailures.QueueName}"},
	{"dashboard", "no JSON", "  Dashboard:\n", `{"widgets": [`, `{"widgets": [,`},
	{"alarm topic", "a topic that CloudWatch may not use", "  AlarmTopicPolicy:\n", "cloudwatch.amazonaws.com",
		"events.amazonaws.com"},
	{"alarm topic", "messages without TLS", "  AlarmTopicPolicy:\n", `{Bool: {"aws:SecureTransport": "false"}}`,
		`{Bool: {"aws:SecureTransport": "true"}}`},
	{"alarm topic", "a topic of all accounts", "  AlarmTopicPolicy:\n",
		`            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}` + "\n", ""},
	{"alarm topic", "a topic for nobody", "  AlarmTopic:\n", "    Condition: HasAlarmEmail\n", ""},
	{"alarm topic", "another protocol", "  AlarmTopic:\n", "Protocol: email", "Protocol: email-json"},
}
