package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// counter is the function behind the action "add".
type counter struct {
	post    func(ctx context.Context, connectionID string, data []byte) error
	watcher string // connection id

	mu      sync.Mutex
	applied map[string]bool // idempotency keys
	total   int
}

// message is what the client sends, and what the function answers.
type message struct {
	Action string `json:"action,omitempty"`
	Key    string `json:"key"`
	Type   string `json:"type,omitempty"`
}

// add raises the total once for each key, and posts the new total to the watcher.
// Totals are absolute, so a watcher that misses one is right again with the next.
func (c *counter) add(
	ctx context.Context, e events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	var m message
	if err := json.Unmarshal([]byte(e.Body), &m); err != nil || m.Key == "" {
		return events.APIGatewayProxyResponse{StatusCode: 400, Body: "add needs a key"}, nil
	}
	if total, first := c.apply(m.Key); first {
		err := retry(ctx, retryable, func() error { return c.post(ctx, c.watcher, fmt.Append(nil, total)) })
		if err != nil {
			return events.APIGatewayProxyResponse{}, fmt.Errorf("post to the watcher: %w", err)
		}
	}
	answer, err := json.Marshal(message{Type: "ok", Key: m.Key})
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: string(answer)}, err
}

func (c *counter) apply(key string) (total int, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.applied[key] {
		return c.total, false
	}
	c.applied[key] = true
	c.total++
	return c.total, true
}

// retryable reports whether the same post may succeed later. A connection that is
// gone stays gone, and a payload that is too large stays too large.
func retryable(err error) bool {
	return errors.Is(err, gatewaytest.ErrLimitExceeded) || errors.Is(err, gatewaytest.ErrInternal)
}

// retry calls f until it succeeds, its error cannot be retried, or ctx ends. It waits
// between calls, at random up to a bound that doubles.
func retry(ctx context.Context, again func(error) bool, f func() error) error {
	for bound := 20 * time.Millisecond; ; bound = min(2*bound, time.Second) {
		err := f()
		if err == nil || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(bound)):
		}
	}
}

// client keeps one connection and opens another when it breaks.
type client struct {
	dial func(ctx context.Context) (*websocket.Conn, error)
	conn *websocket.Conn
}

// add sends one increment until its answer arrives. Each reason says why an answer was
// lost.
func (c *client) add(ctx context.Context, key string) (reasons []string, err error) {
	always := func(error) bool { return true }
	err = retry(ctx, always, func() error {
		reason, err := c.try(ctx, key)
		if err != nil {
			reasons = append(reasons, reason)
			c.close()
		}
		return err
	})
	return reasons, err
}

// try sends the increment once. Its reason says what happened to the answer.
func (c *client) try(ctx context.Context, key string) (reason string, err error) {
	if c.conn == nil {
		if c.conn, err = c.dial(ctx); err != nil {
			c.conn = nil
			return "no connection", err
		}
	}
	request, err := json.Marshal(message{Action: "add", Key: key})
	if err != nil {
		return "no request", err
	}
	if err := c.conn.Write(ctx, websocket.MessageText, request); err != nil {
		return "cut", err
	}
	_, data, err := c.conn.Read(ctx)
	if err != nil {
		return "cut", err
	}
	var answer message
	if err := json.Unmarshal(data, &answer); err != nil || answer.Key != key {
		return "late", fmt.Errorf("no answer: %s", data)
	}
	return "", nil
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.CloseNow()
		c.conn = nil
	}
}
