package gatewaytest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/fields"
)

// request is a handshake, as events describe it.
type request struct {
	headers    fields.List // as sent, in the client's letter case, with Host first
	query      fields.List // decoded pairs
	firstValue bool        // the first value of a repeated name counts, not the last (G-EVENT-9)
	domainName string
	identity   event.Identity
}

// valuesByName returns the effective value of each name. It returns nil for an
// empty list.
func (r *request) valuesByName(f fields.List) map[string]string {
	if len(f) == 0 {
		return nil
	}
	m := make(map[string]string, len(f))
	for _, field := range f {
		if _, ok := m[field.Name]; !ok || !r.firstValue {
			m[field.Name] = field.Value
		}
	}
	return m
}

// effective returns the value that counts of a repeated name, or nil if there
// is none.
func (r *request) effective(values []string) []string {
	switch {
	case len(values) < 2:
		return values
	case r.firstValue:
		return values[:1]
	}
	return values[len(values)-1:]
}

// value returns the effective value of a name, or "". equal compares names.
func (r *request) value(f fields.List, name string, equal func(a, b string) bool) string {
	for _, value := range r.effective(f.All(name, equal)) {
		return value
	}
	return ""
}

// newRequest reads a handshake.
func (g *Gateway) newRequest(r *http.Request, now time.Time) *request {
	sent := sentHeaders(r).OneSpelling()
	source := sourceIP(r)
	req := &request{
		query:      fields.ParseQuery(r.URL.RawQuery),
		firstValue: g.api.Assumptions.FirstValueCounts,
		domainName: g.api.DomainName,
		identity:   event.Identity{UserAgent: r.Header.Get("User-Agent"), SourceIP: source},
	}
	if req.domainName == "" {
		// With the port, if any. The service has no port here, but a handler that
		// builds the management URL from the domain name needs it.
		req.domainName = r.Host
	}
	forwarded, trace := source, r.Header.Get("X-Amzn-Trace-Id")
	if earlier := r.Header.Get("X-Forwarded-For"); earlier != "" {
		forwarded = earlier + ", " + source
	}
	if trace == "" {
		trace = newTraceID(now)
	}
	// The gateway's own headers, which replace any of the same name that the
	// client sent (G-EVENT-7).
	req.headers = append(fields.List{{Name: "Host", Value: r.Host}},
		sent.Without("Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")...)
	req.headers = append(req.headers,
		fields.Field{Name: "X-Amzn-Trace-Id", Value: trace},
		fields.Field{Name: "X-Forwarded-For", Value: forwarded},
		fields.Field{Name: "X-Forwarded-Port", Value: "443"},
		fields.Field{Name: "X-Forwarded-Proto", Value: "https"},
	)
	return req
}

// integrationHeaders are the headers for $connect: all except the hop's own.
func (r *request) integrationHeaders() fields.List {
	return r.headers.Without("Connection", "Upgrade")
}

// authorizerHeaders are the headers for the authorizer: with the hop's own, in
// the service's spelling, and with a length (G-AUTH-9).
func (r *request) authorizerHeaders() fields.List {
	return append(r.headers.Without("Connection", "Upgrade", "Content-Length"),
		fields.Field{Name: "Connection", Value: "upgrade"}, fields.Field{Name: "Upgrade", Value: "websocket"},
		fields.Field{Name: "content-length", Value: "0"})
}

// sourceIP is the client's address without the port.
func sourceIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// headerCaseKey is the context key for the headers of a request that came
// through Dial, as sent.
type headerCaseKey struct{}

// sentHeaders returns the headers in the client's spelling if it is known,
// which it is for connections through Dial or PreserveHeaderCase. Otherwise
// net/http has rewritten them. Then only the spelling of the WebSocket headers
// is restored, which is the same in every client.
func sentHeaders(r *http.Request) fields.List {
	if sent, ok := r.Context().Value(headerCaseKey{}).(fields.List); ok {
		return sent
	}
	if recorder, ok := r.Context().Value(http.LocalAddrContextKey).(*recordedAddr); ok {
		if sent := recorder.conn.headersOf(r); sent != nil {
			return sent
		}
	}
	var sent fields.List
	for name, values := range r.Header {
		if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
			name = "Sec-WebSocket-" + rest
		}
		for _, value := range values {
			sent = append(sent, fields.Field{Name: name, Value: value})
		}
	}
	return sent
}

// withHeaders stores the headers as sent for newRequest.
func withHeaders(r *http.Request, sent fields.List) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), headerCaseKey{}, sent))
}
