package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// checkWall: the firewall limits handshakes by address, and neither its log nor
// its samples have what opens a socket.
func checkWall(k *checker) {
	acl, log, logging := k.one("AWS::WAFv2::WebACL"), k.one(kindLog), k.one("AWS::WAFv2::LoggingConfiguration")
	s := &scene{name: "wall", t: k.t}
	p := s.props(acl)
	k.want("the scope", p["Scope"], "CLOUDFRONT")
	k.want("what is let through", p["DefaultAction"], object{"Allow": object{}})
	rules, _ := p["Rules"].([]any)
	var groups []string
	limited := false
	for i, each := range append(rules, p) {
		rule, _ := each.(object)
		k.want("samples", sub(rule, "VisibilityConfig")["SampledRequestsEnabled"], false)
		if i == len(rules) {
			break
		}
		k.want("the priority of "+fmt.Sprint(rule["Name"]), rule["Priority"], i)
		if rate := sub(rule, "Statement", "RateBasedStatement"); len(rate) > 0 {
			limited = rule["Action"] != nil && len(sub(rule, "Action", "Count")) == 0
			// All new guests of ten minutes may come twice within the window, with a handshake
			// and a load of the script each.
			k.want("the rate", rate, object{
				"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": strconv.Itoa(4 * hub.NewGuestsPerAddress),
			})
			k.want("what becomes of it", rule["Action"], object{"Block": object{}})
			continue
		}
		// Without it a group only counts.
		k.want("what becomes of "+fmt.Sprint(rule["Name"]), rule["OverrideAction"], object{"None": object{}})
		groups = append(groups, fmt.Sprint(sub(rule, "Statement", "ManagedRuleGroupStatement")["Name"]))
	}
	if !limited {
		k.failf("nothing limits handshakes by address")
	}
	for _, want := range []string{
		"AWSManagedRulesSQLiRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList",
	} {
		if !slices.Contains(groups, want) {
			k.failf("%s is missing", want)
		}
	}
	// https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
	if name := s.text(log.properties["LogGroupName"]); !strings.HasPrefix(name, "aws-waf-logs-") {
		k.failf("WAF does not log to %s", name)
	}
	k.want("the log ends", log.properties["RetentionInDays"], object{"Ref": "LogRetentionDays"})
	keyed := &scene{name: "wall with a key", given: map[string]string{"KmsKeyArn": ownKey}, t: k.t}
	k.want("the key of the log", []any{s.props(log)["KmsKeyId"], keyed.props(log)["KmsKeyId"]}, []any{nil, ownKey})
	l := s.props(logging)
	k.want("what is logged", l["ResourceArn"], "<"+acl.id+".Arn>")
	k.want("where", l["LogDestinationConfigs"], []any{"arn:aws-p:logs:region-1:account:log-group:<" + log.id + ">"})
	header := func(name string) any { return object{"SingleHeader": object{"Name": name}} }
	k.want("what is left out of the log", l["RedactedFields"], []any{
		header("authorization"), header("sec-websocket-protocol"), header("cookie"), header("x-origin-verify"),
		object{"QueryString": object{}},
	})
	k.want("the output", s.text(k.t.outputs["WebAclArn"]["Value"]), "<"+acl.id+".Arn>")
	for _, e := range s.errors {
		k.failf("%s", e)
	}
}

func TestWall(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "waf.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	found := func(t *testing.T, text string) []string {
		t.Helper()
		parsed, err := parseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		k := &checker{t: parsed}
		checkWall(k)
		checkLiterals(k)
		return k.found
	}
	for _, problem := range found(t, text) {
		t.Error(problem)
	}
	for name, m := range map[string][2]string{
		"of a Region":            {"Scope: CLOUDFRONT", "Scope: REGIONAL"},
		"tokens in the log":      {"        - SingleHeader: {Name: sec-websocket-protocol}\n", ""},
		"tickets in the log":     {"        - QueryString: {}\n", ""},
		"the edge's secret too":  {"        - SingleHeader: {Name: x-origin-verify}\n", ""},
		"headers in samples":     {"SampledRequestsEnabled: false", "SampledRequestsEnabled: true"},
		"a rate that counts":     {"Action: {Block: {}}", "Action: {Count: {}}"},
		"a rate below the hub's": {"Default: 4000", "Default: 100"},
		"rules that count":       {"OverrideAction: {None: {}}", "OverrideAction: {Count: {}}"},
		"injections let through": {"Name: AWSManagedRulesSQLiRuleSet", "Name: AWSManagedRulesLinuxRuleSet"},
		"a log without an end":   {"      RetentionInDays: !Ref LogRetentionDays\n", ""},
		"a log without the key":  {"KmsKeyId: !If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]", "Tags: []"},
		"a name WAF refuses":     {"aws-waf-logs-${AWS::StackName}", "waf-logs-${AWS::StackName}"},
		"two of one priority":    {"Priority: 3", "Priority: 2"},
	} {
		if !strings.Contains(text, m[0]) {
			t.Fatalf("%q is not in waf.yaml", m[0])
		}
		if len(found(t, strings.Replace(text, m[0], m[1], 1))) == 0 {
			t.Errorf("%s: nobody saw it", name)
		}
	}
}
