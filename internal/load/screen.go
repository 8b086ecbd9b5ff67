package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/wire"
)

// screen is one connection, and the highest version that it got of each SKU.
type screen struct {
	conn     *websocket.Conn
	versions map[string]int64
}

// message is what a screen reads.
type message struct {
	Type    string
	Code    string
	Topics  map[string]value
	Refused map[string]string
}

type value struct {
	Version  int64
	State    string
	Quantity int
}

// open opens the connections, one after the other, and subscribes each.
func (m *meter) open(ctx context.Context, o Options) (screens []*screen, err error) {
	r := wire.Request{Action: wire.ActionSubscribe}
	for _, sku := range o.SKUs {
		r.Topics = append(r.Topics, wire.Topic{Name: "sku:" + sku})
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	for range o.Connections {
		conn, err := o.Dial(ctx)
		if err != nil {
			return screens, fmt.Errorf("load: connect: %w", err)
		}
		conn.SetReadLimit(2 * wire.MaxMessage)
		s := &screen{conn, map[string]int64{}}
		screens = append(screens, s)
		if err := s.subscribe(ctx, text); err != nil {
			return screens, err
		}
		m.mu.Lock()
		m.opened++
		m.mu.Unlock()
	}
	return screens, nil
}

// subscribe takes the first values.
func (s *screen) subscribe(ctx context.Context, text []byte) error {
	if err := s.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return fmt.Errorf("load: subscribe: %w", err)
	}
	got, err := s.next(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("load: subscribe: %w", err)
	case got.Type != "snapshot" || len(got.Refused) > 0:
		return fmt.Errorf("load: subscribe: the hub answered with %s %s, and refused %v", got.Type, got.Code, got.Refused)
	}
	for topic, v := range got.Topics {
		s.versions[strings.TrimPrefix(topic, "sku:")] = v.Version
	}
	return nil
}

func (s *screen) next(ctx context.Context) (got message, err error) {
	_, data, err := s.conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	return got, err
}

// read notes every push until ctx ends.
func (m *meter) read(ctx context.Context, s *screen) {
	for {
		got, err := s.next(ctx)
		m.mu.Lock()
		switch {
		case ctx.Err() != nil:
			m.mu.Unlock()
			return
		case err != nil:
			m.err = fmt.Errorf("load: a connection ended: %w", err)
			m.mu.Unlock()
			return
		case got.Type == "delta":
			m.take(s, got)
		}
		m.mu.Unlock()
	}
}

func (m *meter) take(s *screen, got message) {
	now := time.Now()
	for topic, v := range got.Topics {
		sku := strings.TrimPrefix(topic, "sku:")
		m.pushes = append(m.pushes, push{sku, Written(v), s.versions[sku], now})
		s.versions[sku] = max(s.versions[sku], v.Version)
	}
}

// closeAll ends the connections.
func closeAll(screens []*screen) {
	for _, s := range screens {
		_ = s.conn.CloseNow()
	}
}
