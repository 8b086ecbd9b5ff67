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
	if refused := g.checkUpgrade(r); refused != nil {
		if refused.StatusCode == http.StatusUpgradeRequired {
			w.Header()["Upgrade"] = []string{"websocket"}
			w.Header()["Sec-WebSocket-Version"] = []string{"13"}
		}
		g.answerError(w, refused)
		return
	}
	if !canHijack(w) {
		g.api.Log.Error("handshake on a server that cannot hijack connections (HTTP/2?)")
		g.answerError(w, ErrInternal)
		return
	}
	if !g.enter() {
		g.counters.refuse(http.StatusServiceUnavailable)
		g.answerError(w, errClosing)
		return
	}
	defer g.running.Done()

	now := g.Now()
	req := g.newRequest(r, now)
	// Rounded as the events tell it, so that GET and events agree (G-EVENT-12).
	c := &conn{g: g, suffix: newConnectionSuffix(), connectedAt: now.Truncate(time.Millisecond),
		identity: req.identity, domainName: req.domainName}
	if !g.api.DisableCompression {
		c.deflate = ws.AcceptDeflate(r.Header)
	}
	g.register(c)
	k := &call{c: c, route: g.ownRoute(routeConnect), req: req,
		event: c.integrationEvent(c.newRequestContext(routeConnect, event.Connect, newRequestID(now), now))}
	if g.api.IAM {
		if refused := g.identify(k, r); refused != nil {
			g.remove(c)
			g.counters.refuse(refused.StatusCode)
			k.refused(&refusal{status: refused.StatusCode, message: refused.Message, kind: refused.Code})
			g.logAccess(k)
			g.answerError(w, refused)
			return
		}
	}
	protocol, refused := g.admit(k, now)
	k.refused(refused)
	g.logAccess(k)
	if refused != nil {
		g.remove(c)
		g.refuse(w, k, refused)
		if c.asked && g.api.Assumptions.DisconnectAfterRefusal {
			g.running.Go(func() { c.disconnect(ws.CloseAbnormal, g.reason(ws.CloseAbnormal)) })
		}
		return
	}
	g.upgrade(w, r, c, protocol)
}

// identify checks the signature of a handshake and notes who made it
// (G-AUTH-22).
func (g *Gateway) identify(k *call, r *http.Request) *Error {
	nothing := sha256.Sum256(nil) // a handshake has no body
	c, refused := g.permit(r, hex.EncodeToString(nothing[:]), g.connectARN(), invokeAction)
	if refused != nil {
		return refused
	}
	who := &k.c.identity
	who.AccountID, who.Caller, who.User = g.api.AccountID, c.AccessKeyID, c.AccessKeyID
	who.AccessKey, who.UserARN = c.AccessKeyID, c.userARN(&g.api)
	k.c.judgeMessages(c.policy)
	k.event.RequestContext.Identity = *who
	return nil
}

// errClosing answers a handshake that comes while the gateway closes.
var errClosing = &Error{StatusCode: http.StatusServiceUnavailable, Code: "ServiceUnavailableException", Message: "Service Unavailable"}

// checkUpgrade checks the client's side of the handshake (RFC 6455 section
// 4.2.1). A request that asks for no WebSocket at all is G-URL-11's.
func (g *Gateway) checkUpgrade(r *http.Request) *Error {
	switch {
	case r.Method != http.MethodGet:
		return ErrForbidden
	case !ws.HasToken(r.Header, "Connection", "upgrade"), !ws.HasToken(r.Header, "Upgrade", "websocket"):
		return errorOf(g.api.Assumptions.PlainGETStatus)
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return errorOf(http.StatusUpgradeRequired)
	}
	if !ws.ValidKey(r.Header.Get("Sec-WebSocket-Key")) {
		return errorOf(http.StatusBadRequest)
	}
	return nil
}

// subprotocolHeader names the one header of $connect's answer that is passed on
// (G-HANDSHAKE-10, G-HANDSHAKE-11).
const subprotocolHeader = "Sec-WebSocket-Protocol"

