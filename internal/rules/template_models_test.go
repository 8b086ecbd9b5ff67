package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/securecart/hub/internal/wire"
)

// modelActions are the actions whose messages have a model. ping and help have no
// fields, and $default receives messages that are not JSON.
var modelActions = []wire.Action{
	wire.ActionHello, wire.ActionSubscribe, wire.ActionUnsubscribe, wire.ActionGet, wire.ActionAdd, wire.ActionSet,
	wire.ActionMerge, wire.ActionCheckout, wire.ActionWhy,
}

// patterns are the patterns of string fields in models. They are the decoder's
// grammar. The pattern of a token has no length: it would be longer than some
// readers accept.
var patterns = map[string]string{
	"key":    fmt.Sprintf("^[!-~]{1,%d}$", wire.MaxKey),
	"epoch":  fmt.Sprintf("^[A-Za-z0-9._~-]{1,%d}$", wire.MaxSafeName),
	"token":  "^[A-Za-z0-9._~-]+$",
	"from":   "^[A-Za-z0-9._~-]+$",
	"topics": "^[*]$",
}

// checkModels: a model accepts every message that the decoder accepts, and every
// message to which the decoder has a better answer.
func checkModels(k *checker) {
	schemas := map[string]object{} // by name
	ids := map[string]string{}
	for _, m := range k.t.ofType(kindModel) {
		name, _ := m.properties["Name"].(string)
		if !regexp.MustCompile(`^[A-Za-z0-9]{1,128}$`).MatchString(name) {
			k.failf("the name of %s is %q", m.id, name)
		}
		k.want("the content type of "+m.id, m.properties["ContentType"], "application/json")
		schemas[name], ids[name] = sub(m.properties, "Schema"), m.id
		k.want("the draft of "+m.id, schemas[name]["$schema"], "http://json-schema.org/draft-04/schema#")
		for field := range sub(schemas[name], "properties") {
			if pattern := sub(schemas[name], "properties", field)["pattern"]; pattern != nil {
				k.want("the pattern of "+field+" in "+m.id, pattern, patterns[field])
			}
		}
		if place := nonString(schemas[name]); place != "" {
			k.failf("the schema of %s has %s, which CloudFormation turns into text (aws-cdk #11716)", m.id, place)
		}
	}
	used := map[string]bool{}
	for key, r := range k.byKey() {
		if !slices.Contains(modelActions, wire.Action(key)) {
			if r.properties["ModelSelectionExpression"] != nil || r.properties["RequestModels"] != nil {
				k.failf("the route %s has a model", key)
			}
			continue
		}
		// If the selected model is missing, every message fails (G-VALID-2).
		k.want("the model selection of "+key, r.properties["ModelSelectionExpression"],
			k.one(kindAPI).properties["RouteSelectionExpression"])
		models := sub(r.properties, "RequestModels")
		name, _ := models[key].(string)
		used[name] = true
		if len(models) != 1 || schemas[name] == nil {
			k.failf("the route %s has the models %v", key, models)
			continue
		}
		if !slices.Contains(r.dependsOn, ids[name]) {
			k.failf("%s does not wait for its model", r.id)
		}
		k.checkModel(wire.Action(key), schemas[name])
	}
	for name := range schemas {
		if !used[name] {
			k.failf("no route has the model %s", name)
		}
	}
}

// nonString returns the place of a number or boolean in a schema, or "".
func nonString(v any) string {
	switch v := v.(type) {
	case string:
		return ""
	case []any:
		for _, each := range v {
			if place := nonString(each); place != "" {
				return place
			}
		}
		return ""
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if place := nonString(v[name]); place != "" {
				return strings.TrimSuffix(name+"."+place, ".")
			}
		}
		return ""
	}
	return fmt.Sprint(v)
}

// checkModel compares a model with the decoder.
func (k *checker) checkModel(action wire.Action, schema object) {
	for _, m := range goodMessages()[action] {
		takes, err := valid(schema, m.v)
		if err != nil {
			k.failf("the model of %s: %v", action, err)
			return
		}
		if !takes {
			k.failf("the model of %s refuses a valid message: %.200s", action, m.text)
		}
	}
	for _, text := range messagesToAccept[action] {
		if !accepts(schema, text) {
			k.failf("the model of %s refuses a message that the hub answers better: %.200s", action, text)
		}
	}
	for _, text := range messagesToRefuse[action] {
		if accepts(schema, text) {
			k.failf("the model of %s accepts %s", action, text)
		}
	}
}

