package gatewaytest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// serveHandshake opens a connection. The order is the service's: identity
// sources, authorizer, policy, $connect, and only then the 101 (G-AUTH-2,
// G-HANDSHAKE-1).
func (g *Gateway) serveHandshake(w http.ResponseWriter, r *http.Request) {
	if refusal, detail := g.checkUpgrade(r); refusal != nil {
		g.refuse(w, r, refusal, detail)
		return
	}
	if !canHijack(w) {
		g.api.Log.Error("handshake on a server that cannot hijack connections (HTTP/2?)")
		g.writeError(w, ErrInternal)
		return
	}
	if !g.enter() {
		g.counters.addRefusal(http.StatusServiceUnavailable)
		g.refuse(w, r, errClosing, "the gateway closes")
		return
	}
	defer g.running.Done()

	growStack()
	inv := g.startHandshake(r)
	if g.api.IAM {
		if refusal := g.checkSignedHandshake(inv, r); refusal != nil {
			g.refuseSigner(w, inv, refusal)
			return
		}
	}
	protocol, refusal := g.admit(inv)
	inv.recordRefusal(refusal)
	g.logAccess(inv)
	if refusal != nil {
		inv.observeOpen(refusal)
		g.refuseHandshake(w, inv, refusal)
		return
	}
	g.upgrade(w, r, inv, protocol)
}

// startHandshake creates a pending connection and its CONNECT event.
func (g *Gateway) startHandshake(r *http.Request) *invocation {
	now := g.Now()
	req := g.newRequest(r, now)
	// Rounded as in events, so that GET returns the same time (G-EVENT-12).
	c := &conn{g: g, idSuffix: newConnectionSuffix(), connectedAt: now.Truncate(time.Millisecond),
		identity: req.identity, domainName: req.domainName}
	if !g.api.DisableCompression {
		c.deflate = ws.AcceptDeflate(r.Header)
	}
	g.register(c)
	c.own(r.Context())
	return &invocation{c: c, ctx: g.handlers, route: g.lifecycleRoute(routeConnect), req: req, started: now,
		event: c.integrationEvent(c.newRequestContext(routeConnect, event.Connect, newRequestID(now), now))}
}

// checkSignedHandshake checks the signature of a handshake and puts the signer
// into the connection's identity (G-AUTH-22).
func (g *Gateway) checkSignedHandshake(inv *invocation, r *http.Request) *Error {
	nothing := sha256.Sum256(nil) // a handshake has no body
	c, refusal := g.checkCredential(r, hex.EncodeToString(nothing[:]), g.connectARN(), invokeAction)
	if refusal != nil {
		return refusal
	}
	identity := &inv.c.identity
	identity.AccountID, identity.Caller, identity.User = g.api.AccountID, c.AccessKeyID, c.AccessKeyID
	identity.AccessKey, identity.UserARN = c.AccessKeyID, c.userARN(&g.api)
	inv.c.keepPolicy(c.policy)
	inv.event.RequestContext.Identity = *identity
	return nil
}

// errClosing is the response to a handshake while the gateway closes.
var errClosing = &Error{StatusCode: http.StatusServiceUnavailable, Code: "ServiceUnavailableException",
	Message: "Service Unavailable"}

// checkUpgrade checks the client's side of the handshake (RFC 6455 section
// 4.2.1). G-URL-11 covers requests that do not ask for a WebSocket. It returns a
// refusal with its reason for the log, or nil.
func (g *Gateway) checkUpgrade(r *http.Request) (*Error, string) {
	switch {
	case r.Method != http.MethodGet:
		return ErrForbidden, "a handshake has the method GET"
	case !ws.HasToken(r.Header, "Connection", "upgrade"), !ws.HasToken(r.Header, "Upgrade", "websocket"):
		return g.plainGETError(), "the request does not ask for a WebSocket"
	case !r.ProtoAtLeast(1, 1):
		return statusError(http.StatusBadRequest), "a handshake needs HTTP/1.1 or newer"
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return statusError(http.StatusUpgradeRequired), "Sec-WebSocket-Version must be 13"
	case !ws.ValidKey(r.Header.Get("Sec-WebSocket-Key")):
		return statusError(http.StatusBadRequest), "Sec-WebSocket-Key must be 16 bytes in base64"
	}
	return nil, ""
}

