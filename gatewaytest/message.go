package gatewaytest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The texts of error frames (G-ERR).
const (
	textForbidden = "Forbidden"
	textInternal  = "Internal server error"
	textTimedOut  = "Endpoint request timed out"
	textTooMany   = "Too Many Requests"
)

// errorFrame is the text of an error frame, to the byte (G-ERR-1). Nothing in
// it needs escaping: the texts are ours and ids are base64.
func errorFrame(text, connectionID, requestID string) []byte {
	return fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, text, connectionID, requestID)
}

// dispatch starts the work for a message: at once, or after the messages
// before it when the API is serial (G-ORDER-2).
func (c *conn) dispatch(body string, now time.Time) {
	c.mu.Lock()
	if c.pending >= maxPending {
		c.mu.Unlock()
		c.answer(errorFrame(textTooMany, c.id, newRequestID(now))) // G-ERR-7
		return
	}
	c.pending++
	if c.g.api.SerialMessages && c.pending > 1 {
		c.waiting = append(c.waiting, body)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	// The reader is running, so Close cannot have stopped waiting.
	c.g.running.Go(func() {
		for more := true; more; body, more = c.nextWaiting() {
			c.handle(body)
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
	g, now := c.g, time.Now()
	requestID := newRequestID(now)
	key, route, ok := g.selectRoute(body)
	log := g.api.Log.With("connectionId", c.id, "requestId", requestID, "routeKey", key)
	if !ok {
		log.Debug("no route")
		c.answer(errorFrame(textForbidden, c.id, requestID)) // G-ERR-2
		return
	}
	event := c.messageEvent(key, requestID, body, now)
	answer, err := g.callIntegration(route, &event)
	log.Debug("message", "latency", time.Since(now), "status", answer.status, "error", err)
	switch {
	case errors.Is(err, errTimedOut):
		c.answer(errorFrame(textTimedOut, c.id, requestID)) // G-ERR-4
	case err != nil:
		c.answer(errorFrame(textInternal, c.id, requestID)) // G-ERR-3
	case route.RouteResponse && answer.hasBody && len(answer.body) > maxMessageBytes:
		c.answer(errorFrame(textInternal, c.id, requestID)) // section 20 row 19
	case route.RouteResponse && answer.hasBody:
		c.answer(answer.body) // G-RESP-4
	}
}

// answer sends what belongs to a message. A client that does not read its
// answers loses them; that is counted.
func (c *conn) answer(payload []byte) {
	switch err := c.enqueue(payload); {
	case err == nil:
		c.touch(time.Now())
	case errors.Is(err, ErrLimitExceeded):
		c.g.counters.dropAnswers.Add(1)
		c.g.api.Log.Warn("send buffer full: answer dropped", "connectionId", c.id)
	}
}

// disconnect runs $disconnect (G-DISC-1). Its answer is ignored (G-DISC-5) and
// its failure invisible (G-ERR-8).
func (c *conn) disconnect(code int, reason string) {
	g, now := c.g, time.Now()
	log := g.api.Log.With("connectionId", c.id, "code", code, "reason", reason)
	route, ok := g.api.Routes[routeDisconnect]
	switch {
	case !ok || route.Integration == nil:
		log.Debug("disconnect")
	case g.losesDisconnect():
		log.Debug("disconnect lost on purpose")
	default:
		event := c.disconnectEvent(newRequestID(now), code, reason, now)
		_, err := g.callIntegration(route, &event)
		log.Debug("disconnect", "latency", time.Since(now), "error", err)
	}
}

// textOf is data as a text frame may carry it: what is not UTF-8 is replaced
// (section 20 row 10). Valid data is not copied.
func textOf(data []byte) []byte {
	var check utf8Check
	if check.add(data) && check.complete() {
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
