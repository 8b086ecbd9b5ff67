package gatewaytest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// The texts of error frames (G-ERR).
const (
	textForbidden = "Forbidden"
	textInternal  = "Internal server error"
	textTimedOut  = "Endpoint request timed out"
	textTooMany   = "Too Many Requests"
	textBadBody   = "Invalid request body"   // G-VALID-3
	textMediaType = "Unsupported Media Type" // assumed, from REST APIs
)

// errorFrame is an error frame, byte for byte (G-ERR-1). Nothing in it needs
// escaping: the texts are ours, and ids are base64.
func errorFrame(text, connectionID, requestID string) []byte {
	return fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, text, connectionID, requestID)
}

// received is a message, with the context of its observation.
type received struct {
	ctx  context.Context
	body string
}

// dispatch runs a message at once, or after earlier messages of the connection
// if too many are running. If the API is serial, that is always so (G-ORDER-2).
func (c *conn) dispatch(m received, now time.Time) {
	c.mu.Lock()
	if c.inFlight >= maxInFlight {
		c.mu.Unlock()
		c.g.counters.unrouted.addRefusal(&responseThrottled)
		c.g.api.Log.Info("message refused", "connectionId", c.id, "status", responseThrottled.status,
			"refused", &responseThrottled, "detail", "too many messages of the connection are being handled")
		c.replyThrottled(m.ctx, "", newRequestID(now)) // G-ERR-7
		<-time.After(inFlightPause)
		return
	}
	c.inFlight++
	atOnce := maxConcurrent
	if c.g.api.Assumptions.SerialMessages {
		atOnce = 1
	}
	if c.inFlight > atOnce {
		c.backlog = append(c.backlog, m)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	// The reader is counted in running, so Close is still waiting.
	c.g.running.Go(func() {
		growStack()
		for more := true; more; m, more = c.nextInBacklog() {
			c.runMessage(m)
			runtime.Gosched() // let other connections run
		}
	})
}

// nextInBacklog ends one message and returns the next waiting one, if any.
func (c *conn) nextInBacklog() (received, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	if len(c.backlog) == 0 {
		c.backlog = nil
		return received{}, false
	}
	m := c.backlog[0]
	c.backlog[0] = received{}
	c.backlog = c.backlog[1:]
	return m, true
}

// runMessage runs the integration of one message and sends the client's
// response.
func (c *conn) runMessage(m received) {
	g, now := c.g, c.g.Now()
	route := g.selectRoute(m.body)
	key := routeDefault
	if route != nil {
		key = route.key
	}
	inv := &invocation{c: c, ctx: m.ctx, route: route,
		event: c.messageEvent(key, newRequestID(now), m.body, now), body: m.body}
	inv.metrics().messages.Add(1)
	resp, refusal := c.admitMessage(inv, now)
	inv.recordRefusal(refusal)
	defer g.logAccess(inv)
	if refusal != nil {
		inv.logRefusal("message", refusal)
	}
	text, sent := resp.body, false
	switch {
	case refusal != nil && refusal.kind == responseThrottled.kind:
		c.replyThrottled(inv.ctx, key, inv.requestID())
		return
	case refusal != nil:
		text, sent = errorFrame(refusal.message, c.id, inv.requestID()), true
	case !route.RouteResponse || !resp.hasBody:
	case len(resp.body) > g.api.Assumptions.MaxResponseBytes:
		text, sent = errorFrame(textInternal, c.id, inv.requestID()), true // G-LIMIT-1
	case len(resp.body) > 0 || !g.api.Assumptions.EmptyBodySilent: // G-RESP-8
		sent = true // G-RESP-4
	}
	inv.observeAnswer(text, resp.status, refusal)
	if sent {
		c.reply(inv.ctx, text)
	}
}

// admitMessage takes a message through throttles, policy, API key and model to
// the integration of its route.
func (c *conn) admitMessage(inv *invocation, now time.Time) (integrationResponse, *gatewayResponse) {
	if inv.route == nil {
		// G-ERR-2
		return integrationResponse{}, responseNoRoute.withDetail("no route for the message, and no $default")
	}
	if throttled(now, inv.route.throttle, c.g.accountBucket) {
		return integrationResponse{}, c.g.throttledResponse()
	}
	c.resetThrottled()
	if arn := c.g.stageARN() + "/" + inv.route.key; c.policy != nil && !c.policy.Allows(invokeAction, arn) {
		return integrationResponse{}, responseDenied.withDetail(denied(c.policy, arn)) // G-AUTH-23
	}
	if refusal := inv.checkKey(); refusal != nil {
		return integrationResponse{}, refusal
	}
	if refusal := inv.route.validate(inv.body, c.g.api.Assumptions.NonJSONValid); refusal != nil {
		return integrationResponse{}, refusal // G-VALID-3
	}
	return c.g.integrate(inv)
}

// reply sends the response to a message. A client that does not read its
// responses loses them, which Stats.Dropped counts.
func (c *conn) reply(ctx context.Context, payload []byte) {
	if err := c.enqueue(ctx, payload, nil); errors.Is(err, ErrLimitExceeded) {
		c.g.counters.dropped.Add(1)
		c.g.api.Log.Warn("send buffer full: response dropped", "connectionId", c.id)
	}
}

// validUTF8 replaces what is not UTF-8, as a text frame needs it (G-FRAME-5).
// Valid data is not copied.
func validUTF8(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return []byte(strings.ToValidUTF8(string(data), "\uFFFD"))
}

// decodeBody decodes a body with isBase64Encoded (G-RESP-9).
func decodeBody(body string, encoded bool) ([]byte, error) {
	if !encoded {
		return []byte(body), nil
	}
	return base64.StdEncoding.DecodeString(body)
}
