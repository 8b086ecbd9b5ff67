package gatewaytest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/iam"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// identitySource is a value that a handshake must have. Without it the
// authorizer is not invoked.
type identitySource struct {
	kind, name string // kind is one of identityKinds
}

// identityKinds are the prefixes of G-AUTH-3. The form without "route." is that
// of HTTP APIs.
var identityKinds = []string{"route.request.header.", "route.request.querystring.", "stageVariables.", "context."}

func parseIdentitySource(text string) (identitySource, error) {
	for _, kind := range identityKinds {
		if name, ok := strings.CutPrefix(text, kind); ok && name != "" {
			return identitySource{kind, name}, nil
		}
	}
	return identitySource{}, fmt.Errorf("%q: must be one of %sNAME", text, strings.Join(identityKinds, "NAME, "))
}

// value returns the value of the source, or "" if it is missing. Header names
// ignore letter case, query names do not (G-AUTH-5).
func (s identitySource) value(inv *invocation) string {
	switch s.kind {
	case identityKinds[0]:
		equal := strings.EqualFold
		if inv.c.g.api.Assumptions.ExactIdentityHeaders {
			equal = fields.Exact
		}
		return inv.req.value(inv.req.headers, s.name, equal)
	case identityKinds[1]:
		return inv.req.value(inv.req.query, s.name, fields.Exact)
	case identityKinds[2]:
		return inv.c.g.api.StageVariables[s.name]
	default:
		return inv.contextValue(s.name)
	}
}

func (a *Authorizer) check() error {
	if a == nil {
		return nil
	}
	var errs []error
	if a.Handler == nil {
		errs = append(errs, errors.New("Authorizer.Handler: nil"))
	}
	for _, source := range a.IdentitySources {
		_, err := parseIdentitySource(source)
		errs = append(errs, fieldError("Authorizer.IdentitySources", err))
	}
	return errors.Join(errs...)
}

// authorization is the result of an authorizer that allows a handshake.
type authorization struct {
	// requestContext.authorizer of the CONNECT event and of all later ones
	// (G-AUTH-18).
	connect, later map[string]any
	policy         iam.Policy
	usage          string // usageIdentifierKey
}

// authorize checks the identity sources, invokes the authorizer and evaluates
// its policy.
func (g *Gateway) authorize(inv *invocation) (authorization, *gatewayResponse) {
	for _, source := range g.identity {
		if source.value(inv) == "" {
			return authorization{}, responseUnauthorized.withDetail("no " + source.kind + source.name) // G-AUTH-4
		}
	}
	e := event.Event{
		Type:                            "REQUEST",
		MethodARN:                       g.connectARN(),
		Headers:                         inv.req.valuesByName(inv.req.authorizerHeaders()),
		MultiValueHeaders:               inv.req.authorizerHeaders().Multi(),
		QueryStringParameters:           inv.req.valuesByName(inv.req.query),
		MultiValueQueryStringParameters: inv.req.query.Multi(),
		StageVariables:                  &g.api.StageVariables,
		RequestContext:                  inv.event.RequestContext,
	}
	if g.api.StageVariables == nil {
		e.StageVariables = &map[string]string{} // G-AUTH-8: always an object
	}
	payload, err := e.Encode()
	if err != nil {
		return authorization{}, responseAuthorizerFailure.withDetail(err.Error())
	}
	started := time.Now()
	inv.ctx = g.observe(inv.ctx, Observation{Kind: ObservedInvoke, ConnectionID: inv.c.id, IsAuthorizer: true})
	raw, err := g.invoke(inv.ctx, g.api.Authorizer.Handler, payload, inv.requestID(), maxIntegrationTimeout)
	latency := time.Since(started)
	inv.recordLatency("authorizer.latency", started)
	inv.recordLatency("authorizer.integrationLatency", started)
	auth, refusal := g.evaluateResponse(raw, err)
	answer := Observation{Kind: ObservedAnswer, ConnectionID: inv.c.id, IsAuthorizer: true,
		Status: http.StatusOK, Took: latency}
	if refusal != nil {
		answer.Status, answer.Code = refusal.status, refusal.kind
	}
	inv.ctx = g.observe(inv.ctx, answer)
	if refusal != nil {
		inv.record("authorizer.error", cmp.Or(refusal.detail, refusal.message))
		inv.record("authorizer.status", strconv.Itoa(refusal.status))
		return auth, refusal
	}
	inv.record("authorizer.status", "200")
	auth.connect["integrationLatency"] = latency.Milliseconds()
	return auth, nil
}

