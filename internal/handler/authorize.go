package handler

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Verifier checks tokens, and signs those of guests. *auth.Verifier is one.
type Verifier interface {
	// Verify returns the principal of a token. Its errors have a *hub.Error with
	// the code token_expired, token_bad or busy; any other counts as token_bad.
	Verify(ctx context.Context, token string) (hub.Principal, error)
	SignGuest(id string) (token string, expires time.Time, err error)
	AddressID(address string) string
}

// bearerProtocol starts the entry of the subprotocol list that carries a token:
// browsers can set no header on a WebSocket.
const bearerProtocol = "bearer."

// errUnauthorized has the text that API Gateway answers with 401 (G-AUTH-14).
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // the service wants it capitalised

// AuthorizeOptions are the settings of Authorize.
type AuthorizeOptions struct {
	Origins     []string               // of pages that may connect, see originAllowed
	EdgeSecrets []string               // one of which a handshake has to have; none: it may come from anywhere
	NewGuestID  func() (string, error) // at least 128 random bits
}

type (
	authorizerEvent  = events.APIGatewayCustomAuthorizerRequestTypeRequest
	authorizerAnswer = events.APIGatewayCustomAuthorizerResponse
)

// Authorize decides on a handshake. Who calls is told, in this order, by a token as
// "bearer.<token>" in the subprotocol list, a token in the Authorization header, or
// a ticket in the URL. Without any the caller is a new guest; with a bad one too,
// and hello tells why, so that stock badges go on; but with ?auth=required in the
// URL it is refused with 401, as is an authority that was taken back; otherwise
// [Connect] judges that. A token in the URL is always refused with 401: URLs
// are logged. A page of a foreign origin is refused with 403, as is who passed by
// the edge.
func Authorize(h *hub.Hub, v Verifier, o AuthorizeOptions, log *slog.Logger) func(context.Context, authorizerEvent) (authorizerAnswer, error) {
	return func(ctx context.Context, e authorizerEvent) (authorizerAnswer, error) {
		switch {
		case !throughEdge(e.MultiValueHeaders, o.EdgeSecrets):
			log.WarnContext(ctx, "handshake past the edge refused")
			return answer(e, "Deny", hub.Principal{User: "refused"}, "", ""), nil
		case tokenInURL(e.MultiValueQueryStringParameters):
			log.WarnContext(ctx, "token in the URL refused: it belongs into the subprotocol list, a header, or a ticket")
			return authorizerAnswer{}, errUnauthorized
		case !originAllowed(e.MultiValueHeaders, o.Origins):
			log.WarnContext(ctx, "page of a foreign origin refused")
			return answer(e, "Deny", hub.Principal{User: "refused"}, "", ""), nil
		}
		p, notice := identify(ctx, h, v, e, log)
		if e.QueryStringParameters["auth"] == "required" {
			if err := required(ctx, h, p, log); err != nil {
				return authorizerAnswer{}, err
			}
		}
		if p.User == "" {
			id, err := o.NewGuestID()
			if err != nil {
				log.ErrorContext(ctx, "no guest id", "error", err)
				return authorizerAnswer{}, err
			}
			p = hub.Principal{User: hub.GuestUserPrefix + id, Role: hub.RoleGuest}
		}
		return answer(e, "Allow", p, notice, v.AddressID(clientAddress(e, o.EdgeSecrets))), nil
	}
}

// required refuses who is nobody, or whose authority was taken back.
func required(ctx context.Context, h *hub.Hub, p hub.Principal, log *slog.Logger) error {
	if p.User == "" {
		return errUnauthorized
	}
	revoked, err := h.Revoked(ctx, p)
	if err != nil {
		log.ErrorContext(ctx, "authority", "error", err)
		return err
	}
	if revoked {
		log.WarnContext(ctx, "token not taken", "code", wire.CodeTokenExpired)
		return errUnauthorized
	}
	return nil
}

// identify finds out who calls: nobody if there is no token and no ticket, or if
// it is not taken, which notice tells.
func identify(ctx context.Context, h *hub.Hub, v Verifier, e authorizerEvent, log *slog.Logger) (p hub.Principal, notice wire.Code) {
	if token := bearer(e.Headers, e.MultiValueHeaders); token != "" {
		p, err := v.Verify(ctx, token)
		if err != nil {
			notice = tokenCode(err)
			log.WarnContext(ctx, "token not taken", "code", notice, "error", err)
		}
		if err == nil && !p.Role.Known() { // the table of authority has no such role
			return hub.Principal{}, wire.CodeTokenBad
		}
		return p, notice
	}
	ticket, ok := e.QueryStringParameters["ticket"]
	if !ok {
		return hub.Principal{}, ""
	}
	err := hub.ErrGone
	if ticketForm.MatchString(ticket) {
		p, err = h.RedeemTicket(ctx, ticket)
	}
	switch {
	case errors.Is(err, hub.ErrGone):
		notice = wire.CodeTokenBad
		log.WarnContext(ctx, "ticket not taken", "code", notice)
	case err != nil:
		notice = wire.CodeBusy
		log.ErrorContext(ctx, "ticket", "error", err)
	}
	return p, notice
}

// tokenNames are parameters that people put tokens into, in small letters and
// without - and _.
var tokenNames = []string{"token", "accesstoken", "idtoken", "refreshtoken", "jwt", "authorization", "bearer"}

// tokenForm finds a token inside a text: what a header or the subprotocol list
// begins it with, or the compact form of a JWS or a JWE (RFC 7515, section 7.1; RFC
// 7516, section 7.1), as which our guests' tokens end too. Its header is a JSON
// object, so it begins with the base64 of {" or of { and white space.
var tokenForm = regexp.MustCompile(`(?i:^bearer[ .%+])|(ey[AJ]|ew[0ko])[\w-]+\.[\w-]*\.[\w-]*`)

// tokenInURL reports whether a parameter is called like a token, or has one in its
// name or its value.
func tokenInURL(query map[string][]string) bool {
	plain := strings.NewReplacer("-", "", "_", "")
	for name, values := range query {
		if slices.Contains(tokenNames, plain.Replace(strings.ToLower(name))) || tokenForm.MatchString(name) || slices.ContainsFunc(values, tokenForm.MatchString) {
			return true
		}
	}
	return false
}

// answer allows or denies this very handshake.
func answer(e authorizerEvent, effect string, p hub.Principal, notice wire.Code, address string) authorizerAnswer {
	known := map[string]any{}
	if p.Role != "" {
		known[contextRole] = string(p.Role)
	}
	if p.Vendor != "" {
		known[contextVendor] = p.Vendor
	}
	if !p.Expires.IsZero() {
		known[contextExpires] = strconv.FormatInt(p.Expires.UnixMilli(), 10)
	}
	if !p.Issued.IsZero() {
		known[contextIssued] = strconv.FormatInt(p.Issued.UnixMilli(), 10)
	}
	if address != "" {
		known[contextAddress] = address
	}
	if notice != "" {
		known[contextNotice] = string(notice)
	}
	return authorizerAnswer{
		PrincipalID: p.User,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{e.MethodArn},
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
	return authorization(headers)
}

// authorization is the token of an Authorization header (RFC 6750, section 2.1).
func authorization(headers map[string]string) string {
	scheme, token, _ := strings.Cut(header(headers, "Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
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
