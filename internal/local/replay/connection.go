package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/recording"
)

// open opens a connection, as the person who opened it.
func (p *player) open(ctx context.Context, c *conversation, e *recording.Event) error {
	o := &websocket.DialOptions{Subprotocols: e.Subprotocols, CompressionMode: websocket.CompressionDisabled}
	if e.Token != "" {
		token, err := p.tokenOf(ctx, e.Token)
		if errors.Is(err, errNoToken) {
			c.notPlayed = true
			return nil
		}
		if err != nil {
			return err
		}
		if e.InHeader {
			o.HTTPHeader = http.Header{"Authorization": {"Bearer " + token}}
		} else {
			o.Subprotocols = append(o.Subprotocols, "bearer."+token)
		}
	}
	conn, resp, err := p.target.Dial(ctx, e.Query, o)
	status := http.StatusSwitchingProtocols
	switch {
	case err != nil && resp == nil:
		return fmt.Errorf("open %s: %w", c.name, err)
	case err != nil:
		status = resp.StatusCode
	}
	if status != e.Status {
		c.differs(Difference{Kind: "handshake", Got: fmt.Sprint(status), Recorded: fmt.Sprint(e.Status)})
	}
	if err != nil {
		return nil
	}
	conn.SetReadLimit(readLimit)
	c.conn = conn
	p.reading++
	go p.read(ctx, c)
	return p.identify(ctx, c, e)
}

// identify learns the id of a new connection and its user from the admin API: a request may
// name them before an answer to the client does.
func (p *player) identify(ctx context.Context, c *conversation, e *recording.Event) error {
	if p.target.Admin == nil {
		return nil
	}
	a, err := call(ctx, p.target.Admin, http.MethodGet, "/admin/connections", nil, "")
	if err != nil {
		return err
	}
	var list struct {
		Connections []struct{ ConnectionID, User, Role string }
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return fmt.Errorf("GET /admin/connections: %w", err)
	}
	for _, open := range list.Connections {
		mine := p.names.actual[name{users, e.User}] == "" || p.names.of(users, e.User) == open.User
		if p.known[open.ConnectionID] || !mine || open.Role != e.Role {
			continue
		}
		p.known[open.ConnectionID] = true
		p.names.bind(connections, c.name, open.ConnectionID)
		p.names.bind(users, e.User, open.User)
		break
	}
	return nil
}

// send sends a client's message.
func (p *player) send(ctx context.Context, c *conversation, e *recording.Event) error {
	if c.conn == nil || c.ended {
		c.differs(p.early(c, "a message"))
		return nil
	}
	c.requests++
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(p.text(c, e.Text))); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil // a connection that has ended is noticed by its reader
}

// early is the difference of a connection that ended before the recorded one did.
func (p *player) early(c *conversation, what string) Difference {
	return Difference{Frame: c.next + 1, Kind: "close", Got: fmt.Sprint(int(c.code)), Recorded: what}
}

// close ends a connection as the client did, or waits until the hub does.
func (p *player) close(ctx context.Context, c *conversation, e *recording.Event) error {
	for c.next < len(c.frames) { // some may be noted after the close
		if err := p.await(ctx, c); err != nil {
			return err
		}
	}
	if c.conn == nil {
		return nil
	}
	switch e.By {
	case recording.ByClient:
		if c.ended {
			c.differs(p.early(c, "open"))
		}
		c.closing = true
		code := websocket.StatusCode(e.Code)
		if e.Code == int(websocket.StatusNoStatusRcvd) {
			code = websocket.StatusNormalClosure
		}
		_ = c.conn.Close(code, "") // the reader gets the result
		return nil
	case recording.ByGateway:
		c.closing = true
		if err := p.wait(ctx, p.target.Bound, func() bool { return c.ended }); err != nil {
			return err
		}
		if !c.ended {
			c.differs(Difference{Frame: c.next + 1, Kind: "close", Got: "open", Recorded: fmt.Sprint(e.Code)})
			return nil
		}
		c.closed(e)
		return nil
	}
	c.closing = true
	return c.conn.CloseNow()
}

// stillOpen checks that the connections are open that were open at the recording's end.
func (p *player) stillOpen() {
	for _, c := range p.all {
		if c.ended && !c.closing {
			c.differs(p.early(c, "open"))
		}
	}
}

// end closes all connections and waits for their readers.
func (p *player) end(cancel func()) {
	cancel()
	for _, c := range p.all {
		if c.conn != nil {
			_ = c.conn.CloseNow()
		}
	}
	for p.reading > 0 {
		if a := <-p.arrived; a.err != nil {
			p.reading--
		}
	}
}

// read passes on what comes on a connection.
func (p *player) read(ctx context.Context, c *conversation) {
	for {
		_, data, err := c.conn.Read(ctx)
		p.arrived <- arrival{c, string(data), err}
		if err != nil {
			return
		}
	}
}
