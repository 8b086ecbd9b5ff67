package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Decode reads one message of a client: a JSON object or, if shorthand is set, a
// typed line. The error is always an [*Error] that is fit for the client; it has the
// id of the request if that could be read.
func Decode(text []byte, shorthand bool) (Request, error) {
	if len(text) > MaxMessage {
		message := fmt.Sprintf("a message has at most %d bytes, this one has %d", MaxMessage, len(text))
		return Request{}, &Error{Code: CodeTooBig, Message: message}
	}
	if shorthand && IsTyped(text) {
		return decodeShorthand(text)
	}
	return decodeJSON(trimJSON(text))
}

// IsTyped reports whether a person typed a message, as far as Decode reads shorthand: it
// is not JSON, and does not begin as an object or an array does.
func IsTyped(text []byte) bool {
	trimmed := trimJSON(text)
	isStructure := bytes.HasPrefix(trimmed, []byte("{")) || bytes.HasPrefix(trimmed, []byte("["))
	return !isStructure && !json.Valid(trimmed)
}

// trimJSON removes the white space of JSON (RFC 8259, section 2) around a text.
func trimJSON(text []byte) []byte { return bytes.Trim(text, " \t\r\n") }

// DecodeFields reads a request whose action comes from elsewhere, as from the path of an
// HTTP request: the fields are those of text, a JSON object or nothing, and others, each
// in one place only. The rules and the errors are those of [Decode].
func DecodeFields(action Action, text []byte, others map[string]any) (Request, error) {
	fields := map[string]json.RawMessage{}
	if trimmed := bytes.Trim(text, " \t\r\n"); len(trimmed) > 0 {
		if err := checkStrict(trimmed); err != nil {
			return Request{}, &Error{Code: CodeBadJSON, Message: err.Error()}
		}
		if err := json.Unmarshal(trimmed, &fields); err != nil || fields == nil {
			return Request{}, &Error{Code: CodeBadJSON, Message: "the body must be a JSON object"}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if _, ok := fields[name]; ok {
			return Request{}, &Error{Code: CodeBadField, Message: fmt.Sprintf("%q is in the body and outside of it", name)}
		}
		fields[name] = quote(others[name])
	}
	if named, ok := fields["action"]; ok && string(named) != string(quote(action)) {
		return Request{}, &Error{Code: CodeBadField, Message: fmt.Sprintf(`"action" must be %q here`, action)}
	}
	fields["action"] = quote(action)
	return decodeFields(fields)
}

func decodeJSON(text []byte) (Request, error) {
	if err := checkStrict(text); err != nil {
		return Request{}, &Error{Code: CodeBadJSON, Message: err.Error()}
	}
	if !bytes.HasPrefix(text, []byte("{")) {
		return Request{}, &Error{Code: CodeBadJSON, Message: "a message must be a JSON object"}
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return Request{}, &Error{Code: CodeBadJSON, Message: "not valid JSON"}
	}
	return decodeFields(fields)
}

func decodeFields(fields map[string]json.RawMessage) (Request, error) {
	d := decoder{fields: fields}
	r := d.request()
	if d.err != nil {
		if d.err.ID == nil {
			d.err.ID = r.ID
		}
		return Request{}, d.err
	}
	return r, nil
}

// Fields are the fields of all actions. Decode refuses a field that differs
// from one of them in letter case only: a reader that ignores case would accept it.
var Fields = []string{
	"action", "id", "token", "topics", "topic", "epoch", "only", "after",
	"sku", "quantity", "lines", "version", "key", "from", "policy", "about", "pretty",
}

// decoder reads fields and keeps the first error.
type decoder struct {
	fields map[string]json.RawMessage
	err    *Error
}

func (d *decoder) failf(code Code, format string, args ...any) {
	if d.err == nil {
		d.err = &Error{Code: code, Message: fmt.Sprintf(format, args...)}
	}
}

func (d *decoder) request() Request {
	r := Request{ID: d.id()}
	if err := checkCase(d.fields, Fields); err != nil {
		d.failf(CodeBadField, "%v", err)
	}
	if _, ok := d.fields["action"]; !ok {
		d.failf(CodeUnknownAction, `"action" is missing`)
		return r
	}
	r.Action = Action(d.text("action", MaxMessage, nil))
	switch r.Action {
	case ActionHello:
		r.Token = d.token("token")
		if d.fields["pretty"] != nil {
			pretty := d.flag("pretty")
			r.Pretty = &pretty
		}
	case ActionSubscribe, ActionUnsubscribe, ActionGet:
		d.readTopics(&r)
	case ActionAdd, ActionSet, ActionMerge, ActionCheckout:
		d.readWrite(&r)
	case ActionWhy:
		d.readWhy(&r)
	case ActionHelp:
		r.About = d.about()
	case ActionPing:
	default:
		d.failf(CodeUnknownAction, "unknown action %q", Clip(string(r.Action)))
	}
	return r
}

// readTopics reads the fields of the actions on topics.
func (d *decoder) readTopics(r *Request) {
	switch r.Action {
	case ActionSubscribe:
		r.Topics = d.topics(true)
		r.Epoch = d.text("epoch", MaxSafeName, isSafeByte)
		r.Only = d.flag("only")
		if len(r.Topics) == 0 && !r.Only {
			d.failf(CodeBadField, `"topics" is empty`)
		}
	case ActionUnsubscribe:
		if r.All = string(d.fields["topics"]) == `"*"`; !r.All {
			r.Topics = d.topics(false)
		}
	case ActionGet:
		if r.All = string(d.fields["topics"]) == `"*"`; !r.All {
			r.Topics = d.topics(false)
		}
		r.After = d.sku("after")
	}
}

// readWhy reads the fields of a why.
func (d *decoder) readWhy(r *Request) {
	r.Topic = d.text("topic", MaxMessage, nil)
	d.readVersion(r)
	if r.Topic == "" && (r.Version != nil || r.Epoch != "") {
		d.failf(CodeBadField, `"version" and "epoch" are those of a "topic"`)
	}
}

// readWrite reads the fields of the actions that write to a cart.
func (d *decoder) readWrite(r *Request) {
	switch r.Action {
	case ActionAdd:
		if _, ok := d.fields["sku"]; !ok {
			d.failf(CodeBadField, `"sku" is missing`)
		}
		r.SKU = d.sku("sku")
		r.Quantity = d.pieces()
	case ActionSet:
		r.Lines = d.lines()
		d.readVersion(r)
	case ActionCheckout:
		d.readVersion(r)
	case ActionMerge:
		if r.From = d.token("from"); r.From == "" {
			d.failf(CodeBadField, `"from" is missing`)
		}
		r.Policy = d.policy()
	}
	r.Key = d.text("key", MaxKey, isVisible)
}

// about reads the command that help is about.
func (d *decoder) about() string {
	about := d.text("about", MaxSafeName, nil)
	if about != "" && UsageOf(about) == nil {
		d.failf(CodeBadField, "unknown action %q%s", Clip(about), didYouMean(about))
	}
	return about
}

// pieces reads the quantity of an add.
func (d *decoder) pieces() int {
	n := d.integer("quantity", 1, -MaxQuantity, MaxQuantity)
	if n == 0 {
		d.failf(CodeBadField, `"quantity" must not be 0`)
	}
	return int(n)
}

// readVersion reads the version that a client has. Version 0 is not the same
// as no version.
func (d *decoder) readVersion(r *Request) {
	if raw, ok := d.fields["version"]; ok {
		version := d.number("version", raw, 0, MaxVersion)
		r.Version = &version
	}
	r.Epoch = d.text("epoch", MaxSafeName, isSafeByte)
}

// id reads "id": a string, number, boolean or null.
func (d *decoder) id() json.RawMessage {
	raw, ok := d.fields["id"]
	switch {
	case !ok:
		return nil
	case raw[0] == '{' || raw[0] == '[':
		d.failf(CodeBadField, `"id" must be a string, a number, a boolean or null`)
		return nil
	case len(raw) > MaxID:
		d.failf(CodeBadField, `"id" has at most %d bytes`, MaxID)
		return nil
	}
	return raw
}

// text reads an optional string of at most most bytes. allowed reports whether a
// byte may occur in it; nil allows all.
func (d *decoder) text(name string, most int, allowed func(byte) bool) string {
	raw, ok := d.fields[name]
	if !ok {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		d.failf(CodeBadField, "%q must be a string", name)
		return ""
	}
	if s == "" || len(s) > most {
		d.failf(CodeBadField, "%q must have 1 to %d bytes", name, most)
		return ""
	}
	if allowed != nil && !allBytes(s, allowed) {
		d.failf(CodeBadField, "%q holds a character that is not allowed", name)
		return ""
	}
	return s
}

// token reads an optional token. In a message it has no scheme, unlike in a header.
func (d *decoder) token(name string) string {
	var s string
	if json.Unmarshal(d.fields[name], &s) == nil {
		if scheme, _, ok := strings.Cut(s, " "); ok && strings.EqualFold(scheme, "Bearer") {
			d.failf(CodeBadField, `%q is the token alone, without "Bearer"`, name)
			return ""
		}
	}
	return d.text(name, MaxToken, isSafeByte)
}

// sku reads an optional SKU.
func (d *decoder) sku(name string) string {
	raw, ok := d.fields[name]
	if !ok {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		d.failf(CodeBadField, "%q must be a string", name)
		return ""
	}
	if !IsName(s) {
		d.failf(CodeBadField, "%s", NotAName("SKU", s))
		return ""
	}
	return s
}

func (d *decoder) flag(name string) bool {
	switch raw, ok := d.fields[name]; {
	case !ok || string(raw) == "false":
		return false
	case string(raw) == "true":
		return true
	}
	d.failf(CodeBadField, "%q must be true or false", name)
	return false
}

func (d *decoder) integer(name string, absent, least, most int64) int64 {
	raw, ok := d.fields[name]
	if !ok {
		return absent
	}
	return d.number(name, raw, least, most)
}

// number reads an integer that is written with digits only: 2, not 2.0 or 2e0, and
// 0, not -0.
func (d *decoder) number(name string, raw []byte, least, most int64) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < least || n > most || string(raw) == "-0" {
		d.failf(CodeBadField, "%q must be a whole number from %d to %d", Clip(name), least, most)
		return 0
	}
	return n
}

