package gatewaytest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
	"github.com/securecart/hub/gatewaytest/internal/vtl"
)

// Mapping makes an integration a non-proxy one: it maps a message to the
// request for the backend, and the backend's response to the message for the
// client.
//
// Templates are in the Velocity Template Language (G-INTEG-10), with $input.body,
// $input.json(PATH), $input.path(PATH), $input.params(NAME), $context,
// $stageVariables and $util. PATH is a JSONPath without filters, slices, functions and
// several names in one step. New reports mistakes with the line and column in the template, and refuses #macro,
// #parse, #include and #evaluate. A template that fails for a message is
// answered "Internal server error" (assumed), and the log has the reason and the
// place.
type Mapping struct {
	// TemplateSelectionExpression chooses one of RequestTemplates by key. If
	// there is no such key, "$default" is used (G-INTEG-8). Default
	// `\$default`; then "application/json" stands in for a missing "$default"
	// (assumed).
	TemplateSelectionExpression string

	// RequestTemplates write the request for the backend, by key. For a MOCK
	// integration that is {"statusCode":N}; without templates N is 200
	// (G-INTEG-9).
	RequestTemplates map[string]string

	// PassthroughBehavior decides about a message without a template.
	// "WHEN_NO_MATCH", the default, sends it to the backend unchanged.
	// "WHEN_NO_TEMPLATES" does so only if there are no templates at all.
	// "NEVER" answers "Unsupported Media Type" (the text is assumed).
	PassthroughBehavior string

	// ContentHandlingStrategy "CONVERT_TO_BINARY" decodes the request for the
	// backend from base64; if that fails, the client gets "Internal server
	// error" (assumed). It is how a client can send bytes, since binary frames
	// are refused (G-FRAME-1, G-FRAME-2). A web server gets the bytes
	// unchanged; a function accepts JSON only. "CONVERT_TO_TEXT" changes
	// nothing: messages are text.
	ContentHandlingStrategy string

	// Responses are the integration responses by key: "$default", or "/REGEXP/"
	// for the whole of the HTTP status, the mock's status, or the error text of
	// a function (G-INTEG-7). If several match, the first by key is used
	// (assumed). If none does, the backend's response is sent unchanged; a mock
	// has none.
	Responses map[string]IntegrationResponse
}

// IntegrationResponse maps a response of the backend.
type IntegrationResponse struct {
	// TemplateSelectionExpression chooses one of ResponseTemplates by key. If
	// there is no such key, "$default" is used. Besides ${request.body.PATH} it
	// may contain ${integration.response.statuscode},
	// ${integration.response.header.NAME} and, for a list of all values,
	// ${integration.response.multivalueheader.NAME}. The default is that of a
	// Mapping.
	TemplateSelectionExpression string

	// ResponseTemplates write the message for the client, by key. In them
	// $input is the backend's response. Without a template that response is
	// sent unchanged; a mock has none.
	ResponseTemplates map[string]string

	// ContentHandlingStrategy "CONVERT_TO_TEXT" encodes the backend's bytes as
	// base64 before a template uses them. "CONVERT_TO_BINARY" decodes them from
	// base64; if that fails, the client gets "Internal server error" (assumed).
	// The client always gets text, in which invalid UTF-8 is replaced.
	ContentHandlingStrategy string
}

// The passthrough behaviours (G-INTEG-8).
const (
	passthroughNoMatch     = "WHEN_NO_MATCH"
	passthroughNoTemplates = "WHEN_NO_TEMPLATES"
	passthroughNever       = "NEVER"
)

// templateSet is a set of templates with the expression that chooses among
// them.
type templateSet struct {
	selection expr.Selection
	templates map[string]*vtl.Template
}

// jsonKey is the key that many templates have, as in REST APIs, where it is a
// content type.
const jsonKey = "application/json"

// newTemplateSet parses templates. jsonUnused is Assumptions.JSONTemplateUnused.
func newTemplateSet(
	expression string, texts map[string]string, jsonUnused bool, others ...string,
) (set templateSet, err error) {
	fallback := routeDefault
	if _, ok := texts[routeDefault]; expression == "" && !ok && !jsonUnused {
		fallback = jsonKey // G-INTEG-8
	}
	expression = cmp.Or(expression, `\$default`)
	if set.selection, err = expr.ParseSelection(expression, others...); err != nil {
		return set, fmt.Errorf("TemplateSelectionExpression: %w", err)
	}
	set.templates = make(map[string]*vtl.Template, len(texts))
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if set.templates[key], err = vtl.Parse(texts[key]); err != nil {
			errs = append(errs, fmt.Errorf("template %q: %w", key, err))
		}
		if key == fallback {
			set.templates[routeDefault] = set.templates[key]
		}
	}
	return set, errors.Join(errs...)
}

// choose returns the template for a message, or reports false if there is none.
func (s templateSet) choose(message string, lookup func(string) string) (*vtl.Template, bool) {
	value, err := plainjson.Decode(message)
	if err != nil {
		value = nil // an expression without variables still works
	}
	t, ok := s.templates[s.selection.Text(value, lookup)]
	if !ok {
		t, ok = s.templates[routeDefault]
	}
	return t, ok
}

// mapping is a parsed Mapping.
type mapping struct {
	requests    templateSet
	passthrough string
	content     string           // ContentHandlingStrategy
	responses   []mappedResponse // $default last
}

