package handler

import (
	"context"
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

// Connect answers $connect: it records the connection and agrees on the
// subprotocol. A client that offers subprotocols, but not ours, is refused with
// 400: it could not open the connection without one of them (G-HANDSHAKE-11).
func Connect(h *hub.Hub, endpoint string, log *slog.Logger) func(context.Context, request) (response, error) {
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
		if err := h.Connect(ctx, c); err != nil {
			log.ErrorContext(ctx, "connect", "connection", c.ID, "error", err)
			return response{StatusCode: http.StatusInternalServerError}, nil
		}
		log.InfoContext(ctx, "connected", "connection", c.ID, "role", c.Principal.Role)
		return answer, nil
	}
}

// Disconnect answers $disconnect, which may come late, twice or never.
func Disconnect(h *hub.Hub, log *slog.Logger) func(context.Context, request) (response, error) {
	return func(ctx context.Context, e request) (response, error) {
		r := e.RequestContext
		if err := h.Disconnect(ctx, r.ConnectionID); err != nil {
			log.ErrorContext(ctx, "disconnect", "connection", r.ConnectionID, "error", err)
			return response{StatusCode: http.StatusInternalServerError}, nil
		}
		log.InfoContext(ctx, "disconnected", "connection", r.ConnectionID, "status", r.DisconnectStatusCode)
		return response{StatusCode: http.StatusOK}, nil
	}
}
