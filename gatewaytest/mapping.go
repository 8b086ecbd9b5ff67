package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// Mapping is what a non-proxy integration does with a message on its way to the
// backend, and with the backend's answer on its way to the client.
//
// Templates are text in which $input.body, $input.json('$PATH'),
// $input.path('$PATH'), $context.NAME and $stageVariables.NAME stand for values, as
// does one of them in $util.escapeJavaScript(), urlEncode, urlDecode, base64Encode
// or base64Decode; ${…} marks where a name ends. Everything else of the Velocity
// Template Language (directives, variables of one's own) is refused by New.
type Mapping struct {
	// TemplateSelectionExpression chooses one of RequestTemplates by key; no
	// such key is "$default" (G-INTEG-8). Default `\$default`.
	TemplateSelectionExpression string

	// RequestTemplates write what the backend is given, by key. For a MOCK
	// integration that is {"statusCode":N} (G-INTEG-9).
	RequestTemplates map[string]string

	// PassthroughBehavior says what happens to a message without a template:
	// "WHEN_NO_MATCH", the default, gives it to the backend as it is,
	// "WHEN_NO_TEMPLATES" does so only if there are no templates at all,
	// "NEVER" answers "Unsupported Media Type" (the text is assumed).
	PassthroughBehavior string

	// ContentHandlingStrategy "CONVERT_TO_BINARY" makes bytes of what the
	// template, or the passthrough, gives to the backend: it has to be base64, and
	// what is not is answered "Internal server error" (assumed). It is the way for
	// a client to send bytes, since binary frames are refused (G-FRAME-1,
	// G-FRAME-2). A web server gets them as they are; a function takes JSON only.
	// "CONVERT_TO_TEXT" changes nothing: messages are text.
	ContentHandlingStrategy string

	// Responses are the integration responses by key: "$default", or "/REGEXP/"
	// against the whole of the HTTP status, the mock's status, or the error
	// text of a function (G-INTEG-7). A two-way route needs one at least. If
	// several match, the first in the order of keys is taken (assumed), and if
	// none does the answer passes as it is.
	Responses map[string]IntegrationResponse
}

// IntegrationResponse is what becomes of a backend's answer.
type IntegrationResponse struct {
	// TemplateSelectionExpression chooses one of ResponseTemplates by key; no
	// such key is "$default". Beside ${request.body.PATH} there are
	// ${integration.response.statuscode},
	// ${integration.response.header.NAME} and, for all values in a list,
	// ${integration.response.multivalueheader.NAME}. Default `\$default`.
	TemplateSelectionExpression string

	// ResponseTemplates write what the client gets, by key; $input is then the
	// backend's answer. Without a template the answer passes as it is; a mock
	// has none.
	ResponseTemplates map[string]string

	// ContentHandlingStrategy "CONVERT_TO_TEXT" makes base64 of the backend's
	// bytes before a template sees them, "CONVERT_TO_BINARY" bytes of base64; what
	// is not base64 is answered "Internal server error" (assumed). The client gets
	// text in any case, in which what is not UTF-8 is replaced.
	ContentHandlingStrategy string
}

// The passthrough behaviours (G-INTEG-8).
const (
	passthroughNoMatch     = "WHEN_NO_MATCH"
	passthroughNoTemplates = "WHEN_NO_TEMPLATES"
	passthroughNever       = "NEVER"
)

// templateSet is templates and the expression that chooses among them.
type templateSet struct {
	selection expr.Selection
	templates map[string]expr.Template
}

func newTemplateSet(expression string, texts map[string]string, others ...string) (set templateSet, err error) {
	if expression == "" {
		expression = `\$default`
	}
	if set.selection, err = expr.ParseSelection(expression, others...); err != nil {
		return set, fmt.Errorf("TemplateSelectionExpression: %w", err)
	}
	set.templates = make(map[string]expr.Template, len(texts))
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if set.templates[key], err = expr.ParseTemplate(texts[key]); err != nil {
			errs = append(errs, fmt.Errorf("template %q: %w", key, err))
		}
	}
	return set, errors.Join(errs...)
}

// pick chooses the template for a message; false if there is none.
func (s templateSet) choose(message string, lookup func(string) string) (expr.Template, bool) {
	value, err := plainjson.Decode(message)
	if err != nil {
		value = nil // an expression of literal text chooses all the same
	}
	t, ok := s.templates[s.selection.Text(value, lookup)]
	if !ok {
		t, ok = s.templates[routeDefault]
	}
	return t, ok
}

// mapping is a Mapping made ready.
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