// topics reads an array of names. With versions, it also reads an object of names
// and versions. A repeated name counts once. A name may be any text: package hub
// knows the topics, and refuses each of the others by its name.
func (d *decoder) topics(versions bool) []Topic {
	raw, ok := d.fields["topics"]
	var topics []Topic
	switch {
	case !ok:
		d.failf(CodeBadField, `"topics" is missing`)
		return nil
	case raw[0] == '{' && versions:
		topics = d.versionedTopics(raw)
	case raw[0] == '[':
		if topics, ok = d.namedTopics(raw); !ok {
			return nil
		}
	case versions:
		d.failf(CodeBadField, `"topics" must be an array of names or an object of names and versions`)
	default:
		d.failf(CodeBadField, `"topics" must be an array of names`)
	}
	if len(topics) > MaxTopics {
		d.failf(CodeTooManyTopics, "a message names at most %d topics, this one names %d", MaxTopics, len(topics))
	}
	size := 0
	for _, t := range topics {
		size += textBound(t.Name) + len(`:"token_expired",`)
	}
	if size > MaxTopicBytes {
		d.failf(CodeTooBig, "the topics of a message have together at most %d bytes, these have %d", MaxTopicBytes, size)
	}
	return topics
}

// versionedTopics reads an object of names and versions or shown values. It sorts
// them by name.
func (d *decoder) versionedTopics(raw []byte) []Topic {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // checkStrict has checked it
	topics := make([]Topic, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		t := Topic{Name: name}
		if m[name][0] == '{' {
			t.Shown = d.shown(name, m[name])
			t.Version = t.Shown.Version
		} else {
			t.Version = d.number(name, m[name], 0, MaxVersion)
		}
		topics = append(topics, t)
	}
	return topics
}

