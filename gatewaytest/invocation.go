package gatewaytest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// invocation is one event that the gateway handles: a handshake, a message or
// the end of a connection. It exists for events without an integration too.
type invocation struct {
	c       *conn
	route   *route      // nil: none
	event   event.Event // for a proxy integration
	started time.Time   // of a handshake
	body    string      // of a message
	req     *request    // the handshake; nil for other events

	ctx  context.Context // of the last observation of the event
	took time.Duration   // by the last integration

	variables variables // of the event; filled by contextValue on first use
	logOnly   variables // for the access log only; nil without one
}

// variables are the values of $context by name. The parts of a name are joined
// with dots.
type variables map[string]string

func (inv *invocation) requestID() string { return inv.event.RequestContext.RequestID }

// record keeps a variable that only the access log has, if there is one.
func (inv *invocation) record(name, value string) {
	if inv.c.g.accessLog == nil {
		return
	}
	if inv.logOnly == nil {
		inv.logOnly = make(variables)
	}
	inv.logOnly[name] = value
}

func (inv *invocation) recordLatency(name string, since time.Time) {
	inv.record(name, strconv.FormatInt(time.Since(since).Milliseconds(), 10))
}

// contextValue returns $context.NAME, or "" if it has no value.
func (inv *invocation) contextValue(name string) string {
	if value, ok := inv.logOnly[name]; ok {
		return value
	}
	if inv.variables == nil {
		inv.variables = make(variables)
		encoded, err := plainjson.Encode(inv.event.RequestContext)
		if err == nil {
			value, _ := plainjson.Decode(string(encoded))
			inv.variables.flatten("", value)
		}
	}
	return inv.variables[name]
}

// flatten adds a JSON value and everything in it.
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
