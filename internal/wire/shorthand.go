package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Usage is the shorthand in lines for people; [Help] sends it.
var Usage = []string{
	"sub TOPIC[@VERSION] ...      subscribe; topics: sku:ID, cart, cart:ID (admin), vendor:ID",
	"only TOPIC ...               subscribe to these and nothing else",
	"unsub TOPIC ... | unsub *    unsubscribe",
	"get TOPIC ... [after=SKU]    one look",
	"add SKU [N] [key=K]          put N more into the cart",
	"set SKU N ... [vVERSION]     quantities as given, 0 removes",
	"merge GUESTTOKEN [sum|max|mine|theirs]",
	"hello [token=TOKEN] | ping | help",
	"anywhere: id=X is echoed in the answer, key=K makes a retry safe, epoch=E belongs to versions",
}

// decodeShorthand turns a typed line into the fields of the JSON message, so that
// one decoder judges both spellings:
//
//	hello [token=T]                     unsub TOPIC... | unsub *
//	sub TOPIC[@VERSION]... [epoch=E]    only TOPIC[@VERSION]... [epoch=E]
//	get TOPIC... [after=SKU]            add SKU [N] [key=K]
//	set SKU N [SKU N]... [vN] [key=K]   merge TOKEN [POLICY] [key=K]
//	ping | help                         each also with id=JSON
func decodeShorthand(text []byte) (Request, error) {
	if !utf8.Valid(text) {
		return Request{}, &Error{Code: CodeBadJSON, Message: "invalid UTF-8"}
	}
	words := splitLine(string(text))
	if len(words) == 0 {
		return Request{}, &Error{Code: CodeBadJSON, Message: `an empty message; "help" tells what can be typed`}
	}
	l := typed{fields: map[string]json.RawMessage{}}
	l.read(words[0], l.options(words[1:]))
	d := decoder{fields: l.fields}
	id := d.id()
	if l.err != nil {
		l.err.ID = id
		return Request{}, l.err
	}
	r := d.request()
	if d.err != nil {
		d.err.ID = id
		return Request{}, d.err
	}
	return r, nil
}

// splitLine splits at white space, except inside the string of id="a b".
func splitLine(line string) []string {
	var words []string
	for {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" {
			return words
		}
		end := 0
		if strings.HasPrefix(line, `id="`) {
			end = stringEnd(line, len(`id="`))
		}
		if n := strings.IndexFunc(line[end:], unicode.IsSpace); n >= 0 {
			end += n
		} else {
			end = len(line)
		}
		words = append(words, line[:end])
		line = line[end:]
	}
}

// stringEnd is the index after the quote that ends the JSON string whose inside
// starts at start, 0 if there is none.
func stringEnd(line string, start int) int {
	for i := start; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// typed collects the fields of a typed line.
type typed struct {
	fields map[string]json.RawMessage
	err    *Error
}

func (l *typed) failf(format string, args ...any) {
	if l.err == nil {
		l.err = &Error{Code: CodeBadField, Message: fmt.Sprintf(format, args...)}
	}
}

func (l *typed) put(name string, value any) { l.fields[name] = quote(value) }

// options takes name=value words out of words.
func (l *typed) options(words []string) []string {
	var rest []string
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			rest = append(rest, w)
			continue
		}
		if _, twice := l.fields[name]; twice {
			l.failf("%s= occurs twice", name)
		}
		switch name {
		case "id":
			l.fields[name] = scalar(value)
		case "token", "epoch", "after", "key":
			l.put(name, value)
		default:
			l.failf("there is no option %s=", clip(name))
		}
	}
	return rest
}

// scalar takes a word as JSON if it is a JSON scalar and as a string otherwise.
func scalar(word string) json.RawMessage {
	if json.Valid([]byte(word)) && checkStrict([]byte(word)) == nil {
		return json.RawMessage(word)
	}
	return quote(word)
}

