package rules

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/securecart/hub/internal/wire"
)

// asyncAPI is docs/asyncapi.yaml.
type asyncAPI struct {
	document object
	compiled *jsonschema.Compiler
}

func readAsyncAPI(t *testing.T) asyncAPI {
	t.Helper()
	var document object
	parseYAML(t, "docs/asyncapi.yaml", &document)
	// AsyncAPI 3.0, "Schema Object"
	return asyncAPI{document, newCompiler(t, "asyncapi.json", document, jsonschema.Draft7)}
}

// message returns the schema of a message, as it is written and compiled. A request is
// named by its action, an answer by its type.
func (a asyncAPI) message(t *testing.T, name string, isRequest bool,
) (key string, written object, schema *jsonschema.Schema) {
	t.Helper()
	for key, m := range sub(a.document, "components", "messages") {
		if m := m.(object); m["name"] == name && strings.HasSuffix(key, "Request") == isRequest {
			place := sub(m, "payload")["$ref"].(string)
			schema, err := a.compiled.Compile("asyncapi.json" + place)
			if err != nil {
				t.Fatal(err)
			}
			return key, sub(a.document, strings.Split(strings.TrimPrefix(place, "#/"), "/")...), schema
		}
	}
	t.Fatalf("docs/asyncapi.yaml has no message %q, request %t", name, isRequest)
	return "", nil, nil
}

// names returns the keys of the messages to which an operation refers.
func names(messages any) []string {
	var keys []string
	list, _ := messages.([]any)
	for _, m := range list {
		keys = append(keys, strings.TrimPrefix(m.(object)["$ref"].(string), "#/channels/socket/messages/"))
	}
	return keys
}

// TestAsyncAPIGoldens: each golden message is valid, and not without a field that its
// schema requires, nor with a field of another type.
func TestAsyncAPIGoldens(t *testing.T) {
	api := readAsyncAPI(t)
	files, err := filepath.Glob(filepath.Join(root, "testdata/protocol/*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d golden messages, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		name := filepath.Base(file)
		golden := decoded(read(t, "testdata/protocol/"+name)).(object)
		isRequest := strings.HasSuffix(name, ".client.json")
		kind := golden[map[bool]string{true: "action", false: "type"}[isRequest]].(string)
		key, written, schema := api.message(t, kind, isRequest)
		seen[key] = true
		if err := schema.Validate(golden); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for field := range golden {
			if sub(written, "properties")[field] == nil {
				t.Errorf("%s: the schema has no %q", name, field)
			}
			broken := maps.Clone(golden)
			broken[field] = []any{json.Number("0")}
			if schema.Validate(broken) == nil {
				t.Errorf("%s: %q may be a list of numbers", name, field)
			}
			delete(broken, field)
			required := slices.Contains(requiredOf(written), field)
			if (schema.Validate(broken) != nil) != required {
				t.Errorf("%s: is %q required? The list says %t", name, field, required)
			}
		}
		api.checkOperation(t, name, key)
	}
	for key := range sub(api.document, "components", "messages") {
		if !seen[key] {
			t.Errorf("no golden message is a %s", key)
		}
	}
}

// checkOperation: a request is received, an answer replies to its action, and what nobody
// asked for is sent.
func (a asyncAPI) checkOperation(t *testing.T, file, key string) {
	t.Helper()
	action, _, _ := strings.Cut(strings.TrimSuffix(file, ".client.json"), "-")
	operation := sub(a.document, "operations", action)
	switch {
	case strings.HasSuffix(file, ".client.json"):
		if operation["action"] != "receive" || !slices.Equal(names(operation["messages"]), []string{key}) {
			t.Errorf("%s: the operation %s is %v", file, action, operation)
		}
	case strings.HasSuffix(file, "-answer.server.json"):
		if !slices.Contains(names(sub(operation, "reply")["messages"]), key) {
			t.Errorf("%s: the operation %s does not reply with %s", file, action, key)
		}
	default:
		for _, o := range sub(a.document, "operations") {
			if o := o.(object); o["action"] == "send" && slices.Contains(names(o["messages"]), key) {
				return
			}
		}
		t.Errorf("%s: no operation sends %s", file, key)
	}
}

// unsaid are the reasons for which the decoder refuses what a schema allows. JSON Schema
// cannot say them.
var unsaid = map[string]func(action wire.Action, body object) bool{
	"a whole number has digits only": func(_ wire.Action, body object) bool { return oddNumber(body) },
	"subscribe without only names a topic": func(action wire.Action, body object) bool {
		list, isList := body["topics"].([]any)
		m, isMap := body["topics"].(object)
		return action == wire.ActionSubscribe && (isList || isMap) && len(list)+len(m) == 0
	},
	"a list has 100 different topics": func(_ wire.Action, body object) bool {
		list, _ := body["topics"].([]any)
		return len(list) > wire.MaxTopics
	},
	"a name is printable, and at most 128 bytes": func(_ wire.Action, body object) bool {
		lines, _ := body["lines"].(object)
		names := slices.Collect(maps.Keys(lines))
		for _, field := range []string{"sku", "after"} {
			if name, isText := body[field].(string); isText {
				names = append(names, name)
			}
		}
		return slices.ContainsFunc(names, func(name string) bool { return !wire.IsName(name) })
	},
	"help knows its commands": func(action wire.Action, body object) bool {
		about, isText := body["about"].(string)
		return action == wire.ActionHelp && isText && wire.UsageOf(about) == nil
	},
}

// oddNumber reports whether a value has a number that is not written with digits alone.
func oddNumber(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return v == "-0" || strings.ContainsAny(v.String(), ".eE")
	case object:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), oddNumber)
	}
	return false
}

// TestAsyncAPIVerdicts: one corpus of good and bad requests has one verdict: what the
// decoder takes, docs/asyncapi.yaml allows, and what it refuses, the document does not
// allow, except what is unsaid.
func TestAsyncAPIVerdicts(t *testing.T) {
	api := readAsyncAPI(t)
	met := map[string]bool{}
	for _, action := range wire.Actions {
		_, _, schema := api.message(t, string(action), true)
		taken, refused := 0, 0
		for _, text := range messages(action) {
			_, decodeErr := wire.Decode([]byte(text), false)
			body := decoded(text)
			schemaErr := schema.Validate(body)
			switch {
			case decodeErr == nil && schemaErr == nil:
				taken++
			case decodeErr != nil && schemaErr != nil:
				refused++
			case decodeErr == nil:
				t.Errorf("%s: the hub takes %.200s, the document does not: %v", action, text, schemaErr)
			default:
				reasons := whyUnsaid(action, body.(object))
				for _, r := range reasons {
					met[r] = true
				}
				if len(reasons) == 0 {
					t.Errorf("%s: the document allows %.200s, the hub does not: %v", action, text, decodeErr)
				}
			}
		}
		if taken < 15 || refused < 15 {
			t.Errorf("%s: %d were taken and %d refused by both: the corpus says little", action, taken, refused)
		}
	}
	for reason := range unsaid {
		if !met[reason] {
			t.Errorf("the corpus has nothing for: %s", reason)
		}
	}
}

// whyUnsaid returns the reasons for which only the decoder may refuse a request.
func whyUnsaid(action wire.Action, body object) []string {
	var reasons []string
	for reason, applies := range unsaid {
		if applies(action, body) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}
