package events

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// Frame is what the log keeps of a message. Its texts are copies, so that they do not keep the
// message in memory.
type Frame struct {
	Text       string // masked
	Topic      string // the only one; "cart" for the cart of whoever gets or sends the message
	Version    uint64 // of that topic
	Code       string // of an error
	User, Role string // of an answer to hello
}

// OpenFrame reads a message of an API that is not the hub's. Only what has the form of a secret is
// masked.
func OpenFrame(text []byte) Frame { return Frame{Text: own(MaskSecrets(string(text)), MaxText)} }

// HubFrame returns the reader of the hub's messages, see docs/protocol.md. It masks tokens,
// and unless private lines of carts, and SKUs and keys of messages about a cart.
func HubFrame(private bool) func(text []byte) Frame {
	return func(text []byte) Frame {
		trimmed := strings.TrimSpace(string(text))
		switch {
		case strings.HasPrefix(trimmed, "{") && json.Valid(text):
			return readHubFrame(trimmed, private)
		case strings.HasPrefix(trimmed, "{"):
			return Frame{Text: bytesMask(len(text))} // it may hold anything
		}
		return Frame{Text: own(maskTyped(trimmed, private), MaxText)}
	}
}

// HubAnswer is HubFrame for messages to clients. Those in words may have lines of a cart.
func HubAnswer(private bool) func(text []byte) Frame {
	read := HubFrame(private)
	return func(text []byte) Frame {
		if len(text) > 0 && text[0] != '{' && !private {
			return Frame{Text: bytesMask(len(text))}
		}
		if len(text) > 0 && text[0] != '{' {
			return OpenFrame(text)
		}
		return read(text)
	}
}

// readHubFrame reads a valid JSON object.
func readHubFrame(text string, private bool) Frame {
	w := walker{in: text, private: private}
	w.out.Grow(len(text))
	w.object("")
	f := w.frame
	f.Text = own(w.out.String(), MaxText)
	if f.User != "" && w.kind != "hello" {
		f.User, f.Role = "", ""
	}
	switch w.kind {
	case "ok", "add", "set", "merge", "checkout":
		f.Topic, f.Version = "cart", w.version
	case "why":
		f.Topic, f.Version = w.topic, w.version
	case "error":
		if w.version != 0 {
			f.Topic, f.Version = "cart", w.version // only changes of a cart have one
		}
	}
	if w.topics > 1 {
		f.Topic, f.Version = "", 0
	}
	for _, name := range []*string{&f.Topic, &f.Code, &f.User, &f.Role} {
		*name = own(*name, MaxName)
	}
	return f
}

// walker copies valid JSON, masks on the way, and keeps what the log needs.
type walker struct {
	in      string
	at      int
	out     strings.Builder
	private bool

	frame   Frame
	kind    string // "type"
	topic   string // at the top
	version uint64 // at the top
	topics  int
}

// object copies the object at hand. path is that of the object: "", "topics", "topics.X".
func (w *walker) object(path string) {
	w.copyByte() // {
	for w.peek() != '}' {
		w.peek()
		name := w.name(path)
		w.copyByte() // :
		w.member(path, name)
		if w.peek() == ',' {
			w.copyByte()
		}
	}
	w.copyByte() // }
}

// name copies the name of a member and returns it. Instead of what should be a topic, and is
// not, it writes how much there is, and returns "".
func (w *walker) name(path string) string {
	raw := w.string()
	name := textOf(raw)
	if (path == "topics" || path == "refused") && !isTopic(name) {
		w.plain(bytesMask(len(name)))
		return ""
	}
	w.out.WriteString(MaskSecrets(raw))
	return name
}

// member copies the value of a member, or masks it.
func (w *walker) member(path, name string) {
	switch {
	case path == "":
		w.top(name)
	case path == "topics":
		w.topics++
		w.frame.Topic, w.frame.Version = name, 0
		if w.peek() == '{' {
			w.object("topics.")
		} else {
			w.frame.Version = number(w.value())
		}
	case path == "topics." && name == "version":
		w.frame.Version = number(w.plainNumber())
	case path == "topics." && name == "lines" && w.private:
		w.value()
	case path == "topics.":
		w.known(name, valueTexts, valueNumbers)
	default:
		w.value() // the code of a refused topic
	}
}

// top copies a member of the message itself.
func (w *walker) top(name string) {
	switch strings.ToLower(name) { // the hub refuses other letter cases, but a client may send them
	case "token", "guesttoken", "ticket":
		w.mask()
	case "from": // a guest's token, or a version
		if w.peek() == '"' {
			w.mask()
		} else {
			w.value()
		}
	case "sku", "key", "lines", "clamped", "skipped", "ordered":
		if w.private {
			w.value()
		} else {
			w.mask()
		}
	case "message":
		w.message()
	case "topics":
		switch w.peek() {
		case '{':
			w.object("topics")
		case '[':
			w.topicList()
		default:
			w.allTopics()
		}
	case "refused":
		if w.peek() == '{' {
			w.object("refused")
		} else {
			w.mask()
		}
	case "action":
		if w.kind = w.text(); slices.Contains(wire.Verbs, w.kind) {
			w.value()
		} else {
			w.mask()
		}
	case "type":
		w.kind = textOf(w.value())
	case "code":
		w.frame.Code = textOf(w.value())
	case "topic":
		if w.topic = w.text(); isTopic(w.topic) {
			w.value()
		} else {
			w.topic = ""
			w.mask()
		}
	case "version":
		w.version = number(w.plainNumber())
	case "user":
		w.frame.User = textOf(w.value())
	case "role":
		w.frame.Role = textOf(w.value())
	default:
		w.known(name, messageTexts, messageNumbers)
	}
}

// known copies the value of a member that is known, and masks others: they may be anything.
func (w *walker) known(name string, texts, numbers []string) {
	switch {
	case slices.Contains(texts, name):
		w.value()
	case slices.Contains(numbers, name):
		w.plainNumber()
	default:
		w.mask()
	}
}

// plainNumber copies a value and returns it; it masks a text.
func (w *walker) plainNumber() string {
	if w.peek() == '"' {
		w.mask()
		return ""
	}
	return w.value()
}

// text returns the text at hand, "" for other values, and does not move.
func (w *walker) text() string {
	at := w.at
	defer func() { w.at = at }()
	return textOf(w.skip())
}

// allTopics copies "*".
func (w *walker) allTopics() {
	if w.text() == "*" {
		w.value()
	} else {
		w.mask()
	}
}

// message copies the message of an error. Its code comes before it. What it quotes may be a
// token in the wrong place; that of a conflict has a SKU only.
func (w *walker) message() {
	if w.private && w.frame.Code == "conflict" || w.peek() != '"' {
		w.out.WriteString(MaskSecrets(w.skip()))
		return
	}
	w.quote(maskMessage(textOf(w.skip()), w.frame.Code))
}

// topicList copies names of topics.
func (w *walker) topicList() {
	raw := w.skip()
	var names []string
	if json.Unmarshal([]byte(raw), &names) != nil {
		w.plain(bytesMask(len(raw)))
		return
	}
	if w.topics = len(names); w.topics == 1 && isTopic(names[0]) {
		w.frame.Topic = names[0]
	}
	if slices.ContainsFunc(names, func(name string) bool { return !isTopic(name) }) {
		for i, name := range names {
			if !isTopic(name) {
				names[i] = bytesMask(len(name))
			}
		}
		masked, _ := json.Marshal(names)
		raw = string(masked)
	}
	w.out.WriteString(MaskSecrets(raw))
}
