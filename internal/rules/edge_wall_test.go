package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/hub"
)

// checkWall: the firewall limits handshakes by address, and neither its log nor
// its samples have what opens a socket.
func checkWall(k *checker) {
	acl, log, logging := k.one("AWS::WAFv2::WebACL"), k.t.resources["Log"], k.one("AWS::WAFv2::LoggingConfiguration")
	s := k.edgeScenes()[0]
	k.want("conditions", []string{acl.condition, log.condition, logging.condition},
		[]string{"MakesWall", "MakesWall", "MakesWall"})
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
	l := s.props(logging)
	k.want("what is logged", l["ResourceArn"], "<"+acl.id+".Arn>")
	k.want("where", l["LogDestinationConfigs"], []any{"arn:aws-p:logs:region-1:account:log-group:<" + log.id + ">"})
	header := func(name string) any { return object{"SingleHeader": object{"Name": name}} }
	k.want("what is left out of the log", l["RedactedFields"], []any{
		header("authorization"), header("sec-websocket-protocol"), header("cookie"), header("x-origin-verify"),
		object{"QueryString": object{}},
	})
}

// wallMutations are mistakes in the firewall.
var wallMutations = []mutation{
	{"wall", "of a Region", "  WebAcl:\n", "Scope: CLOUDFRONT", "Scope: REGIONAL"},
	{"wall", "tokens in the log", "  Logging:\n", "        - SingleHeader: {Name: sec-websocket-protocol}\n", ""},
	{"wall", "tickets in the log", "  Logging:\n", "        - QueryString: {}\n", ""},
	{"wall", "the edge's secret too", "  Logging:\n", "        - SingleHeader: {Name: x-origin-verify}\n", ""},
	{"wall", "headers in samples", "  WebAcl:\n", "SampledRequestsEnabled: false", "SampledRequestsEnabled: true"},
	{"wall", "a rate that counts", "  WebAcl:\n", "Action: {Block: {}}", "Action: {Count: {}}"},
	{"wall", "a rate below the hub's", "  ConnectsPerAddress:\n", "Default: 4000", "Default: 100"},
	{"wall", "rules that count", "  WebAcl:\n", "OverrideAction: {None: {}}", "OverrideAction: {Count: {}}"},
	{"wall", "injections let through", "  WebAcl:\n", "Name: AWSManagedRulesSQLiRuleSet",
		"Name: AWSManagedRulesLinuxRuleSet"},
	{"wall", "a log without an end", "  Log:\n", "      RetentionInDays: !Ref LogRetentionDays\n", ""},
	{"wall", "a name WAF refuses", "  Log:\n", "aws-waf-logs-${AWS::StackName}", "waf-logs-${AWS::StackName}"},
	{"wall", "two of one priority", "  WebAcl:\n", "Priority: 3", "Priority: 2"},
	{"wall", "made beside another", "  WebAcl:\n", "    Condition: MakesWall\n", ""},
}