// plainGETError is the response to a GET that does not ask for a WebSocket.
func (g *Gateway) plainGETError() *Error { return statusError(g.api.Assumptions.PlainGETStatus) }

// subprotocolHeader is the only header of $connect's response that the client
// gets (G-HANDSHAKE-10, G-HANDSHAKE-11).
const subprotocolHeader = "Sec-WebSocket-Protocol"

// admit takes a handshake through throttles, authorizer, API key and $connect.
// It returns the subprotocol of the integration response, or a refusal.
func (g *Gateway) admit(inv *invocation) (protocol string, refusal *gatewayResponse) {
	c := inv.c
	var routeThrottle *bucket
	if inv.route != nil {
		routeThrottle = inv.route.throttle
	}
	if throttled(inv.started, routeThrottle, g.connectBucket, g.accountBucket) {
		return "", responseThrottled.withDetail("the throttle of $connect or the account") // G-HANDSHAKE-9
	}
	usage := ""
	if g.api.Authorizer != nil {
		auth, refusal := g.authorize(inv)
		if refusal != nil {
			return "", refusal
		}
		inv.event.RequestContext.Authorizer, c.authorizer, usage = auth.connect, auth.later, auth.usage
		c.keepPolicy(auth.policy)
		inv.variables = nil // they have no authorizer yet
	}
	c.key = g.findKey(inv.req, usage)
	if refusal := inv.checkKey(); refusal != nil {
		return "", refusal
	}
	if !inv.route.bound() {
		return "", nil // G-HANDSHAKE-2
	}
	e := &inv.event
	headers := inv.req.integrationHeaders()
	e.Headers, e.MultiValueHeaders = inv.req.valuesByName(headers), headers.Multi()
	e.QueryStringParameters, e.MultiValueQueryStringParameters = inv.req.valuesByName(inv.req.query), inv.req.query.Multi()

	inv.c.invokedConnect = true
	resp, refusal := g.integrate(inv)
	if refusal != nil {
		return "", refusal // G-HANDSHAKE-5, -6, -7
	}
	return g.acceptConnect(inv.route, resp)
}

// acceptConnect returns the subprotocol of $connect's response, or a refusal.
func (g *Gateway) acceptConnect(r *route, resp integrationResponse) (protocol string, refusal *gatewayResponse) {
	protocol = resp.headers.Last(subprotocolHeader, strings.EqualFold)
	switch {
	case r.HTTP != nil && r.mapping != nil:
		return protocol, nil // G-INTEG-6
	case r.Service != nil && !g.api.Assumptions.ServiceStatusRefuses:
		return protocol, nil // G-INTEG-18
	case resp.status >= 200 && resp.status < 300:
		if strings.ContainsFunc(protocol, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			return "", responseFailure.withDetail("the subprotocol of $connect's response cannot be a header value")
		}
		return protocol, nil // G-HANDSHAKE-3, -11
	case resp.status >= 300 && resp.status < 600:
		detail := "$connect returned this status"
		if len(resp.body) > 0 {
			detail += ": " + string(resp.body)
		}
		return "", &gatewayResponse{status: resp.status, message: http.StatusText(resp.status),
			detail: detail} // G-HANDSHAKE-4
	}
	return "", g.malformedResponse("no HTTP status that could be final")
}

// refuseSigner ends a handshake whose signature or signer is refused.
func (g *Gateway) refuseSigner(w http.ResponseWriter, inv *invocation, refusal *Error) {
	g.remove(inv.c)
	g.counters.addRefusal(refusal.StatusCode)
	response := &gatewayResponse{status: refusal.StatusCode, message: refusal.Message, kind: refusal.Code}
	inv.recordRefusal(response)
	inv.observeOpen(response)
	g.logAccess(inv)
	inv.logRefusal("handshake", response.withDetail(refusal.Message))
	g.writeError(w, refusal)
}

