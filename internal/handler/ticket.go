package handler

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// ticketForm is what crypto/rand.Text makes, now or later. Anything else costs no
// access to the store.
var ticketForm = regexp.MustCompile(`^[A-Z2-7]{26,64}$`)

// Tickets answers POST /v1/tickets: who comes with a token in the Authorization
// header gets a ticket that opens one socket as the same, in the URL. newTicket
// makes secrets of at least 128 random bits, as crypto/rand.Text does.
func Tickets(h *hub.Hub, v Verifier, newTicket func() string, log *slog.Logger) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		refuse := func(code wire.Code, message string) (events.APIGatewayV2HTTPResponse, error) {
			return jsonResponse(Status(code), map[string]string{"code": string(code), "message": message}), nil
		}
		p, err := v.Verify(ctx, authorization(e.Headers))
		if err != nil {
			code := tokenCode(err)
			log.WarnContext(ctx, "token not taken", "code", code, "error", err)
			if code == wire.CodeBusy {
				return refuse(code, "the token cannot be checked now")
			}
			return refuse(code, "send a valid token in the header Authorization: Bearer <token>")
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

func jsonResponse(status int, body any) events.APIGatewayV2HTTPResponse {
	data, _ := json.Marshal(body) // maps of strings and numbers
	r := events.APIGatewayV2HTTPResponse{StatusCode: status, Body: string(data), Headers: map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store",
	}}
	if status == http.StatusUnauthorized {
		r.Headers["WWW-Authenticate"] = "Bearer" // RFC 9110, section 15.5.2
	}
	return r
}
