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

// Connect answers $connect: it records the connection and agrees on the
// subprotocol. A client that offers subprotocols, but not ours, is refused with
// 400: it could not open the connection without one of them (G-HANDSHAKE-11).
//
// observe is told of each connection that was taken; it may be nil.
func Connect(h *hub.Hub, endpoint string, observe func(context.Context), log *slog.Logger) func(context.Context, request) (response, error) {
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
			log.WarnContext(ctx, "refused", "connection", c.ID, "role", c.Principal.Role, "error", err)
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

// Disconnect answers $disconnect, which may come late, twice or never.
//
// observe is told the close code and reason of each; it may be nil.
func Disconnect(h *hub.Hub, observe func(ctx context.Context, code int, reason string), log *slog.Logger) func(context.Context, request) (response, error) {
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
