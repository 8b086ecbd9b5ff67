package house_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// tcpClient is a client over TCP: a connection can be refused or ended at any time.
type tcpClient struct{ conn *websocket.Conn }

// serveTCP serves a house until the test ends, for a minute at most. url is that of its
// socket.
func serveTCP(t *testing.T, o house.Options) (ctx context.Context, url string) {
	t.Helper()
	h := newHouse(t, o)
	t.Cleanup(func() { closeHouse(t, h) })
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx, "ws" + strings.TrimPrefix(server.URL, "http") + "/v1"
}

func dialTCP(ctx context.Context, url, token string) (*tcpClient, error) {
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}}
	if token != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+token)
	}
	conn, _, err := websocket.Dial(ctx, url, o)
	return &tcpClient{conn}, err
}

// ask sends a message and returns the type of the answer, or its code if it is an
// error. GuestToken is that of a hello.
func (c *tcpClient) ask(ctx context.Context, text string) (kind, guestToken string, err error) {
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return "", "", err
	}
	_, data, err := c.conn.Read(ctx)
	if err != nil {
		return "", "", err
	}
	var answer struct{ Type, Code, GuestToken string }
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", "", err
	}
	if answer.Type == "error" {
		return answer.Code, "", nil
	}
	return answer.Type, answer.GuestToken, nil
}

// windows returns how many windows of messages the time since start touches.
func windows(start time.Time) int {
	return int(time.Now().Truncate(hub.MessageWindow).Sub(start.Truncate(hub.MessageWindow))/hub.MessageWindow) + 1
}

// TestBudgetOverManyConnections sends as much as it can with one guest's token over 20
// connections, one after the other and side by side, through TCP.
func TestBudgetOverManyConnections(t *testing.T) {
	ctx, url := serveTCP(t, house.Options{})
	start := time.Now()
	first, err := dialTCP(ctx, url, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.conn.CloseNow() }()
	_, token, err := first.ask(ctx, "hello")
	if err != nil || token == "" {
		t.Fatalf("no token of a guest: %v", err)
	}
	var mu sync.Mutex
	accepted, refused := 2, 0 // the handshake and the hello
	attack := func() {
		c, err := dialTCP(ctx, url, token)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			refused++
			return
		}
		defer func() { _ = c.conn.CloseNow() }()
		accepted++
		for range 30 {
			kind, _, err := c.ask(ctx, "get cart")
			if err != nil || kind != "snapshot" {
				refused++
				continue
			}
			accepted++
		}
	}
	for range 10 {
		attack()
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(attack)
	}
	wg.Wait()
	if most := hub.GuestMessages * windows(start); accepted > most || refused == 0 {
		t.Errorf("%d messages and handshakes accepted, %d refused, want %d accepted at most", accepted, refused, most)
	}
}

// TestFloodBehindAnAddress lets four guests flood through TCP, while fifty others of the
// same address open a page each: none of the fifty waits. The flooders lose their
// connections.
func TestFloodBehindAnAddress(t *testing.T) {
	ctx, url := serveTCP(t, house.Options{})

	var flooders sync.WaitGroup
	flooding := make(chan struct{}, 4)
	for range 4 {
		flooders.Go(func() {
			c, err := dialTCP(ctx, url, "")
			if err != nil {
				t.Error(err)
				flooding <- struct{}{}
				return
			}
			for n := 1; ; n++ {
				kind, _, err := c.ask(ctx, "ping")
				if kind == "slow_down" && n < 10_000 {
					select {
					case flooding <- struct{}{}: // it is over its limit
					default:
					}
				}
				if err != nil {
					if !errors.As(err, &websocket.CloseError{}) && ctx.Err() != nil {
						t.Errorf("after %d messages: %v, want the connection to end", n, err)
					}
					return
				}
			}
		})
	}
	for range 4 {
		<-flooding
	}
	var others sync.WaitGroup
	for range 50 {
		others.Go(func() {
			c, err := dialTCP(ctx, url, "")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.conn.CloseNow() }()
			for _, text := range []string{"hello", "sub cart sku:MUG", "get sku:TEE", "ping"} {
				if kind, _, err := c.ask(ctx, text); err != nil || kind == "slow_down" {
					t.Errorf("%s: got %s, %v", text, kind, err)
				}
			}
		})
	}
	others.Wait()
	flooders.Wait()
}

// TestNewGuestsOverSockets: an address brings so many guests without a token; a guest who
// returns with the token of its hello is not one of them.
func TestNewGuestsOverSockets(t *testing.T) {
	ctx, url := serveTCP(t, house.Options{Limits: "address=3"})
	token := ""
	for i := range 4 {
		c, err := dialTCP(ctx, url, "")
		if refused := err != nil; refused != (i == 3) {
			t.Fatalf("guest %d: %v", i, err)
		}
		if err != nil {
			continue
		}
		defer func() { _ = c.conn.CloseNow() }()
		if _, token, err = c.ask(ctx, "hello"); err != nil || token == "" {
			t.Fatalf("no token: %v", err)
		}
	}
	for range 3 {
		c, err := dialTCP(ctx, url, token)
		if err != nil {
			t.Fatalf("a guest who returns: %v", err)
		}
		defer func() { _ = c.conn.CloseNow() }()
	}
}
