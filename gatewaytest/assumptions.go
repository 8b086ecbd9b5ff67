package gatewaytest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Assumptions overrides behaviour that AWS does not document. Zero fields
// select what docs/gateway.md assumes. Any other value is behaviour that the
// service may have as well, so handlers and clients can be tested against both.
// The comment of each field names the statements that it changes.
type Assumptions struct {
	// UnknownPathStatus is the status of a handshake at a path without a stage,
	// at the default host when that is disabled, and at a base path without a
	// mapping (G-URL-4 -8 G-DOMAIN-5). Default 403. It may be 400 to 599; 404
	// is likely.
	UnknownPathStatus int

	// PlainGETStatus is the status of a GET of the stage that does not ask for
	// a WebSocket (G-URL-11). Default 426. It may be 400 to 599; 403 is likely.
	PlainGETStatus int

	// PlainGETAnywhere answers a GET that does not ask for a WebSocket with
	// PlainGETStatus at unknown paths too (G-URL-12). By default it gets 403 there.
	PlainGETAnywhere bool

	// MalformedResponseStatus is the status of a handshake whose $connect
	// returned a malformed response (G-HANDSHAKE-6), and of such messages in
	// the access log. Default 502. It may be 400 to 599; 500 is likely.
	MalformedResponseStatus int

	// TimeoutStatus is the status of a handshake whose $connect exceeded its
	// timeout (G-HANDSHAKE-7), and of such messages in the access log. Default
	// 504. It may be 400 to 599; 500 or 502 is likely.
	TimeoutStatus int

	// NoFunctionStatus is the status of a handshake whose function does not
	// exist or may not be invoked (G-HANDSHAKE-8), and of such messages in the
	// access log. Default 500. It may be 400 to 599; 502 is likely.
	NoFunctionStatus int

	// ExactProtocolHeader reads the subprotocol only from the header
	// Sec-WebSocket-Protocol in this letter case (G-HANDSHAKE-12). By default
	// any letter case works, and multiValueHeaders too.
	ExactProtocolHeader bool

	// RefuseWithMessage makes the body of a refused handshake {"message":"…"},
	// as in REST APIs (G-HANDSHAKE-19). By default it is that of an error
	// frame, with ids.
	RefuseWithMessage bool

	// RefuseWithoutType omits x-amzn-ErrorType from a refused handshake
	// (G-HANDSHAKE-19).
	RefuseWithoutType bool

	// DisconnectAfterRefusal runs $disconnect, with 1006, for a connection that
	// $connect refused or failed on (G-HANDSHAKE-20). By default it does not
	// run.
	DisconnectAfterRefusal bool

	// DefaultStandsIn invokes $default for a handshake or the end of a
	// connection if $connect or $disconnect has no integration (G-HANDSHAKE-2
	// G-DISC-6). By default nothing is invoked.
	DefaultStandsIn bool

	// ExactIdentityHeaders compares the header of an identity source with its
	// letter case (G-AUTH-5). By default the letter case is ignored.
	ExactIdentityHeaders bool

	// NoPrincipalForbidden refuses a handshake with 403 if the authorizer
	// returns no principalId (G-AUTH-16). By default the status is 500.
	NoPrincipalForbidden bool

	// TypedContext keeps numbers and booleans of an authorizer's context in
	// events (G-AUTH-19). By default they become strings.
	TypedContext bool

	// PolicyPerMessage checks the route of each message against the policy of
	// the authorizer, or with IAM of the credential. A message that the policy
	// does not allow is answered "Forbidden" (G-AUTH-23). By default only
	// $connect is checked.
	PolicyPerMessage bool

	// PresignedNeedsExpiry refuses a presigned request without X-Amz-Expires
	// (G-AUTH-24). By default it is valid for 5 minutes.
	PresignedNeedsExpiry bool

	// StageVariablesOnConnect omits stageVariables from MESSAGE and DISCONNECT
	// events (G-EVENT-1). By default all events have them.
	StageVariablesOnConnect bool

	// FirstValueCounts uses the first value of a repeated header or query key
	// (G-EVENT-9). By default the last counts.
	FirstValueCounts bool

	// EmptyMessageBody puts an empty body into the event of an empty message
	// (G-EVENT-19). By default the event has no body.
	EmptyMessageBody bool

	// ReservedKeysMatch lets a message choose the routes $connect and
	// $disconnect, whose functions then get a MESSAGE event (G-ROUTE-11). By
	// default such a message goes to $default.
	ReservedKeysMatch bool

	// UnboundRouteText is the text of the error frame for a route without an
	// integration (G-ROUTE-13). Default "Internal server error"; "Forbidden" is
	// likely.
	UnboundRouteText string

	// NullResponsePasses reads the response null as {"statusCode":200}
	// (G-RESP-7). By default it is an error.
	NullResponsePasses bool

	// NoStatusPasses reads a response without statusCode as one with 200
	// (G-RESP-7 G-HANDSHAKE-6). By default it is an error.
	NoStatusPasses bool

	// StringStatusFails makes a statusCode that is a string, such as "200", an
	// error (G-RESP-7). By default it is accepted, as in REST APIs.
	StringStatusFails bool

	// EmptyBodySilent sends nothing for an empty body (G-RESP-8). By default
	// the client gets an empty message.
	EmptyBodySilent bool

	// Base64BodyUndecoded ignores isBase64Encoded and sends the body unchanged
	// (G-RESP-9). By default it is decoded.
	Base64BodyUndecoded bool

	// MaxResponseBytes is the longest response of a two-way route that the client
	// gets. A longer one is answered "Internal server error" (G-LIMIT-1).
	// Default 131072; at most 10 MiB.
	MaxResponseBytes int

	// NoTemplateFails reads the message itself as the request of a MOCK
	// integration without request templates, so that one without statusCode is
	// an error (G-INTEG-9). By default such a mock responds with 200.
	NoTemplateFails bool

	// NoResponsesFail makes it an error if the non-proxy integration of a
	// two-way route has no integration responses (G-INTEG-7). By default the
	// client gets the backend's response, of a mock nothing.
	NoResponsesFail bool

	// JSONTemplateUnused does not use a template with the key application/json
	// if there is neither a TemplateSelectionExpression nor a template $default
	// (G-INTEG-8). By default it is used.
	JSONTemplateUnused bool

	// ThrottledText is the text of the error frame for a throttled message
	// (G-ERR-7). Default "Too Many Requests"; "Limit Exceeded" is likely.
	ThrottledText string

	// ThrottledCloses closes the connection with 1008 at the first throttled
	// message, without an error frame (G-ERR-7). By default it stays open for
	// the first 99 in a row.
	ThrottledCloses bool

	// NonJSONValid accepts a message that is not JSON although its route has a
	// model (G-VALID-5). By default validation fails.
	NonJSONValid bool

	// CompressedCounts applies the limits of frames and messages to the
	// compressed bytes. After inflation a message may then have 10 MiB, which
	// is our own limit (G-LIMIT-3). By default the limits apply to the inflated
	// bytes.
	CompressedCounts bool

	// PingsKeepAlive makes a client's ping end the idle time, as a message does
	// (G-LIMIT-6). By default it does not.
	PingsKeepAlive bool

	// SentFrameBytes is the longest payload of a frame to the client. Longer
	// messages are sent in fragments (G-FRAME-8). Default 32768; at most 10
	// MiB, with which every message is one frame.
	SentFrameBytes int

	// PostsUnchanged sends posted data that is not UTF-8 unchanged, so that
	// clients fail the connection with 1007 (G-FRAME-5 G-MGMT-17). By default
	// invalid bytes are replaced.
	PostsUnchanged bool

	// SerialMessages handles the messages of one connection one after the other
	// (G-ORDER-2). By default they are handled concurrently.
	SerialMessages bool

	// DeleteWithoutCode sends a close frame without code and reason after a
	// DELETE (G-CLOSE-4). By default it has those of the event: 1000
	// "Connection Closed Normally".
	DeleteWithoutCode bool

	// CloseReasons are the close reasons of the gateway by code: 1001 (only for
	// connections that are too old), 1002, 1003, 1006, 1007, 1008, 1009, 1011
	// and 1012 (G-CLOSE-3 -6 -7 -8 -9 -10 G-FRAME-7). At most 123 bytes each.
	// By default 1001 and 1006 have a reason and the others none.
	CloseReasons map[int]string

	// DisconnectTwice invokes $disconnect a second time with the same event
	// (G-DISC-8). By default it runs once.
	DisconnectTwice bool

	// UnsignedForbidden answers a request without a signature like one for an
	// unknown path, with ForbiddenException (G-MGMT-12). By default it is
	// MissingAuthenticationTokenException, also with 403.
	UnsignedForbidden bool

	// EmptyPostStatus is the status of a POST without data (G-MGMT-18). Default
	// 200, and the client gets an empty message. It may be 400 to 599; 400 is
	// likely.
	EmptyPostStatus int

	// ServiceStatusRefuses refuses a handshake with the status of the AWS service
	// behind $connect if that is not 2xx (G-INTEG-18). By default the connection
	// opens, whatever the status.
	ServiceStatusRefuses bool

	// UndefinedAsWritten writes a reference of a mapping template that has no value
	// as it is in the template, as plain Velocity does (G-INTEG-13). By default it
	// writes nothing.
	UndefinedAsWritten bool

	// EmptyTextIsTrue makes an empty text true in a condition of a mapping template,
	// as in Velocity 1.7 (G-INTEG-14). By default it is false.
	EmptyTextIsTrue bool

	// SetSkipsNothing leaves a variable of a mapping template as it is if #set
	// gives it nothing, as in Velocity 1.7 (G-INTEG-22). By default it has no value
	// then.
	SetSkipsNothing bool

	// NothingIsNotEmpty makes nothing and the empty text different in a comparison
	// of a mapping template, as in Velocity 1.7 (G-INTEG-23). By default they are
	// equal.
	NothingIsNotEmpty bool

	// LongLoopsFail makes a mapping template fail whose #foreach would run more
	// than 1000 times (G-INTEG-24). By default the loop ends there.
	LongLoopsFail bool

	// MissingJSONIsNull makes $input.json return null for a path without a value
	// (G-INTEG-28). By default it returns "" in quotes.
	MissingJSONIsNull bool

	// BadEncodingFails makes a mapping template fail that decodes what is not
	// encoded with $util.urlDecode or $util.base64Decode (G-INTEG-26). By default
	// it gets an empty text.
	BadEncodingFails bool

	// EscapesLess makes $util.escapeJavaScript leave slashes and what is not ASCII
	// as they are (G-INTEG-27). By default it escapes them.
	EscapesLess bool

	// DoubleSlashPasses accepts a second slash before @connections, which an
	// endpoint that ends with a slash makes (G-MGMT-22). By default it is an
	// unknown path.
	DoubleSlashPasses bool

	// LastActiveFromClient updates lastActiveAt with messages from the client
	// only (G-MGMT-21). By default those to the client update it too.
	LastActiveFromClient bool
}

