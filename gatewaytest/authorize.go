package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// identitySource is where a handshake must have a value for the authorizer to
// be asked.
type identitySource struct {
	kind, name string // kind is one of identityKinds
}

// identityKinds are the prefixes of G-AUTH-3. The form without "route." is
// that of HTTP APIs.
var identityKinds = []string{"route.request.header.", "route.request.querystring.", "stageVariables.", "context."}

func parseIdentitySource(text string) (identitySource, error) {
	for _, kind := range identityKinds {
		if name, ok := strings.CutPrefix(text, kind); ok && name != "" {
			return identitySource{kind, name}, nil
		}
	}
	return identitySource{}, fmt.Errorf("%q: must be one of %sNAME", text, strings.Join(identityKinds, "NAME, "))
}

// value finds what the source names; empty when it is missing. Header names
// ignore case, query names do not (G-AUTH-5).
func (s identitySource) value(g *Gateway, req *request, ctx requestContext) string {
	switch s.kind {
	case identityKinds[0]:
		return req.headers.last(s.name, strings.EqualFold)
	case identityKinds[1]:
		return req.query.last(s.name, same)
	case identityKinds[2]:
		return g.api.StageVariables[s.name]
	default:
		var value any
		encoded, err := json.Marshal(ctx)
		if err == nil {
			value, _ = decodeJSON(string(encoded))
		}
		var path []any
		for step := range strings.SplitSeq(s.name, ".") {
			path = append(path, step)
		}
		return stringify(follow(value, path))
	}
}

// authorization is what an authorizer said yes with: requestContext.authorizer
// of the CONNECT event, and of all later ones (G-AUTH-18).
type authorization struct {
	connect, later map[string]any
}

// authorize checks the identity sources, asks the authorizer and evaluates its
// policy.
func (g *Gateway) authorize(c *conn, req *request, ctx requestContext) (authorization, *refusal) {
	failed := &refusal{http.StatusInternalServerError, textInternal}
	unauthorized := &refusal{http.StatusUnauthorized, "Unauthorized"}
	for _, source := range g.identity {
		if source.value(g, req, ctx) == "" {
			return authorization{}, unauthorized // G-AUTH-4
		}
	}
	e := event{
		Type:                            "REQUEST",
		MethodARN:                       g.connectARN(),
		Headers:                         req.authorizerHeaders().single(),
		MultiValueHeaders:               req.authorizerHeaders().multi(),
		QueryStringParameters:           req.query.single(),
		MultiValueQueryStringParameters: req.query.multi(),
		StageVariables:                  &g.api.StageVariables,
		RequestContext:                  ctx,
	}
	if g.api.StageVariables == nil {
		e.StageVariables = &map[string]string{} // G-AUTH-8: an object in any case
	}
	payload, err := e.encode()
	if err != nil {
		return authorization{}, failed
	}
	started := time.Now()
	raw, err := g.invoke(g.api.Authorizer.Handler, payload, ctx.RequestID, maxIntegrationTimeout)
	latency := time.Since(started)
	log := g.api.Log.With("connectionId", c.id, "requestId", ctx.RequestID)
	if err != nil {
		log.Debug("authorizer failed", "error", err)
		if err.Error() == "Unauthorized" {
			return authorization{}, unauthorized // G-AUTH-14
		}
		return authorization{}, failed // G-AUTH-15
	}
	answer, err := parseAuthorizerAnswer(raw)
	if err != nil {
		log.Warn("malformed authorizer answer", "error", err)
		return authorization{}, failed
	}
	if !answer.policy.allows(invokeAction, e.MethodARN) {
		log.Debug("policy denies", "resource", e.MethodARN)
		return authorization{}, &refusal{http.StatusForbidden, "Forbidden"} // G-AUTH-13
	}
	granted := authorization{later: answer.context, connect: maps.Clone(answer.context)}
	granted.connect["integrationLatency"] = latency.Milliseconds()
	return granted, nil
}

// connectARN is what a policy has to allow (G-AUTH-10).
func (g *Gateway) connectARN() string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s",
		g.api.Region, g.api.AccountID, g.api.ID, g.api.Stage, routeConnect)
}

// authorizerAnswer is what an authorizer returned.
type authorizerAnswer struct {
	policy  policy
	context map[string]any // with principalId, all values strings
}

// parseAuthorizerAnswer reads an answer; every error is a 500 (G-AUTH-15, -16,
// -17).
func parseAuthorizerAnswer(raw []byte) (authorizerAnswer, error) {
	var a authorizerAnswer
	if len(raw) > maxAuthorizerBytes {
		return a, fmt.Errorf("%d bytes, at most %d", len(raw), maxAuthorizerBytes)
	}
	// By key, because Go's structs would take principalID for principalId.
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(raw, &answer); err != nil {
		return a, err
	}
	var principal string
	if err := json.Unmarshal(answer["principalId"], &principal); err != nil || principal == "" {
		return a, errors.New("no principalId")
	}
	var err error
	if a.policy, err = parsePolicy(answer["policyDocument"]); err != nil {
		return a, fmt.Errorf("policyDocument: %w", err)
	}
	var values map[string]json.RawMessage
	if raw, ok := answer["context"]; ok {
		if err := json.Unmarshal(raw, &values); err != nil {
			return a, fmt.Errorf("context: %w", err)
		}
	}
	a.context = make(map[string]any, len(values)+1)
	for key, value := range values {
		if string(value) == "null" {
			continue // no value, no key (G-EVENT-3)
		}
		text, ok := scalarText(value) // G-AUTH-19
		if !ok {
			return a, fmt.Errorf("context key %q is not a string, number or boolean", key)
		}
		a.context[key] = text
	}
	a.context["principalId"] = principal
	return a, nil
}
