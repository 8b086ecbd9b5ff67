package gatewaytest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A FrameKind says what happened on a connection.
type FrameKind string

// What a Server records of its clients.
const (
	FrameSent     FrameKind = ">"      // the client sent a message
	FrameReceived FrameKind = "<"      // the client received a message
	FrameClosed   FrameKind = "closed" // the connection ended; it is the client's last frame
)

// A Frame is a message of a [Client], or the end of its connection.
type Frame struct {
	At           time.Time
	Client       int    // 1 is the server's first client
	ConnectionID string // in events and posts
	Kind         FrameKind
	Text         string // the message, or the reason of a close frame
	Code         int    // of a close frame; 0 for messages and without a close frame
}

// String is a line such as `1 > {"action":"join"}`, `2 < welcome` or
// "1 closed 1001 Going away".
func (f Frame) String() string {
	switch {
	case f.Kind == FrameClosed && f.Code == 0:
		return fmt.Sprintf("%d closed without a close frame", f.Client)
	case f.Kind == FrameClosed:
		return strings.TrimSpace(fmt.Sprintf("%d closed %d %s", f.Client, f.Code, f.Text))
	}
	return fmt.Sprintf("%d %s %s", f.Client, f.Kind, f.Text)
}

// maxFrames is how many frames a Server keeps: the last ones. Our own choice.
const maxFrames = 100_000

// Frames returns what the server's clients have sent and received so far, in
// order. A message that a client's method has returned is among them. Other
// connections, through SocketURL or Dial, are not: API.Observe sees those.
// Of more than 100 000 frames only the last are kept.
func (s *Server) Frames() []Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.frames)
}

// record adds a frame of the client.
func (c *clientState) record(kind FrameKind, text string, code int) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.frames) == maxFrames {
		s.frames = slices.Delete(s.frames, 0, maxFrames/10)
	}
	s.frames = append(s.frames, Frame{At: s.Now(), Client: c.number, ConnectionID: c.owned.id,
		Kind: kind, Text: text, Code: code})
}

// shownFrames is how many frames of a client a failure shows. Our own choice.
const shownFrames = 10

// story is the client's last frames, for a failure. A client that has none waits for what
// others cause, so it is those of all clients.
func (c *clientState) story() string {
	var own, all []string
	for _, f := range c.s.Frames() {
		if f.Kind != FrameClosed || f.Text != "" {
			f.Text = quote(f.Text)
		}
		if all = append(all, f.String()); f.Client == c.number {
			own = append(own, f.String())
		}
	}
	if len(own) == 0 {
		return lastFrames(fmt.Sprintf("no frames of client %d; those of all clients", c.number), all)
	}
	return lastFrames("the frames of connection "+c.owned.id, own)
}

// lastFrames is a paragraph with as many frames as a failure shows.
func lastFrames(title string, frames []string) string {
	if hidden := len(frames) - shownFrames; hidden > 0 {
		frames, title = frames[hidden:], fmt.Sprintf("%s, without the first %d", title, hidden)
	}
	return paragraph(title, frames)
}

// story is the last lines of the log, for a failure.
func (l *testLog) story() string {
	lines := l.last()
	for i, line := range lines {
		lines[i] = quote(line)
	}
	return paragraph("what the gateway logged", lines)
}

// paragraph is an indented list with a title, or "" for an empty list.
func paragraph(title string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "\n\t" + title + ":\n\t\t" + strings.Join(lines, "\n\t\t")
}
