package gatewaytest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is a handshake as the events tell it.
type request struct {
	headers    fields // as sent, in the client's letter case, with Host first
	query      fields // decoded pairs
	firstValue bool   // of a repeated name the first value counts, not the last (G-EVENT-9)
	domainName string
	identity   identity
}

// fields is a list of names with values that keeps order and letter case.
type fields []field

type field struct{ name, value string }

// single is the map that holds for each name of f the value that counts. Nil when
// there are no fields.
func (r *request) single(f fields) map[string]string {
	if len(f) == 0 {
		return nil
	}
	m := make(map[string]string, len(f))
	for _, field := range f {
		if _, ok := m[field.name]; !ok || !r.firstValue {
			m[field.name] = field.value
		}
	}
	return m
}

// counts is, of the values of a name, the one that does; nil of none.
func (r *request) counts(values []string) []string {
	switch {
	case len(values) < 2:
		return values
	case r.firstValue:
		return values[:1]
	}
	return values[len(values)-1:]
}

// value is the value that counts of a name in f; equal says how names compare.
func (r *request) value(f fields, name string, equal func(a, b string) bool) string {
	for _, value := range r.counts(f.all(name, equal)) {
		return value
	}
	return ""
}

// multi is the map that holds all values in order. Nil when there are no
// fields.
func (f fields) multi() map[string][]string {
	if len(f) == 0 {
		return nil
	}
	m := make(map[string][]string, len(f))
	for _, field := range f {
		m[field.name] = append(m[field.name], field.value)
	}
	return m
}

// without returns the fields that have none of the names, in any case.
func (f fields) without(names ...string) fields {
	kept := make(fields, 0, len(f))
	for _, field := range f {
		drop := false
		for _, name := range names {
			drop = drop || strings.EqualFold(name, field.name)
		}
		if !drop {
			kept = append(kept, field)
		}
	}
	return kept
}

// oneSpelling gives all fields of a name the spelling of the first, because
// the names of headers are the same in any case.
func (f fields) oneSpelling() fields {
	first := make(map[string]string, len(f))
	for i, field := range f {
		lower := strings.ToLower(field.name)
		if name, ok := first[lower]; ok {
			f[i].name = name
		} else {
			first[lower] = field.name
		}
	}
	return f
}

// last returns the last value of a name; equal says how names compare.
func (f fields) last(name string, equal func(a, b string) bool) string {
	value := ""
	for _, field := range f {
		if equal(field.name, name) {
			value = field.value
		}
	}
	return value
}

func same(a, b string) bool { return a == b }

// newRequest reads a handshake.
func (g *Gateway) newRequest(r *http.Request, now time.Time) *request {
	sent := sentHeaders(r).oneSpelling()
	source := sourceIP(r)
	req := &request{
		query:      parseQuery(r.URL.RawQuery),
		firstValue: g.api.Assumptions.FirstValueCounts,
		domainName: g.api.DomainName,
		identity:   identity{UserAgent: r.Header.Get("User-Agent"), SourceIP: source},
	}
	if req.domainName == "" {
		// With the port, if any: the service has none to show, but a handler
		// that builds the management URL from the domain name needs it here.
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
	req.headers = append(fields{{"Host", r.Host}}, sent.without("Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")...)
	req.headers = append(req.headers,
		field{"X-Amzn-Trace-Id", trace},
		field{"X-Forwarded-For", forwarded},
		field{"X-Forwarded-Port", "443"},
		field{"X-Forwarded-Proto", "https"},
	)
	return req
}

// integrationHeaders is what $connect sees: all but the hop's own.
func (r *request) integrationHeaders() fields {
	return r.headers.without("Connection", "Upgrade")
}

// authorizerHeaders is what the authorizer sees: with the hop's own headers,
// in the service's spelling, and with a length (G-AUTH-9).
func (r *request) authorizerHeaders() fields {
	return append(r.headers.without("Connection", "Upgrade", "Content-Length"),
		field{"Connection", "upgrade"}, field{"Upgrade", "websocket"}, field{"content-length", "0"})
}

// parseQuery decodes a query string pair by pair and keeps a pair that cannot
// be decoded as it is.
func parseQuery(raw string) fields {
	var query fields
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		query = append(query, field{unescape(name), unescape(value)})
	}
	return query
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// sourceIP is the client's address without the port.
func sourceIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// headerCaseKey finds the headers as sent in the context of a request that
// came in through Dial.
type headerCaseKey struct{}

// sentHeaders returns the headers in the client's own spelling when it is
// known, because the connection came through Dial or PreserveHeaderCase. Else
// net/http has already rewritten them, and all that can be done is to restore
// the spelling that every client uses for the WebSocket headers.
func sentHeaders(r *http.Request) fields {
	if sent, ok := r.Context().Value(headerCaseKey{}).(fields); ok {
		return sent
	}
	if recorder, ok := r.Context().Value(http.LocalAddrContextKey).(*recordedAddr); ok {
		if sent := recorder.conn.headersOf(r); sent != nil {
			return sent
		}
	}
	var sent fields
	for name, values := range r.Header {
		if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
			name = "Sec-WebSocket-" + rest
		}
		for _, value := range values {
			sent = append(sent, field{name, value})
		}
	}
	return sent
}

// parseHeaders reads the header lines of a raw HTTP request that net/http has
// already accepted, so that malformed lines need not be reported here.
func parseHeaders(raw string) fields {
	var sent fields
	for i, line := range strings.Split(raw, "\r\n") {
		if i == 0 {
			continue // the request line
		}
		if line == "" {
			break
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			sent = append(sent, field{name, strings.Trim(value, " \t")})
		}
	}
	return sent
}

// withHeaders remembers the headers as sent for newRequest.
func withHeaders(r *http.Request, sent fields) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), headerCaseKey{}, sent))
}
