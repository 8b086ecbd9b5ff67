package client

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/wire"
)

// carried returns a client whose messages a test carries, after its first hello, and its link.
func carried(t *testing.T) (*Client, *link) {
	t.Helper()
	c := newClient(Options{
		Dial: func(ctx context.Context, _ *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
			<-ctx.Done()
			return nil, nil, ctx.Err()
		},
	})
	t.Cleanup(c.Close)
	var l *link
	c.do(func() {
		c.e.connect()
		l = c.e.replacement
		c.e.onOpened(l, offer{})
		hello, _ := newShop().answer(wire.Request{Action: wire.ActionHello, ID: []byte("1")})
		c.e.onMessage(l, wire.Encode(hello))
	})
	return c, l
}

// answer answers the change that was sent last, if it is open, and reports whether it was.
func answer(c *Client, l *link) (isOpen bool) {
	c.do(func() {
		r := l.open[l.lastID]
		if isOpen = r != nil && r.msg.Key != ""; isOpen {
			c.e.onMessage(l, wire.Encode(wire.OK{ID: r.msg.ID, Key: r.msg.Key, Version: 1}))
		}
	})
	return isOpen
}

// TestAnswerAfterTheContext: the answer to a change comes while its call returns, because the
// context has ended. The call gives either of them, and the race detector finds nothing.
func TestAnswerAfterTheContext(t *testing.T) {
	c, l := carried(t)
	for n := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan error, 1)
		go func() {
			r, err := c.Add(ctx, "MUG", 1)
			var uncertain *Error
			if err == nil && r.Version == 1 || errors.As(err, &uncertain) && uncertain.Code == CodeUncertain {
				err = nil
			}
			returned <- err
		}()
		for isSent := false; !isSent; runtime.Gosched() {
			c.do(func() { isSent = len(l.open) > 0 })
		}
		cancel()
		for range n { // the answer must come when the call has just looked for it
			runtime.Gosched()
		}
		if !answer(c, l) {
			t.Fatal("the change is not open")
		}
		if err := <-returned; err != nil {
			t.Fatal(err)
		}
	}
}

// TestEndedContext: a change whose context has ended before the call is not sent.
func TestEndedContext(t *testing.T) {
	c, l := carried(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Add(ctx, "MUG", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if answer(c, l) {
		t.Error("the change was sent")
	}
}

// TestGetOverARestore: the answer to a get is of an epoch that has ended meanwhile. It is not
// used, and the topic is read again.
func TestGetOverARestore(t *testing.T) {
	c, l := carried(t)
	returned := make(chan State, 1)
	go func() {
		s, err := c.Get(t.Context(), "sku:A")
		if err != nil {
			t.Error(err)
		}
		returned <- s
	}()
	answerGet := func(id int, epoch string, version int64) {
		for isOpen := false; !isOpen; runtime.Gosched() {
			c.do(func() {
				if isOpen = l.open[id] != nil; isOpen {
					badge := map[string]wire.Value{"sku:A": wire.Badge{Version: version, State: "in"}}
					c.e.onMessage(l, wire.Encode(wire.Delta{Epoch: "k2", Topics: map[string]wire.Value{}}))
					c.e.onMessage(l, wire.Encode(wire.Snapshot{ID: l.open[id].msg.ID, Epoch: epoch, Topics: badge}))
				}
			})
			if len(returned) > 0 {
				return
			}
		}
	}
	answerGet(2, "k1", 9)
	answerGet(3, "k2", 4)
	if s := <-returned; s.Badge == nil || s.Badge.Version != 4 {
		t.Errorf("got %+v, want version 4", s.Badge)
	}
}
