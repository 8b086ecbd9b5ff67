package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/auth/bearer"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Verifier checks tokens, and signs those of guests. *auth.Verifier is one.
type Verifier interface {
	// Verify returns the principal of a token. Its errors have a *hub.Error with
	// the code token_expired, token_bad or busy; any other counts as token_bad.
	Verify(ctx context.Context, token string) (hub.Principal, error)
	SignGuest(id string) (token string, expires time.Time, err error)
	HashAddress(address string) string
}

// bearerProtocol starts the subprotocol that carries a token, in any letter case: a
// browser cannot set headers on a WebSocket.
const bearerProtocol = "bearer."

// errUnauthorized has the text that API Gateway answers with 401 (G-AUTH-14).
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // AWS requires the capital letter

// AuthorizeOptions are the settings of [Authorize].
type AuthorizeOptions struct {
	// Origins are the origins of pages that may connect, as browsers write them:
	// "https://shop.example". Empty: pages of the API's own host and of this machine.
	Origins []string

	// EdgeSecrets are the secrets that the edge adds to handshakes. A handshake needs
	// one of them. Empty: there is no edge, and clients connect to the API itself.
	EdgeSecrets []string

	// NewGuestID returns the id of a new guest, with at least 128 random bits.
	NewGuestID func() (string, error)
}

type (
	authorizerEvent  = events.APIGatewayCustomAuthorizerRequestTypeRequest
	authorizerAnswer = events.APIGatewayCustomAuthorizerResponse
)

// AuthorizeFunc is the handler of the authorizer of $connect.
type AuthorizeFunc func(context.Context, authorizerEvent) (authorizerAnswer, error)

// Authorize returns the Lambda authorizer, which decides on handshakes. It
// identifies a client by the first of these: a token in the subprotocol list
// ("bearer.<token>"), a token in the Authorization header (see [bearer.Token]), a
// ticket in the URL.
//
// A client without any of them becomes a new guest. So does a client whose token or
// ticket is refused: badges keep working, and the notice in hello says why. With
// ?auth=required in the URL, such a client and one whose session was revoked get 401
// instead; without it, [Connect] checks for revoked sessions.
//
// A token in the URL always gets 401, because URLs are logged. A page of a foreign
// origin and a client that bypasses the edge get 403.
func Authorize(h *hub.Hub, v Verifier, o AuthorizeOptions, log *slog.Logger) AuthorizeFunc {
	a := authorizer{h, v, o, log}
	return func(ctx context.Context, e authorizerEvent) (authorizerAnswer, error) {
		switch {
		case !throughEdge(e.MultiValueHeaders, o.EdgeSecrets):
			log.WarnContext(ctx, "handshake that bypasses the edge refused")
			return policyFor(e, "Deny", hub.Principal{User: "refused"}, "", ""), nil
		case tokenInURL(e.MultiValueQueryStringParameters):
			log.WarnContext(ctx, "token in the URL refused: send it in the subprotocol list or a header, or use a ticket")
			return authorizerAnswer{}, errUnauthorized
		case !originAllowed(e.MultiValueHeaders, o.Origins):
			log.WarnContext(ctx, "page of a foreign origin refused: AllowedOrigins (locally -allowed-origins) admits others",
				"origin", loggedOrigin(e.MultiValueHeaders), "allowed", describeOrigins(o.Origins))
			return policyFor(e, "Deny", hub.Principal{User: "refused"}, "", ""), nil
		}
		p, notice, err := a.principal(ctx, e)
		if err != nil {
			return authorizerAnswer{}, err
		}
		return policyFor(e, "Allow", p, notice, v.HashAddress(clientAddress(e, o.EdgeSecrets))), nil
	}
}

// authorizer identifies clients.
type authorizer struct {
	h   *hub.Hub
	v   Verifier
	o   AuthorizeOptions
	log *slog.Logger
}

// principal returns the principal of a handshake, which may be a new guest. notice
// says why a token or a ticket was refused.
func (a authorizer) principal(ctx context.Context, e authorizerEvent) (p hub.Principal, notice wire.Code, err error) {
	p, notice = a.identify(ctx, e)
	if e.QueryStringParameters["auth"] == "required" {
		if err := a.checkSession(ctx, p); err != nil {
			return hub.Principal{}, "", err
		}
	}
	if p.User != "" {
		return p, notice, nil
	}
	id, err := a.o.NewGuestID()
	if err != nil {
		a.log.ErrorContext(ctx, "no guest id", "error", err)
		return hub.Principal{}, "", err
	}
	return hub.Principal{User: hub.GuestUserPrefix + id, Role: hub.RoleGuest}, notice, nil
}

// checkSession refuses a client that was not identified, and a revoked session.
func (a authorizer) checkSession(ctx context.Context, p hub.Principal) error {
	if p.User == "" {
		return errUnauthorized
	}
	revoked, err := a.h.Revoked(ctx, p)
	if err != nil {
		a.log.ErrorContext(ctx, "check for a revoked session", "error", err)
		return err
	}
	if revoked {
		a.log.WarnContext(ctx, "token refused", "code", wire.CodeTokenExpired)
		return errUnauthorized
	}
	return nil
}

