package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/fields"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// HTTP is a web server as the backend of a route. It is integration type
// HTTP_PROXY, or HTTP with a Mapping.
//
// The body of a request is the message. On $connect a proxy also gets the
// headers and the query string of the handshake, including
// Sec-WebSocket-Version (G-INTEG-5), and the status of its response is that of
// the handshake. Other requests have neither (assumed). Redirects are not
// followed.
type HTTP struct {
	// Method is the method of the requests. Default "POST".
	Method string

	// URI is the address of the backend, http or https. ${stageVariables.NAME}
	// is replaced by a stage variable (G-STAGEVAR-2).
	URI string

	// RequestParameters adds headers and query parameters to the requests, or
	// replaces them. Keys are "integration.request.header.NAME",
	// "integration.request.querystring.NAME" and, for {NAME} in the path of the
	// URI, "integration.request.path.NAME". Values are
	// "route.request.header.NAME", "route.request.querystring.NAME" and their
	// multivalueheader and multivaluequerystring forms ($connect only),
	// "route.request.body.PATH", "stageVariables.NAME", "context.NAME" and
	// "'literal'" (G-INTEG-4). Without them the backend does not know the
	// connection id (G-INTEG-3).
	RequestParameters map[string]string
}

// parameter is one parsed entry of RequestParameters.
type parameter struct {
	place  string // header, querystring or path
	name   string
	source func(inv *invocation) []string
}

var stageVariableInURI = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// replaceStageVariables returns a URI with stage variables replaced (G-STAGEVAR-2).
func replaceStageVariables(uri string, api *API) (replaced string, err error) {
	replaced = stageVariableInURI.ReplaceAllStringFunc(uri, func(reference string) string {
		name := stageVariableInURI.FindStringSubmatch(reference)[1]
		value, ok := api.StageVariables[name]
		if !ok {
			err = fmt.Errorf("URI: no stage variable %q", name)
		}
		return value
	})
	return replaced, err
}

// parse returns the URI, with stage variables replaced, and the parameters.
func (h *HTTP) parse(api *API, routeKey string) (uri string, parameters []parameter, err error) {
	if uri, err = replaceStageVariables(h.URI, api); err != nil {
		return "", nil, err
	}
	if !isHTTP(uri) {
		return "", nil, fmt.Errorf("URI %q: must be http://HOST or https://HOST, with or without a path", uri)
	}
	if _, err := http.NewRequest(h.Method, uri, nil); err != nil {
		return "", nil, fieldError("Method", err)
	}
	parameters, err = parseParameters(h.RequestParameters, routeKey)
	return uri, parameters, err
}

var parameterKey = regexp.MustCompile(`^integration\.request\.(header|querystring|path)\.(.+)$`)

// parseParameters parses RequestParameters, in the order of the keys.
func parseParameters(texts map[string]string, routeKey string) (parameters []parameter, err error) {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		m := parameterKey.FindStringSubmatch(key)
		if m == nil {
			return nil, fmt.Errorf("RequestParameters: %q: must be integration.request.header.NAME, "+
				"integration.request.querystring.NAME or integration.request.path.NAME", key)
		}
		p := parameter{place: m[1], name: m[2]}
		if p.source, err = parseSource(texts[key], routeKey == routeConnect); err != nil {
			return nil, fmt.Errorf("RequestParameters[%q]: %w", key, err)
		}
		parameters = append(parameters, p)
	}
	return parameters, nil
}

