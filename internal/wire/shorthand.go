package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// decodeShorthand turns a typed line into the fields of the JSON message, so that
// one decoder checks both spellings:
//
//	hello [token=T] | who               unsub TOPIC... | unsub *
//	sub TOPIC[@VERSION]... [epoch=E]    only TOPIC[@VERSION]... [epoch=E]
//	get TOPIC... [after=SKU]            add SKU [N] [key=K]
//	set SKU N [SKU N]... [vN] [key=K]   merge TOKEN [POLICY] [key=K]
//	checkout [vN] [key=K]               why [TOPIC[@VERSION]] [epoch=E]
//	ping | help [COMMAND] | ? [COMMAND]
//	pretty on | pretty off
//	stock SKU... is get sku:SKU...      ls is get *
//
// Each may have id=JSON too. A topic without a kind is a SKU, unless it is in quotes: sub MUG.
// The letter case of the first word does not matter.
//
// A topic or a SKU may be a JSON string, so that it can hold any character:
//
//	add "RED CAP" 2                     sub "sku:RED CAP"@7
func decodeShorthand(text []byte) (Request, error) {
	if !utf8.Valid(text) {
		return Request{}, &Error{Code: CodeBadJSON, Message: "invalid UTF-8"}
	}
	words := splitLine(string(text))
	if len(words) == 0 {
		return Request{}, &Error{Code: CodeBadJSON, Message: `empty message; type "help" for a list of actions`}
	}
	l := typedLine{fields: map[string]json.RawMessage{}}
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

// splitLine splits at white space, but not inside a string: "RED CAP", id="a b" or
// after="RED CAP".
func splitLine(line string) []string {
	var words []string
	for {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" {
			return words
		}
		end := 0
		for _, prefix := range []string{`"`, `id="`, `after="`} {
			if strings.HasPrefix(line, prefix) {
				end = stringEnd(line, len(prefix))
			}
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

// stringEnd returns the index after the closing quote of the JSON string whose text
// starts at start, or 0 if there is none.
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

// typedLine collects the fields of a typed line, and keeps the first error.
type typedLine struct {
	fields map[string]json.RawMessage
	err    *Error
}

func (l *typedLine) failf(format string, args ...any) {
	if l.err == nil {
		l.err = &Error{Code: CodeBadField, Message: fmt.Sprintf(format, args...)}
	}
}

func (l *typedLine) put(name string, value any) { l.fields[name] = quote(value) }

// options reads the words of the form name=value and returns the others.
func (l *typedLine) options(words []string) []string {
	var rest []string
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok || isQuoted(w) {
			rest = append(rest, w)
			continue
		}
		if _, repeated := l.fields[name]; repeated {
			l.failf("%s= occurs twice", name)
		}
		switch name {
		case "id":
			l.fields[name] = scalar(value)
		case "after":
			l.put(name, l.name(value))
		case "token", "epoch", "key":
			l.put(name, value)
		default:
			l.failf("unknown option %s=; a name with = needs quotes", Clip(name))
		}
	}
	return rest
}

// Options are the words before the = of a typed line.
var Options = []string{"id", "after", "token", "epoch", "key"}

// isQuoted reports whether a word is, or begins with, a JSON string.
func isQuoted(word string) bool { return strings.HasPrefix(word, `"`) }

// name returns the name that a word stands for.
func (l *typedLine) name(word string) string {
	if !isQuoted(word) {
		return word
	}
	var s string
	if checkStrict([]byte(word)) != nil || json.Unmarshal([]byte(word), &s) != nil {
		l.failf(`the text in quotes in %q is not a JSON string; write \" and \\ inside`, Clip(word))
	}
	return s
}

// names returns the names that words stand for, without versions.
func (l *typedLine) names(words []string) []string {
	names := make([]string, len(words))
	for i, w := range words {
		var versioned bool
		if names[i], _, versioned = l.topic(w); versioned {
			l.failf("%q has a version; only sub and only take one", Clip(w))
		}
	}
	return names
}

// skus returns the topics of SKUs.
func (l *typedLine) skus(words []string) []string {
	topics := make([]string, len(words))
	for i, w := range words {
		topics[i] = "sku:" + strings.TrimPrefix(l.name(w), "sku:")
	}
	return topics
}

// namesOrAll reads names of topics, or * for all.
func (l *typedLine) namesOrAll(words []string) {
	if len(words) == 1 && words[0] == "*" {
		l.put("topics", "*")
		return
	}
	l.put("topics", l.names(words))
}

// topic reads a topic with an optional version: cart@17 or "sku:RED CAP"@7.
func (l *typedLine) topic(word string) (name, version string, versioned bool) {
	if !isQuoted(word) {
		if name, version, versioned = strings.Cut(word, "@"); name == "" || name == "*" {
			l.failf("%q is not a topic", Clip(word))
		}
		return kinded(name), version, versioned
	}
	end := stringEnd(word, len(`"`))
	if end == 0 {
		end = len(word)
	}
	if version, versioned = strings.CutPrefix(word[end:], "@"); !versioned {
		end = len(word)
	}
	return l.name(word[:end]), version, versioned
}

// kinded returns the topic of a word without quotes: a name without a kind is that of a SKU.
func kinded(name string) string {
	if name == "" || name == "cart" || strings.Contains(name, ":") {
		return name
	}
	return "sku:" + name
}

// scalar returns a word as JSON: as it stands if it is valid JSON, else as a string.
func scalar(word string) json.RawMessage {
	if json.Valid([]byte(word)) && checkStrict([]byte(word)) == nil {
		return json.RawMessage(word)
	}
	return quote(word)
}

func (l *typedLine) read(verb string, words []string) {
	switch strings.ToLower(verb) {
	case "hello", "who":
		l.put("action", ActionHello)
		l.atMost(words, 0)
	case "pretty":
		l.pretty(words)
	case "ping":
		l.put("action", ActionPing)
		l.atMost(words, 0)
	case "help", "?":
		l.put("action", ActionHelp)
		if len(words) > 0 {
			l.put("about", strings.ToLower(words[0]))
		}
		l.atMost(words, 1)
	case "sub", "subscribe":
		l.atLeastOne(words, verb)
		l.put("action", ActionSubscribe)
		l.topics(words)
	case "only":
		l.put("action", ActionSubscribe)
		l.put("only", true)
		l.topics(words)
	case "unsub", "unsubscribe":
		l.put("action", ActionUnsubscribe)
		l.namesOrAll(words)
	case "get":
		l.put("action", ActionGet)
		l.namesOrAll(words)
	case "stock":
		l.put("action", ActionGet)
		l.put("topics", l.skus(words))
	case "ls":
		l.put("action", ActionGet)
		l.put("topics", "*")
		l.atMost(words, 0)
	case "add":
		l.add(words)
	case "set":
		l.atLeastOne(words, verb)
		l.put("action", ActionSet)
		l.lines(words)
	case "merge":
		l.merge(words)
	case "checkout":
		l.checkout(words)
	case "why":
		l.why(words)
	default:
		l.err = &Error{
			Code: CodeUnknownAction, Message: fmt.Sprintf("unknown action %q", Clip(verb)) + didYouMean(verb),
		}
	}
}

// pretty reads on or off. It is a hello: that tells who one is, in the new form.
func (l *typedLine) pretty(words []string) {
	l.put("action", ActionHello)
	switch word := strings.ToLower(strings.Join(words, " ")); word {
	case "on", "off":
		l.put("pretty", word == "on")
	default:
		l.failf("type pretty on, or pretty off")
	}
}

// add reads a SKU and a quantity.
func (l *typedLine) add(words []string) {
	l.atLeastOne(words, "add")
	l.put("action", ActionAdd)
	if len(words) > 0 {
		l.put("sku", l.name(words[0]))
	}
	if len(words) > 1 {
		l.fields["quantity"] = digits(words[1])
	}
	l.atMost(words, 2)
}

// merge reads a guest token and a policy.
func (l *typedLine) merge(words []string) {
	l.atLeastOne(words, "merge")
	l.put("action", ActionMerge)
	if len(words) > 0 {
		l.put("from", words[0])
	}
	if len(words) > 1 {
		l.put("policy", words[1])
	}
	l.atMost(words, 2)
}

// checkout reads an optional version.
func (l *typedLine) checkout(words []string) {
	l.put("action", ActionCheckout)
	if len(words) > 0 && !l.version(words[0]) {
		l.failf("%q is not a version, as in v18", Clip(words[0]))
	}
	l.atMost(words, 1)
}

// why reads a topic with an optional version.
func (l *typedLine) why(words []string) {
	l.put("action", ActionWhy)
	if len(words) > 0 {
		topic, version, versioned := l.topic(words[0])
		l.put("topic", topic)
		if versioned {
			l.fields["version"] = digits(version)
		}
	}
	l.atMost(words, 1)
}

// version reads a version, as in "v18". It reports whether the word looks like one.
func (l *typedLine) version(word string) bool {
	version, ok := strings.CutPrefix(word, "v")
	if !ok {
		return false
	}
	l.fields["version"] = digits(version)
	return true
}

// atMost refuses more than n words.
func (l *typedLine) atMost(words []string, n int) {
	if len(words) > n {
		l.failf("unexpected word %q", Clip(words[n]))
	}
}

// atLeastOne refuses a verb that has no words. Whoever types knows no names of fields.
func (l *typedLine) atLeastOne(words []string, verb string) {
	if c, _ := commandOf(verb); len(words) == 0 {
		l.failf("type %s; \"help %s\" says more", c.form, c.names[0])
	}
}

// topics reads names with optional versions. If one has a version, the JSON form is
// an object, else an array.
func (l *typedLine) topics(words []string) {
	names := make([]string, len(words))
	versions := map[string]json.RawMessage{}
	versioned := false
	for i, w := range words {
		name, version, ok := l.topic(w)
		if !ok {
			version = "0"
		}
		versioned = versioned || ok
		names[i], versions[name] = name, digits(version)
	}
	if !versioned {
		l.put("topics", names)
		return
	}
	if len(versions) < len(words) {
		l.failf("a topic occurs twice")
	}
	l.put("topics", versions)
}

// lines reads pairs of SKU and quantity, then an optional version. A SKU may look
// like a version ("v18"); it is a SKU if another word follows.
func (l *typedLine) lines(words []string) {
	lines := map[string]json.RawMessage{}
	for len(words) > 0 {
		if len(words) == 1 {
			if !l.version(words[0]) {
				l.failf("%q has no quantity", Clip(words[0]))
				return
			}
			break
		}
		sku := l.name(words[0])
		if _, repeated := lines[sku]; repeated {
			l.failf("%q occurs twice", Clip(sku))
		}
		lines[sku] = digits(words[1])
		words = words[2:]
	}
	l.put("lines", lines)
}

// digits returns a whole number as a JSON number, and any other word as a string,
// which the decoder refuses where a number belongs.
func digits(word string) json.RawMessage {
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && strconv.FormatInt(n, 10) == word {
		return json.RawMessage(word)
	}
	return quote(word)
}

// typedName returns a name as one word of a line. It is in quotes unless all its
// characters are printable and none has a meaning in shorthand.
func typedName(name string) string {
	special := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(` "\=@*`, r) }
	if name == "" || strings.ContainsFunc(name, special) {
		return string(quote(name))
	}
	return name
}

// typedTopic returns a topic as one word of a line.
func typedTopic(name string) string {
	if kinded(name) != name {
		return string(quote(name))
	}
	return typedName(name)
}

// ShortTopic returns a topic as people type it, a SKU without its kind: MUG.
func ShortTopic(name string) string {
	if sku, ok := strings.CutPrefix(name, "sku:"); ok && kinded(sku) == name && typedName(sku) == sku {
		return sku
	}
	return typedTopic(name)
}

// Shorthand returns the request as a person types it. Decode reads it back.
func (r Request) Shorthand() string {
	words := append(r.shorthandVerb(), r.shorthandArguments()...)
	option := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	option("token", r.Token)
	if r.After != "" {
		option("after", typedName(r.After))
	}
	option("epoch", r.Epoch)
	option("key", r.Key)
	option("id", string(r.ID))
	return strings.Join(words, " ")
}

func (r Request) shorthandVerb() []string {
	switch {
	case r.Pretty != nil:
		return []string{"pretty", map[bool]string{true: "on", false: "off"}[*r.Pretty]}
	case r.Action == ActionSubscribe && r.Only:
		return []string{"only"}
	case r.Action == ActionSubscribe:
		return []string{"sub"}
	case r.Action == ActionUnsubscribe:
		return []string{"unsub"}
	}
	return []string{string(r.Action)}
}

func (r Request) shorthandArguments() []string {
	switch r.Action {
	case ActionSubscribe, ActionUnsubscribe, ActionGet:
		var words []string
		if r.All {
			words = append(words, "*")
		}
		for _, t := range r.Topics {
			word := typedTopic(t.Name)
			if t.Version != 0 {
				word += "@" + strconv.FormatInt(t.Version, 10)
			}
			words = append(words, word)
		}
		return words
	case ActionAdd:
		return []string{typedName(r.SKU), strconv.Itoa(r.Quantity)}
	case ActionSet:
		var words []string
		for _, w := range r.Lines {
			words = append(words, typedName(w.SKU), strconv.Itoa(w.Quantity))
		}
		return append(words, r.shorthandVersion()...)
	case ActionMerge:
		return []string{r.From, string(r.Policy)}
	case ActionCheckout:
		return r.shorthandVersion()
	case ActionWhy:
		if r.Topic == "" {
			return nil
		}
		word := typedTopic(r.Topic)
		if r.Version != nil {
			word += "@" + strconv.FormatInt(*r.Version, 10)
		}
		return []string{word}
	case ActionHelp:
		if r.About != "" {
			return []string{r.About}
		}
	}
	return nil
}

func (r Request) shorthandVersion() []string {
	if r.Version == nil {
		return nil
	}
	return []string{"v" + strconv.FormatInt(*r.Version, 10)}
}
