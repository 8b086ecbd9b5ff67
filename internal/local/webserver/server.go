package webserver

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Limits are how long a client may let a server wait. They do not count the time that a
// handler takes, and they end when a handler takes the connection over, as for a
// WebSocket. Answers have no limit.
type Limits struct {
	Header time.Duration // for the header of a request, from the first byte or a new connection
	Idle   time.Duration // for the next request on a connection

	// Body is how long a client may let a handler wait for the body of a request. Every
	// BodyRate bytes earn one second of it back.
	Body     time.Duration
	BodyRate int // bytes a second
}

// DefaultLimits are our own choice. Body and BodyRate are those that Apache's
// mod_reqtimeout has by default.
var DefaultLimits = Limits{Header: 10 * time.Second, Idle: 30 * time.Second, Body: 20 * time.Second, BodyRate: 500}

// New returns a server with limits. It logs what net/http reports, at level debug.
func New(h http.Handler, l Limits, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: limitBodies(l, h), ReadHeaderTimeout: l.Header, IdleTimeout: l.Idle,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// limitBodies limits the wait for bodies. http.Server.ReadTimeout would count the time of
// the handler too, and cancel its context.
func limitBodies(l Limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != http.NoBody {
			b := &body{ReadCloser: r.Body, limits: l, control: http.NewResponseController(w), left: l.Body}
			b.setDeadline(time.Now()) // for what the handler leaves unread, which the server reads
			r.Body = b
		}
		next.ServeHTTP(w, r)
	})
}

// body is the body of a request, read by one goroutine.
type body struct {
	io.ReadCloser
	limits  Limits
	control *http.ResponseController
	left    time.Duration // how long the client may still let us wait
	ended   bool          // the server now watches whether the client hangs up, which has no limit
}

func (b *body) Read(p []byte) (int, error) {
	start := time.Now()
	if !b.ended {
		b.setDeadline(start)
	}
	n, err := b.ReadCloser.Read(p)
	earned := time.Duration(n) * time.Second / time.Duration(b.limits.BodyRate)
	b.left = min(b.left-time.Since(start)+earned, b.limits.Body)
	b.ended = b.ended || errors.Is(err, io.EOF)
	return n, err
}

// setDeadline ends a read when the client has used up its time. It cannot fail on a
// connection of http.Server.
func (b *body) setDeadline(now time.Time) { _ = b.control.SetReadDeadline(now.Add(b.left)) }
