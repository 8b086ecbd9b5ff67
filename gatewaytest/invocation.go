package gatewaytest

import (
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// call is one event on its way through the gateway: a handshake, a message or
// the end of a connection.
type invocation struct {
	c     *conn
	route *route      // nil: none
	event event.Event // what a proxy integration is given
	body  string      // of a message
	req   *request    // the handshake; nil for other events

	variables variables // of the event; made by value when it is first asked
	logOnly   variables // what only the access log tells; nil without one
}

// variables are $context: values by name, the steps of a name joined with dots.
type variables map[string]string

// note remembers a variable that events do not have, if it will be logged.
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

// value is $context.name; empty if there is none.
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
