//go:build speed

package speed_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// smallestVariable makes this test binary the smallest server.
const smallestVariable = "SPEED_SMALLEST"

func TestMain(m *testing.M) {
	if os.Getenv(smallestVariable) != "" {
		fmt.Fprintln(os.Stderr, serveSmallest())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// helloAnswer is as long as the hub's.
const helloAnswer = `{"type":"hello","connectionId":%q,"epoch":"k3","user":"guest:9f2c41d07a55e8139f2c41d07a55e813",` +
	`"role":"guest","guestToken":"` + "%0390d" + `","limits":{"message":32000,"topicsPerMessage":100,"topics":200,` +
	`"lines":200,"quantity":999,"messages":50,"skus":500,"idle":600},"reconnectAfter":6900,"pingEvery":15}`

// smallest is the smallest server: connections by id.
type smallest struct {
	mu    sync.RWMutex
	conns map[string]*websocket.Conn
}

func serveSmallest() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &smallest{conns: map[string]*websocket.Conn{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1", s.accept)
	mux.HandleFunc("POST /v1/@connections/{id}", s.post)
	mux.HandleFunc("POST /all", s.postToAll)
	fmt.Printf("socket ws://%s/v1\nadmin http://%s/\n", l.Addr(), l.Addr())
	return http.Serve(l, mux)
}

func (s *smallest) accept(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	id := fmt.Sprintf("L0SM%011d=", len(s.conns))
	s.conns[id] = c
	s.mu.Unlock()
	answer := fmt.Appendf(nil, helloAnswer, id, 0)
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			return
		}
		if err := c.Write(context.Background(), websocket.MessageText, answer); err != nil {
			return
		}
	}
}

func (s *smallest) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.RLock()
	c := s.conns[r.PathValue("id")]
	s.mu.RUnlock()
	if err != nil || c == nil || c.Write(r.Context(), websocket.MessageText, body) != nil {
		w.WriteHeader(http.StatusGone)
	}
}

// postToAll is a bare write loop.
func (s *smallest) postToAll(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.conns {
		_ = c.Write(r.Context(), websocket.MessageText, body)
	}
}
