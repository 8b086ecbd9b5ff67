package handler

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Refusal is the reason why a handshake was refused, or why it was accepted as a
// guest's although it had a token or a ticket. Metrics have it as a dimension, so
// there are no others than [Refusals].
type Refusal string

// The reasons of the authorizer. The last four may make a guest.
const (
	RefusedEdge      Refusal = "edge"         // it bypassed the edge
	RefusedOrigin    Refusal = "origin"       // a page of a foreign origin
	RefusedURLToken  Refusal = "token_in_url" // URLs are logged
	RefusedNoToken   Refusal = "no_token"     // it requires a session, and has neither a token nor a ticket
	RefusedRevoked   Refusal = "revoked"      // it requires a session, and that was revoked
	RefusedToken     Refusal = "token_bad"
	RefusedExpired   Refusal = "token_expired"
	RefusedTicket    Refusal = "ticket"    // used, expired or invented
	RefusedUnchecked Refusal = "unchecked" // the issuer's keys or the tickets cannot be read
)

// The reasons of $connect.
const (
	RefusedSubprotocol Refusal = "subprotocol" // it offers subprotocols, but not ours
	RefusedVersion     Refusal = "version"     // it names two versions, or one that does not exist
	RefusedConnections Refusal = "connections" // the limits of its user or of new guests at its address
	RefusedInternal    Refusal = "internal"    // also of the authorizer: a failure of ours
)

// Refusals lists all reasons.
var Refusals = []Refusal{
	RefusedEdge, RefusedOrigin, RefusedURLToken, RefusedNoToken, RefusedRevoked, RefusedToken, RefusedExpired,
	RefusedTicket, RefusedUnchecked, RefusedSubprotocol, RefusedVersion, RefusedConnections, RefusedInternal,
}

// Refused is called for a refusal, with the context of its invocation.
type Refused func(context.Context, Refusal)

// count calls a Refused that may be nil.
func (r Refused) count(ctx context.Context, reason Refusal) {
	if r != nil {
		r(ctx, reason)
	}
}

// errNoToken is logged for a handshake that requires a session and has none.
var errNoToken = errors.New("neither a token nor a ticket")

// errRevoked is logged for a handshake that requires a session that was revoked.
var errRevoked = errors.New("the session was revoked")

// rejection is what became of a token or a ticket that does not count.
type rejection struct {
	reason Refusal // "": it counts, or there is none
	notice wire.Code
	err    error
}

// tokenRejection returns the rejection of a token that a [Verifier] refused.
func tokenRejection(err error) rejection {
	r := rejection{RefusedToken, tokenCode(err), err}
	switch r.notice {
	case wire.CodeTokenExpired:
		r.reason = RefusedExpired
	case wire.CodeBusy:
		r.reason = RefusedUnchecked
	}
	return r
}

// ticketRejection returns the rejection of a ticket.
func ticketRejection(err error) rejection {
	if errors.Is(err, hub.ErrGone) {
		return rejection{RefusedTicket, wire.CodeTokenBad, err}
	}
	return rejection{RefusedUnchecked, wire.CodeBusy, err}
}

// authorizerEvent is the event of the authorizer of a WebSocket API. Package events
// leaves out the id of the connection.
type authorizerEvent struct {
	events.APIGatewayCustomAuthorizerRequestTypeRequest
	RequestContext authorizerContext `json:"requestContext"`
}

type authorizerContext struct {
	events.APIGatewayCustomAuthorizerRequestTypeRequestContext
	ConnectionID string `json:"connectionId"`
}
