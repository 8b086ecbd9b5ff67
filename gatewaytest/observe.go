package gatewaytest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// ObservedKind says what an [Observation] is about.
type ObservedKind string

// What API.Observe is called for. One message leads to In, then Invoke and Answer if its
// route has an integration and Answer alone if the gateway refuses it, then Out if the
// client gets something. A handshake leads to an Invoke and an Answer for the authorizer
// and for $connect, then Open. Each accepted connection has one Close, and then the Invoke
// and Answer of $disconnect.
const (
	ObservedOpen   ObservedKind = "open"   // a handshake was accepted (status 101) or refused
	ObservedIn     ObservedKind = "in"     // a client sent a message
	ObservedInvoke ObservedKind = "invoke" // an authorizer or an integration is invoked next
	ObservedAnswer ObservedKind = "answer" // its response, or the gateway's own
	ObservedPost   ObservedKind = "post"   // a post was accepted or refused
	ObservedOut    ObservedKind = "out"    // a message was handed to the network
	ObservedClose  ObservedKind = "close"  // a connection has ended
	ObservedFault  ObservedKind = "fault"  // a fault of Faults or FailNext happens next
)

// Observation is one thing that the gateway did. Fields without a meaning for its kind are
// zero. Nothing in it may be changed.
type Observation struct {
	Kind         ObservedKind
	ConnectionID string
	SourceIP     string         // of Open
	Authorizer   map[string]any // of Open: requestContext.authorizer of later events
	Headers      http.Header    // of Open: the client's, with tokens
	Query        url.Values     // of Open, with tokens
	RouteKey     string         // of Invoke and Answer; "" for the authorizer and without a route
	IsAuthorizer bool           // the Invoke or Answer is the authorizer's

	// Payload is the message of In, Out and Post. Of an Answer to a message it is what the
	// client gets, or the body that a one-way route discards.
	Payload []byte

	// Status is an HTTP status, 0 if there was no response; of Close, the close code.
	Status int

	// Code names a refusal: $context.error.responseType of Open and Answer, the name of
	// the exception of Post. Of a Fault it is the field of Faults without "Every", or
	// "Next".
	Code string

	Took   time.Duration // of Answer and Post
	Closed ClosedBy      // of Close
}

// ClosedBy says which side sent the first close frame.
type ClosedBy string

// Who closed a connection.
const (
	ClosedByNobody  ClosedBy = "" // there was no close frame
	ClosedByClient  ClosedBy = "client"
	ClosedByGateway ClosedBy = "gateway"
)

// observe logs what happened and calls API.Observe, if there is one. It returns the context
// for what comes of the event.
func (g *Gateway) observe(ctx context.Context, o Observation) context.Context {
	g.logObservation(o)
	if g.api.Observe == nil {
		return ctx
	}
	return g.api.Observe(ctx, o)
}

// observeFault reports a fault that happens to a connection next.
func (g *Gateway) observeFault(ctx context.Context, connectionID, fault string) context.Context {
	return g.observe(ctx, Observation{Kind: ObservedFault, ConnectionID: connectionID, Code: fault})
}

// observeAnswer reports the response to an event: that of its integration, or a refusal.
func (inv *invocation) observeAnswer(payload []byte, status int, refusal *gatewayResponse) {
	o := Observation{Kind: ObservedAnswer, ConnectionID: inv.c.id, RouteKey: inv.event.RequestContext.RouteKey,
		Payload: payload, Status: status, Took: inv.took}
	if refusal != nil {
		o.Status, o.Code = refusal.status, refusal.kind
	}
	inv.ctx = inv.c.g.observe(inv.ctx, o)
}

// observeOpen reports the result of a handshake. refusal is nil if it was accepted.
func (inv *invocation) observeOpen(refusal *gatewayResponse) {
	c := inv.c
	o := Observation{Kind: ObservedOpen, ConnectionID: c.id, SourceIP: c.identity.SourceIP,
		Authorizer: c.authorizer, Headers: http.Header{}, Query: inv.req.query.Multi(),
		Status: http.StatusSwitchingProtocols}
	for _, h := range inv.req.headers {
		o.Headers.Add(h.Name, h.Value) // in Go's letter case, so that Get finds it
	}
	if refusal != nil {
		o.Status, o.Code = refusal.status, refusal.kind
	}
	c.g.observe(inv.ctx, o)
}

// observedPost returns the observation of a post with its result.
func observedPost(connectionID string, data []byte, started time.Time, err error) Observation {
	o := Observation{Kind: ObservedPost, ConnectionID: connectionID, Payload: data, Took: time.Since(started)}
	var failed *Error
	switch {
	case err == nil:
		o.Status = http.StatusOK
	case errors.As(err, &failed):
		o.Status, o.Code = failed.StatusCode, failed.Code
	}
	return o
}

// outgoing is a queued message, with the context of the observation that it comes of.
type outgoing struct {
	ctx     context.Context
	message []byte
}

// observeQueuedLocked keeps a message that was queued for the writer to report. That of a
// post is reported as accepted first: under the lock, because the writer may send it at
// once.
func (c *conn) observeQueuedLocked(ctx context.Context, message []byte, posted *time.Time) {
	if c.g.api.Observe == nil {
		return
	}
	if posted != nil {
		ctx = c.g.observe(ctx, observedPost(c.id, message, *posted, nil))
	}
	c.unobserved = append(c.unobserved, outgoing{ctx, message})
}

// endFor keeps the context of whoever ends the connection next.
func (c *conn) endFor(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endCause = ctx
}

// observeClose reports the end of the connection and returns the context of $disconnect,
// which ends with g.handlers. cause may be nil.
func (c *conn) observeClose(cause context.Context, code int, by ClosedBy) context.Context {
	ctx := c.g.handlers
	if cause != nil {
		ctx = valuesOf{ctx, cause}
	}
	return c.g.observe(ctx, Observation{Kind: ObservedClose, ConnectionID: c.id, Status: code, Closed: by})
}

// valuesOf is a context with the values of another.
type valuesOf struct {
	context.Context
	other context.Context
}

// Value implements [context.Context].
func (c valuesOf) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.other.Value(key)
}