// withDefaults returns a copy with every default filled in.
func (a Assumptions) withDefaults() Assumptions {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&a.UnknownPathStatus, http.StatusForbidden},
		{&a.PlainGETStatus, http.StatusUpgradeRequired},
		{&a.MalformedResponseStatus, http.StatusBadGateway},
		{&a.TimeoutStatus, http.StatusGatewayTimeout},
		{&a.NoFunctionStatus, http.StatusInternalServerError},
		{&a.EmptyPostStatus, http.StatusOK},
		{&a.MaxResponseBytes, maxMessageBytes},
		{&a.SentFrameBytes, maxFrameBytes},
	} {
		*d.field = cmp.Or(*d.field, d.value)
	}
	setDefault := func(text *string, value string) { *text = cmp.Or(*text, value) }
	setDefault(&a.UnboundRouteText, textInternal)
	setDefault(&a.ThrottledText, textTooMany)
	reasons := map[int]string{ws.CloseGoingAway: reasonGoingAway, ws.CloseAbnormal: reasonAbnormal}
	maps.Copy(reasons, a.CloseReasons)
	a.CloseReasons = reasons
	return a
}

// gatewayCodes are the close codes that a gateway closes connections with and
// whose reasons are not known.
var gatewayCodes = []int{ws.CloseGoingAway, ws.CloseProtocol, ws.CloseUnsupported, ws.CloseAbnormal,
	ws.CloseInvalidData, ws.ClosePolicy, ws.CloseTooBig, ws.CloseInternal, ws.CloseRestart}

