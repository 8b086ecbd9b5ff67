package gatewaytest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Assumptions overrides behaviour that AWS does not document. Zero fields select
// what docs/gateway.md assumes. Any other value is behaviour that the service may
// have as well, so handlers and clients can be tested against both. The comment
// of each field names the statements that it changes.
type Assumptions struct {
	// UnknownPathStatus refuses a handshake at a path of no stage, at the default
	// host when that is switched off, and at a base path of no mapping (G-URL-4
	// -8 G-DOMAIN-5). Default 403; else 400 to 599, and 404 is likely.
	UnknownPathStatus int

	// PlainGETStatus answers a GET of the stage that asks for no WebSocket
	// (G-URL-11). Default 426; else 400 to 599, and 403 is likely.
	PlainGETStatus int

	// MalformedAnswerStatus refuses a handshake whose $connect gave an answer that
	// cannot be read (G-HANDSHAKE-6). The access log tells it of messages too.
	// Default 502; else 400 to 599, and 500 is likely.
	MalformedAnswerStatus int

	// TimeoutStatus refuses a handshake whose $connect took too long
	// (G-HANDSHAKE-7). The access log tells it of messages too. Default 504; else
	// 400 to 599, and 500 or 502 is likely.
	TimeoutStatus int

	// NoFunctionStatus refuses a handshake whose function does not exist or may not
	// be invoked (G-HANDSHAKE-8). The access log tells it of messages too. Default
	// 500; else 400 to 599, and 502 is likely.
	NoFunctionStatus int

	// ExactProtocolHeader takes the subprotocol from the answer's headers only, and
	// only under the name Sec-WebSocket-Protocol in this letter case
	// (G-HANDSHAKE-12). By default any letter case and multiValueHeaders do.
	ExactProtocolHeader bool

	// RefuseWithMessage makes the body of a refused handshake {"message":"…"},
	// as REST APIs have it (G-HANDSHAKE-19). By default it is that of an error
	// frame, with ids.
	RefuseWithMessage bool

	// RefuseWithoutType leaves x-amzn-ErrorType out of a refused handshake
	// (G-HANDSHAKE-19).
	RefuseWithoutType bool

	// DisconnectAfterRefusal runs $disconnect, with 1006, for a connection that
	// $connect refused or failed on (G-HANDSHAKE-20). By default it does not run.
	DisconnectAfterRefusal bool

	// DefaultStandsIn gives a handshake or the end of a connection to $default
	// when there is nothing behind $connect or $disconnect (G-HANDSHAKE-2
	// G-DISC-6). By default nobody is asked.
	DefaultStandsIn bool

	// ExactIdentityHeaders makes the letter case of an identity source's header
	// count (G-AUTH-5). By default it does not.
	ExactIdentityHeaders bool

	// NoPrincipalForbidden refuses with 403, as if the policy denied, when an
	// authorizer returns no principalId (G-AUTH-16). By default that is 500.
	NoPrincipalForbidden bool

	// TypedContext leaves the numbers and booleans of an authorizer's context what
	// they are in events (G-AUTH-19). By default they become strings.
	TypedContext bool

	// PolicyPerMessage holds the policy of the authorizer, or with IAM that of the
	// credential, against the route of each message; what it does not allow is
	// answered "Forbidden" (G-AUTH-23). By default it counts for $connect only.
	PolicyPerMessage bool

	// StageVariablesOnConnect leaves stageVariables out of MESSAGE and DISCONNECT
	// events (G-EVENT-1). By default all events have them.
	StageVariablesOnConnect bool

	// FirstValueCounts takes the first value of a header or query key that came
	// several times (G-EVENT-9). By default the last counts.
	FirstValueCounts bool

	// ReservedKeysMatch lets a message choose the routes $connect and $disconnect,
	// whose functions then get a MESSAGE event (G-ROUTE-11). By default such a
	// message goes to $default.
	ReservedKeysMatch bool

	// UnboundRouteText is the error frame's text for a route with nothing behind
	// it (G-ROUTE-13). Default "Internal server error"; "Forbidden" is likely.
	UnboundRouteText string

	// NullAnswerPasses takes the answer null as {"statusCode":200} (G-RESP-7). By
	// default it is an error.
	NullAnswerPasses bool

	// NoStatusPasses takes an answer without statusCode as one with 200 (G-RESP-7
	// G-HANDSHAKE-6). By default it is an error.
	NoStatusPasses bool

	// StringStatusFails makes a statusCode that is a string, "200", an error
	// (G-RESP-7). By default it is taken, as REST APIs do.
	StringStatusFails bool

	// EmptyBodySilent sends nothing for an empty body (G-RESP-8). By default the
	// client gets an empty message.
	EmptyBodySilent bool

	// Base64BodyUndecoded sends a body as it is, whatever isBase64Encoded says
	// (G-RESP-9). By default it is decoded.
	Base64BodyUndecoded bool

	// MaxAnswerBytes is the longest body of a two-way route that the client gets;
	// a longer one is answered "Internal server error" (G-LIMIT-1). Default
	// 131072; at most 10 MiB.
	MaxAnswerBytes int

	// ThrottledText is the error frame's text for a throttled message (G-ERR-7).
	// Default "Too Many Requests"; "Limit Exceeded" is likely.
	ThrottledText string

	// ThrottledCloses closes with 1008 at the first throttled message, without an
	// error frame (G-ERR-7). By default the connection stays open, for a while.
	ThrottledCloses bool

	// NonJSONValid lets a message that is not JSON pass its route's model
	// (G-VALID-5). By default validation fails.
	NonJSONValid bool

	// CompressedCounts holds the limits of frames and messages against what came,
	// compressed; inflated, a message may then have 10 MiB, our own bound
	// (G-LIMIT-3). By default what was inflated counts.
	CompressedCounts bool

	// PingsKeepAlive makes a client's ping end idleness as a message does
	// (G-LIMIT-6). By default it does not.
	PingsKeepAlive bool

	// SentFrameBytes is the longest payload of a frame to the client; longer
	// messages go out in fragments (G-FRAME-8). Default 32768; at most 10 MiB,
	// with which every message is one frame.
	SentFrameBytes int

	// PostsUnchanged sends posted data that is not UTF-8 as it is, and clients
	// fail the connection with 1007 (G-FRAME-5 G-MGMT-17). By default what is not
	// UTF-8 is replaced.
	PostsUnchanged bool

	// SerialMessages makes the messages of one connection wait for each other
	// (G-ORDER-2). By default they run side by side.
	SerialMessages bool

	// DeleteWithoutCode sends a close frame without code and reason after a DELETE
	// (G-CLOSE-4). By default it says what the event does: 1000 "Connection Closed
	// Normally".
	DeleteWithoutCode bool

	// CloseReasons are the reasons of the closes that are the gateway's own, by
	// code: 1001 (that of age only), 1002, 1003, 1006, 1007, 1008, 1009, 1011 and
	// 1012 (G-CLOSE-3 -6 -7 -8 -9 -10 G-FRAME-7). At most 123 bytes each. A code
	// that is not there has its default: none, but for 1001 and 1006.
	CloseReasons map[int]string

	// DisconnectTwice gives $disconnect each event a second time (G-DISC-8). By
	// default it runs once.
	DisconnectTwice bool

	// UnsignedForbidden answers a request without a signature as one for a wrong
	// path, with ForbiddenException (G-MGMT-12). By default it is
	// MissingAuthenticationTokenException, with 403 as well.
	UnsignedForbidden bool

	// EmptyPostStatus answers a POST without data (G-MGMT-18). Default 200, and
	// the client gets an empty message; else 400 to 599, and 400 is likely.
	EmptyPostStatus int

	// LastActiveFromClient moves lastActiveAt with messages from the client only
	// (G-MGMT-21). By default those to the client move it too.
	LastActiveFromClient bool
}

