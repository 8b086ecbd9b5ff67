package tap

import (
	"bytes"
	"context"
	"encoding/json"
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
)

// Server serves feeds of a log.
type Server struct {
	log  *events.Log
	ctx  context.Context // ends with Close
	stop context.CancelFunc

	mu      sync.Mutex // Add is called under it, with ctx not ended
	running sync.WaitGroup
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

// enter counts a feed, unless the Server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.running.Add(1)
	return true
}

// Serve opens a feed of what the filter selects. The caller has checked the Origin. It
// returns when the feed has ended.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, f events.Filter) {
	if !s.enter() {
		http.Error(w, "localhub ends", http.StatusServiceUnavailable)
		return
	}
	defer s.running.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{Subprotocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	// Ends when the reader closes, or sends a message. Not with s.ctx: that would cut the
	// connection before its close frame.
	open := conn.CloseRead(context.Background())
	s.feed(open, conn, newReader(s.log, f, time.Now()))
	if s.ctx.Err() != nil {
		_ = conn.Close(websocket.StatusGoingAway, "localhub ends")
	}
}

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