func newMapping(m Mapping, twoWay bool) (made *mapping, err error) {
	made = &mapping{passthrough: m.PassthroughBehavior, content: m.ContentHandlingStrategy}
	if err := checkContentHandling(made.content); err != nil {
		return nil, err
	}
	switch made.passthrough {
	case "":
		made.passthrough = passthroughNoMatch
	case passthroughNoMatch, passthroughNoTemplates, passthroughNever:
	default:
		return nil, fmt.Errorf("PassthroughBehavior %q: must be %s, %s or %s", m.PassthroughBehavior, passthroughNoMatch, passthroughNoTemplates, passthroughNever)
	}
	if made.requests, err = newTemplateSet(m.TemplateSelectionExpression, m.RequestTemplates); err != nil {
		return nil, err
	}
	if twoWay && len(m.Responses) == 0 {
		return nil, fieldError("Responses", errors.New("a two-way route needs one at least"))
	}
	keys := slices.Sorted(maps.Keys(m.Responses))
	if at := slices.Index(keys, routeDefault); at >= 0 {
		keys = append(slices.Delete(keys, at, at+1), routeDefault)
	}
	for _, key := range keys {
		var r mappedResponse
		field := fmt.Sprintf("Responses[%q]", key)
		if key != routeDefault {
			if len(key) < 3 || key[0] != '/' || key[len(key)-1] != '/' {
				return nil, fieldError(field, errors.New("must be $default or /REGEXP/"))
			}
			if r.pattern, err = regexp.Compile(`^(?:` + key[1:len(key)-1] + `)$`); err != nil {
				return nil, fieldError(field, err)
			}
		}
		one := m.Responses[key]
		if r.content = one.ContentHandlingStrategy; checkContentHandling(r.content) != nil {
			return nil, fieldError(field, checkContentHandling(r.content))
		}
		r.templates, err = newTemplateSet(one.TemplateSelectionExpression, one.ResponseTemplates, responseStatus, responseHeader, responseHeaders)
		if err != nil {
			return nil, fieldError(field, err)
		}
		made.responses = append(made.responses, r)
	}
	return made, nil
}

// scope is what the references of a template stand for.
func (inv *invocation) scope(body string) expr.Scope {
	return expr.Scope{Body: body, Context: inv.contextValue, StageVariables: inv.c.g.api.StageVariables}
}

// request is what the backend is given for an event.
func (m *mapping) request(inv *invocation) (string, *gatewayResponse) {
	request := inv.body
	t, ok := m.requests.choose(inv.body, nil)
	switch {
	case ok:
		request = t.Render(inv.scope(inv.body))
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

// respond turns the backend's answer into the client's. The outcome is what the
// keys of the integration responses are matched against.
func (m *mapping) respond(inv *invocation, outcome string, a integrationResponse) (integrationResponse, error) {
	at := slices.IndexFunc(m.responses, func(r mappedResponse) bool { return r.pattern == nil || r.pattern.MatchString(outcome) })
	if at < 0 {
		return a, nil
	}
	switch m.responses[at].content {
	case convertToText:
		a.body = toBase64(a.body)
	case convertToBinary:
		var err error
		if a.body, err = fromBase64(a.body); err != nil {
			return a, err
		}
	}
	if t, ok := m.responses[at].templates.choose(inv.body, a.variable); ok {
		a.body, a.hasBody = []byte(t.Render(inv.scope(string(a.body)))), true
	}
	return a, nil
}

// variable is what a response's template selection may ask of an answer.
func (a integrationResponse) variable(name string) string {
	if name == responseStatus {
		return strconv.Itoa(a.status)
	}
	if name, ok := strings.CutPrefix(name, responseHeaders); ok {
		var values []any
		for _, header := range a.headers {
			if strings.EqualFold(header.Name, name) {
				values = append(values, header.Value)
			}
		}
		return expr.Text(values)
	}
	return a.headers.Last(strings.TrimPrefix(name, responseHeader), strings.EqualFold)
}

// mock is the backend of a MOCK integration: it answers with the status that
// the request template wrote (G-INTEG-9).
func mock(request string) (integrationResponse, error) {
	var written struct {
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if err := json.Unmarshal([]byte(request), &written); err != nil {
		return integrationResponse{}, fmt.Errorf("mock: the request template wrote %.40q: %w", request, err)
	}
	status, err := parseStatus(written.StatusCode)
	if err != nil {
		return integrationResponse{}, fmt.Errorf("mock: statusCode: %w", err)
	}
	return integrationResponse{status: status}, nil
}