// identify returns the principal of the token or the ticket of a handshake. Without
// either it returns none; if it is refused, notice says why.
func (a authorizer) identify(ctx context.Context, e authorizerEvent) (p hub.Principal, notice wire.Code) {
	switch token, err := handshakeToken(e.MultiValueHeaders); {
	case err != nil:
		a.log.WarnContext(ctx, "token refused", "code", wire.CodeTokenBad, "error", err)
		return hub.Principal{}, wire.CodeTokenBad
	case token != "":
		return a.verify(ctx, token)
	}
	if ticket, ok := e.QueryStringParameters["ticket"]; ok {
		return a.redeem(ctx, ticket)
	}
	return hub.Principal{}, ""
}

func (a authorizer) verify(ctx context.Context, token string) (p hub.Principal, notice wire.Code) {
	p, err := a.v.Verify(ctx, token)
	if err != nil {
		notice = tokenCode(err)
		a.log.WarnContext(ctx, "token refused", "code", notice, "error", err)
		return p, notice
	}
	if !p.Role.Known() {
		return hub.Principal{}, wire.CodeTokenBad
	}
	return p, ""
}

func (a authorizer) redeem(ctx context.Context, ticket string) (p hub.Principal, notice wire.Code) {
	err := hub.ErrGone
	if ticketForm.MatchString(ticket) {
		p, err = a.h.RedeemTicket(ctx, ticket)
	}
	switch {
	case errors.Is(err, hub.ErrGone):
		notice = wire.CodeTokenBad
		a.log.WarnContext(ctx, "ticket refused", "code", notice)
	case err != nil:
		notice = wire.CodeBusy
		a.log.ErrorContext(ctx, "ticket", "error", err)
	}
	return p, notice
}

// tokenNames lists names of parameters that people use for tokens, in lower case and
// without - and _.
var tokenNames = []string{
	"token", "accesstoken", "idtoken", "refreshtoken", "jwt", "authorization", "bearer",
}

// tokenForm finds a token in a text: by the "bearer" that introduces one in a header
// or in the subprotocol list, or by the compact form of a JWS or a JWE (RFC 7515,
// section 7.1; RFC 7516, section 7.1), which guest tokens contain too. Its header is
// a JSON object, so it begins with the base64 of {" or of { and white space.
var tokenForm = regexp.MustCompile(`(?i:^bearer[ .%+])|(ey[AJ]|ew[0ko])[\w-]+\.[\w-]*\.[\w-]*`)

// tokenInURL reports whether a parameter has the name of a token, or a token in its
// name or its value.
func tokenInURL(query map[string][]string) bool {
	plain := strings.NewReplacer("-", "", "_", "")
	for name, values := range query {
		named := slices.Contains(tokenNames, plain.Replace(strings.ToLower(name)))
		if named || tokenForm.MatchString(name) || slices.ContainsFunc(values, tokenForm.MatchString) {
			return true
		}
	}
	return false
}

// policyFor allows or denies one handshake. The context carries the principal to
// later events, see connectionOf.
func policyFor(e authorizerEvent, effect string, p hub.Principal, notice wire.Code, address string) authorizerAnswer {
	values := map[string]any{}
	if p.Role != "" {
		values[contextRole] = string(p.Role)
	}
	if p.Vendor != "" {
		values[contextVendor] = url.PathEscape(p.Vendor)
	}
	if !p.Expires.IsZero() {
		values[contextExpires] = strconv.FormatInt(p.Expires.UnixMilli(), 10)
	}
	if !p.Issued.IsZero() {
		values[contextIssued] = strconv.FormatInt(p.Issued.UnixMilli(), 10)
	}
	if address != "" {
		values[contextAddress] = address
	}
	if notice != "" {
		values[contextNotice] = string(notice)
	}
	return authorizerAnswer{
		PrincipalID: p.User,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{e.MethodArn},
			}},
		},
		Context: values,
	}
}

// handshakeToken returns the token of a handshake: from the subprotocol list, else
// from the Authorization header. Without either it is "".
func handshakeToken(headers map[string][]string) (string, error) {
	for _, p := range subprotocols(headers) {
		if n := len(bearerProtocol); len(p) > n && strings.EqualFold(p[:n], bearerProtocol) {
			return p[n:], nil
		}
	}
	return bearer.Token(headerValues(headers, "Authorization")...)
}

// TokenRefusal returns the code and the text for an HTTP client whose token was
// refused by a [Verifier].
func TokenRefusal(err error) (wire.Code, string) {
	code := tokenCode(err)
	if code == wire.CodeBusy {
		return code, "the token cannot be checked now"
	}
	return code, "send a valid token in the header Authorization: Bearer <token>"
}

// tokenCode returns the code for a client whose token was refused. An error without
// a code counts as an invalid token.
func tokenCode(err error) wire.Code {
	var failure *hub.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return wire.CodeTokenBad
}
