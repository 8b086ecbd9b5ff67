package replay

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/recording"
)

// frame is a frame that the recording has for a client.
type frame struct {
	number  int // from 1
	text    string
	message map[string]any // nil: it is not JSON
	kind    string         // "snapshot", or "text"
	answer  bool           // to a request
	first   int            // the first request, from 1, that it may answer; 0: it answers none
	left    int            // of a delta: topics that have not come
	done    bool
}

// conversation is one connection of the recording, and of the replay.
type conversation struct {
	comparer
	name string
	conn *websocket.Conn // nil: not opened, or refused

	notPlayed bool // nobody can sign the client in

	frames []*frame
	next   int                // the frame of the next Out
	topics map[string][]value // of deltas that have not come, in order
	shown  map[string]value   // the newest of each topic that came
	held   []early            // topics of deltas that wait for an answer

	asked      int  // requests that the recording has before the frame that is added next
	firstAsked int  // of those that were sent before the others were answered
	requests   int  // sent so far
	answers    int  // that the recording has
	answered   int  // so far
	slow       bool // it differs, and an answer did not come: nobody waits for the others
	ended      bool
	code       websocket.StatusCode // when it ended
	closing    bool                 // our side closes it
	leaves     int64                // when the client closes it; 0: it does not
	leaving    bool                 // that is now: something may come or not
	first      *Difference
}

// value is what a frame has of a topic.
type value struct {
	frame *frame
	entry map[string]any
}

func newConversation(name string, n *names, v offsets) *conversation {
	return &conversation{
		comparer: comparer{names: n, offsets: v}, name: name,
		topics: map[string][]value{}, shown: map[string]value{},
	}
}

// ask notes a request of the recording. Requests that are sent before others are answered may
// be answered in any order.
func (c *conversation) ask() {
	if c.asked == c.answers {
		c.firstAsked = c.asked + 1
	}
	c.asked++
}

// add adds a frame of the recording.
func (c *conversation) add(text string) {
	f := &frame{number: len(c.frames) + 1, text: text, message: parse(text)}
	f.kind = kindOf(f.message)
	if topics, _ := f.message["topics"].(map[string]any); f.kind == "delta" {
		f.left = len(topics)
		for name := range topics {
			entry, _ := topics[name].(map[string]any)
			c.topics[name] = append(c.topics[name], value{f, entry})
		}
	} else if !isPush(f.message, f.kind) {
		c.answers++
		f.answer, f.first = true, c.firstAsked
	}
	c.frames = append(c.frames, f)
}

// kindOf returns the type of a message. A message of the gateway itself has none.
func kindOf(message map[string]any) string {
	if message == nil {
		return "text"
	}
	kind, _ := message["type"].(string)
	return cmp.Or(kind, "gateway")
}

// isPush reports whether a message may come without a request.
func isPush(message map[string]any, kind string) bool {
	return kind == "delta" || kind == "bye" ||
		kind == "error" && message["code"] == "token_expired" && message["id"] == nil
}

// differs keeps the first difference. Nothing is compared after it, but answers are counted.
func (c *conversation) differs(d Difference) {
	if c.first == nil {
		c.first = &d
	}
}

// got compares a frame that came.
func (c *conversation) got(text string) {
	message := parse(text)
	kind := kindOf(message)
	if c.first != nil {
		if !isPush(message, kind) {
			c.answered++
		}
		return
	}
	if kind == "delta" {
		c.gotDelta(message, text)
		return
	}
	f := c.expected(message, kind)
	if f == nil && c.leaving {
		return
	}
	if f == nil {
		c.differs(Difference{Frame: len(c.frames) + 1, Kind: kind, Got: text, Recorded: "none", GotFrame: text})
		return
	}
	if d := c.compare(f, text, message, kind); d != nil {
		d.Frame, d.Kind, d.GotFrame, d.RecordedFrame = f.number, kind, text, f.text
		c.differs(*d)
		if f.answer {
			c.answered++
		}
		return
	}
	c.come(f)
	c.gotHeld()
}

// expected returns the frame that one which came must be like; nil if there is none.
func (c *conversation) expected(message map[string]any, kind string) *frame {
	var open []*frame
	for _, f := range c.frames {
		if !f.done && f.kind != "delta" && f.first <= c.requests {
			open = append(open, f)
		}
	}
	same := slices.IndexFunc(open, func(f *frame) bool {
		return f.kind == kind && f.message["id"] == message["id"] && f.message["code"] == message["code"]
	})
	switch {
	case same >= 0:
		return open[same]
	case len(open) > 0:
		return open[0]
	}
	return nil
}

func (c *conversation) compare(f *frame, text string, message map[string]any, kind string) *Difference {
	switch {
	case f.kind != kind:
		return &Difference{Got: text, Recorded: f.text}
	case message == nil && !c.offsets.matchWords(f.text, c.names.recordedText(text), c.cart):
		got, recorded := differentWords(c.names.recordedText(text), f.text)
		return &Difference{Got: got, Recorded: recorded}
	case message == nil:
		return nil
	}
	if user, ok := f.message["user"].(string); ok && kind == "hello" {
		c.cart = "cart:" + user
	}
	return c.object(f.message, message, place{topic: c.cart, frame: f.message})
}

// come notes that a frame has come.
func (c *conversation) come(f *frame) {
	f.done = true
	if f.answer {
		c.answered++
	}
	if f.kind != "snapshot" {
		return
	}
	topics, _ := f.message["topics"].(map[string]any)
	for name := range topics {
		entry, _ := topics[name].(map[string]any)
		c.shown[name] = value{f, entry}
	}
}

// missing notes that a frame did not come.
func (c *conversation) missing(f *frame) {
	got := "none came"
	if c.ended {
		got = fmt.Sprintf("closed with %d", c.code)
	}
	c.differs(Difference{Frame: f.number, Kind: f.kind, Got: got, Recorded: f.text, RecordedFrame: f.text})
}

// closed compares the end of a connection with the recorded one.
func (c *conversation) closed(e *recording.Event) {
	if e.By == recording.ByGateway && int(c.code) != e.Code {
		c.differs(Difference{Frame: c.next + 1, Kind: "close", Got: fmt.Sprint(int(c.code)), Recorded: fmt.Sprint(e.Code)})
	}
}
