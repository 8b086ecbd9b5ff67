package cost

import (
	"encoding/json"
	"strings"
)

// Units is what an action of the hub asks of DynamoDB. A test compares all of them with
// internal/costtest's golden file.
type Units struct {
	Reads, Writes float64 // read and write units
	Depth         int     // requests that wait for each other
}

// plus returns the units of an action on n topics.
func (u Units) plus(each Units, n int) Units {
	u.Reads += each.Reads * float64(n)
	u.Writes += each.Writes * float64(n)
	return u
}

// actionUnits are the units of each action, without those for each topic.
var actionUnits = map[string]Units{
	"connect":               {2, 3, 4},
	"connect as guest":      {2, 4, 5},
	"disconnect":            {1, 2, 4},
	"hello":                 {1, 1, 1},
	"subscribe":             {1, 3, 5},
	"keep-alive":            {1, 1, 2}, // a subscribe to what the connection has already
	"unsubscribe":           {1, 3, 4},
	"get":                   {1, 1, 2},
	"get as guest":          {1, 2, 3},
	"add":                   {4, 5, 3},
	"add as guest":          {3, 6, 3},
	"add as guest with key": {4, 8, 3},
	"set":                   {4, 5, 4},
	"merge":                 {8, 9, 4}, // of three lines
	"checkout":              {3, 5, 3},
	"why":                   {2, 1, 2},
	"change":                {3, 0, 3}, // of an item, in the broadcaster
}

// topicUnits are the units of an action for each topic.
var topicUnits = map[string]Units{
	"disconnect":   {Reads: 0.5},
	"subscribe":    {Reads: 1, Writes: 1},
	"keep-alive":   {Reads: 1},
	"unsubscribe":  {Writes: 1},
	"get":          {Reads: 1},
	"get as guest": {Reads: 1},
	"why":          {Reads: 1},
	"change":       {Reads: 0.03}, // for each connection that watches the item
}

// of returns the units of an action on n topics.
func of(action string, n int) Units { return actionUnits[action].plus(topicUnits[action], n) }

// request is what a message asks for, as far as its costs depend on it.
type request struct {
	action string
	topics []string
	all    bool // of an unsubscribe: from all topics
	only   bool // of a subscribe: to no others
	hasKey bool
}

// words are the first words of typed commands, and the actions that they stand for.
var words = map[string]string{
	"sub": "subscribe", "only": "subscribe", "unsub": "unsubscribe", "stock": "get", "ls": "get",
}

// readRequest reads a message: JSON, or a typed command.
func readRequest(text []byte) (r request) {
	var message struct {
		Action string          `json:"action"`
		Topics json.RawMessage `json:"topics"`
		Topic  string          `json:"topic"` // of a why
		Only   bool            `json:"only"`
		Key    any             `json:"key"`
	}
	if json.Unmarshal(text, &message) == nil {
		r.action, r.only, r.hasKey = message.Action, message.Only, message.Key != nil
		r.all = string(message.Topics) == `"*"`
		if r.action == "why" && message.Topic != "" {
			r.topics = append(r.topics, message.Topic)
		}
		var versions map[string]any
		if json.Unmarshal(message.Topics, &r.topics) != nil && json.Unmarshal(message.Topics, &versions) == nil {
			for topic := range versions {
				r.topics = append(r.topics, topic)
			}
		}
		return r
	}
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return r
	}
	r.action = strings.ToLower(fields[0])
	r.only = r.action == "only"
	if action, ok := words[r.action]; ok {
		r.action = action
	}
	for _, field := range fields[1:] {
		field, _, _ = strings.Cut(field, "@") // a version
		switch {
		case strings.HasPrefix(field, "key="):
			r.hasKey = true
		case field == "*":
			r.all = true
		case strings.Contains(field, "="):
		case !strings.Contains(field, ":") && field != "cart":
			r.topics = append(r.topics, "sku:"+field)
		default:
			r.topics = append(r.topics, field)
		}
	}
	return r
}