// admit takes a handshake through throttles, authorizer, API key and $connect.
// It returns the subprotocol of the answer, or a refusal.
func (g *Gateway) admit(k *call, now time.Time) (protocol string, refused *refusal) {
	c := k.c
	var own *bucket
	if k.route != nil {
		own = k.route.throttle
	}
	if throttled(now, own, g.connectBucket, g.accountBucket) {
		return "", &refusedThrottled // G-HANDSHAKE-9
	}
	usage := ""
	if g.api.Authorizer != nil {
		granted, refused := g.authorize(k)
		if refused != nil {
			return "", refused
		}
		k.event.RequestContext.Authorizer, c.authorizer, usage = granted.connect, granted.later, granted.usage
		c.judgeMessages(granted.policy)
		k.variables = nil // they know nothing of it yet
	}
	c.key = g.findKey(k.req, usage)
	if refused := k.checkKey(); refused != nil {
		return "", refused
	}
	if !k.route.bound() {
		return "", nil // G-HANDSHAKE-2
	}
	e := &k.event
	headers := k.req.integrationHeaders()
	e.Headers, e.MultiValueHeaders = k.req.single(headers), headers.Multi()
	e.QueryStringParameters, e.MultiValueQueryStringParameters = k.req.single(k.req.query), k.req.query.Multi()

	k.c.asked = true
	a, refused := g.integrate(k)
	protocol = a.headers.Last(subprotocolHeader, strings.EqualFold)
	switch {
	case refused != nil:
		return "", refused // G-HANDSHAKE-5, -6, -7
	case k.route.HTTP != nil && k.route.mapping != nil:
		return protocol, nil // G-INTEG-6
	case a.status >= 200 && a.status < 300:
		if strings.ContainsFunc(protocol, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			return "", refusedFailed.because("the subprotocol cannot be a header value")
		}
		return protocol, nil // G-HANDSHAKE-3, -11
	case a.status >= 300 && a.status < 600:
		return "", &refusal{status: a.status, message: http.StatusText(a.status)} // G-HANDSHAKE-4
	default:
		return "", g.malformed("no HTTP status that could be final")
	}
}

// refuse answers a handshake that was turned down (G-HANDSHAKE-19).
func (g *Gateway) refuse(w http.ResponseWriter, k *call, refused *refusal) {
	g.counters.refuse(refused.status)
	g.api.Log.Debug("handshake refused", "connectionId", k.c.id, "requestId", k.event.RequestContext.RequestID,
		"status", refused.status, "detail", refused.detail)
	errorType, body := errorTypes[refused.status], errorFrame(refused.message, k.c.id, k.event.RequestContext.RequestID)
	if g.api.Assumptions.RefuseWithoutType {
		errorType = ""
	}
	if g.api.Assumptions.RefuseWithMessage {
		body = messageBody(refused.message)
	}
	g.answerJSON(w, refused.status, errorType, body)
}

// upgrade takes the connection over from the HTTP server and serves it in a
// goroutine of its own, so that the server's memory for the request is freed.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, c *conn, protocol string) {
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
		// The function said yes, so it has to hear that the connection ended.
		g.api.Log.Warn("cannot take the connection over", "connectionId", c.id, "error", err)
		g.remove(c)
		c.disconnect(ws.CloseAbnormal, g.reason(ws.CloseAbnormal))
		return
	}
	early := bufferedBytes(buffered)
	if recorded, ok := nc.(*recordingConn); ok {
		nc = recorded.Conn // its work is done, and the bare connection can writev
	}
	if !g.opened(c, nc) {
		// Closed while $connect ran: refuse, and let the function clean up.
		_ = nc.SetDeadline(time.Now().Add(closeWait))
		_, _ = nc.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
		_ = nc.Close()
		g.counters.refuse(http.StatusServiceUnavailable)
		c.disconnect(ws.CloseGoingAway, reasonGoingAway)
		return
	}
	g.running.Go(func() { c.run(response, early) })
}

// opened makes the connection one of the open ones, unless the gateway is
// closing.
func (g *Gateway) opened(c *conn, nc net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		delete(g.conns, c.id)
		return false
	}
	c.open(nc)
	g.open++
	g.counters.connects.Add(1)
	return true
}

// bufferedBytes is what the HTTP server had already read of the client's
// frames.
func bufferedBytes(b *bufio.ReadWriter) []byte {
	if b == nil || b.Reader.Buffered() == 0 {
		return nil
	}
	peeked, _ := b.Reader.Peek(b.Reader.Buffered())
	return append([]byte(nil), peeked...)
}

// canHijack reports whether the connection can be taken over, before any
// function is asked.
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
