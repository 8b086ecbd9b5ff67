package recording

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/local/jsonedit"
	"github.com/securecart/hub/internal/wire"
)

// What the protocol does not have may be a secret in the wrong place, and the hub acts on none
// of it. So it is replaced, in what a client sends and in answers that quote it.

// other stands for a text that the protocol does not have.
const other = "other"

var (
	// named are the verbs that names of topics or of SKUs follow. SKUs stay.
	named = []string{"get", "only", "stock", "sub", "subscribe", "unsub", "unsubscribe"}

	typedWord     = regexp.MustCompile(`(?:id=|after=)?"(?:[^"\\]|\\.)*"\S*|\S+`)
	typedStandIn  = regexp.MustCompile(`^token-(?:[0-9]+|bad)$`)
	typedVersion  = regexp.MustCompile(`^v[0-9]+$`)
	typedNumber   = regexp.MustCompile(`^-?[0-9]+$`)
	nameVersion   = regexp.MustCompile(`@[0-9]*$`)
	quotedWord    = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)`)
	unknownOption = regexp.MustCompile(`(unknown option )\S+(=;)`)
	wordsError    = regexp.MustCompile(`(?s)^error [a-z_]+: `)
	wordsRefused  = regexp.MustCompile(`(?m)^(.+)( refused: )`)
)

// unknown returns the stand-in of a name that the protocol does not have: "other-1" of a
// member, "other:2" of a topic.
func (n *names) unknown(name, separator string) string {
	sum := sha256.Sum256([]byte(separator + name))
	if n.others[sum] == 0 {
		n.others[sum] = len(n.others) + 1
	}
	return fmt.Sprint(other, separator, n.others[sum])
}

// sent replaces a part of a client's JSON message, unless the protocol has it.
func (n *names) sent(p jsonedit.Part) (string, bool) {
	first := p.Text
	if len(p.Path) > 0 {
		first = p.Path[0]
	}
	isMember := slices.ContainsFunc(wire.Fields, func(m string) bool { return strings.EqualFold(m, first) })
	switch key := p.Key(); {
	case !isMember && p.Number != "":
		return "0", true
	case !isMember && p.Name:
		return n.unknown(p.Text, "-"), true
	case !isMember:
		return other, true
	case p.Number != "" || p.Name || len(p.Path) != 1:
	case key == "action" && !slices.Contains(wire.Verbs, p.Text),
		key == "policy" && !slices.Contains(wire.Policies, wire.Policy(p.Text)),
		key == "about" && !slices.Contains(wire.Verbs, p.Text):
		return other, true
	}
	return "", false
}

// blurred returns a message that is refused as a whole: broken JSON, or one that is too long.
// It stays so, and as long: only the characters around names and values stay.
func blurred(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c > ' ' && !strings.ContainsRune(`{}[]":,\`, rune(c)) {
			b[i] = 'x'
		}
	}
	return string(b)
}

// anyTopic returns a topic of a JSON message, or the stand-in of what is none.
func (n *names) anyTopic(topic string) string {
	kind, _, found := strings.Cut(topic, ":")
	if topic == "*" || topic == "cart" || found && isKind(kind) {
		return topic
	}
	return n.unknown(topic, ":")
}

func isKind(kind string) bool { return kind == "sku" || kind == "cart" || kind == "vendor" }

// typedLine replaces the words of a typed line that the protocol does not have.
func (n *names) typedLine(line string) string {
	verb, place := "", 0 // of a word among those that are no options
	return typedWord.ReplaceAllStringFunc(line, func(word string) string {
		name, _, isOption := strings.Cut(word, "=")
		switch {
		case verb == "" && (slices.Contains(wire.Verbs, strings.ToLower(word)) || typedStandIn.MatchString(word)):
			verb = strings.ToLower(word)
			return word
		case verb == "":
			verb = other
			return other
		case isOption && word[0] != '"' && slices.Contains(wire.Options, name):
			return word
		case isOption && word[0] != '"':
			return other + "=" + other
		}
		place++
		return n.typedWord(verb, place, word)
	})
}

// typedWord returns the word at a place behind a verb, or what stands for it.
func (n *names) typedWord(verb string, place int, word string) string {
	isName := slices.Contains(named, verb) || place == 1 && (verb == "add" || verb == "why") ||
		place%2 == 1 && verb == "set"
	lower, known := strings.ToLower(word), false
	switch verb {
	case "add":
		known = place == 2 && typedNumber.MatchString(word)
	case "set":
		known = typedNumber.MatchString(word)
	case "checkout":
		known = typedVersion.MatchString(word)
	case "help", "?":
		known = slices.Contains(wire.Verbs, lower)
	case "pretty":
		known = lower == "on" || lower == "off"
	case "merge":
		known = typedStandIn.MatchString(word) || slices.Contains(wire.Policies, wire.Policy(word))
	}
	switch {
	case isName:
		return n.typedName(word)
	case known:
		return word
	}
	return other
}

// typedName replaces the name of a topic of an unknown kind. A name without a kind is that of
// a SKU.
func (n *names) typedName(word string) string {
	version := nameVersion.FindString(word)
	name := strings.TrimSuffix(word, version)
	var text string
	if json.Unmarshal([]byte(name), &text) == nil {
		name = text
	}
	if kind, _, found := strings.Cut(name, ":"); !found || isKind(kind) {
		return word
	}
	return n.unknown(name, ":") + version
}

// quoting replaces what the message of an error quotes.
func (n *names) quoting(message string) string {
	message = unknownOption.ReplaceAllString(message, "${1}"+other+"${2}")
	return quotedWord.ReplaceAllStringFunc(message, func(quoted string) string {
		word := strings.Trim(quoted, `"`)
		if slices.Contains(wire.Fields, word) || slices.Contains(wire.Verbs, word) ||
			slices.Contains(wire.Policies, wire.Policy(word)) {
			return quoted
		}
		return `"` + other + `"`
	})
}

// inWords replaces what an answer in words quotes.
func (n *names) inWords(answer string) string {
	if wordsError.MatchString(answer) {
		return n.quoting(answer)
	}
	return wordsRefused.ReplaceAllStringFunc(answer, func(m string) string {
		parts := wordsRefused.FindStringSubmatch(m)
		return n.typedName(parts[1]) + parts[2]
	})
}
