package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// comparer compares frames of one conversation.
type comparer struct {
	names   *names
	offsets offsets
	cart    string // the topic of the client's own cart, as offsets have it
}

// anyValue are members that are different each time. They must be there, or not, as
// recorded.
var anyValue = []string{"requestId", "rev", "expires", "expiresIn", "after", "reconnectWithin"}

// anyOfWhy are such members of an answer to why.
var anyOfWhy = []string{"message", "changed", "path"}

// named are the members with a stand-in.
var named = map[string]kind{"epoch": epochs, "user": users, "connectionId": connections, "guestToken": tokens}

// place is a place in a frame.
type place struct {
	path  string // as people read it
	key   string // the last member
	topic string // whose versions are here
	depth int
	frame map[string]any // all of it, as recorded
}

// object compares two objects. Got is nil if they are alike.
func (c *comparer) object(recorded, got map[string]any, at place) *Difference {
	keys := map[string]bool{}
	isWhy := at.depth == 0 && recorded["type"] == "why"
	renamed := map[string]any{} // what the target has, by the names of the recording
	for name, value := range got {
		renamed[c.names.recordedTopic(name)] = value
	}
	for name := range recorded {
		keys[name] = true
	}
	for name := range renamed {
		keys[name] = true
	}
	for _, key := range sortedTypeFirst(keys) {
		inner := place{
			path: at.path + member(key, at.path == ""), key: key, topic: at.topic, depth: at.depth + 1, frame: at.frame,
		}
		if at.key == "topics" && at.depth == 1 {
			inner.topic = c.topic(key)
		}
		r, wanted := recorded[key]
		g, there := renamed[key]
		if isWhy && wanted == there && slices.Contains(anyOfWhy, key) {
			continue
		}
		if d := c.member(r, g, wanted, there, inner); d != nil {
			return d
		}
	}
	return nil
}

func (c *comparer) member(recorded, got any, wanted, there bool, at place) *Difference {
	switch {
	case wanted && there:
		return c.value(recorded, got, at)
	case wanted:
		return &Difference{Path: at.path, Got: "none", Recorded: show(recorded)}
	}
	return &Difference{Path: at.path, Got: show(got), Recorded: "none"}
}

// value compares two values at a place.
func (c *comparer) value(recorded, got any, at place) *Difference {
	differ := &Difference{Path: at.path, Got: show(got), Recorded: show(recorded)}
	switch r := recorded.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return c.object(r, g, at)
		}
		return differ
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(r) {
			return differ
		}
		for i := range r {
			inner := at
			inner.path = fmt.Sprintf("%s[%d]", at.path, i)
			if d := c.value(r[i], g[i], inner); d != nil {
				return d
			}
		}
		return nil
	case string:
		if g, ok := got.(string); ok && c.text(r, g, at) {
			return nil
		}
		return differ
	case json.Number:
		g, ok := got.(json.Number)
		if ok && c.number(r, g, at) {
			return nil
		}
		return differ
	}
	if recorded != got {
		return differ
	}
	return nil
}

func (c *comparer) text(recorded, got string, at place) bool {
	switch k := named[at.key]; {
	case at.depth == 1 && k != "":
		return c.names.bind(k, recorded, got)
	case slices.Contains(anyValue, at.key):
		return true
	case at.key == "message" && at.depth == 1 && at.frame["code"] != nil:
		return true // for people; the code counts
	}
	return recorded == c.names.recordedTopic(got)
}

func (c *comparer) number(recorded, got json.Number, at place) bool {
	switch {
	case slices.Contains(anyValue, at.key):
		return true
	case at.key == "version" || at.key == "from":
		return c.offsets.match(at.topic, number(recorded), number(got))
	}
	return recorded == got
}

// topic returns the topic whose offsets are at a name in a frame.
func (c *comparer) topic(name string) string {
	if name == "cart" {
		return c.cart
	}
	return name
}

func sortedTypeFirst(keys map[string]bool) []string {
	sorted := slices.Sorted(maps.Keys(keys))
	if i := slices.Index(sorted, "type"); i > 0 {
		sorted = slices.Concat([]string{"type"}, sorted[:i], sorted[i+1:])
	}
	return sorted
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// member returns how a path goes on.
func member(name string, first bool) string {
	switch {
	case !plainName.MatchString(name):
		return "[" + show(name) + "]"
	case first:
		return name
	}
	return "." + name
}

// show returns a value as JSON.
func show(value any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // it came from JSON
	return strings.TrimSuffix(b.String(), "\n")
}

// parse reads a JSON object; nil if text is none.
func parse(text string) map[string]any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if d.Decode(&m) != nil || d.More() {
		return nil
	}
	return m
}