// withDefaults returns a copy with every default filled in.
func (a Assumptions) withDefaults() Assumptions {
	for field, value := range map[*int]int{
		&a.UnknownPathStatus:     http.StatusForbidden,
		&a.PlainGETStatus:        http.StatusUpgradeRequired,
		&a.MalformedAnswerStatus: http.StatusBadGateway,
		&a.TimeoutStatus:         http.StatusGatewayTimeout,
		&a.NoFunctionStatus:      http.StatusInternalServerError,
		&a.EmptyPostStatus:       http.StatusOK,
		&a.MaxAnswerBytes:        maxMessageBytes,
		&a.SentFrameBytes:        maxFrameBytes,
	} {
		if *field == 0 {
			*field = value
		}
	}
	for field, value := range map[*string]string{&a.UnboundRouteText: textInternal, &a.ThrottledText: textTooMany} {
		if *field == "" {
			*field = value
		}
	}
	reasons := map[int]string{ws.CloseGoingAway: reasonGoingAway, ws.CloseAbnormal: reasonAbnormal}
	maps.Copy(reasons, a.CloseReasons)
	a.CloseReasons = reasons
	return a
}

// ownCodes are the close codes that a gateway ends connections with and whose
// reason is not known.
var gatewayCodes = []int{ws.CloseGoingAway, ws.CloseProtocol, ws.CloseUnsupported, ws.CloseAbnormal, ws.CloseInvalidData,
	ws.ClosePolicy, ws.CloseTooBig, ws.CloseInternal, ws.CloseRestart}