type mappedResponse struct {
	pattern   *regexp.Regexp // nil: $default
	templates templateSet
	content   string // ContentHandlingStrategy
}

const (
	responseStatus  = "integration.response.statuscode"
	responseHeader  = "integration.response.header."
	responseHeaders = "integration.response.multivalueheader."
)

// newMapping parses a Mapping.
func newMapping(m Mapping, jsonUnused bool) (*mapping, error) {
	parsed := &mapping{passthrough: cmp.Or(m.PassthroughBehavior, passthroughNoMatch), content: m.ContentHandlingStrategy}
	if err := checkContentHandling(parsed.content); err != nil {
		return nil, err
	}
	switch parsed.passthrough {
	case passthroughNoMatch, passthroughNoTemplates, passthroughNever:
	default:
		return nil, fmt.Errorf("PassthroughBehavior %q: must be %s, %s or %s",
			m.PassthroughBehavior, passthroughNoMatch, passthroughNoTemplates, passthroughNever)
	}
	var err error
	if parsed.requests, err = newTemplateSet(m.TemplateSelectionExpression, m.RequestTemplates, jsonUnused); err != nil {
		return nil, err
	}
	keys := slices.Sorted(maps.Keys(m.Responses))
	if i := slices.Index(keys, routeDefault); i >= 0 {
		keys = append(slices.Delete(keys, i, i+1), routeDefault)
	}
	for _, key := range keys {
		response, err := newMappedResponse(key, m.Responses[key], jsonUnused)
		if err != nil {
			return nil, fieldError(fmt.Sprintf("Responses[%q]", key), err)
		}
		parsed.responses = append(parsed.responses, response)
	}
	return parsed, nil
}

func newMappedResponse(key string, r IntegrationResponse, jsonUnused bool) (parsed mappedResponse, err error) {
	if key != routeDefault {
		if len(key) < 3 || key[0] != '/' || key[len(key)-1] != '/' {
			return parsed, errors.New("must be $default or /REGEXP/")
		}
		if parsed.pattern, err = regexp.Compile(`^(?:` + key[1:len(key)-1] + `)$`); err != nil {
			return parsed, err
		}
	}
	parsed.content = r.ContentHandlingStrategy
	if err := checkContentHandling(parsed.content); err != nil {
		return parsed, err
	}
	parsed.templates, err = newTemplateSet(r.TemplateSelectionExpression, r.ResponseTemplates, jsonUnused,
		responseStatus, responseHeader, responseHeaders)
	return parsed, err
}

// request returns the request to the backend for an event.
func (m *mapping) request(inv *invocation) (string, *gatewayResponse) {
	request := inv.body
	t, ok := m.requests.choose(inv.body, nil)
	switch {
	case ok:
		var err error
		if request, err = t.Render(inv.scope(inv.body)); err != nil {
			return "", templateFailure(err)
		}
	case m.passthrough == passthroughNever, m.passthrough == passthroughNoTemplates && len(m.requests.templates) > 0:
		return "", &responseMediaType
	}
	if m.content != convertToBinary {
		return request, nil
	}
	data, err := fromBase64([]byte(request))
	if err != nil {
		return "", responseFailure.withDetail(err.Error())
	}
	return string(data), nil
}

// respond maps the backend's response. The keys of the integration responses
// are matched against outcome.
func (m *mapping) respond(inv *invocation, outcome string, resp integrationResponse) (integrationResponse, error) {
	i := slices.IndexFunc(m.responses, func(r mappedResponse) bool {
		return r.pattern == nil || r.pattern.MatchString(outcome)
	})
	switch {
	case len(m.responses) == 0 && inv.route.RouteResponse && inv.event.RequestContext.EventType == event.Message &&
		inv.c.g.api.Assumptions.NoResponsesFail:
		return resp, errors.New("the integration has no integration response") // G-INTEG-7
	case i < 0:
		return resp, nil
	}
	switch m.responses[i].content {
	case convertToText:
		resp.body = toBase64(resp.body)
	case convertToBinary:
		var err error
		if resp.body, err = fromBase64(resp.body); err != nil {
			return resp, err
		}
	}
	if t, ok := m.responses[i].templates.choose(inv.body, resp.variable); ok {
		text, err := t.Render(inv.scope(string(resp.body)))
		if err != nil {
			return resp, err
		}
		resp.body, resp.hasBody = []byte(text), true
	}
	return resp, nil
}

// variable returns a variable of a response's template selection.
func (resp integrationResponse) variable(name string) string {
	if name == responseStatus {
		return strconv.Itoa(resp.status)
	}
	if name, ok := strings.CutPrefix(name, responseHeaders); ok {
		var values []any
		for _, header := range resp.headers {
			if strings.EqualFold(header.Name, name) {
				values = append(values, header.Value)
			}
		}
		return expr.Text(values)
	}
	return resp.headers.Last(strings.TrimPrefix(name, responseHeader), strings.EqualFold)
}

// mock is the backend of a MOCK integration. It responds with the status that
// the request template wrote (G-INTEG-9).
func mock(request string) (integrationResponse, error) {
	var template struct {
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if err := json.Unmarshal([]byte(request), &template); err != nil {
		return integrationResponse{}, fmt.Errorf("mock: the request template wrote %.40q: %w", request, err)
	}
	status, err := parseStatus(template.StatusCode)
	if err != nil {
		return integrationResponse{}, fmt.Errorf("mock: statusCode: %w", err)
	}
	return integrationResponse{status: status}, nil
}