// shown reads what a client shows of a SKU.
func (d *decoder) shown(name string, raw []byte) *Badge {
	value := decoder{fields: map[string]json.RawMessage{}}
	_ = json.Unmarshal(raw, &value.fields) // checkStrict has checked it
	if err := checkCase(value.fields, []string{"version", "state", "quantity", "until"}); err != nil {
		value.failf(CodeBadField, "%v", err)
	}
	for _, field := range []string{"version", "state"} {
		if _, ok := value.fields[field]; !ok {
			value.failf(CodeBadField, "%q is missing", field)
		}
	}
	b := &Badge{
		Version: value.integer("version", 0, 0, MaxVersion),
		State:   State(value.text("state", MaxSafeName, isSafeByte)),
		Until:   value.text("until", MaxSafeName, isSafeByte),
	}
	if _, ok := value.fields["quantity"]; ok {
		quantity := int(value.integer("quantity", 0, 0, MaxVersion))
		b.Quantity = &quantity
	}
	if value.err != nil {
		d.failf(CodeBadField, "%q: %s", Clip(name), value.err.Message)
	}
	return b
}

// namedTopics reads an array of names. ok is false if an element is not a string.
func (d *decoder) namedTopics(raw []byte) (topics []Topic, ok bool) {
	var elements []json.RawMessage
	_ = json.Unmarshal(raw, &elements) // checkStrict has checked it
	topics = []Topic{}
	seen := map[string]bool{}
	for _, e := range elements {
		var name string
		if e[0] != '"' || json.Unmarshal(e, &name) != nil {
			d.failf(CodeBadField, `"topics" must hold strings only`)
			return nil, false
		}
		if !seen[name] {
			seen[name] = true
			topics = append(topics, Topic{Name: name})
		}
	}
	return topics, true
}

