package host

import (
	"bytes"
	"io"
	"sync"

	"github.com/securecart/hub/internal/redact"
)

// output joins the lines of several writers into one.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// printable returns a writer whose text has no commands for a terminal: an access log has
// route keys of the template and headers of clients.
func (o *output) printable(name string) io.Writer {
	return &printableOutput{o.writer(name)}
}

type printableOutput struct{ w io.Writer }

func (p *printableOutput) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.w, redact.PrintableLines(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// writer returns a writer whose lines get a name in front. It writes a line when it is
// complete.
func (o *output) writer(name string) io.Writer {
	return &namedOutput{output: o, prefix: []byte(name + " | ")}
}

type namedOutput struct {
	output *output
	prefix []byte
	rest   []byte // of an incomplete line; guarded by output.mu
}

func (n *namedOutput) Write(p []byte) (int, error) {
	n.output.mu.Lock()
	defer n.output.mu.Unlock()
	n.rest = append(n.rest, p...)
	var complete []byte
	for {
		end := bytes.IndexByte(n.rest, '\n')
		if end < 0 {
			break
		}
		complete = append(append(complete, n.prefix...), n.rest[:end+1]...)
		n.rest = n.rest[end+1:]
	}
	if len(complete) == 0 {
		return len(p), nil
	}
	if _, err := n.output.w.Write(complete); err != nil {
		return 0, err
	}
	return len(p), nil
}
