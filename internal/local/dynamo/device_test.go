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

// device is one client: it keeps the highest version of each key and asks again
// where its cart has a gap.
type device struct {
	t     testing.TB
	conn  *websocket.Conn
	epoch string

	mu      sync.Mutex
	changed chan struct{} // has room for one: something changed
	badges  map[string]wire.Badge
	version int64
	lines   map[string]int
	missed  int64
	answers chan string // ok, error, snapshot
}

type inbound struct {
	Type, Code, Message, Epoch string
	Topics                     map[string]struct {
		wire.Badge
		From  *int64
		Lines map[string]*wire.Line
	}
}

func (h *realHouse) device(ctx context.Context, user string, skus []string) *device {
	token, _, err := h.Token(user, hub.RoleCustomer, "")
	if err != nil {
		h.t.Fatal(err)
	}
	conn, _, err := h.Dial(ctx, &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol, "bearer." + token}})
	if err != nil {
		h.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	d := &device{t: h.t, conn: conn, changed: make(chan struct{}, 1), badges: map[string]wire.Badge{}, lines: map[string]int{}, answers: make(chan string, 10)}
	go d.listen(ctx)
	d.ask(ctx, "sub cart sku:"+strings.Join(skus, " sku:"), "snapshot")
	return d
}

// listen applies what comes until the connection ends.
func (d *device) listen(ctx context.Context) {
	for {
		_, data, err := d.conn.Read(ctx)
		if err != nil {
			close(d.answers)
			return
		}
		var m inbound
		if err := json.Unmarshal(data, &m); err != nil {
			d.t.Errorf("%s: %v", data, err)
		}
		d.apply(m)
		if m.Type != "delta" {
			d.answers <- m.Type + " " + m.Code
		}
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

func (d *device) apply(m inbound) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.Epoch != "" {
		d.epoch = m.Epoch
	}
	for name, v := range m.Topics {
		if sku, ok := strings.CutPrefix(name, "sku:"); ok {
			if v.Version > d.badges[sku].Version {
				d.badges[sku] = v.Badge
			}
			continue
		}
		switch {
		case v.Version <= d.version:
			continue
		case v.From != nil && *v.From > d.version:
			d.missed = max(d.missed, v.Version)
			continue
		case v.From == nil:
			d.lines = map[string]int{}
		}
		d.version = v.Version
		for sku, l := range v.Lines {
			if l == nil {
				delete(d.lines, sku)
			} else {
				d.lines[sku] = l.Quantity
			}
		}
	}
}

// ask sends a message and waits for an answer of that type. The same is sent again
// as long as the answer invites to.
func (d *device) ask(ctx context.Context, text, want string) {
	for range 20 {
		if err := d.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			d.t.Errorf("send %s: %v", text, err)
			return
		}
		answer, ok := <-d.answers
		switch {
		case ok && strings.HasPrefix(answer, want):
			return
		case ok && answer == "error busy":
			continue
		}
		d.t.Errorf("%s: got %q, want %s", text, answer, want)
		return
	}
	d.t.Errorf("%s: busy twenty times", text)
}

// mend closes a gap in the cart by asking again.
func (d *device) mend(ctx context.Context) {
	d.mu.Lock()
	gap, version, epoch := d.missed > d.version, d.version, d.epoch
	d.mu.Unlock()
	if gap {
		d.ask(ctx, fmt.Sprintf("sub cart@%d epoch=%s", version, epoch), "snapshot")
	}
}

// shows waits until ok says yes.
func (d *device) shows(ctx context.Context, ok func() string) {
	for {
		d.mend(ctx)
		d.mu.Lock()
		problem := ok()
		d.mu.Unlock()
		if problem == "" {
			return
		}
		select {
		case <-d.changed:
		case <-ctx.Done():
			d.t.Error(problem)
			return
		}
	}
}
