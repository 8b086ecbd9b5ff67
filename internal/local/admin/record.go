package admin

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/webserver"
)

// logWrites adds requests that change something to the log of events, and the answer's status.
// Rows and posts that come of a request name it. The log has the start of the body, as far as
// the handler has read it when the first of them comes: nothing waits for more.
func (a core) logWrites(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r) // the REST API logs its own requests
			return
		}
		path, user := withoutUser(r.URL.Path)
		e := events.Event{Type: events.Admin, Note: r.Method + " " + path, User: user, Bytes: int(max(0, r.ContentLength))}
		if sku, ok := strings.CutPrefix(r.URL.Path, "/admin/stock/"); ok {
			e.Topic = "sku:" + sku
		}
		body := &readStart{ReadCloser: r.Body}
		r.Body = body
		outer := r.Context()
		ctx := events.WithLate(outer, func() uint64 {
			e.Text = events.MaskSecrets(body.text())
			return a.Events.Add(outer, e)
		})
		recorded := &webserver.StatusWriter{ResponseWriter: w}
		started := time.Now()
		next.ServeHTTP(recorded, r.WithContext(ctx))
		a.Events.Add(ctx, events.Event{Type: events.Answer, Status: recorded.Status(), Note: e.Note,
			Took: time.Since(started).Microseconds()})
	})
}

// readStart is a body that keeps the start of what was read.
type readStart struct {
	io.ReadCloser

	mu    sync.Mutex
	start []byte // at most events.MaxText
}

// Read implements [io.Reader].
func (b *readStart) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.start = append(b.start, p[:min(n, events.MaxText-len(b.start))]...)
	return n, err
}

func (b *readStart) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.start)
}

// withoutUser takes the user out of a path, because the path is in the answer's event too,
// which comes when a user was erased.
func withoutUser(path string) (without, user string) {
	const users = "/admin/users/"
	rest, ok := strings.CutPrefix(path, users)
	if !ok {
		return path, ""
	}
	user, rest, _ = strings.Cut(rest, "/")
	return strings.TrimSuffix(users+"{user}/"+rest, "/"), strings.Clone(user) // the log keeps it
}
