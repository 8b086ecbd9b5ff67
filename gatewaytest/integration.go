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
)

// answer is what a backend returned, or what became of it on the way to the
// client.
type answer struct {
	status  int
	headers fields.List
	body    []byte
	hasBody bool
}

// integrate gives an event to the route's backend and waits for its answer. A
// refusal says that there is none.
func (g *Gateway) integrate(k *call) (answer, *refusal) {
	started := time.Now()
	a, refused := g.ask(k)
	k.noteLatency("integrationLatency", started)
	k.noteLatency("integration.latency", started)
	if refused != nil {
		k.note("integration.error", refused.detail)
		if refused.kind == refusedFailed.kind || refused.kind == refusedConfiguration.kind {
			g.api.Log.Warn("integration failed", "routeKey", k.event.RequestContext.RouteKey,
				"connectionId", k.c.id, "requestId", k.event.RequestContext.RequestID, "error", refused.detail)
		}
		return a, refused
	}
	if a.status >= http.StatusBadRequest {
		k.metrics().integrationErrors.Add(1)
	}
	k.note("integration.status", strconv.Itoa(a.status))
	k.note("status", strconv.Itoa(a.status))
	return a, nil
}

// ask is the five types of G-INTEG-1.
func (g *Gateway) ask(k *call) (answer, *refusal) {
	r := k.route
	if !r.bound() {
		unbound := refusedFailed.because("route has no integration")
		unbound.message = g.api.Assumptions.UnboundRouteText // G-ROUTE-13
		return answer{}, unbound
	}
	request := k.body
	if r.mapping != nil {
		var refused *refusal
		if request, refused = r.mapping.request(k); refused != nil {
			return answer{}, refused
		}
	}
	var (
		a       answer
		err     error
		outcome string
		started = time.Now()
	)
	if k.event.RequestContext.EventType == event.Connect {
		k.metrics().connects.Add(1)
	}
	switch {
	case r.Integration != nil && r.mapping == nil:
		a, err = g.askProxy(k)
	case r.Integration != nil:
		a, outcome, err = g.askFunction(k, request)
	case r.HTTP != nil:
		a, err = g.askHTTP(k, request)
		outcome = strconv.Itoa(a.status)
		k.note("integration.integrationStatus", outcome)
	default:
		a, err = mock(request)
		outcome = strconv.Itoa(a.status)
	}
	if k.event.RequestContext.EventType != event.Disconnect && g.answersLate() {
		err = g.waitOut(r.Timeout - time.Since(started))
	}
	if r.Integration != nil || r.HTTP != nil {
		k.metrics().answered(time.Since(started))
	}
	if err == nil && r.mapping != nil {
		a, err = r.mapping.respond(k, outcome, a)
	}
	switch {
	case errors.Is(err, errTimedOut):
		late := refusedTimedOut.because(err.Error())
		late.status = g.api.Assumptions.TimeoutStatus // G-HANDSHAKE-7
		return answer{}, late
	case errors.Is(err, ErrNoFunction):
		missing := refusedConfiguration.because(err.Error())
		missing.status = g.api.Assumptions.NoFunctionStatus // G-HANDSHAKE-8
		return answer{}, missing
	case errors.Is(err, errMalformed):
		return answer{}, g.malformed(err.Error())
	case err != nil:
		return answer{}, refusedFailed.because(err.Error())
	}
	a.body = textOf(a.body)
	return a, nil
}

// malformed is the refusal for an answer that cannot be read (G-HANDSHAKE-6).
func (g *Gateway) malformed(detail string) *refusal {
	refused := refusedFailed.because(detail)
	refused.status = g.api.Assumptions.MalformedAnswerStatus
	return refused
}

// waitOut waits until an integration has timed out, or the gateway ends.
func (g *Gateway) waitOut(left time.Duration) error {
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return errTimedOut
	case <-g.handlers.Done():
		return g.handlers.Err()
	}
}

// askProxy gives the event itself to the route's function (AWS_PROXY).
func (g *Gateway) askProxy(k *call) (answer, error) {
	payload, err := k.event.Encode()
	if err != nil {
		return answer{}, err
	}
	raw, err := g.invoke(k.route.Integration, payload, k.event.RequestContext.RequestID, k.route.Timeout)
	if err != nil {
		return answer{}, err
	}
	k.note("integration.integrationStatus", "200") // G-LOG-2: that of the Lambda service
	a, err := parseProxyAnswer(raw, &g.api.Assumptions)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return a, nil
}

// askFunction gives the mapped message to the route's function (AWS). The
// function's error is an answer too, and its text the outcome (G-INTEG-7).
func (g *Gateway) askFunction(k *call, request string) (a answer, outcome string, err error) {
	if request == "" {
		request = "{}" // an event without a body; a function is never given nothing (assumed)
	}
	if !json.Valid([]byte(request)) {
		// Lambda's own answer to such an Invoke is InvalidRequestContentException.
		return a, "", errors.New("what the function would be given is not JSON")
	}
	raw, err := g.invoke(k.route.Integration, []byte(request), k.event.RequestContext.RequestID, k.route.Timeout)
	switch {
	case errors.Is(err, errTimedOut), errors.Is(err, ErrNoFunction):
		return a, "", err
	case err != nil && k.event.RequestContext.EventType == event.Connect:
		return a, "", err // G-HANDSHAKE-5
	case err != nil:
		outcome = err.Error()
		raw, _ = json.Marshal(map[string]string{"errorMessage": outcome}) // cannot fail
	}
	k.note("integration.integrationStatus", "200")
	return answer{status: http.StatusOK, body: raw, hasBody: true}, outcome, nil
}
