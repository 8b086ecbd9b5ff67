package main

import (
	"bytes"
	"io"
	"sync"
)

// lines brings the output of several writers into one, line by line.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

// of returns a writer whose lines get a name in front. A line is written when it is
// complete.
func (l *lines) of(name string) io.Writer { return &named{to: l, prefix: []byte(name + " | ")} }

type named struct {
	to     *lines
	prefix []byte
	rest   []byte // of a line that is not complete; guarded by to.mu
}

func (n *named) Write(p []byte) (int, error) {
	n.to.mu.Lock()
	defer n.to.mu.Unlock()
	n.rest = append(n.rest, p...)
	var whole []byte
	for {
		end := bytes.IndexByte(n.rest, '\n')
		if end < 0 {
			break
		}
		whole = append(append(whole, n.prefix...), n.rest[:end+1]...)
		n.rest = n.rest[end+1:]
	}
	if len(whole) == 0 {
		return len(p), nil
	}
	if _, err := n.to.w.Write(whole); err != nil {
		return 0, err
	}
	return len(p), nil
}
