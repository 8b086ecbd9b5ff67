package gatewaytest

import (
	"log/slog"
	"net/http"
	"strconv"
)

// refusal is the answer to a handshake or a message that fails before or in its
// integration. Handshakes get the status, messages an error frame.
type gatewayResponse struct {
	status  int
	message string
	kind    string // $context.error.responseType
	detail  string // for the log; the client never sees it (G-ERR-9, G-VALID-4)
}

// The response types are those that REST APIs name (developer guide, "Gateway
// response types"); that WebSocket APIs use the fields.Exact is assumed.
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

// because is the refusal with a reason for the log.
func (r gatewayResponse) withDetail(detail string) *gatewayResponse {
	r.detail = detail
	return &r
}

// LogValue is the kind of a refusal alone: the detail may quote what the client
// wrote.
func (r *gatewayResponse) LogValue() slog.Value {
	if r == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(r.kind)
}

// refused notes a refusal, if there is one, for the metrics and the access log.
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