// messagesToAccept are messages that the hub refuses with an answer that helps the
// user or has its own code.
var messagesToAccept = map[wire.Action][]string{
	wire.ActionSubscribe: {
		`{"action":"subscribe","topics":` + topicList(wire.MaxTopics+1) + `}`,
		`{"action":"subscribe","topics":["no such topic"]}`,
		`{"action":"subscribe","topics":[]}`,
	},
	wire.ActionUnsubscribe: {`{"action":"unsubscribe","topics":` + topicList(wire.MaxTopics+1) + `}`},
	wire.ActionGet:         {`{"action":"get","topics":` + topicList(wire.MaxTopics+1) + `}`},
	wire.ActionAdd: {
		`{"action":"add","sku":"MUG","quantity":1000}`, `{"action":"add","sku":"MUG","quantity":-1000}`,
		`{"action":"add","sku":"a mug"}`, `{"action":"add","sku":""}`,
	},
	wire.ActionSet: {`{"action":"set","lines":` + lineList(wire.MaxLines+1) + `}`,
		`{"action":"set","lines":{"a mug":1000}}`, `{"action":"set","lines":{}}`,
		`{"action":"set","lines":{"MUG":1},"version":-1}`},
	wire.ActionCheckout: {`{"action":"checkout","version":-1}`},
	wire.ActionWhy:      {`{"action":"why","topic":"a mug"}`, `{"action":"why","topic":"cart","version":-1}`},
}

// messagesToRefuse are messages that no client of the protocol sends. The gateway
// refuses them, so they do not invoke a function.
var messagesToRefuse = map[wire.Action][]string{
	wire.ActionHello: {`[]`, `"hello"`, `{"action":"hello","token":7}`, `{"action":"hello","id":{}}`,
		`{"action":"hello","token":""}`, `{"action":"hello","token":"a b"}`},
	wire.ActionSubscribe: {`{"action":"subscribe"}`, `{"action":"subscribe","topics":"cart"}`,
		`{"action":"subscribe","topics":{"cart":"1"}}`, `{"action":"subscribe","topics":[7]}`,
		`{"action":"subscribe","topics":{"sku:MUG":{"version":"1","state":"in"}}}`,
		`{"action":"subscribe","topics":{"sku:MUG":{"version":1}}}`,
		`{"action":"subscribe","topics":["cart"],"only":1}`},
	wire.ActionUnsubscribe: {`{"action":"unsubscribe"}`, `{"action":"unsubscribe","topics":"all"}`,
		`{"action":"unsubscribe","topics":{"cart":1}}`},
	wire.ActionGet: {`{"action":"get"}`, `{"action":"get","topics":"cart"}`, `{"action":"get","topics":[],"after":1}`},
	wire.ActionAdd: {`{"action":"add"}`, `{"action":"add","sku":7}`, `{"action":"add","sku":"MUG","quantity":"1"}`,
		`{"action":"add","sku":"MUG","quantity":1.5}`,
		`{"action":"add","sku":"MUG","key":"` + strings.Repeat("k", wire.MaxKey+1) + `"}`},
	wire.ActionSet: {`{"action":"set"}`, `{"action":"set","lines":[]}`, `{"action":"set","lines":{"MUG":"1"}}`,
		`{"action":"set","lines":{"MUG":1},"version":"1"}`},
	wire.ActionMerge: {`{"action":"merge"}`, `{"action":"merge","from":null}`,
		`{"action":"merge","from":"a","policy":"none"}`},
	wire.ActionCheckout: {`{"action":"checkout","version":"1"}`, `{"action":"checkout","version":1.5}`,
		`{"action":"checkout","key":"a b"}`, `{"action":"checkout","epoch":7}`},
	wire.ActionWhy: {`{"action":"why","topic":7}`, `{"action":"why","topic":["cart"]}`,
		`{"action":"why","topic":"cart","version":"1"}`, `{"action":"why","topic":"cart","epoch":""}`},
}

func topicList(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`"sku:%s%03d"`, strings.Repeat("n", wire.MaxName-3), i)
	}
	return "[" + strings.Join(names, ",") + "]"
}

func lineList(n int) string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`"%s%03d":%d`, strings.Repeat("n", wire.MaxSKUBytes/wire.MaxLines-3), i, wire.MaxQuantity)
	}
	return "{" + strings.Join(lines, ",") + "}"
}

// message is a message as text and decoded.
type message struct {
	text string
	v    any
}

// goodMessages are messages that the decoder accepts, by action.
var goodMessages = sync.OnceValue(func() map[wire.Action][]message {
	good := map[wire.Action][]message{}
	for _, action := range modelActions {
		for _, text := range messages(action) {
			if _, refused := wire.Decode([]byte(text), false); refused == nil {
				good[action] = append(good[action], message{text, decoded(text)})
			}
		}
		// The golden messages and the fields of an action; with an empty list, every model
		// would be right.
		if n := len(good[action]); n < 15 {
			panic(fmt.Sprintf("found %d valid messages of %s only", n, action))
		}
	}
	return good
})

