package rules

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/metrics"
)

// queryWords are the words of CloudWatch Logs Insights that queries may use.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
var queryWords = []string{
	"and", "as", "asc", "bin", "by", "count", "count_distinct", "desc", "fields", "filter", "ispresent", "latest", "like",
	"limit", "or", "sort", "stats",
}

// queryMessages are the messages that queries look for, with the file that logs them.
var queryMessages = map[string]string{"post failed": "internal/cloud/logs/poster.go"}

// TestQueryMessages: somebody logs the messages that queries look for.
func TestQueryMessages(t *testing.T) {
	for message, file := range queryMessages {
		if !strings.Contains(read(t, file), `"`+message+`"`) {
			t.Errorf("%s does not log %q", file, message)
		}
	}
}

var (
	queryMessage = regexp.MustCompile(`\bmsg = "([^"]*)"`)

	queryText  = regexp.MustCompile(`"[^"]*"`)
	queryAlias = regexp.MustCompile(`\bas (\w+)`)
	queryField = regexp.MustCompile(`@?[A-Za-z][\w.]*|\b\d+[a-z]`)
)

// checkQueries: each saved query reads groups of the stack, and only fields that lines of
// these groups have.
func checkQueries(k *checker) {
	var ids []string
	for _, q := range k.t.ofType(kindQuery) {
		ids = append(ids, q.id)
		name, _ := sub(q.properties, "Name")["Fn::Sub"].(string)
		if !strings.HasPrefix(name, "${AWS::StackName}/") {
			k.failf("%s has the name %v", q.id, q.properties["Name"])
		}
		known := []string{"@timestamp", "@log", "1h"}
		groups, _ := q.properties["LogGroupNames"].([]any)
		if len(groups) == 0 {
			k.failf("%s reads no log group", q.id)
		}
		for _, group := range groups {
			id, _ := group.(object)["Ref"].(string)
			known = append(known, k.keysOf(id)...)
		}
		text, _ := q.properties["QueryString"].(string)
		for _, m := range queryMessage.FindAllStringSubmatch(text, -1) {
			if queryMessages[m[1]] == "" {
				k.failf("%s looks for the message %q, which nobody logs", q.id, m[1])
			}
		}
		text = queryText.ReplaceAllString(text, "")
		for _, alias := range queryAlias.FindAllStringSubmatch(text, -1) {
			known = append(known, alias[1])
		}
		for _, field := range queryField.FindAllString(text, -1) {
			if !slices.Contains(queryWords, field) && !slices.Contains(known, field) {
				k.failf("%s reads the field %s, which its lines do not have", q.id, field)
			}
		}
	}
	k.want("the saved queries", ids, []string{"ChangeQuery", "PostErrorsQuery", "RefusedQuery", "SlowBatchesQuery"})
}

// keysOf returns the keys of the lines in a log group.
func (k *checker) keysOf(group string) (keys []string) {
	for _, f := range config.Functions {
		if logID(f) != group {
			continue
		}
		for _, s := range metrics.Series {
			keys = append(keys, s.Name)
		}
		return append(keys, slices.Collect(maps.Keys(logs.Keys))...)
	}
	for _, api := range accessLogs[group].apis {
		settings := sub(k.t.resources[api].properties, "AccessLogSettings")
		if len(settings) == 0 {
			settings = sub(k.t.resources[api].properties, "AccessLogSetting")
		}
		format, _ := settings["Format"].(string)
		var line map[string]string
		if err := json.Unmarshal([]byte(format), &line); err != nil {
			k.failf("%s: %v", api, err)
		}
		keys = append(keys, slices.Collect(maps.Keys(line))...)
	}
	if len(keys) == 0 {
		k.failf("there is no log group %s", group)
	}
	return keys
}

var queryMutations = []mutation{
	{"queries", "requests of nobody", "  ChangeQuery:\n", "causes like", "cause like"},
	{"queries", "a field that no line has", "  SlowBatchesQuery:\n", "sort took", "sort duration"},
	{"queries", "a message of nobody", "  PostErrorsQuery:\n", "post failed", "post refused"},
	{"queries", "a field of another log", "  RefusedQuery:\n", "[!Ref AuthorizeLog, !Ref ConnectLog]", "[!Ref AccessLog]"},
	{"queries", "a log of nobody", "  PostErrorsQuery:\n", "!Ref BroadcastLog", "!Ref HubTable"},
	{"queries", "one name for all stacks", "  PostErrorsQuery:\n", "${AWS::StackName}/", ""},
}