// parseSource parses the source of a parameter's value (G-INTEG-4).
func parseSource(text string, onConnect bool) (func(inv *invocation) []string, error) {
	if n := len(text); n >= 2 && text[0] == '\'' && text[n-1] == '\'' {
		literal := text[1 : n-1]
		return func(*invocation) []string { return []string{literal} }, nil
	}
	if path, ok := strings.CutPrefix(text, "route.request.body"); ok {
		steps, err := expr.ParsePath(path)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		return func(inv *invocation) []string {
			value, err := plainjson.Decode(inv.body)
			if err != nil {
				return nil
			}
			return valueList(expr.Text(steps.Follow(value)))
		}, nil
	}
	if name, ok := strings.CutPrefix(text, "stageVariables."); ok {
		return func(inv *invocation) []string { return valueList(inv.c.g.api.StageVariables[name]) }, nil
	}
	if name, ok := strings.CutPrefix(text, "context."); ok {
		return func(inv *invocation) []string { return valueList(inv.contextValue(name)) }, nil
	}
	for _, kind := range []struct {
		prefix         string
		query, onlyOne bool
	}{
		{"route.request.header.", false, true}, {"route.request.multivalueheader.", false, false},
		{"route.request.querystring.", true, true}, {"route.request.multivaluequerystring.", true, false},
	} {
		name, ok := strings.CutPrefix(text, kind.prefix)
		if !ok {
			continue
		}
		if !onConnect {
			return nil, fmt.Errorf("%q: only $connect has headers and a query string", text)
		}
		return func(inv *invocation) []string {
			values := inv.req.headers.All(name, strings.EqualFold)
			if kind.query {
				values = inv.req.query.All(name, fields.Exact)
			}
			if kind.onlyOne {
				values = inv.req.effective(values)
			}
			return values
		}, nil
	}
	return nil, fmt.Errorf("%q: must be 'LITERAL', stageVariables.NAME, context.NAME or "+
		"route.request.{body,header,querystring,multivalueheader,multivaluequerystring}.NAME", text)
}

// valueList returns a value as a list, which is empty if there is no value.
func valueList(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// sendHTTP sends a request to the route's web server. The error is errTimedOut
// or that of the network.
func (g *Gateway) sendHTTP(inv *invocation, body string) (integrationResponse, error) {
	r := inv.route
	ctx, cancel := context.WithTimeout(g.handlers, r.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.HTTP.Method, r.uri, strings.NewReader(body))
	if err != nil {
		return integrationResponse{}, err
	}
	query := fields.ParseQuery(req.URL.RawQuery)
	headers := fields.List{{Name: "Content-Type", Value: "application/json"}}
	if inv.req != nil && r.mapping == nil {
		headers = inv.req.integrationHeaders().Without("Host", "Content-Length")
		query = append(query, inv.req.query...)
	}
	if len(headers.All("User-Agent", strings.EqualFold)) == 0 {
		headers = append(headers, fields.Field{Name: "User-Agent", Value: "AmazonAPIGateway_" + g.api.ID})
	}
	inv.setParameters(req, headers, query)
	return g.roundTrip(req)
}

// setParameters sets the headers and the query of a request, with the route's
// RequestParameters in them and in the path.
func (inv *invocation) setParameters(req *http.Request, headers, query fields.List) {
	for _, p := range inv.route.parameters {
		values := p.source(inv)
		switch {
		case values == nil:
		case p.place == "querystring":
			query = query.With(p.name, fields.Exact, values)
		case p.place == "path":
			setPathParameter(req.URL, p.name, values[len(values)-1])
		default:
			headers = headers.With(p.name, strings.EqualFold, values)
		}
	}
	for _, header := range headers {
		req.Header.Add(header.Name, header.Value)
	}
	req.URL.RawQuery = query.Encode()
}

// setPathParameter replaces {name} in the path of a URL by a value, as one segment.
func setPathParameter(u *url.URL, name, value string) {
	u.RawPath = strings.ReplaceAll(u.EscapedPath(), url.PathEscape("{"+name+"}"), url.PathEscape(value))
	u.Path, _ = url.PathUnescape(u.RawPath) // just escaped: cannot fail
}

func (g *Gateway) roundTrip(req *http.Request) (integrationResponse, error) {
	failed := func(err error) (integrationResponse, error) {
		if errors.Is(req.Context().Err(), context.DeadlineExceeded) {
			err = errTimedOut
		}
		return integrationResponse{}, err
	}
	httpResp, err := g.backends.RoundTrip(req)
	if err != nil {
		return failed(err)
	}
	defer httpResp.Body.Close()
	// One byte more than a client can receive is enough to detect excess.
	data, err := io.ReadAll(io.LimitReader(httpResp.Body, maxPayloadBytes+1))
	if err != nil {
		return failed(err)
	}
	resp := integrationResponse{status: httpResp.StatusCode, body: data, hasBody: true}
	for name, values := range httpResp.Header {
		for _, value := range values {
			resp.headers = append(resp.headers, fields.Field{Name: name, Value: value})
		}
	}
	return resp, nil
}