// check returns an error for each field with a value that no service could have,
// always in the same order.
func (a Assumptions) check() error {
	c := assumptionChecker{}
	c.status("UnknownPathStatus", a.UnknownPathStatus)
	c.status("PlainGETStatus", a.PlainGETStatus)
	c.status("MalformedResponseStatus", a.MalformedResponseStatus)
	c.status("TimeoutStatus", a.TimeoutStatus)
	c.status("NoFunctionStatus", a.NoFunctionStatus)
	if status := a.EmptyPostStatus; status != http.StatusOK {
		c.status("EmptyPostStatus", status)
	}
	c.size("MaxResponseBytes", a.MaxResponseBytes)
	c.size("SentFrameBytes", a.SentFrameBytes)
	c.text("UnboundRouteText", a.UnboundRouteText)
	c.text("ThrottledText", a.ThrottledText)
	for _, code := range slices.Sorted(maps.Keys(a.CloseReasons)) {
		c.closeReason(code, a.CloseReasons[code])
	}
	return errors.Join(c.errs...)
}

// assumptionChecker collects the errors of Assumptions.
type assumptionChecker struct{ errs []error }

func (c *assumptionChecker) bad(field, format string, args ...any) {
	c.errs = append(c.errs, fieldError("Assumptions."+field, fmt.Errorf(format, args...)))
}

func (c *assumptionChecker) status(field string, status int) {
	if status < 400 || status > 599 {
		c.bad(field, "%d: must be from 400 to 599", status)
	}
}

func (c *assumptionChecker) size(field string, size int) {
	if size < 1 || size > maxPayloadBytes {
		c.bad(field, "%d: must be from 1 to %d", size, maxPayloadBytes)
	}
}

func (c *assumptionChecker) text(field, text string) {
	if encoded, err := plainjson.Encode(text); err != nil || string(encoded) != `"`+text+`"` {
		c.bad(field, "%q: has a character that JSON escapes", text)
	}
}

func (c *assumptionChecker) closeReason(code int, reason string) {
	field := fmt.Sprintf("CloseReasons[%d]", code)
	switch {
	case !slices.Contains(gatewayCodes, code):
		c.bad(field, "must be one of %v", gatewayCodes)
	case len(reason) > ws.MaxControlPayload-2:
		c.bad(field, "%d bytes, at most %d", len(reason), ws.MaxControlPayload-2)
	case !utf8.ValidString(reason):
		c.bad(field, "%q: not UTF-8", reason)
	}
}

// reason is the reason of a close by the gateway.
func (g *Gateway) reason(code int) string { return g.api.Assumptions.CloseReasons[code] }
