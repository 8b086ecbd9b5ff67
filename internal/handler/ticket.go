package handler

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// ticketForm matches what crypto/rand.Text returns, in this and in later versions of
// Go. Any other text is refused without a look into the store.
var ticketForm = regexp.MustCompile(`^[A-Z2-7]{26,64}$`)

type (
	httpRequest  = events.APIGatewayV2HTTPRequest
	httpResponse = events.APIGatewayV2HTTPResponse
)

// TicketFunc is the handler of POST /v1/tickets.
type TicketFunc func(context.Context, httpRequest) (httpResponse, error)

// Tickets returns the handler of POST /v1/tickets. A client with a token in the
// Authorization header gets a ticket: in the URL of a handshake it opens one
// connection for the same principal. newTicket returns a secret of at least 128
// random bits, as crypto/rand.Text does.
func Tickets(h *hub.Hub, v Verifier, newTicket func() string, log *slog.Logger) TicketFunc {
	return func(ctx context.Context, e httpRequest) (httpResponse, error) {
		r := e.RequestContext
		log := log.With("gatewayRequest", r.RequestID, "address", v.HashAddress(r.HTTP.SourceIP))
		refuse := func(code wire.Code, message string) (httpResponse, error) {
			return jsonResponse(Status(code), map[string]string{"code": string(code), "message": message}), nil
		}
		token, err := bearer.Token(authorizations(e.Headers)...)
		var p hub.Principal
		if err == nil {
			p, err = v.Verify(ctx, token)
		}
		if err != nil {
			code, message := TokenRefusal(err)
			log.WarnContext(ctx, "token refused", "code", code, "error", err)
			return refuse(code, message)
		}
		ticket := newTicket()
		expires, err := h.IssueTicket(ctx, ticket, p)
		if err != nil {
			failure, internal := ClientError(err)
			if internal {
				log.ErrorContext(ctx, "ticket", "error", err)
			} else {
				log.WarnContext(ctx, "ticket refused", "code", failure.Code, "error", err)
			}
			return refuse(failure.Code, failure.Message)
		}
		return jsonResponse(http.StatusCreated, map[string]any{"ticket": ticket, "expires": expires.UnixMilli()}), nil
	}
}

// authorizations returns the Authorization header, in any letter case. An HTTP API
// joins several with commas.
func authorizations(headers map[string]string) (values []string) {
	for name, value := range headers {
		if strings.EqualFold(name, "Authorization") {
			values = append(values, value)
		}
	}
	return values
}

func jsonResponse(status int, body any) httpResponse {
	data, _ := json.Marshal(body) // maps of strings and numbers
	r := httpResponse{StatusCode: status, Body: string(data), Headers: map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store",
	}}
	if status == http.StatusUnauthorized {
		r.Headers["WWW-Authenticate"] = "Bearer" // RFC 9110, section 15.5.2
	}
	return r
}
