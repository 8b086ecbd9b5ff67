package cost

import "github.com/securecart/hub/internal/wire"

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
	all    bool // of an unsubscribe or a get: all topics of the connection
	only   bool // of a subscribe: to no others
	hasKey bool
}

// hasTopics reports whether costs depend on the answer too: it may refuse topics.
func (r request) hasTopics() bool { return len(r.topics) > 0 || r.all || r.only }

// readRequest reads a message as the hub does. One that the hub refuses asks for nothing.
func readRequest(text []byte) (r request) {
	decoded, err := wire.Decode(text, true)
	if err != nil {
		return r
	}
	r = request{
		action: string(decoded.Action), all: decoded.All, only: decoded.Only, hasKey: decoded.Key != "",
	}
	for _, topic := range decoded.Topics {
		r.topics = append(r.topics, topic.Name)
	}
	if decoded.Topic != "" {
		r.topics = append(r.topics, decoded.Topic)
	}
	return r
}
