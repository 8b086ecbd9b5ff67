package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// ProxyFunc is the handler of a proxy integration of the WebSocket API.
type ProxyFunc func(context.Context, request) (response, error)

// ConnectOptions are the settings of [Connect].
type ConnectOptions struct {
	// Endpoint is recorded for posts, as "host/stage". "" means the domain and the
	// stage of the event.
	Endpoint string

	// OnConnect is called for each connection that is accepted, and OnRefused for each
	// that is refused. Both may be nil.
	OnConnect func(context.Context)
	OnRefused Refused

	Versions versions.Watch // those that end
}

// Connect returns the handler of $connect: it records the connection and selects the
// subprotocol. A client that offers subprotocols, but not ours, gets 400: it could
// not open the connection without one of them (G-HANDSHAKE-11). A client that names two
// versions gets 400 too, and one that names a version that does not exist 404. A refusal
// is an answer with a status, never an error.
//
// A client of a version that has ended is accepted and not recorded: only on an open
// connection can [Message] tell it so.
func Connect(h *hub.Hub, o ConnectOptions, log *slog.Logger) ProxyFunc {
	return func(ctx context.Context, e request) (response, error) {
		c := connectionOf(e.RequestContext, o.Endpoint)
		log := logHandshake(log, c.ID, e.RequestContext.RequestID, c.ClientHash)
		refuse := func(status int, reason Refusal) (response, error) {
			o.OnRefused.count(ctx, reason)
			return response{StatusCode: status}, nil
		}
		if c.Principal.User == "" {
			log.ErrorContext(ctx, "no authorizer", "reason", RefusedInternal)
			return refuse(http.StatusUnauthorized, RefusedInternal)
		}
		name, status, err := handshakeVersion(e)
		if err != nil {
			log.WarnContext(ctx, "connection refused: its version", "reason", RefusedVersion, "error", err)
			return refuse(status, RefusedVersion)
		}
		answer := response{StatusCode: http.StatusOK}
		if offered := subprotocols(e.MultiValueHeaders); len(offered) > 0 {
			if !slices.Contains(offered, wire.Subprotocol) {
				log.WarnContext(ctx, "connection refused: it does not offer the subprotocol", "reason", RefusedSubprotocol)
				return refuse(http.StatusBadRequest, RefusedSubprotocol)
			}
			c.Protocol = wire.Subprotocol
			answer.Headers = map[string]string{"Sec-WebSocket-Protocol": wire.Subprotocol}
		}
		deprecation, _ := o.Versions.Of(name)
		o.Versions.Count(ctx, deprecation, h.Now())
		if deprecation.EndedAt(h.Now()) {
			log.InfoContext(ctx, "connected with a version that has ended", "role", c.Principal.Role)
			return answer, nil
		}
		if err := h.Connect(ctx, c); err != nil {
			status, reason := connectRefusal(err)
			if reason == RefusedInternal {
				log.ErrorContext(ctx, "connect", "reason", reason, "role", c.Principal.Role, "error", err)
			} else {
				log.WarnContext(ctx, "connection refused", "reason", reason, "role", c.Principal.Role, "error", err)
			}
			return refuse(status, reason)
		}
		log.InfoContext(ctx, "connected", "role", c.Principal.Role)
		if o.OnConnect != nil {
			o.OnConnect(ctx)
		}
		return answer, nil
	}
}

// connectRefusal returns the status and the reason for an error of [hub.Hub.Connect].
func connectRefusal(err error) (status int, reason Refusal) {
	var failure *hub.Error
	switch {
	case errors.As(err, &failure) && failure.Code == wire.CodeLimit:
		return http.StatusTooManyRequests, RefusedConnections
	case errors.Is(err, hub.ErrThrottled): // the store is
		return http.StatusTooManyRequests, RefusedInternal
	}
	return http.StatusInternalServerError, RefusedInternal
}

// Disconnect returns the handler of $disconnect, which may come late, twice or never.
//
// observe gets the close code and the reason of each closed connection; it may be
// nil.
func Disconnect(h *hub.Hub, observe func(ctx context.Context, code int, reason string), log *slog.Logger) ProxyFunc {
	return func(ctx context.Context, e request) (response, error) {
		r := e.RequestContext
		log := logConnection(log, connectionOf(r, ""))
		if observe != nil {
			reason := ""
			if r.DisconnectReason != nil {
				reason = *r.DisconnectReason
			}
			observe(ctx, int(r.DisconnectStatusCode), reason)
		}
		if err := h.Disconnect(ctx, r.ConnectionID); err != nil {
			log.ErrorContext(ctx, "disconnect", "error", err)
			return response{StatusCode: http.StatusInternalServerError}, nil
		}
		log.InfoContext(ctx, "disconnected", "status", r.DisconnectStatusCode)
		return response{StatusCode: http.StatusOK}, nil
	}
}