// check names every field with a value that no service could have.
func (a Assumptions) check() error {
	var errs []error
	bad := func(field string, format string, args ...any) {
		errs = append(errs, fieldError("Assumptions."+field, fmt.Errorf(format, args...)))
	}
	for field, status := range map[string]int{
		"UnknownPathStatus": a.UnknownPathStatus, "PlainGETStatus": a.PlainGETStatus, "TimeoutStatus": a.TimeoutStatus,
		"MalformedAnswerStatus": a.MalformedAnswerStatus, "NoFunctionStatus": a.NoFunctionStatus,
		"EmptyPostStatus": a.EmptyPostStatus,
	} {
		if (status < 400 || status > 599) && (field != "EmptyPostStatus" || status != http.StatusOK) {
			bad(field, "%d: must be from 400 to 599", status)
		}
	}
	for field, size := range map[string]int{"MaxAnswerBytes": a.MaxAnswerBytes, "SentFrameBytes": a.SentFrameBytes} {
		if size < 1 || size > maxPayloadBytes {
			bad(field, "%d: must be from 1 to %d", size, maxPayloadBytes)
		}
	}
	for field, text := range map[string]string{"UnboundRouteText": a.UnboundRouteText, "ThrottledText": a.ThrottledText} {
		if encoded, err := plainjson.Encode(text); err != nil || string(encoded) != `"`+text+`"` {
			bad(field, "%q: has a character that JSON escapes", text)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(a.CloseReasons)) {
		reason, field := a.CloseReasons[code], fmt.Sprintf("CloseReasons[%d]", code)
		switch {
		case !slices.Contains(gatewayCodes, code):
			bad(field, "must be one of %v", gatewayCodes)
		case len(reason) > ws.MaxControlPayload-2:
			bad(field, "%d bytes, at most %d", len(reason), ws.MaxControlPayload-2)
		case !utf8.ValidString(reason):
			bad(field, "%q: not UTF-8", reason)
		}
	}
	return errors.Join(errs...)
}

// reason is the reason text of a close that is the gateway's own.
func (g *Gateway) reason(code int) string { return g.api.Assumptions.CloseReasons[code] }
