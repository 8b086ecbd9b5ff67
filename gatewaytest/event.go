package gatewaytest

import (
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
)

// newRequestContext fills in what all events of a connection have in common.
func (c *conn) newRequestContext(routeKey, eventType, requestID string, now time.Time) event.RequestContext {
	return event.RequestContext{
		RouteKey:          routeKey,
		Authorizer:        c.authorizer,
		EventType:         eventType,
		ExtendedRequestID: requestID,
		RequestID:         requestID, // G-EVENT-5: the two are always equal
		RequestTime:       now.UTC().Format(event.RequestTimeLayout),
		MessageDirection:  "IN",
		Stage:             c.g.api.Stage,
		ConnectedAt:       c.connectedAt.UnixMilli(),
		RequestTimeEpoch:  now.UnixMilli(),
		Identity:          c.identity,
		DomainName:        c.domainName,
		ConnectionID:      c.id,
		APIID:             c.g.api.ID,
	}
}

// integrationEvent starts an event for an integration.
func (c *conn) integrationEvent(ctx event.RequestContext) event.Event {
	no := false
	e := event.Event{RequestContext: ctx, IsBase64Encoded: &no}
	elsewhere := ctx.EventType != event.Connect
	if len(c.g.api.StageVariables) > 0 && !(elsewhere && c.g.api.Assumptions.StageVariablesOnConnect) {
		e.StageVariables = &c.g.api.StageVariables
	}
	return e
}

// messageEvent is the event of a message. It has no headers (G-EVENT-1), and no
// body if that is empty (G-EVENT-19).
func (c *conn) messageEvent(routeKey, requestID, body string, now time.Time) event.Event {
	ctx := c.newRequestContext(routeKey, event.Message, requestID, now)
	ctx.MessageID = newID(now, c.idSuffix)
	e := c.integrationEvent(ctx)
	if body != "" || c.g.api.Assumptions.EmptyMessageBody {
		e.Body = &body
	}
	return e
}

// disconnectEvent is the event of the connection's end, with the few and odd
// headers of G-EVENT-8.
func (c *conn) disconnectEvent(requestID string, code int, reason string, now time.Time) event.Event {
	ctx := c.newRequestContext(routeDisconnect, event.Disconnect, requestID, now)
	ctx.DisconnectStatusCode = &code
	ctx.DisconnectReason = &reason
	e := c.integrationEvent(ctx)
	e.Headers = event.ByName[string]{"Host": c.domainName, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
	e.MultiValueHeaders = make(event.ByName[[]string], len(e.Headers))
	for name, value := range e.Headers {
		e.MultiValueHeaders[name] = []string{value}
	}
	return e
}
