package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// client follows a cart and some SKUs. It keeps the highest version of each topic,
// and subscribes again if its cart has a gap.
type client struct {
	t       testing.TB
	conn    *websocket.Conn
	epoch   string
	answers chan string   // type and code of each message that is not a delta
	changed chan struct{} // holds one token after a message

	mu      sync.Mutex // guards the fields below
	badges  map[string]wire.Badge
	revs    map[string]string // of SKUs: the newest that was seen
	pushed  map[string]bool   // SKUs that a delta changed since the connection began
	version int64             // of the cart
	reason  wire.Reason       // of the last whole cart
	lines   map[string]int    // quantities by SKU
	missed  int64             // highest cart version that could not be applied
}

// inbound is a message from the hub.
type inbound struct {
	Type, Code, Message, Epoch string
	Topics                     map[string]struct {
		wire.Badge
		From   *int64
		Lines  map[string]*wire.Line
		Reason wire.Reason
	}
}

// connect returns a client that has subscribed to the cart of user and to skus.
func (h *testHouse) connect(ctx context.Context, user string, skus []string) *client {
	c := h.open(ctx, user)
	c.request(ctx, "sub cart sku:"+strings.Join(skus, " sku:"), "snapshot")
	return c
}

// resume closes the connection of a client and returns one that has its values.
func (h *testHouse) resume(ctx context.Context, user string, old *client, while func()) *client {
	_ = old.conn.Close(websocket.StatusNormalClosure, "")
	while()
	c := h.open(ctx, user)
	r := wire.Request{Action: wire.ActionSubscribe, Epoch: old.epoch}
	old.mu.Lock()
	c.mu.Lock()
	for sku, b := range old.badges {
		c.badges[sku], c.revs[sku] = b, old.revs[sku]
		r.Topics = append(r.Topics, wire.Topic{Name: "sku:" + sku, Version: b.Version, Shown: &b})
	}
	c.mu.Unlock()
	old.mu.Unlock()
	text, err := r.MarshalJSON()
	if err != nil {
		h.t.Fatal(err)
	}
	c.request(ctx, string(text), "snapshot")
	return c
}

// open returns a client that has sent nothing. Without a user it is a guest.
func (h *testHouse) open(ctx context.Context, user string) *client {
	protocols := []string{wire.Subprotocol}
	if user != "" {
		token, _, err := h.Token(user, hub.RoleCustomer, "")
		if err != nil {
			h.t.Fatal(err)
		}
		protocols = append(protocols, "bearer."+token)
	}
	conn, _, err := h.Dial(ctx, &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	c := &client{
		t: h.t, conn: conn, answers: make(chan string, 10), changed: make(chan struct{}, 1),
		badges: map[string]wire.Badge{}, lines: map[string]int{}, revs: map[string]string{}, pushed: map[string]bool{},
	}
	go c.readAll(ctx)
	return c
}

// readAll applies messages until the connection ends.
func (c *client) readAll(ctx context.Context) {
	for {
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			close(c.answers)
			return
		}
		var m inbound
		if err := json.Unmarshal(data, &m); err != nil {
			c.t.Errorf("%s: %v", data, err)
		}
		c.apply(m)
		if m.Type != "delta" {
			c.answers <- m.Type + " " + m.Code
		}
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
}

func (c *client) apply(m inbound) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Epoch != "" {
		c.epoch = m.Epoch
	}
	for name, v := range m.Topics {
		if sku, ok := strings.CutPrefix(name, "sku:"); ok {
			c.applyBadge(sku, v.Badge, m.Type == "delta")
			continue
		}
		switch {
		case v.Version <= c.version:
			continue
		case v.From != nil && *v.From > c.version:
			c.missed = max(c.missed, v.Version)
			continue
		case v.From == nil:
			c.lines, c.reason = map[string]int{}, v.Reason
		}
		c.version = v.Version
		for sku, l := range v.Lines {
			if l == nil {
				delete(c.lines, sku)
			} else {
				c.lines[sku] = l.Quantity
			}
		}
	}
}

// applyBadge takes a badge as docs/protocol.md says. The only snapshot of a client
// is the answer to its first message.
func (c *client) applyBadge(sku string, b wire.Badge, pushed bool) {
	_, known := c.badges[sku]
	takes := !known || b.Version > c.badges[sku].Version || !pushed && !c.pushed[sku]
	if b.Rev != "" {
		takes = hub.NewerRev(b.Rev, c.revs[sku])
	}
	if !takes {
		return
	}
	if b.Rev != "" {
		c.revs[sku] = b.Rev
	}
	c.badges[sku] = wire.Badge{Version: b.Version, State: b.State, Quantity: b.Quantity, Until: b.Until}
	c.pushed[sku] = c.pushed[sku] || pushed
}

// request sends a message and waits for an answer that begins with want. It sends
// the message again while the answer is "busy".
func (c *client) request(ctx context.Context, text, want string) {
	for range 20 {
		if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			c.t.Errorf("send %s: %v", text, err)
			return
		}
		answer, ok := <-c.answers
		switch {
		case ok && strings.HasPrefix(answer, want):
			return
		case ok && answer == "error busy":
			continue
		}
		c.t.Errorf("%s: got %q, want %s", text, answer, want)
		return
	}
	c.t.Errorf("%s: busy 20 times in a row", text)
}

// closeGap subscribes to the cart again if a delta could not be applied.
func (c *client) closeGap(ctx context.Context) {
	c.mu.Lock()
	gap, version, epoch := c.missed > c.version, c.version, c.epoch
	c.mu.Unlock()
	if gap {
		c.request(ctx, fmt.Sprintf("sub cart@%d epoch=%s", version, epoch), "snapshot")
	}
}

// waitFor waits until check returns no problem. check may read the fields that mu
// guards.
func (c *client) waitFor(ctx context.Context, check func() (problem string)) {
	for {
		c.closeGap(ctx)
		c.mu.Lock()
		problem := check()
		c.mu.Unlock()
		if problem == "" {
			return
		}
		select {
		case <-c.changed:
		case <-ctx.Done():
			c.t.Error(problem)
			return
		}
	}
}
