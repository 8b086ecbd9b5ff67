package gatewaytest

import (
	"context"
	"net/http"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// PostToConnection sends data to a connection as one text message. Like the
// HTTP POST it returns nil or an *Error, which errors.Is compares with ErrGone,
// ErrLimitExceeded, ErrPayloadTooLarge and ErrBadRequest. Nil means that the
// message is accepted, not that the client has read it (G-MGMT-16).
//
// It does not wait for the client: if the client reads too slowly, it returns
// ErrLimitExceeded. Messages arrive in the order of the calls (G-ORDER-5). The
// data is not copied, so that one slice can be posted to many connections. The
// caller must not change it afterwards.
func (g *Gateway) PostToConnection(ctx context.Context, connectionID string, data []byte) error {
	started := time.Now()
	ctx, err := g.post(ctx, connectionID, data, started)
	if err != nil {
		g.observe(ctx, observedPost(connectionID, data, started, err))
	}
	g.counters.addPost(err)
	g.logPost(connectionID, len(data), err)
	return err
}

// post posts, and observes a success. It returns the context for the observation of a
// failure: that of a fault, if one happened.
func (g *Gateway) post(
	ctx context.Context, connectionID string, data []byte, started time.Time,
) (context.Context, error) {
	if err := ctx.Err(); err != nil {
		return ctx, err
	}
	if !g.accountBucket.take(g.Now()) {
		return ctx, ErrLimitExceeded
	}
	c := g.lookup(connectionID)
	if c == nil && !validID(connectionID) {
		return ctx, invalidConnectionID(connectionID)
	}
	if len(data) > maxMessageBytes {
		return ctx, ErrPayloadTooLarge
	}
	ctx, err := g.injectFault(ctx, connectionID)
	if err != nil {
		return ctx, err
	}
	if c == nil {
		return ctx, ErrGone
	}
	if status := g.api.Assumptions.EmptyPostStatus; len(data) == 0 && status != http.StatusOK {
		return ctx, statusError(status) // G-MGMT-18
	}
	if !g.api.Assumptions.PostsUnchanged {
		data = validUTF8(data) // G-FRAME-5
	}
	return ctx, c.enqueue(ctx, data, &started)
}

// findOpen returns an open connection, or the error of the management API.
func (g *Gateway) findOpen(ctx context.Context, connectionID string) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !g.accountBucket.take(g.Now()) {
		return nil, ErrLimitExceeded
	}
	c := g.lookup(connectionID)
	switch {
	case c == nil && !validID(connectionID):
		return nil, invalidConnectionID(connectionID)
	case c == nil || !c.isOpen():
		return nil, ErrGone
	}
	return c, nil
}

// GetConnection returns information about an open connection.
func (g *Gateway) GetConnection(ctx context.Context, connectionID string) (ConnectionInfo, error) {
	c, err := g.findOpen(ctx, connectionID)
	if err != nil {
		return ConnectionInfo{}, err
	}
	return c.info(), nil
}

// DeleteConnection closes an open connection with 1000 "Connection Closed
// Normally" (G-CLOSE-4), after earlier posts are delivered. Posts fail with
// ErrGone at once. $disconnect runs when the connection is closed (G-DISC-3),
// which may be after DeleteConnection has returned.
func (g *Gateway) DeleteConnection(ctx context.Context, connectionID string) error {
	return g.closeWith(ctx, connectionID, ws.CloseNormal, reasonDeleted)
}

// closeWith closes an open connection, or returns the error of the management
// API.
func (g *Gateway) closeWith(ctx context.Context, connectionID string, code int, reason string) error {
	c, err := g.findOpen(ctx, connectionID)
	if err != nil {
		return err
	}
	if !c.startCloseBy(ctx, code, reason) {
		return ErrGone
	}
	return nil
}
