package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Decode reads one message of a client: a JSON object or, if shorthand is
// allowed, a typed line. The error is always an [*Error] that can be sent as it
// is; it carries the request's id if one could be read.
func Decode(text []byte, shorthand bool) (Request, error) {
	if len(text) > MaxMessage {
		return Request{}, &Error{Code: CodeTooBig, Message: fmt.Sprintf("a message has at most %d bytes, this one has %d", MaxMessage, len(text))}
	}
	trimmed := bytes.Trim(text, " \t\r\n") // what JSON takes for white space (RFC 8259, section 2)
	if shorthand && !bytes.HasPrefix(trimmed, []byte("{")) && !bytes.HasPrefix(trimmed, []byte("[")) && !json.Valid(trimmed) {
		return decodeShorthand(text)
	}
	return decodeJSON(trimmed)
}

func decodeJSON(text []byte) (Request, error) {
	if err := checkStrict(text); err != nil {
		return Request{}, &Error{Code: CodeBadJSON, Message: err.Error()}
	}
	if !bytes.HasPrefix(text, []byte("{")) {
		return Request{}, &Error{Code: CodeBadJSON, Message: "a message is a JSON object"}
	}
	d := decoder{fields: map[string]json.RawMessage{}}
	if err := json.Unmarshal(text, &d.fields); err != nil {
		return Request{}, &Error{Code: CodeBadJSON, Message: "not valid JSON"}
	}
	r := d.request()
	if d.err != nil {
		if d.err.ID == nil {
			d.err.ID = r.ID
		}
		return Request{}, d.err
	}
	return r, nil
}

// fieldNames are all fields of all actions. A field that differs from one of
// them in letter case only is refused: a reader that folds case would take it.
var fieldNames = []string{
	"action", "id", "token", "topics", "epoch", "only", "after",
	"sku", "quantity", "lines", "version", "key", "from", "policy",
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
	if err := checkCase(d.fields, fieldNames); err != nil {
		d.failf(CodeBadField, "%v", err)
	}
	if _, ok := d.fields["action"]; !ok {
		d.failf(CodeUnknownAction, `a message has an "action"`)
		return r
	}
	r.Action = Action(d.text("action", MaxMessage, nil))
	switch r.Action {
	case ActionHello:
		r.Token = d.text("token", MaxToken, isNameByte)
	case ActionSubscribe:
		r.Topics = d.topics(true)
		r.Epoch = d.text("epoch", MaxName, isNameByte)
		r.Only = d.flag("only")
		if len(r.Topics) == 0 && !r.Only {
			d.failf(CodeBadField, `"topics" is empty`)
		}
	case ActionUnsubscribe:
		if r.All = string(d.fields["topics"]) == `"*"`; !r.All {
			r.Topics = d.topics(false)
		}
	case ActionGet:
		r.Topics = d.topics(false)
		r.After = d.text("after", MaxName, isNameByte)
	case ActionAdd:
		r.SKU = d.required("sku")
		r.Quantity = int(d.integer("quantity", 1, 1, MaxQuantity))
		r.Key = d.text("key", MaxKey, isVisible)
	case ActionSet:
		r.Lines = d.lines()
		r.Version = d.integer("version", 0, 0, MaxVersion)
		r.Epoch = d.text("epoch", MaxName, isNameByte)
		r.Key = d.text("key", MaxKey, isVisible)
	case ActionMerge:
		if r.From = d.text("from", MaxToken, isNameByte); r.From == "" {
			d.failf(CodeBadField, `"from" is missing`)
		}
		r.Policy = d.policy()
		r.Key = d.text("key", MaxKey, isVisible)
	case ActionPing, ActionHelp:
	default:
		d.failf(CodeUnknownAction, "there is no action %q", clip(string(r.Action)))
	}
	return r
}

// id reads "id": a string, number, boolean or null.
func (d *decoder) id() json.RawMessage {
	raw, ok := d.fields["id"]
	switch {
	case !ok:
		return nil
	case raw[0] == '{' || raw[0] == '[':
		d.failf(CodeBadField, `"id" is a string, a number, a boolean or null`)
		return nil
	case len(raw) > MaxID:
		d.failf(CodeBadField, `"id" has at most %d bytes`, MaxID)
		return nil
	}
	return raw
}

// text reads an optional string of at most most bytes, all of them as allowed
// says (nil: any).
func (d *decoder) text(name string, most int, allowed func(byte) bool) string {
	raw, ok := d.fields[name]
	if !ok {
		return ""
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		d.failf(CodeBadField, "%q is a string", name)
		return ""
	}
	if s == "" || len(s) > most {
		d.failf(CodeBadField, "%q has 1 to %d bytes", name, most)
		return ""
	}
	if allowed != nil && !all(s, allowed) {
		d.failf(CodeBadField, "%q holds a character that is not allowed there", name)
		return ""
	}
	return s
}

