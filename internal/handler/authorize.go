package handler

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Verifier checks tokens and signs those of guests. *auth.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, token string) (auth.Principal, error)
	SignGuest(id string) (token string, expires time.Time, err error)
}

// bearerProtocol starts the entry of the subprotocol list that carries a token:
// browsers can set no header on a WebSocket.
const bearerProtocol = "bearer."

// errUnauthorized has the text that API Gateway answers with 401 (G-AUTH-14).
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // the service wants it capitalised

// Authorize decides on a handshake. A token comes as "bearer.<token>" in the
// subprotocol list or in the Authorization header. Without one the caller is a
// new guest; with a bad one too, and hello tells why, so that stock badges go on;
// but with ?auth=required in the URL it is refused with 401. A token in the URL is
// always refused: URLs are logged.
func Authorize(v Verifier, newGuestID func() (string, error), log *slog.Logger) func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	return func(ctx context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		for _, name := range []string{"token", "access_token", "id_token", "jwt", "authorization"} {
			if _, ok := e.QueryStringParameters[name]; ok {
				log.WarnContext(ctx, "token in the URL refused")
				return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
			}
		}
		required := e.QueryStringParameters["auth"] == "required"
		token := bearer(e.Headers, e.MultiValueHeaders)
		var p hub.Principal
		var notice wire.Code
		if token != "" {
			known, err := v.Verify(ctx, token)
			if p = principalOf(known); err != nil {
				notice = tokenCode(err)
				log.WarnContext(ctx, "token not taken", "code", notice, "error", err)
			}
		}
		if token == "" || notice != "" {
			if required {
				return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
			}
			id, err := newGuestID()
			if err != nil {
				log.ErrorContext(ctx, "no guest id", "error", err)
				return events.APIGatewayCustomAuthorizerResponse{}, err
			}
			p = hub.Principal{User: hub.GuestPrefix + id, Role: hub.RoleGuest}
		}
		return allow(e.MethodArn, p, notice), nil
	}
}

func allow(methodARN string, p hub.Principal, notice wire.Code) events.APIGatewayCustomAuthorizerResponse {
	known := map[string]any{contextRole: string(p.Role)}
	if p.Vendor != "" {
		known[contextVendor] = p.Vendor
	}
	if !p.Expires.IsZero() {
		known[contextExpires] = strconv.FormatInt(p.Expires.UnixMilli(), 10)
	}
	if notice != "" {
		known[contextNotice] = string(notice)
	}
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: p.User,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{methodARN},
			}},
		},
		Context: known,
	}
}

// bearer finds the token of a handshake.
func bearer(headers map[string]string, lines map[string][]string) string {
	for _, p := range subprotocols(lines) {
		if token, ok := strings.CutPrefix(p, bearerProtocol); ok {
			return token
		}
	}
	scheme, token, _ := strings.Cut(header(headers, "Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// tokenCode tells a client why its token was not taken.
func tokenCode(err error) wire.Code {
	switch {
	case errors.Is(err, auth.ErrExpired):
		return wire.CodeTokenExpired
	case errors.Is(err, auth.ErrUnavailable):
		return wire.CodeBusy
	}
	return wire.CodeTokenBad
}
