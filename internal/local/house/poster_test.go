package house

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
)

// TestPoster runs the suite for posters.
func TestPoster(t *testing.T) {
	hubtest.TestPoster(t, func(t *testing.T) hubtest.PosterFixture {
		h, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		known := map[string]bool{}
		connect := func() (string, string, func(int) []string) {
			conn, _, err := h.Dial(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.CloseNow() })
			var id string
			for _, c := range h.gateway.Connections() {
				if !known[c.ConnectionID] {
					id = c.ConnectionID
				}
			}
			known[id] = true
			return id, "", func(n int) []string { return receive(t, conn, n) }
		}
		fail := func(id string, kind error, times int) {
			answer := gatewaytest.ErrInternal
			switch {
			case errors.Is(kind, hub.ErrGone):
				answer = gatewaytest.ErrGone
			case errors.Is(kind, hub.ErrThrottled):
				answer = gatewaytest.ErrLimitExceeded
			}
			for range times {
				h.gateway.FailNext(id, answer)
			}
		}
		return hubtest.PosterFixture{Poster: poster{h.gateway}, Connect: connect, Fail: fail}
	})
}

// receive reads n messages.
func receive(t *testing.T, conn *websocket.Conn, n int) []string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var texts []string
	for range n {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Errorf("after %d messages: %v", len(texts), err)
			return texts
		}
		texts = append(texts, string(data))
	}
	return texts
}