// refuseHandshake ends a refused handshake (G-HANDSHAKE-19).
func (g *Gateway) refuseHandshake(w http.ResponseWriter, inv *invocation, refusal *gatewayResponse) {
	g.remove(inv.c)
	defer g.disconnectRefused(inv.c)
	g.counters.addRefusal(refusal.status)
	inv.logRefusal("handshake", refusal)
	errorType, body := errorTypes[refusal.status], errorFrame(refusal.message, inv.c.id, inv.requestID())
	if g.api.Assumptions.RefuseWithoutType {
		errorType = ""
	}
	if g.api.Assumptions.RefuseWithMessage {
		body = errorBody(refusal.message)
	}
	g.writeJSON(w, refusal.status, errorType, body)
}

// disconnectRefused runs $disconnect for a handshake that $connect refused, if
// the assumptions say so (G-HANDSHAKE-20).
func (g *Gateway) disconnectRefused(c *conn) {
	if c.invokedConnect && g.api.Assumptions.DisconnectAfterRefusal {
		g.running.Go(func() { c.disconnect(g.handlers, ws.CloseAbnormal, g.reason(ws.CloseAbnormal)) })
	}
}

// upgrade takes the connection over from the HTTP server and serves it in its
// own goroutine, so that the server frees its memory for the request.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, inv *invocation, protocol string) {
	c := inv.c
	response := fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Date: %s\r\nConnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: %s\r\n",
		g.Now().UTC().Format(http.TimeFormat), ws.AcceptKey(r.Header.Get("Sec-WebSocket-Key"))) // G-HANDSHAKE-14
	if protocol != "" {
		response = fmt.Appendf(response, "sec-websocket-protocol: %s\r\n", protocol)
	}
	if c.deflate != nil {
		response = fmt.Appendf(response, "sec-websocket-extensions: %s\r\n", c.deflate.Response)
	}
	response = append(response, "\r\n"...)

	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// $connect accepted, so $disconnect must run.
		g.api.Log.Warn("cannot take over the connection", "connectionId", c.id, "error", err)
		g.remove(c)
		c.disconnect(inv.ctx, ws.CloseAbnormal, g.reason(ws.CloseAbnormal))
		return
	}
	early := bufferedBytes(buffered)
	if recorded, ok := nc.(*recordingConn); ok {
		nc = recorded.Conn // it has recorded enough, and the inner connection supports writev
	}
	if !g.addOpen(inv, nc) {
		// Closed while $connect ran: refuse, and let $disconnect clean up.
		_ = nc.SetDeadline(time.Now().Add(closeWait))
		_, _ = nc.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
		_ = nc.Close()
		g.counters.addRefusal(http.StatusServiceUnavailable)
		inv.logRefusal("handshake", responseClosing.withDetail("the gateway closed while $connect ran"))
		c.disconnect(inv.ctx, ws.CloseGoingAway, reasonGoingAway)
		return
	}
	g.running.Go(func() { c.run(response, early) })
}

// addOpen opens the connection, unless the gateway is closing.
func (g *Gateway) addOpen(inv *invocation, nc net.Conn) bool {
	c := inv.c
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		delete(g.conns, c.id)
		return false
	}
	inv.observeOpen(nil)
	c.open(nc)
	g.openConns++
	g.counters.connects.Add(1)
	return true
}

// bufferedBytes returns the client's first frames, if the HTTP server has
// already read them.
func bufferedBytes(b *bufio.ReadWriter) []byte {
	if b == nil || b.Reader.Buffered() == 0 {
		return nil
	}
	peeked, _ := b.Reader.Peek(b.Reader.Buffered())
	return append([]byte(nil), peeked...)
}

// canHijack reports whether the server can hand over the connection. It is
// checked before any function is invoked.
func canHijack(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = inner.Unwrap()
	}
}