// messages returns messages of an action: those in testdata, and for each field one
// with each of many values, valid or not.
func messages(action wire.Action) []string {
	var all []string
	golden, err := filepath.Glob(filepath.Join(root, "testdata/protocol/*.client.json"))
	if err != nil {
		panic(err)
	}
	for _, name := range golden {
		data, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if r, refused := wire.Decode(data, false); refused == nil && r.Action == action {
			all = append(all, string(data))
		}
	}
	if len(all) == 0 {
		panic(fmt.Sprintf("found no golden message of %s", action))
	}
	base := map[string]string{
		"topics": `["cart"]`, "sku": `"MUG"`, "lines": `{"MUG":1}`, "from": `"guest.a.b.c"`, "topic": `"cart"`,
	}
	q := func(n int) string { return `"` + strings.Repeat("n", n) + `"` }
	values := []string{
		`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `-999`, `1.0`, `1e2`, `1.5`, `999`, `1000`, `9007199254740991`,
		`9007199254740992`, `""`, `"*"`, `"a b"`, `"é"`, `"sum"`,
		`"max"`, `"mine"`, `"theirs"`, `"\u0073um"`, q(1), q(64), q(65), q(128), q(8192), q(8193), `[]`, `{}`, `["cart",7]`,
		`["cart"]`, `["cart","cart"]`, `"cart"`, `["sku:😀","sku:RED CAP","","hub"]`, `"RED CAP"`, `"TEST/SLASH"`,
		`{"RED CAP":1}`, `{"sku:RED CAP":1,"\"":2}`,
		`{"cart":0}`, `{"cart":9007199254740991}`, `{"cart":-1}`, `{"cart":null}`, `{"MUG":0}`, `{"MUG":999}`, `{"MUG":1.0}`,
		`{"MUG":true}`, `" MUG"`, `"add"`, `{" MUG":1}`,
		`{"sku:MUG":{"version":1,"state":"in"}}`, `{"sku:MUG":{"version":1,"state":"in","quantity":2,"until":"2026-12-24"}}`,
		`{"sku:MUG":{"version":1,"state":""}}`, `{"sku:MUG":{"version":1}}`, `{"sku:MUG":{"version":1,"state":"a b"}}`,
		`{"sku:MUG":{"version":1,"state":"in","until":7}}`, `{"sku:MUG":{"version":1,"state":"in","quantity":-1}}`,
		topicList(wire.MaxTopics), topicList(wire.MaxTopics + 1), lineList(wire.MaxLines), lineList(wire.MaxLines + 1),
		strings.ReplaceAll(lineList(wire.MaxTopics), "999", "9007199254740991"),
	}
	for _, field := range []string{"id", "token", "topics", "topic", "epoch", "only", "after", "sku", "quantity", "lines",
		"version", "key", "from", "policy", "about", "pretty", "colour"} {
		for _, value := range values {
			text := fmt.Sprintf(`{"action":%q,%q:%s`, action, field, value)
			for _, name := range slices.Sorted(maps.Keys(base)) {
				if name != field {
					text += fmt.Sprintf(`,%q:%s`, name, base[name])
				}
			}
			all = append(all, text+"}")
		}
	}
	return all
}

// accepts reports whether text is valid for a schema.
func accepts(schema object, text string) bool {
	takes, err := valid(schema, decoded(text))
	return takes && err == nil
}

func decoded(text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(err) // the texts are constants
	}
	return v
}

// valid reports whether a value is valid for a schema. It knows the part of JSON
// Schema, draft 4, that API Gateway is known to apply to messages. Other schemas
// are an error.
func valid(schema object, v any) (bool, error) {
	text, isText := v.(string)
	list, _ := v.([]any)
	m, isMap := v.(object)
	good := true
	for name, want := range schema {
		ok := true
		switch name {
		case "$schema":
		case "type":
			ok = slices.ContainsFunc(stringList(want), func(t string) bool { return isType(t, v) })
		case "enum":
			ok = isText && slices.Contains(stringList(want), text)
		case "pattern":
			ok = !isText || regexp.MustCompile(fmt.Sprint(want)).MatchString(text)
		case "required":
			if len(stringList(want)) == 0 {
				return false, errors.New("required is empty, which API Gateway refuses (aws-cdk #27433)")
			}
			for _, field := range stringList(want) {
				_, there := m[field]
				ok = ok && (!isMap || there)
			}
		case "properties", "additionalProperties", "items":
			parts, err := parts(schema, name, m, list)
			if err != nil {
				return false, err
			}
			for _, p := range parts {
				fine, err := valid(p.schema, p.v)
				if err != nil {
					return false, err
				}
				ok = ok && fine
			}
		default:
			return false, fmt.Errorf("unknown keyword %q", name)
		}
		good = good && ok
	}
	return good, nil
}

// part is a part of a value and its schema.
type part struct {
	schema object
	v      any
}

func parts(schema object, keyword string, m object, list []any) ([]part, error) {
	properties := sub(schema, "properties")
	s, ok := schema[keyword].(object)
	if !ok {
		return nil, fmt.Errorf("%s is not a schema: unknown fields must be accepted", keyword)
	}
	var all []part
	switch keyword {
	case "properties":
		for name := range properties {
			if v, there := m[name]; there {
				all = append(all, part{sub(properties, name), v})
			}
		}
	case "additionalProperties":
		for name, v := range m {
			if _, exists := properties[name]; !exists {
				all = append(all, part{s, v})
			}
		}
	case "items":
		for _, v := range list {
			all = append(all, part{s, v})
		}
	}
	return all, nil
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case []any:
		return name == "array"
	case object:
		return name == "object"
	case json.Number:
		_, err := v.Int64()
		return name == "number" || name == "integer" && err == nil
	}
	return false
}
