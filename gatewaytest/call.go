package gatewaytest

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// call is one event on its way through the gateway: a handshake, a message or
// the end of a connection.
type call struct {
	c     *conn
	route *route      // nil: none
	event event.Event // what a proxy integration is given
	body  string      // of a message
	req   *request    // the handshake; nil for other events

	variables variables // of the event; made by value when it is first asked
	notes     variables // what only the access log tells; nil without one
}

// variables are $context: values by name, the steps of a name joined with dots.
type variables map[string]string

// note remembers a variable that events do not have, if it will be logged.
func (k *call) note(name, value string) {
	if k.c.g.accessLog == nil {
		return
	}
	if k.notes == nil {
		k.notes = make(variables)
	}
	k.notes[name] = value
}

func (k *call) noteLatency(name string, since time.Time) {
	k.note(name, strconv.FormatInt(time.Since(since).Milliseconds(), 10))
}

// value is $context.name; empty if there is none.
func (k *call) value(name string) string {
	if value, ok := k.notes[name]; ok {
		return value
	}
	if k.variables == nil {
		k.variables = make(variables)
		encoded, err := plainjson.Encode(k.event.RequestContext)
		if err == nil {
			value, _ := plainjson.Decode(string(encoded))
			k.variables.flatten("", value)
		}
	}
	return k.variables[name]
}

// flatten adds a JSON value and all that is in it.
func (v variables) flatten(name string, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		v[name] = expr.Text(value)
		return
	}
	for key, inner := range object {
		v.flatten(strings.TrimPrefix(name+"."+key, "."), inner)
	}
}

// refusal is the answer to a handshake or a message that fails before or in its
// integration. Handshakes get the status, messages an error frame.
type refusal struct {
	status  int
	message string
	kind    string // $context.error.responseType
	detail  string // for the log; the client never sees it (G-ERR-9, G-VALID-4)
}

// The response types are those that REST APIs name (developer guide, "Gateway
// response types"); that WebSocket APIs use the fields.Exact is assumed.
var (
	refusedThrottled    = refusal{status: http.StatusTooManyRequests, message: textTooMany, kind: "THROTTLED"}
	refusedKey          = refusal{status: http.StatusForbidden, message: textForbidden, kind: "INVALID_API_KEY"}
	refusedRoute        = refusal{status: http.StatusForbidden, message: textForbidden, kind: "RESOURCE_NOT_FOUND"}
	refusedUnauthorized = refusal{status: http.StatusUnauthorized, message: "Unauthorized", kind: "UNAUTHORIZED"}
	refusedDenied       = refusal{status: http.StatusForbidden, message: textForbidden, kind: "ACCESS_DENIED"}
	refusedAuthorizer   = refusal{status: http.StatusInternalServerError, message: textInternal, kind: "AUTHORIZER_FAILURE"}
	refusedBody         = refusal{status: http.StatusBadRequest, message: textBadBody, kind: "BAD_REQUEST_BODY"}
	refusedMediaType    = refusal{status: http.StatusUnsupportedMediaType, message: textMediaType, kind: "UNSUPPORTED_MEDIA_TYPE"}
	refusedTimedOut     = refusal{status: http.StatusGatewayTimeout, message: textTimedOut, kind: "INTEGRATION_TIMEOUT"}
	refusedFailed       = refusal{status: http.StatusBadGateway, message: textInternal, kind: "INTEGRATION_FAILURE"}

	refusedConfiguration = refusal{status: http.StatusInternalServerError, message: textInternal, kind: "API_CONFIGURATION_ERROR"}
)

// because is the refusal with a reason for the log.
func (r refusal) because(detail string) *refusal {
	r.detail = detail
	return &r
}

// LogValue is the kind of a refusal alone: the detail may quote what the client
// wrote.
func (r *refusal) LogValue() slog.Value {
	if r == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(r.kind)
}

// refused notes a refusal, if there is one, for the metrics and the access log.
func (k *call) refused(r *refusal) {
	if r == nil {
		return
	}
	k.metrics().refuse(r)
	k.note("status", strconv.Itoa(r.status))
	k.note("error.message", r.message)
	k.note("error.messageString", strconv.Quote(r.message))
	k.note("error.responseType", r.kind)
	if r.kind == refusedBody.kind {
		k.note("error.validationErrorString", r.detail)
	}
}