func (d *decoder) required(name string) string {
	if _, ok := d.fields[name]; !ok {
		d.failf(CodeBadField, "%q is missing", name)
	}
	return d.text(name, MaxName, isNameByte)
}

func (d *decoder) flag(name string) bool {
	switch raw, ok := d.fields[name]; {
	case !ok || string(raw) == "false":
		return false
	case string(raw) == "true":
		return true
	}
	d.failf(CodeBadField, "%q is true or false", name)
	return false
}

func (d *decoder) integer(name string, absent, least, most int64) int64 {
	raw, ok := d.fields[name]
	if !ok {
		return absent
	}
	return d.number(name, raw, least, most)
}

// number reads an integer written as digits: 2, not 2.0 or 2e0, and 0, not -0.
func (d *decoder) number(name string, raw []byte, least, most int64) int64 {
	const bits = 63 // so that it fits into an int64; nothing here is below zero
	n, err := strconv.ParseUint(string(raw), 10, bits)
	if err != nil || int64(n) < least || int64(n) > most {
		d.failf(CodeBadField, "%q is a whole number from %d to %d", clip(name), least, most)
		return 0
	}
	return int64(n)
}

// topics reads an array of names or, where versions make sense, an object of
// names and versions. Repeated names count once.
func (d *decoder) topics(versions bool) []Topic {
	raw, ok := d.fields["topics"]
	if !ok {
		d.failf(CodeBadField, `"topics" is missing`)
		return nil
	}
	topics := []Topic{}
	switch {
	case raw[0] == '{' && versions:
		var m map[string]json.RawMessage
		_ = json.Unmarshal(raw, &m) // checkStrict has read it
		for name, version := range m {
			topics = append(topics, Topic{name, d.number(name, version, 0, MaxVersion)})
		}
		slices.SortFunc(topics, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	case raw[0] == '[':
		var elements []json.RawMessage
		_ = json.Unmarshal(raw, &elements) // checkStrict has read it
		seen := map[string]bool{}
		for _, e := range elements {
			var name string
			if e[0] != '"' || json.Unmarshal(e, &name) != nil {
				d.failf(CodeBadField, `"topics" holds something that is not a string`)
				return nil
			}
			if !seen[name] {
				seen[name] = true
				topics = append(topics, Topic{Name: name})
			}
		}
	case versions:
		d.failf(CodeBadField, `"topics" is an array of names or an object of names and versions`)
	default:
		d.failf(CodeBadField, `"topics" is an array of names`)
	}
	if len(topics) > MaxTopics {
		d.failf(CodeTooManyTopics, "a message names at most %d topics, this one names %d", MaxTopics, len(topics))
	}
	for _, t := range topics {
		if t.Name == "" || len(t.Name) > MaxTopic || !all(t.Name, isTopicByte) {
			d.failf(CodeBadField, "%q is not a topic", clip(t.Name))
		}
	}
	return topics
}

func (d *decoder) lines() []Wish {
	raw := d.fields["lines"]
	if len(raw) == 0 || raw[0] != '{' {
		d.failf(CodeBadField, `"lines" is an object of SKUs and quantities`)
		return nil
	}
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // checkStrict has read it
	if len(m) == 0 || len(m) > MaxLines {
		d.failf(CodeBadField, `"lines" has 1 to %d entries`, MaxLines)
		return nil
	}
	wishes := make([]Wish, 0, len(m))
	for sku, quantity := range m {
		if !IsName(sku) {
			d.failf(CodeBadField, "%q is not a SKU", clip(sku))
			return nil
		}
		wishes = append(wishes, Wish{sku, int(d.number(sku, quantity, 0, MaxQuantity))})
	}
	slices.SortFunc(wishes, func(a, b Wish) int { return strings.Compare(a.SKU, b.SKU) })
	return wishes
}

func (d *decoder) policy() Policy {
	switch p := Policy(d.text("policy", MaxName, nil)); p {
	case "":
		return PolicySum
	case PolicySum, PolicyMax, PolicyMine, PolicyTheirs:
		return p
	}
	d.failf(CodeBadField, `"policy" is sum, max, mine or theirs`)
	return ""
}

// IsName reports whether s is a name of a SKU, a vendor or a cart: 1 to
// [MaxName] characters out of A-Z a-z 0-9 . _ ~ -
func IsName(s string) bool { return s != "" && len(s) <= MaxName && all(s, isNameByte) }

func isNameByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
		c == '.' || c == '_' || c == '~' || c == '-'
}

// isTopicByte is true for what a topic may consist of; package hub knows which
// topics there are. Nothing among it means anything to shorthand, as a blank, "@"
// or "=" would.
func isTopicByte(c byte) bool { return isNameByte(c) || c == ':' }

// isVisible is true for printable ASCII other than the blank: keys
// have no other characters, so that shorthand can name them.
func isVisible(c byte) bool { return '!' <= c && c <= '~' }

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
