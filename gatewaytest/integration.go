package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/vtl"
)

// integrationResponse is the response of a backend, and what a mapping has made
// of it.
type integrationResponse struct {
	status  int
	headers fields.List
	body    []byte
	hasBody bool
}

// integrate sends an event to the route's backend and waits for the response.
// It returns a refusal if there is none.
func (g *Gateway) integrate(inv *invocation) (integrationResponse, *gatewayResponse) {
	started := time.Now()
	inv.ctx = g.observe(inv.ctx, Observation{Kind: ObservedInvoke, ConnectionID: inv.c.id,
		RouteKey: inv.event.RequestContext.RouteKey})
	resp, refusal := g.callBackend(inv)
	inv.took = time.Since(started)
	if inv.event.RequestContext.EventType != event.Message { // runMessage knows what the client gets
		inv.observeAnswer(resp.body, resp.status, refusal)
	}
	inv.recordLatency("integrationLatency", started)
	inv.recordLatency("integration.latency", started)
	if refusal != nil {
		inv.record("integration.error", refusal.detail)
		return resp, refusal
	}
	if resp.status >= http.StatusBadRequest {
		inv.metrics().integrationErrors.Add(1)
	}
	inv.record("integration.status", strconv.Itoa(resp.status))
	inv.record("status", strconv.Itoa(resp.status))
	return resp, nil
}

// callBackend maps the request, sends it to the backend, and maps the response.
func (g *Gateway) callBackend(inv *invocation) (integrationResponse, *gatewayResponse) {
	r := inv.route
	if !r.bound() {
		unbound := responseFailure.withDetail("the route has no integration")
		unbound.message = g.api.Assumptions.UnboundRouteText // G-ROUTE-13
		return integrationResponse{}, unbound
	}
	request := inv.body
	if r.mapping != nil {
		var refusal *gatewayResponse
		if request, refusal = r.mapping.request(inv); refusal != nil {
			return integrationResponse{}, refusal
		}
	}
	if inv.event.RequestContext.EventType == event.Connect {
		inv.metrics().connects.Add(1)
	}
	started := time.Now()
	resp, outcome, err := g.sendRequest(inv, request)
	if inv.event.RequestContext.EventType != event.Disconnect && g.respondsLate() {
		inv.ctx = g.observeFault(inv.ctx, inv.c.id, "Late")
		err = g.waitForTimeout(r.Timeout - time.Since(started))
	}
	if r.Integration != nil || r.HTTP != nil || r.Service != nil {
		inv.metrics().addIntegration(time.Since(started))
	}
	if err == nil && r.mapping != nil {
		resp, err = r.mapping.respond(inv, outcome, resp)
	}
	if err != nil {
		return integrationResponse{}, g.failedIntegration(err)
	}
	resp.body = validUTF8(resp.body)
	return resp, nil
}

// sendRequest sends a request to the backend, which has one of the five types
// of G-INTEG-1. The keys of a mapping's integration responses are matched
// against outcome.
func (g *Gateway) sendRequest(inv *invocation, request string) (resp integrationResponse, outcome string, err error) {
	r := inv.route
	switch {
	case r.Integration != nil && r.mapping == nil:
		resp, err = g.invokeProxy(inv)
	case r.Integration != nil:
		resp, outcome, err = g.invokeMapped(inv, request)
	case r.HTTP != nil:
		resp, err = g.sendHTTP(inv, request)
		outcome = strconv.Itoa(resp.status)
		inv.record("integration.integrationStatus", outcome)
	case r.Service != nil:
		resp, err = g.sendService(inv, request)
		outcome = strconv.Itoa(resp.status)
		inv.record("integration.integrationStatus", outcome)
	case len(r.mapping.requests.templates) == 0 && !g.api.Assumptions.NoTemplateFails:
		resp.status, outcome = http.StatusOK, strconv.Itoa(http.StatusOK) // G-INTEG-9
	default:
		resp, err = mock(request)
		outcome = strconv.Itoa(resp.status)
	}
	return resp, outcome, err
}

// failedIntegration is the refusal for an error of an integration.
func (g *Gateway) failedIntegration(err error) *gatewayResponse {
	var inTemplate *vtl.Error
	switch {
	case errors.As(err, &inTemplate):
		return templateFailure(err)
	case errors.Is(err, errNoEndpoint):
		return responseConfiguration.withDetail(err.Error())
	case errors.Is(err, errTimedOut):
		timeout := responseTimeout.withDetail(err.Error())
		timeout.status = g.api.Assumptions.TimeoutStatus // G-HANDSHAKE-7
		return timeout
	case errors.Is(err, ErrNoFunction):
		noFunction := responseConfiguration.withDetail(err.Error())
		noFunction.status = g.api.Assumptions.NoFunctionStatus // G-HANDSHAKE-8
		return noFunction
	case errors.Is(err, errMalformed):
		return g.malformedResponse(err.Error())
	}
	return responseFailure.withDetail(err.Error())
}

// malformedResponse is the refusal for an integration response that is
// malformed (G-HANDSHAKE-6).
func (g *Gateway) malformedResponse(detail string) *gatewayResponse {
	refusal := responseFailure.withDetail(detail)
	refusal.status = g.api.Assumptions.MalformedResponseStatus
	return refusal
}

// waitForTimeout waits for the rest of an integration's timeout, or until the
// gateway ends.
func (g *Gateway) waitForTimeout(left time.Duration) error {
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return errTimedOut
	case <-g.handlers.Done():
		return g.handlers.Err()
	}
}

// invokeProxy sends the event itself to the route's function (AWS_PROXY).
func (g *Gateway) invokeProxy(inv *invocation) (integrationResponse, error) {
	payload, err := inv.event.Encode()
	if err != nil {
		return integrationResponse{}, err
	}
	raw, err := g.invoke(inv.ctx, inv.route.Integration, payload, inv.requestID(), inv.route.Timeout)
	if err != nil {
		return integrationResponse{}, err
	}
	inv.record("integration.integrationStatus", "200") // G-LOG-2: the status of the Lambda service
	resp, err := parseProxyResponse(raw, &g.api.Assumptions)
	if err != nil {
		return integrationResponse{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return resp, nil
}

// invokeMapped sends the mapped message to the route's function (AWS). An error
// of the function is a response too, and its text is the outcome (G-INTEG-7).
func (g *Gateway) invokeMapped(inv *invocation, request string) (resp integrationResponse, outcome string, err error) {
	if request == "" {
		request = "{}" // an event without a body: the payload is never empty (assumed)
	}
	if !json.Valid([]byte(request)) {
		// Lambda refuses such an Invoke with InvalidRequestContentException.
		return resp, "", errors.New("the payload for the function is not JSON")
	}
	raw, err := g.invoke(inv.ctx, inv.route.Integration, []byte(request), inv.requestID(), inv.route.Timeout)
	switch {
	case errors.Is(err, errTimedOut), errors.Is(err, ErrNoFunction):
		return resp, "", err
	case err != nil && inv.event.RequestContext.EventType == event.Connect:
		return resp, "", err // G-HANDSHAKE-5
	case err != nil:
		outcome = err.Error()
		raw, _ = json.Marshal(map[string]string{"errorMessage": outcome}) // cannot fail
	}
	inv.record("integration.integrationStatus", "200")
	return integrationResponse{status: http.StatusOK, body: raw, hasBody: true}, outcome, nil
}
