package admin

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/webserver"
)

// logWrites adds requests that change something to the log of events, with the start of
// their bodies, and the answer's status. Rows and posts that come of a request name it.
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
		start := make([]byte, events.MaxText)
		n, err := io.ReadFull(r.Body, start)
		e.Text = events.MaskTokens(string(start[:n]))
		rest := io.Reader(r.Body)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			rest = failingReader{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(start[:n]), rest), r.Body}
		ctx := events.With(r.Context(), a.Events.Add(r.Context(), e))
		recorded := &webserver.StatusWriter{ResponseWriter: w}
		started := time.Now()
		next.ServeHTTP(recorded, r.WithContext(ctx))
		a.Events.Add(ctx, events.Event{Type: events.Answer, Status: recorded.Status(), Note: e.Note,
			Took: time.Since(started).Microseconds()})
	})
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

// failingReader fails as the body did.
type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }
