package gatewaytest

import (
	"maps"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
	"github.com/securecart/hub/gatewaytest/internal/vtl"
)

// templateFailure is the refusal for a template that failed (G-INTEG-19).
func templateFailure(err error) *gatewayResponse {
	return responseConfiguration.withDetail("template: " + err.Error())
}

// scope is what the references of a template stand for.
func (inv *invocation) scope(body string) vtl.Scope {
	assumptions := &inv.c.g.api.Assumptions
	return vtl.Scope{
		Body: body, Params: inv.templateParams, Context: inv.templateContext, StageVariables: inv.templateStageVariables,
		UndefinedAsWritten: assumptions.UndefinedAsWritten,
		EmptyTextIsTrue:    assumptions.EmptyTextIsTrue,
		SetSkipsNothing:    assumptions.SetSkipsNothing,
		NothingIsNotEmpty:  assumptions.NothingIsNotEmpty,
		LongLoopsFail:      assumptions.LongLoopsFail,
		MissingJSONIsNull:  assumptions.MissingJSONIsNull,
		BadEncodingFails:   assumptions.BadEncodingFails,
		EscapesLess:        assumptions.EscapesLess,
	}
}

// templateParams returns $input.params(). Only $connect has a query string and
// headers, and no WebSocket API has a path (G-URL-3).
func (inv *invocation) templateParams() *vtl.Map {
	query, headers := vtl.NewMap(), vtl.NewMap()
	if inv.req != nil {
		inv.req.putValues(query, inv.req.query)
		inv.req.putValues(headers, inv.req.integrationHeaders())
	}
	params := vtl.NewMap()
	params.Put("path", vtl.NewMap())
	params.Put("querystring", query)
	params.Put("header", headers)
	return params
}

// putValues puts the effective value of each name into a map.
func (r *request) putValues(m *vtl.Map, list fields.List) {
	values := r.valuesByName(list)
	for _, field := range list {
		m.Put(field.Name, values[field.Name])
	}
}

func (inv *invocation) templateStageVariables() *vtl.Map {
	m := vtl.NewMap()
	for _, name := range slices.Sorted(maps.Keys(inv.c.g.api.StageVariables)) {
		m.Put(name, inv.c.g.api.StageVariables[name])
	}
	return m
}

// templateContext returns $context: the event's, and the variables that only the
// access log has otherwise.
func (inv *invocation) templateContext() *vtl.Map {
	root := vtl.NewMap()
	if encoded, err := plainjson.Encode(inv.event.RequestContext); err == nil {
		if decoded, err := vtl.Decode(string(encoded)); err == nil {
			root = decoded.(*vtl.Map) // a struct is an object
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inv.logOnly)) {
		putPath(root, name, inv.logOnly[name])
	}
	return root
}

// putPath puts a value into a map under a name whose parts are joined with dots.
func putPath(m *vtl.Map, name, value string) {
	key, inner, nested := strings.Cut(name, ".")
	if !nested {
		m.Put(key, value)
		return
	}
	child, ok := m.Get(key).(*vtl.Map)
	if !ok {
		child = vtl.NewMap()
		m.Put(key, child)
	}
	putPath(child, inner, value)
}
