package recording

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/wire"
)

// The most bytes that are kept of a body: one more than is accepted, so that a replay is
// refused too.
const (
	maxRESTBody  = wire.MaxMessage + 1   // the function of the REST API reads no more
	maxAdminBody = stockjson.MaxLine + 1 // of a line, in POST /admin/stock
)

// request records a request and serves it with next.
func (s *session) request(e Event, w http.ResponseWriter, req *http.Request, next http.Handler) {
	e.Method = req.Method
	for _, name := range KeptHeaders {
		if value := req.Header.Get(name); value != "" && e.Type == REST {
			if e.Headers == nil {
				e.Headers = map[string]string{}
			}
			e.Headers[name] = value
		}
	}
	if e.Type == REST || strings.HasPrefix(e.Path, "/vendor/") {
		e.Token, _ = bearer.Token(req.Header.Values("Authorization")...)
	}
	if req.ContentLength == 0 || ignoresBody(&e) {
		s.putEvent(e)
		next.ServeHTTP(w, req)
		return
	}
	b := &body{ReadCloser: req.Body, session: s, event: e, left: req.ContentLength, most: maxAdminBody}
	if e.Type == REST {
		b.most = maxRESTBody
	}
	b.lines = e.Type == Admin && e.Path == "/admin/stock"
	req = req.WithContext(req.Context()) // a copy: the server keeps the body that it has
	req.Body = b
	next.ServeHTTP(w, req)
	b.end()
}

// ignoresBody reports whether a request acts before its body is read.
func ignoresBody(e *Event) bool {
	return e.Type == Admin && (e.Method == http.MethodDelete || strings.HasPrefix(e.Path, "/admin/users/"))
}

// body is the body of a request. It copies what the handler reads, and puts the event before
// the handler can act: when the body has ended. A handler acts on each line of NDJSON as it
// comes, so whole lines are an event of their own at once.
type body struct {
	io.ReadCloser
	session *session
	event   Event
	lines   bool  // it is NDJSON
	most    int   // bytes that are kept; of NDJSON, of one line
	left    int64 // bytes; negative: nobody knows

	kept  []byte
	some  bool // an event was put
	ended bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.ended {
		return n, err
	}
	b.left -= int64(n)
	if b.lines {
		b.kept = append(b.kept, p[:n]...)
	} else {
		b.kept = append(b.kept, p[:min(n, b.most-len(b.kept))]...)
	}
	last := bytes.LastIndexByte(b.kept, '\n') + 1
	switch {
	case err != nil, b.left == 0, len(b.kept)-last >= b.most:
		b.end()
	case b.lines && last > 0:
		b.put(b.kept[:last])
		b.kept = append([]byte(nil), b.kept[last:]...)
	}
	return n, err
}

// end puts what was read and has no event yet.
func (b *body) end() {
	if b.ended {
		return
	}
	b.ended = true
	if len(b.kept) > 0 || !b.some {
		b.put(b.kept)
	}
	b.kept = nil
}

func (b *body) put(text []byte) {
	b.some = true
	e := b.event
	e.Body = string(text)
	b.session.putEvent(e)
}
