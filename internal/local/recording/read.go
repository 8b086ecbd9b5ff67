package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MaxLine is the longest line of a recording, in bytes. Our own choice: a message has at most
// 32 KB, a part of a body some 128 KB, and a URL 1 MB, all six times as long as JSON text.
const MaxLine = 8 << 20

// Read reads a recording. Its errors name the line.
func Read(r io.Reader) (*Recording, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), MaxLine)
	var rec Recording
	opened := map[string]bool{}
	n := 0
	for lines.Scan() {
		n++
		err := error(nil)
		if n == 1 {
			rec.Header, err = ParseHeader(lines.Bytes())
		} else {
			err = rec.readEvent(lines.Bytes(), opened)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("line %d: %w", n+1, lines.Err())
	case n == 0:
		return nil, errors.New("the file is empty")
	}
	return &rec, nil
}

// ParseHeader reads the first line of a recording.
func ParseHeader(line []byte) (h Header, err error) {
	var peek struct {
		Format  string
		Version int
	}
	switch err := json.Unmarshal(line, &peek); {
	case err != nil || peek.Format != Format:
		return h, fmt.Errorf("not a recording: a recording begins with {\"format\":%q", Format)
	case peek.Version != Version:
		return h, fmt.Errorf("a recording of version %d; this localhub reads version %d", peek.Version, Version)
	}
	err = decode(line, &h)
	return h, err
}

// readEvent reads the next event. A connection has its open first. What it sent lies before
// its close; the last frames that it got may stand behind it, since they are noted when they
// are with the network.
func (rec *Recording) readEvent(line []byte, opened map[string]bool) error {
	var e Event
	if err := decode(line, &e); err != nil {
		return err
	}
	last := int64(0)
	if len(rec.Events) > 0 {
		last = rec.Events[len(rec.Events)-1].At
	}
	open, known := opened[e.Conn]
	switch {
	case !slices.Contains(Types, e.Type):
		return fmt.Errorf("there is no type %q", e.Type)
	case e.At < last:
		return fmt.Errorf(`"at" is %d, which is before the line above`, e.At)
	case e.Type == Stock && e.Item == nil:
		return errors.New(`"item" is missing`)
	case e.Type == Token && (e.Token == "" || e.User == "" || e.Role == ""):
		return errors.New(`a token needs "token", "user" and "role"`)
	case (e.Type == Admin || e.Type == REST) && (e.Method == "" || e.Path == ""):
		return errors.New(`a request needs "method" and "path"`)
	case e.Type == Open && (e.Conn == "" || e.Status == 0):
		return errors.New(`an open needs "conn" and "status"`)
	case e.Type == Open && known:
		return fmt.Errorf("%q was opened before", e.Conn)
	case (e.Type == In || e.Type == Close) && !open, e.Type == Out && !known:
		return fmt.Errorf("%q is not open", e.Conn)
	}
	switch e.Type {
	case Open:
		opened[e.Conn] = e.Status == 101
	case Close:
		opened[e.Conn] = false
	}
	rec.Events = append(rec.Events, e)
	return nil
}

// decode reads one JSON object without unknown fields.
func decode(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not a line of a recording: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("not a line of a recording: more than one JSON object")
	}
	return nil
}