// evaluateResponse decides by what an authorizer returned.
func (g *Gateway) evaluateResponse(raw []byte, err error) (authorization, *gatewayResponse) {
	if err != nil {
		if err.Error() == "Unauthorized" {
			return authorization{}, responseUnauthorized.withDetail(err.Error()) // G-AUTH-14
		}
		return authorization{}, responseAuthorizerFailure.withDetail(err.Error()) // G-AUTH-15
	}
	resp, err := parseAuthorizerResponse(raw, g.api.Assumptions.TypedContext, &g.policies)
	switch {
	case errors.Is(err, errNoPrincipal) && g.api.Assumptions.NoPrincipalForbidden:
		return authorization{}, responseDenied.withDetail(err.Error()) // G-AUTH-16
	case err != nil:
		return authorization{}, responseAuthorizerFailure.withDetail("the authorizer's response: " + err.Error())
	}
	if !resp.policy.Allows(invokeAction, g.connectARN()) {
		return authorization{}, responseDenied.withDetail(denied(resp.policy, g.connectARN())) // G-AUTH-13
	}
	return authorization{connect: maps.Clone(resp.context), later: resp.context,
		policy: resp.policy, usage: resp.usage}, nil
}

// denied says what a policy does not allow, and what it has instead.
func denied(p iam.Policy, resource string) string {
	return fmt.Sprintf("the policy does not allow %s on %s; it has %s", invokeAction, resource, p)
}

// connectARN is the resource that a policy must allow (G-AUTH-10).
func (g *Gateway) connectARN() string { return g.stageARN() + "/" + routeConnect }

// stageARN is the prefix of all ARNs in the stage.
func (g *Gateway) stageARN() string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s", g.api.Region, g.api.AccountID, g.api.ID, g.api.Stage)
}

// authorizerResponse is the decoded response of an authorizer.
type authorizerResponse struct {
	policy  iam.Policy
	context map[string]any // with principalId
	usage   string         // usageIdentifierKey
}

// errNoPrincipal is the error for an authorizer response without a principalId.
var errNoPrincipal = errors.New("no principalId")

// parseAuthorizerResponse decodes a response. Every error is a 500 (G-AUTH-15,
// -16, -17). typed keeps the types of values in the context (G-AUTH-19).
func parseAuthorizerResponse(raw []byte, typed bool, policies *iam.Parser) (authorizerResponse, error) {
	var resp authorizerResponse
	if len(raw) > maxAuthorizerBytes {
		return resp, fmt.Errorf("%d bytes, at most %d", len(raw), maxAuthorizerBytes)
	}
	// By key, because a Go struct would accept principalID for principalId.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return resp, err
	}
	var principal string
	if err := json.Unmarshal(members["principalId"], &principal); err != nil || principal == "" {
		return resp, errNoPrincipal
	}
	var err error
	if resp.policy, err = policies.Parse(members["policyDocument"]); err != nil {
		return resp, fmt.Errorf("policyDocument: %w", err)
	}
	var values map[string]json.RawMessage
	if raw, ok := members["context"]; ok {
		if err := json.Unmarshal(raw, &values); err != nil {
			return resp, fmt.Errorf("context: %w", err)
		}
	}
	resp.context = make(map[string]any, len(values)+1)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		if string(value) == "null" {
			continue // no value, no key (G-EVENT-3)
		}
		text, ok := plainjson.ScalarText(value)
		if !ok {
			return resp, fmt.Errorf("context key %q is not a string, number or boolean", key)
		}
		resp.context[key] = text
		if typed {
			resp.context[key] = value
		}
	}
	resp.context["principalId"] = principal
	if raw, ok := members["usageIdentifierKey"]; ok {
		if err := json.Unmarshal(raw, &resp.usage); err != nil {
			return resp, fmt.Errorf("usageIdentifierKey: %w", err)
		}
	}
	return resp, nil
}
