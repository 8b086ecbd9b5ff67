package gatewaytest

import (
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

// errorFrame is the text of an error frame, to the byte (G-ERR-1). Nothing in
// it needs escaping: the texts are ours and ids are base64.
func errorFrame(text, connectionID, requestID string) []byte {
	return fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, text, connectionID, requestID)
}

// dispatch starts the work for a message: at once, or after messages before it,
// which is always when the API is serial (G-ORDER-2).
func (c *conn) dispatch(body string, now time.Time) {
	c.mu.Lock()
	if c.pending >= maxPending {
		c.mu.Unlock()
		c.g.counters.unrouted.refuse(&refusedThrottled)
		c.throttle(newRequestID(now)) // G-ERR-7
		<-time.After(tooManyPause)
		return
	}
	c.pending++
	atOnce := maxRunning
	if c.g.api.Assumptions.SerialMessages {
		atOnce = 1
	}
	if c.pending > atOnce {
		c.waiting = append(c.waiting, body)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	// The reader is running, so Close cannot have stopped waiting.
	c.g.running.Go(func() {
		for more := true; more; body, more = c.nextWaiting() {
			c.handle(body)
			runtime.Gosched() // others have their turn
		}
	})
}

// nextWaiting ends one message and returns the one that waited for it, if any.
func (c *conn) nextWaiting() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending--
	if len(c.waiting) == 0 {
		c.waiting = nil
		return "", false
	}
	body := c.waiting[0]
	c.waiting[0] = ""
	c.waiting = c.waiting[1:]
	return body, true
}

// handle runs the integration of one message and sends what the client is to
// see of it.
func (c *conn) handle(body string) {
	g, now := c.g, c.g.Now()
	route := g.selectRoute(body)
	key := routeDefault
	if route != nil {
		key = route.key
	}
	k := &call{c: c, route: route, event: c.messageEvent(key, newRequestID(now), body, now), body: body}
	k.metrics().messages.Add(1)
	a, refused := c.admitMessage(k, now)
	k.refused(refused)
	defer g.logAccess(k)
	g.api.Log.Debug("message", "connectionId", c.id, "requestId", k.event.RequestContext.RequestID, "routeKey", key,
		"latency", g.Now().Sub(now), "status", a.status, "refused", refused)
	switch {
	case refused != nil && refused.kind == refusedThrottled.kind:
		c.throttle(k.event.RequestContext.RequestID)
	case refused != nil:
		c.answer(errorFrame(refused.message, c.id, k.event.RequestContext.RequestID))
	case !route.RouteResponse || !a.hasBody:
	case len(a.body) > g.api.Assumptions.MaxAnswerBytes:
		c.answer(errorFrame(textInternal, c.id, k.event.RequestContext.RequestID)) // G-LIMIT-1
	case len(a.body) > 0 || !g.api.Assumptions.EmptyBodySilent: // G-RESP-8
		c.answer(a.body) // G-RESP-4
	}
}

// admitMessage takes a message through throttles, key and model to the
// integration of its route.
func (c *conn) admitMessage(k *call, now time.Time) (answer, *refusal) {
	if k.route == nil {
		return answer{}, &refusedRoute // G-ERR-2
	}
	if throttled(now, k.route.throttle, c.g.accountBucket) {
		return answer{}, c.g.tooMany()
	}
	c.allow()
	if c.policy != nil && !c.policy.Allows(invokeAction, c.g.stageARN()+"/"+k.route.key) {
		return answer{}, refusedDenied.because("the policy does not allow the route") // G-AUTH-23
	}
	if refused := k.checkKey(); refused != nil {
		return answer{}, refused
	}
	if refused := k.route.validate(k.body, c.g.api.Assumptions.NonJSONValid); refused != nil {
		return answer{}, refused // G-VALID-3
	}
	return c.g.integrate(k)
}

// answer sends what belongs to a message. A client that does not read its
// answers loses them; that is counted.
func (c *conn) answer(payload []byte) {
	switch err := c.enqueue(payload); {
	case err == nil:
		c.touch(c.g.Now())
	case errors.Is(err, ErrLimitExceeded):
		c.g.counters.dropAnswers.Add(1)
		c.g.api.Log.Warn("send buffer full: answer dropped", "connectionId", c.id)
	}
}

// disconnect runs $disconnect (G-DISC-1). Its answer is ignored (G-DISC-5) and
// its failure invisible (G-ERR-8).
func (c *conn) disconnect(code int, reason string) {
	g, now := c.g, c.g.Now()
	log := g.api.Log.With("connectionId", c.id, "code", code) // not the reason: clients write it
	k := &call{c: c, route: g.ownRoute(routeDisconnect), event: c.disconnectEvent(newRequestID(now), code, reason, now)}
	k.noteKey()
	switch {
	case !k.route.bound():
		log.Debug("disconnect")
	case g.losesDisconnect():
		log.Debug("disconnect lost on purpose")
		return
	default:
		_, refused := g.integrate(k)
		if g.api.Assumptions.DisconnectTwice {
			_, refused = g.integrate(k) // G-DISC-8
		}
		k.refused(refused)
		log.Debug("disconnect", "latency", g.Now().Sub(now), "refused", refused)
	}
	g.logAccess(k)
}

// textOf is data as a text frame may carry it: what is not UTF-8 is replaced
// (G-FRAME-5). Valid data is not copied.
func textOf(data []byte) []byte {
	if utf8.Valid(data) {
		return data
	}
	return []byte(strings.ToValidUTF8(string(data), "\uFFFD"))
}

// decodeBody undoes isBase64Encoded (G-RESP-9).
func decodeBody(body string, encoded bool) ([]byte, error) {
	if !encoded {
		return []byte(body), nil
	}
	return base64.StdEncoding.DecodeString(body)
}