func (l *typed) read(verb string, words []string) {
	switch verb {
	case "hello", "ping", "help":
		l.put("action", verb)
		l.most(words, 0)
	case "sub", "subscribe", "only":
		l.put("action", ActionSubscribe)
		if verb == "only" {
			l.put("only", true)
		}
		l.topics(words)
	case "unsub", "unsubscribe":
		l.put("action", ActionUnsubscribe)
		if len(words) == 1 && words[0] == "*" {
			l.put("topics", "*")
			return
		}
		l.put("topics", nonNil(words))
	case "get":
		l.put("action", ActionGet)
		l.put("topics", nonNil(words))
	case "add":
		l.put("action", ActionAdd)
		if len(words) > 0 {
			l.put("sku", words[0])
		}
		if len(words) > 1 {
			l.fields["quantity"] = digits(words[1])
		}
		l.most(words, 2)
	case "set":
		l.put("action", ActionSet)
		l.lines(words)
	case "merge":
		l.put("action", ActionMerge)
		if len(words) > 0 {
			l.put("from", words[0])
		}
		if len(words) > 1 {
			l.put("policy", words[1])
		}
		l.most(words, 2)
	default:
		l.err = &Error{Code: CodeUnknownAction, Message: fmt.Sprintf(`there is no %q; "help" tells what can be typed`, clip(verb))}
	}
}

func (l *typed) most(words []string, n int) {
	if len(words) > n {
		l.failf("%q is one word too many", clip(words[n]))
	}
}

// topics reads names with optional versions. As soon as one has a version, the
// JSON form is the object.
func (l *typed) topics(words []string) {
	versions := map[string]json.RawMessage{}
	resume := false
	for _, w := range words {
		name, version, ok := strings.Cut(w, "@")
		if !ok {
			version = "0"
		}
		resume = resume || ok
		versions[name] = digits(version)
	}
	if !resume {
		l.put("topics", nonNil(words))
		return
	}
	if len(versions) < len(words) {
		l.failf("a topic occurs twice")
	}
	l.put("topics", versions)
}

// lines reads pairs of SKU and quantity, and a version at the end. A SKU may look
// like a version ("v18"): it is one if a number follows.
func (l *typed) lines(words []string) {
	lines := map[string]json.RawMessage{}
	for len(words) > 0 {
		if len(words) == 1 {
			version, ok := strings.CutPrefix(words[0], "v")
			if !ok {
				l.failf("%q has no quantity", clip(words[0]))
				return
			}
			l.fields["version"] = digits(version)
			break
		}
		if _, twice := lines[words[0]]; twice {
			l.failf("%q occurs twice", clip(words[0]))
		}
		lines[words[0]] = digits(words[1])
		words = words[2:]
	}
	l.put("lines", lines)
}

// digits takes a word as a JSON number if it is one; otherwise it becomes a
// string, which the decoder refuses where a number belongs.
func digits(word string) json.RawMessage {
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && strconv.FormatInt(n, 10) == word {
		return json.RawMessage(word)
	}
	return quote(word)
}

func nonNil(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

// Shorthand writes the request as a person types it. Decode reads it back.
func (r Request) Shorthand() string {
	var words []string
	word := func(w ...string) { words = append(words, w...) }
	names := func() {
		for _, t := range r.Topics {
			if t.Version != 0 {
				word(t.Name + "@" + strconv.FormatInt(t.Version, 10))
			} else {
				word(t.Name)
			}
		}
	}
	switch r.Action {
	case ActionSubscribe:
		if r.Only {
			word("only")
		} else {
			word("sub")
		}
		names()
	case ActionUnsubscribe:
		word("unsub")
		if r.All {
			word("*")
		}
		names()
	case ActionGet:
		word("get")
		names()
	case ActionAdd:
		word("add", r.SKU, strconv.Itoa(r.Quantity))
	case ActionSet:
		word("set")
		for _, w := range r.Lines {
			word(w.SKU, strconv.Itoa(w.Quantity))
		}
		if r.Version != 0 {
			word("v" + strconv.FormatInt(r.Version, 10))
		}
	case ActionMerge:
		word("merge", r.From, string(r.Policy))
	default:
		word(string(r.Action))
	}
	option := func(name, value string) {
		if value != "" {
			word(name + "=" + value)
		}
	}
	option("token", r.Token)
	option("after", r.After)
	option("epoch", r.Epoch)
	option("key", r.Key)
	option("id", string(r.ID))
	return strings.Join(words, " ")
}
