package samapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// The limits of TimeoutInMillis (G-LIMIT-8).
const (
	minTimeout = 50
	maxTimeout = 29_000
)

// readIntegrations returns the integrations by logical id. Each is a Route with
// only the fields of its integration.
func (b *builder) readIntegrations() map[string]*gatewaytest.Route {
	integrations := map[string]*gatewaytest.Route{}
	for _, r := range b.ofType(typeIntegration) {
		b.checkProperties(r)
		integrations[r.ID] = b.readIntegration(r)
		if content := r.Property("ContentHandlingStrategy"); content.Known() && isProxy(r) {
			b.Note(content.Pos(), "ContentHandlingStrategy of %s has no effect: it is a proxy integration", r.ID)
		}
	}
	for _, r := range b.ofType(typeIntegrationResponse) {
		id := b.required(r, "IntegrationId")
		integration := integrations[id]
		switch {
		case id == "":
		case integration == nil:
			r.Property("IntegrationId").Problem("there is no integration %s", id)
		case isProxy(b.byID(typeIntegration, id)):
			// AWS accepts the integration response, but a proxy integration does not use
			// it.
			b.Note(r.Pos, "%s has no effect: %s is a proxy integration", r.ID, id)
		case integration.Mapping != nil: // otherwise it is not imitated
			b.readIntegrationResponse(r, integration.Mapping)
		}
	}
	return integrations
}

// isProxy reports whether an integration passes events and answers on unchanged.
func isProxy(r *cfn.Resource) bool {
	return strings.HasSuffix(r.Property("IntegrationType").Text(), "_PROXY")
}

// readIntegration reads the backend (G-INTEG-1).
func (b *builder) readIntegration(r *cfn.Resource) *gatewaytest.Route {
	route := &gatewaytest.Route{}
	if ms := r.Property("TimeoutInMillis"); ms.Known() {
		if n := ms.Int(maxTimeout); n < minTimeout || n > maxTimeout {
			ms.Problem("TimeoutInMillis %d: must be from %d to %d", n, minTimeout, maxTimeout)
		}
		route.Timeout = time.Duration(ms.Int(0)) * time.Millisecond
	}
	connection := r.Property("ConnectionType")
	if oneOf(connection, "ConnectionType", "INTERNET", "VPC_LINK") == "VPC_LINK" {
		b.Note(connection.Pos(), "%s has a VPC link in AWS; here its IntegrationUri must be reachable", r.ID)
	}
	kind := r.Property("IntegrationType")
	b.required(r, "IntegrationType")
	uri := r.Property("IntegrationUri")
	switch text := oneOf(kind, "IntegrationType", "AWS_PROXY", "AWS", "MOCK", "HTTP_PROXY", "HTTP"); {
	case text == "MOCK":
		route.Mapping = b.readMapping(r)
		return route
	case text == "" || !uri.Exists():
		if text != "" {
			uri.Problem("%s has no IntegrationUri", r.ID)
		}
		return route
	case text == "AWS" || text == "AWS_PROXY":
		if b.readService(r, uri, route) {
			return route
		}
		route.Integration = b.function(r, uri, r.Property("CredentialsArn"))
		if text == "AWS" {
			route.Mapping = b.readMapping(r)
		}
	case text == "HTTP" || text == "HTTP_PROXY":
		address, ok := b.withStageVariables(uri)
		switch {
		case !ok:
			return route
		case !httpURI.MatchString(address):
			uri.Problem("IntegrationUri %q: must begin with http:// or https://", address)
		}
		route.HTTP = &gatewaytest.HTTP{
			Method: r.Property("IntegrationMethod").Text(), URI: uri.Text(),
			RequestParameters: stringMap(r.Property("RequestParameters")),
		}
		if text == "HTTP" {
			route.Mapping = b.readMapping(r)
		}
	}
	return route
}

var (
	// serviceAction matches the URI of an AWS service. The first group is the service.
	serviceAction = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]*:(?:[^:]+\.)?([^:.]+):(?:action|path)/`)

	httpURI = regexp.MustCompile(`^https?://`)
)

// readMapping reads the templates of a non-proxy integration.
func (b *builder) readMapping(r *cfn.Resource) *gatewaytest.Mapping {
	b.noteUnusedTemplates(r, "RequestTemplates")
	return &gatewaytest.Mapping{
		TemplateSelectionExpression: r.Property("TemplateSelectionExpression").Text(),
		RequestTemplates:            templates(r, "RequestTemplates"),
		ContentHandlingStrategy:     contentHandling(r),
		PassthroughBehavior: oneOf(r.Property("PassthroughBehavior"), "PassthroughBehavior", "WHEN_NO_MATCH",
			"WHEN_NO_TEMPLATES", "NEVER"),
		Responses: map[string]gatewaytest.IntegrationResponse{},
	}
}

func (b *builder) readIntegrationResponse(r *cfn.Resource, mapping *gatewaytest.Mapping) {
	key := b.required(r, "IntegrationResponseKey")
	if _, exists := mapping.Responses[key]; exists {
		r.Property("IntegrationResponseKey").Problem("there is another integration response with the key %s", key)
	}
	b.noteUnusedTemplates(r, "ResponseTemplates")
	mapping.Responses[key] = gatewaytest.IntegrationResponse{
		TemplateSelectionExpression: r.Property("TemplateSelectionExpression").Text(),
		ResponseTemplates:           templates(r, "ResponseTemplates"),
		ContentHandlingStrategy:     contentHandling(r),
	}
}

// noteUnusedTemplates notes templates that nothing selects (G-INTEG-8).
func (b *builder) noteUnusedTemplates(r *cfn.Resource, property string) {
	templates := stringMap(r.Property(property))
	selection := strings.TrimPrefix(cmp.Or(r.Property("TemplateSelectionExpression").Text(), defaultKey), `\`)
	_, isSelected := templates[selection]
	_, hasDefault := templates[defaultKey]
	switch _, hasJSON := templates[jsonKey]; {
	case len(templates) == 0 || isSelected || hasDefault || strings.Contains(selection, "$request."):
	case hasJSON && !r.Property("TemplateSelectionExpression").Exists():
		b.Note(r.Property(property).Pos(), "%s of %s: without a TemplateSelectionExpression the template "+
			"application/json is used here; AWS does not document what it does (G-INTEG-8)", property, r.ID)
	case !strings.Contains(selection, "${"):
		b.Note(r.Property(property).Pos(), "%s of %s: TemplateSelectionExpression selects %s, so no template is used",
			property, r.ID, selection)
	}
}

const (
	defaultKey = "$default"
	jsonKey    = "application/json"
)

// contentHandling returns the strategy of a non-proxy integration or of its
// response (G-FRAME-2).
func contentHandling(r *cfn.Resource) string {
	return oneOf(r.Property("ContentHandlingStrategy"), "ContentHandlingStrategy", "CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
}

// jsonText returns a value as JSON. A string must already be JSON.
func jsonText(v cfn.Value) (string, error) {
	if v.IsText() {
		if text := v.Text(); json.Valid([]byte(text)) {
			return text, nil
		}
		return "", errors.New("not JSON")
	}
	data, err := json.Marshal(v.JSON())
	return string(data), err
}
