package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// ProxyFunc is the handler of a proxy integration of the WebSocket API.
type ProxyFunc func(context.Context, request) (response, error)

// Connect returns the handler of $connect: it records the connection and selects the
// subprotocol. A client that offers subprotocols, but not ours, gets 400: it could
// not open the connection without one of them (G-HANDSHAKE-11).
//
// endpoint is recorded for posts, as "host/stage"; "" means the domain and the stage
// of the event. observe is called for each connection that is accepted; it may be
// nil.
func Connect(h *hub.Hub, endpoint string, observe func(context.Context), log *slog.Logger) ProxyFunc {
	return func(ctx context.Context, e request) (response, error) {
		c := connectionOf(e.RequestContext, endpoint)
		if c.Principal.User == "" {
			log.ErrorContext(ctx, "no authorizer", "connection", c.ID)
			return response{StatusCode: http.StatusUnauthorized}, nil
		}
		answer := response{StatusCode: http.StatusOK}
		if offered := subprotocols(e.MultiValueHeaders); len(offered) > 0 {
			if !slices.Contains(offered, wire.Subprotocol) {
				return response{StatusCode: http.StatusBadRequest}, nil
			}
			c.Protocol = wire.Subprotocol
			answer.Headers = map[string]string{"Sec-WebSocket-Protocol": wire.Subprotocol}
		}
		err := h.Connect(ctx, c)
		if errors.Is(err, hub.ErrThrottled) {
			log.WarnContext(ctx, "connection refused", "connection", c.ID, "role", c.Principal.Role, "error", err)
			return response{StatusCode: http.StatusTooManyRequests}, nil
		}
		if err != nil {
			log.ErrorContext(ctx, "connect", "connection", c.ID, "error", err)
			return response{StatusCode: http.StatusInternalServerError}, nil
		}
		log.InfoContext(ctx, "connected", "connection", c.ID, "role", c.Principal.Role)
		if observe != nil {
			observe(ctx)
		}
		return answer, nil
	}
}

// Disconnect returns the handler of $disconnect, which may come late, twice or never.
//
// observe gets the close code and the reason of each closed connection; it may be
// nil.
func Disconnect(h *hub.Hub, observe func(ctx context.Context, code int, reason string), log *slog.Logger) ProxyFunc {
	return func(ctx context.Context, e request) (response, error) {
		r := e.RequestContext
		if observe != nil {
			reason := ""
			if r.DisconnectReason != nil {
				reason = *r.DisconnectReason
			}
			observe(ctx, int(r.DisconnectStatusCode), reason)
		}
		if err := h.Disconnect(ctx, r.ConnectionID); err != nil {
			log.ErrorContext(ctx, "disconnect", "connection", r.ConnectionID, "error", err)
			return response{StatusCode: http.StatusInternalServerError}, nil
		}
		log.InfoContext(ctx, "disconnected", "connection", r.ConnectionID, "status", r.DisconnectStatusCode)
		return response{StatusCode: http.StatusOK}, nil
	}
}
