package handler

import (
	"context"
	"errors"
	"fmt"
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

	// OnRefused is called for each handshake that is refused, and OnDowngraded for
	// each that is accepted as a guest's because its token or ticket does not count.
	// Both may be nil.
	OnRefused, OnDowngraded Refused
}

type authorizerAnswer = events.APIGatewayCustomAuthorizerResponse

// AuthorizeFunc is the handler of the authorizer of $connect.
type AuthorizeFunc func(context.Context, authorizerEvent) (authorizerAnswer, error)

// Authorize returns the Lambda authorizer, which decides on handshakes. It
// identifies a client by the first of these: a token in the subprotocol list
// ("bearer.<token>"), a token in the Authorization header (see [bearer.Token]), a
// ticket in the URL.
//
// A client without any of them becomes a new guest. So does a client whose token or
// ticket is refused: badges keep working, and the notice in hello says why. With
// ?auth=required in the URL, such a client and one whose session was revoked are
// refused instead; without it, [Connect] checks for revoked sessions.
//
// A client that bypasses the edge, a token in the URL, because URLs are logged, and a
// page of a foreign origin are always refused. A refusal is a policy that denies the
// handshake, which API Gateway answers with 403 (G-AUTH-13). The error of the handler
// is for failures alone, so that they can be counted.
func Authorize(h *hub.Hub, v Verifier, o AuthorizeOptions, log *slog.Logger) AuthorizeFunc {
	return func(ctx context.Context, e authorizerEvent) (authorizerAnswer, error) {
		client, throughEdge := EdgeClient(e.RequestContext.Identity.SourceIP, e.MultiValueHeaders, o.EdgeSecrets)
		address := v.HashAddress(client)
		log := logHandshake(log, e.RequestContext.ConnectionID, e.RequestContext.RequestID, address)
		refuse := func(reason Refusal) (authorizerAnswer, error) {
			o.OnRefused.count(ctx, reason)
			return policyFor(e, "Deny", hub.Principal{User: "refused"}, "", ""), nil
		}
		switch {
		case !throughEdge:
			log.WarnContext(ctx, "handshake refused: it bypasses the edge", "reason", RefusedEdge)
			return refuse(RefusedEdge)
		case TokenInURL(e.MultiValueQueryStringParameters):
			log.WarnContext(ctx, "token in the URL refused: send it in the subprotocol list or a header, or use a ticket",
				"reason", RefusedURLToken)
			return refuse(RefusedURLToken)
		case !originAllowed(e.MultiValueHeaders, o.Origins):
			log.WarnContext(ctx, "page of a foreign origin refused: AllowedOrigins (locally -allowed-origins) admits others",
				"reason", RefusedOrigin, "origin", loggedOrigin(e.MultiValueHeaders), "allowed", describeOrigins(o.Origins))
			return refuse(RefusedOrigin)
		}
		a := authorizer{h, v, o}
		p, rejected, err := a.principal(ctx, e)
		if err != nil {
			log.ErrorContext(ctx, "authorize", "reason", RefusedInternal, "error", err)
			o.OnRefused.count(ctx, RefusedInternal)
			return authorizerAnswer{}, err
		}
		switch {
		case p.User == "":
			log.WarnContext(ctx, "handshake refused: it requires a session", "reason", rejected.reason,
				"error", rejected.err)
			return refuse(rejected.reason)
		case rejected.reason != "":
			log.WarnContext(ctx, "token or ticket refused: accepted as a guest", "reason", rejected.reason,
				"error", rejected.err)
			o.OnDowngraded.count(ctx, rejected.reason)
		}
		return policyFor(e, "Allow", p, rejected.notice, address), nil
	}
}

// authorizer identifies clients.
type authorizer struct {
	h *hub.Hub
	v Verifier
	o AuthorizeOptions
}

// principal returns the principal of a handshake, which may be a new guest, and what
// became of its token or its ticket. Without a principal, the handshake requires a
// session, and the rejection says why it has none.
func (a authorizer) principal(ctx context.Context, e authorizerEvent) (hub.Principal, rejection, error) {
	p, rejected := a.identify(ctx, e)
	if e.QueryStringParameters["auth"] == "required" {
		return a.checkSession(ctx, p, rejected)
	}
	if p.User != "" {
		return p, rejected, nil
	}
	id, err := a.o.NewGuestID()
	if err != nil {
		return hub.Principal{}, rejection{}, fmt.Errorf("new guest: %w", err)
	}
	return hub.Principal{User: hub.GuestUserPrefix + id, Role: hub.RoleGuest}, rejected, nil
}

// checkSession rejects a client that was not identified, and a revoked session.
func (a authorizer) checkSession(
	ctx context.Context, p hub.Principal, rejected rejection,
) (hub.Principal, rejection, error) {
	switch {
	case rejected.reason != "":
		return hub.Principal{}, rejected, nil
	case p.User == "":
		return hub.Principal{}, rejection{reason: RefusedNoToken, err: errNoToken}, nil
	}
	revoked, err := a.h.Revoked(ctx, p)
	if err != nil {
		return hub.Principal{}, rejection{}, fmt.Errorf("check for a revoked session: %w", err)
	}
	if revoked {
		return hub.Principal{}, rejection{reason: RefusedRevoked, err: errRevoked}, nil
	}
	return p, rejection{}, nil
}

// identify returns the principal of the token or the ticket of a handshake. Without
// either it returns none.
func (a authorizer) identify(ctx context.Context, e authorizerEvent) (hub.Principal, rejection) {
	switch token, err := handshakeToken(e.MultiValueHeaders); {
	case err != nil:
		return hub.Principal{}, rejection{RefusedToken, wire.CodeTokenBad, err}
	case token != "":
		return a.verify(ctx, token)
	}
	if ticket, ok := e.QueryStringParameters["ticket"]; ok {
		return a.redeem(ctx, ticket)
	}
	return hub.Principal{}, rejection{}
}

func (a authorizer) verify(ctx context.Context, token string) (hub.Principal, rejection) {
	p, err := a.v.Verify(ctx, token)
	if err == nil && !p.Role.Known() {
		err = errors.New("its role is unknown")
	}
	if err != nil {
		return hub.Principal{}, tokenRejection(err)
	}
	return p, rejection{}
}

// ticketForm matches what crypto/rand.Text returns, in this and in later versions of
// Go. Any other text is refused without a look into the store.
var ticketForm = regexp.MustCompile(`^[A-Z2-7]{26,64}$`)

func (a authorizer) redeem(ctx context.Context, ticket string) (p hub.Principal, rejected rejection) {
	err := hub.ErrGone
	if ticketForm.MatchString(ticket) {
		p, err = a.h.RedeemTicket(ctx, ticket)
	}
	if err != nil {
		return hub.Principal{}, ticketRejection(err)
	}
	return p, rejection{}
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

// TokenInURL reports whether a parameter of a query has the name of a token, or a token in its
// name or its value.
func TokenInURL(query map[string][]string) bool {
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
