package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/redact"
)

// maxFrameText is how many characters of a message a line has. Our own choice; -o json has
// more.
const maxFrameText = 160

// eventText is an event as one line: when, what, whose, of which topic, and what happened.
func eventText(e *events.Event) string {
	var what []string
	if e.Topic != "" {
		topic := e.Topic
		if e.Version > 0 {
			topic += fmt.Sprint(" v", e.Version)
		}
		what = append(what, topic)
	}
	what = append(what, happened(e)...)
	line := fmt.Sprintf("%s %-6s %-18s %s", time.UnixMicro(e.At).Format("15:04:05.000"), e.Type, whose(e),
		strings.Join(what, "  "))
	return redact.Printable(strings.TrimRight(line, " "))
}

// whose returns the user of an event and the end of the connection's id. Of a guest it has
// the beginning.
func whose(e *events.Event) string {
	who := e.User
	if id, isGuest := strings.CutPrefix(who, "guest:"); isGuest {
		who = "guest:" + id[:min(6, len(id))]
	}
	if e.Conn != "" {
		who += " …" + e.Conn[max(0, len(e.Conn)-4):]
	}
	return strings.TrimSpace(who)
}

// happened says what an event of its type has to say.
func happened(e *events.Event) (what []string) {
	add := func(condition bool, format string, args ...any) {
		if condition {
			what = append(what, fmt.Sprintf(format, args...))
		}
	}
	work := strings.TrimSpace(e.Function + " " + e.Route)
	add(work != "", "%s", work)
	switch e.Type {
	case events.Batch:
		add(true, "%s", plural(e.Count, "record"))
		add(e.Attempt > 1, "attempt %d", e.Attempt)
	case events.Close:
		add(true, "%d", e.Status)
		add(e.Dir == events.DirIn, "by the client")
		add(e.Dir == events.DirOut, "by the gateway")
		add(e.Dir == "", "without a close frame")
	default:
		add(e.Status > 0, "%d", e.Status)
		add(e.Attempt > 1, "attempt %d", e.Attempt)
		add(e.Count > 0, "count %d", e.Count)
	}
	add(e.Code != "", "%s", e.Code)
	add(e.Note != "", "%s", e.Note)
	add(e.Address != "", "from %s", e.Address)
	switch e.Type {
	case events.In, events.Out, events.Admin, events.Input, events.Output, events.Line:
		// an answer or a post is an out, too
		text, isMore := cutText(e.Text)
		add(text != "", "%s", text)
		add(isMore, "(%d bytes)", e.Bytes)
	}
	add((e.Type == events.Answer || e.Type == events.Output) && e.Took > 0, "%.1f ms", float64(e.Took)/1000)
	return what
}

// plural is a number with a noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// cutText returns the beginning of a text, and whether there is more.
func cutText(text string) (string, bool) {
	if utf8.RuneCountInString(text) <= maxFrameText {
		return text, false
	}
	return string([]rune(text)[:maxFrameText]) + "…", true
}