// lines reads an object of SKUs and quantities. It sorts them by SKU.
func (d *decoder) lines() []LineChange {
	raw := d.fields["lines"]
	if len(raw) == 0 || raw[0] != '{' {
		d.failf(CodeBadField, `"lines" must be an object of SKUs and quantities`)
		return nil
	}
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // checkStrict has checked it
	if len(m) == 0 || len(m) > MaxLines {
		d.failf(CodeBadField, `"lines" must have 1 to %d entries`, MaxLines)
		return nil
	}
	wishes := make([]LineChange, 0, len(m))
	size := 0
	for _, sku := range slices.Sorted(maps.Keys(m)) {
		if !IsName(sku) {
			d.failf(CodeBadField, "%s", NotAName("SKU", sku))
			return nil
		}
		size += TextSize(sku)
		wishes = append(wishes, LineChange{sku, int(d.number(sku, m[sku], 0, MaxQuantity))})
	}
	if size > MaxSKUBytes {
		d.failf(CodeTooBig, "the SKUs of a set have together at most %d bytes, these have %d", MaxSKUBytes, size)
	}
	return wishes
}

func (d *decoder) policy() Policy {
	switch p := Policy(d.text("policy", MaxSafeName, nil)); p {
	case "":
		return PolicySum
	default:
		if slices.Contains(Policies, p) {
			return p
		}
	}
	d.failf(CodeBadField, `"policy" must be sum, max, mine or theirs`)
	return ""
}
