package tap

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/events"
)

const (
	// Subprotocol is that of the feed.
	Subprotocol = "hub.tap.v1"

	// Every is how often a reader gets what is new.
	Every = 100 * time.Millisecond

	// WriteWithin is how long a reader may take nothing. Our own choice: a page that is busy
	// drawing takes less.
	WriteWithin = 5 * time.Second

	// MaxReaders is the most readers at once. Our own choice: each may look at the whole log,
	// ten times a second.
	MaxReaders = 16
)

// Refusal says why no feed was opened.
type Refusal struct {
	Status int // of HTTP
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

// Server serves feeds of a log.
type Server struct {
	log  *events.Log
	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex // Add is called under it, with ctx not ended
	running sync.WaitGroup
	readers int
}

// New returns a Server.
func New(log *events.Log) *Server {
	ctx, stop := context.WithCancel(context.Background())
	return &Server{log: log, ctx: ctx, stop: stop}
}

// Close ends all feeds with 1001 and waits for them: for one that takes nothing, up to
// twice [WriteWithin].
func (s *Server) Close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.running.Wait()
}

// enter counts a feed, unless the Server is closed or has enough.
func (s *Server) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return &Refusal{http.StatusServiceUnavailable, "localhub ends"}
	case s.readers == MaxReaders:
		return &Refusal{http.StatusTooManyRequests, fmt.Sprintf("%d readers are there already", MaxReaders)}
	}
	s.readers++
	s.running.Add(1)
	return nil
}

// leave ends what enter began.
func (s *Server) leave() {
	s.mu.Lock()
	s.readers--
	s.mu.Unlock()
	s.running.Done()
}

// Serve opens a feed of what the filter selects. The caller has checked the Origin. It
// returns when the feed has ended. If it opens none, the error is a [*Refusal], and the caller
// answers.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, f events.Filter) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	response := &upgradeWriter{ResponseWriter: w}
	conn, err := websocket.Accept(response, r, &websocket.AcceptOptions{
		Subprotocols: []string{Subprotocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil && response.refused != 0 {
		return &Refusal{response.refused, "this is a WebSocket: open it with a handshake (RFC 6455)"}
	}
	if err != nil {
		return nil // the connection was lost
	}
	defer conn.CloseNow()
	// Ends when the reader closes, or sends a message. Not with s.ctx: that would cut the
	// connection before its close frame.
	open := conn.CloseRead(context.Background())
	s.feed(open, conn, newReader(s.log, f, time.Now()))
	if s.ctx.Err() != nil {
		_ = conn.Close(websocket.StatusGoingAway, "localhub ends")
	}
	return nil
}

// upgradeWriter is a response that holds back a refusal of [websocket.Accept], which is plain
// text.
type upgradeWriter struct {
	http.ResponseWriter
	refused int // status
}

// WriteHeader implements [http.ResponseWriter].
func (w *upgradeWriter) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
	} else {
		w.refused = status
	}
}

// Write implements [http.ResponseWriter].
func (w *upgradeWriter) Write(p []byte) (int, error) { return len(p), nil }

// Unwrap is for [http.ResponseController].
func (w *upgradeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// feed sends batches until open or s.ctx ends, or the reader is too slow. The first one comes at
// once, so that the reader knows the log.
func (s *Server) feed(open context.Context, conn *websocket.Conn, r *reader) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for first := true; open.Err() == nil && s.ctx.Err() == nil; first = false {
		if b := r.next(time.Now()); first || len(b.Events) > 0 || b.Gap > 0 {
			if write(open, conn, b) != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-open.Done():
		case <-s.ctx.Done():
		}
	}
}

func write(ctx context.Context, conn *websocket.Conn, b Batch) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(b); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, WriteWithin)
	defer cancel()
	return conn.Write(within, websocket.MessageText, bytes.TrimSpace(text.Bytes()))
}
