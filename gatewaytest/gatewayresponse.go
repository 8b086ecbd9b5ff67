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
	detail  string // for the log, never for the client (G-ERR-9, G-VALID-4)
}

// The response types are those of REST APIs (developer guide, "Gateway response
// types"). That WebSocket APIs have the same ones is assumed.
var (
	responseThrottled         = gatewayResponse{status: http.StatusTooManyRequests, message: textTooMany, kind: "THROTTLED"}
	responseInvalidKey        = gatewayResponse{status: http.StatusForbidden, message: textForbidden, kind: "INVALID_API_KEY"}
	responseNoRoute           = gatewayResponse{status: http.StatusForbidden, message: textForbidden, kind: "RESOURCE_NOT_FOUND"}
	responseUnauthorized      = gatewayResponse{status: http.StatusUnauthorized, message: "Unauthorized", kind: "UNAUTHORIZED"}
	responseDenied            = gatewayResponse{status: http.StatusForbidden, message: textForbidden, kind: "ACCESS_DENIED"}
	responseAuthorizerFailure = gatewayResponse{status: http.StatusInternalServerError, message: textInternal, kind: "AUTHORIZER_FAILURE"}
	responseBadBody           = gatewayResponse{status: http.StatusBadRequest, message: textBadBody, kind: "BAD_REQUEST_BODY"}
	responseMediaType         = gatewayResponse{status: http.StatusUnsupportedMediaType, message: textMediaType, kind: "UNSUPPORTED_MEDIA_TYPE"}
	responseTimeout           = gatewayResponse{status: http.StatusGatewayTimeout, message: textTimedOut, kind: "INTEGRATION_TIMEOUT"}
	responseFailure           = gatewayResponse{status: http.StatusBadGateway, message: textInternal, kind: "INTEGRATION_FAILURE"}

	responseConfiguration = gatewayResponse{status: http.StatusInternalServerError, message: textInternal, kind: "API_CONFIGURATION_ERROR"}
)

// withDetail returns the response with a detail for the log.
func (r gatewayResponse) withDetail(detail string) *gatewayResponse {
	r.detail = detail
	return &r
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
