package gatewaytest

import (
	"log/slog"
	"net/http"
	"strconv"
)

// gatewayResponse is the service's own response to a handshake or message that
// it refuses or that fails in its integration. Handshakes get the status,
// messages an error frame.
type gatewayResponse struct {
	status  int
	message string
	kind    string // $context.error.responseType
	detail  string // for the access log, never for the client (G-ERR-9, G-VALID-4)
	place   string // for the log instead of a detail that quotes a message
}

// The response types are those of REST APIs (developer guide, "Gateway response
// types"). That WebSocket APIs have the same ones is assumed.
var (
	responseThrottled         = newResponse(http.StatusTooManyRequests, textTooMany, "THROTTLED")
	responseInvalidKey        = newResponse(http.StatusForbidden, textForbidden, "INVALID_API_KEY")
	responseNoRoute           = newResponse(http.StatusForbidden, textForbidden, "RESOURCE_NOT_FOUND")
	responseUnauthorized      = newResponse(http.StatusUnauthorized, "Unauthorized", "UNAUTHORIZED")
	responseDenied            = newResponse(http.StatusForbidden, textForbidden, "ACCESS_DENIED")
	responseAuthorizerFailure = newResponse(http.StatusInternalServerError, textInternal, "AUTHORIZER_FAILURE")
	responseBadBody           = newResponse(http.StatusBadRequest, textBadBody, "BAD_REQUEST_BODY")
	responseMediaType         = newResponse(http.StatusUnsupportedMediaType, textMediaType, "UNSUPPORTED_MEDIA_TYPE")
	responseTimeout           = newResponse(http.StatusGatewayTimeout, textTimedOut, "INTEGRATION_TIMEOUT")
	responseFailure           = newResponse(http.StatusBadGateway, textInternal, "INTEGRATION_FAILURE")
	responseClosing           = newResponse(http.StatusServiceUnavailable, "Service Unavailable", "")
	responseConfiguration     = newResponse(http.StatusInternalServerError, textInternal, "API_CONFIGURATION_ERROR")
)

func newResponse(status int, message, kind string) gatewayResponse {
	return gatewayResponse{status: status, message: message, kind: kind}
}

// withDetail returns the response with a detail for the log.
func (r gatewayResponse) withDetail(detail string) *gatewayResponse {
	r.detail = detail
	return &r
}

// logged returns the detail for the log, which never quotes a message: it may have a
// token.
func (r *gatewayResponse) logged() string {
	if r.kind == responseBadBody.kind {
		return r.place
	}
	return r.detail
}

// LogValue is the kind alone: the detail may quote what the client sent.
func (r *gatewayResponse) LogValue() slog.Value {
	if r == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(r.kind)
}

// recordRefusal counts a response for the metrics and records it for the access
// log. Nil is none.
func (inv *invocation) recordRefusal(r *gatewayResponse) {
	if r == nil {
		return
	}
	inv.metrics().addRefusal(r)
	inv.record("status", strconv.Itoa(r.status))
	inv.record("error.message", r.message)
	inv.record("error.messageString", strconv.Quote(r.message))
	inv.record("error.responseType", r.kind)
	if r.kind == responseBadBody.kind {
		inv.record("error.validationErrorString", r.detail)
	}
}
