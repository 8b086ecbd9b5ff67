package samapi

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// place is where the template has what the gateway calls by the name of a field, and
// how the template calls it.
type place struct {
	field string // the beginning of the gateway's error
	at    cfn.Pos
	words string
}

// checkWithGateway makes a gateway of the API, so that what the gateway refuses is a
// problem at its place, in the template's words.
func (b *builder) checkWithGateway() {
	api := b.result.API
	if api.AccessLog != nil {
		api.AccessLog = &gatewaytest.AccessLog{Format: api.AccessLog.Format, Output: io.Discard}
	}
	if api.IAM {
		api.Credentials = []gatewaytest.Credential{{AccessKeyID: "check", SecretAccessKey: "check"}}
	}
	gateway, err := gatewaytest.New(api)
	if err == nil {
		_ = gateway.Close() // it has no connections
		return
	}
	places := b.places()
	for _, each := range leaves(err) {
		text := strings.TrimPrefix(each.Error(), "gatewaytest: ")
		i := slices.IndexFunc(places, func(p place) bool { return strings.HasPrefix(text, p.field) })
		b.Problem(places[i].at, "%s", places[i].words+strings.TrimPrefix(text, places[i].field))
	}
}

// leaves returns the errors that errors.Join has joined.
func leaves(err error) []error {
	switch wrapped := err.(type) {
	case interface{ Unwrap() []error }:
		var all []error
		for _, each := range wrapped.Unwrap() {
			all = append(all, leaves(each)...)
		}
		return all
	case interface{ Unwrap() error }:
		if strings.HasPrefix(err.Error(), "gatewaytest: ") && wrapped.Unwrap() != nil {
			return leaves(wrapped.Unwrap())
		}
	}
	return []error{err}
}

// places returns the places of all fields, a part before the whole. The last place is
// the API, for every field.
func (b *builder) places() []place {
	var places []place
	add := func(field string, v cfn.Value, words string) { places = append(places, place{field, v.Pos(), words}) }
	for _, r := range b.ofType(typeRoute) {
		places = append(places, b.routePlaces(r)...)
	}
	for _, r := range b.ofType(typeModel) {
		add(fmt.Sprintf("Models[%q]: ", r.Property("Name").Text()), r.Property("Schema"), "Schema of "+r.ID+": ")
	}
	add("RouteSelectionExpression", b.api.Property("RouteSelectionExpression"), "RouteSelectionExpression")
	add("APIKeySelectionExpression", b.api.Property("ApiKeySelectionExpression"), "ApiKeySelectionExpression")
	if b.stage != nil {
		add("Stage ", b.stage.Property("StageName"), "StageName ")
		add("Stage: ", b.stage.Property("StageName"), "StageName: ")
		add("RouteThrottle", b.stage.Property("DefaultRouteSettings"), "DefaultRouteSettings")
		add("AccessLog.", b.stage.Property("AccessLogSettings", "Format"), "AccessLogSettings ")
	}
	if b.mapping != nil {
		add("Domain.BasePath", b.mapping.Property("ApiMappingKey"), "ApiMappingKey")
		add("Domain.Name", b.mapping.Property("DomainName"), "DomainName")
	}
	return append(places, place{at: b.api.Pos, words: b.api.ID + ": "})
}

// routePlaces returns the places of the fields of a route and of its integration.
func (b *builder) routePlaces(r *cfn.Resource) []place {
	prefix := fmt.Sprintf("Routes[%q].", r.Property("RouteKey").Text())
	var places []place
	add := func(field string, v cfn.Value, words string) {
		places = append(places, place{prefix + field, v.Pos(), words})
	}
	m := target.FindStringSubmatch(r.Property("Target").Text())
	if m != nil {
		integration := b.byID(typeIntegration, m[1])
		for _, response := range b.ofType(typeIntegrationResponse) {
			if response.Property("IntegrationId").Text() != m[1] {
				continue
			}
			field := fmt.Sprintf("Mapping: Responses[%q]: ", response.Property("IntegrationResponseKey").Text())
			for _, t := range response.Property("ResponseTemplates").Fields() {
				add(field+fmt.Sprintf("template %q: ", t.Name), t.Value, fmt.Sprintf("ResponseTemplates %q: ", t.Name))
			}
			add(field+"TemplateSelectionExpression: ", response.Property("TemplateSelectionExpression"),
				"TemplateSelectionExpression: ")
			add(field, response.Property("IntegrationResponseKey"), "IntegrationResponseKey: ")
		}
		for _, t := range integration.Property("RequestTemplates").Fields() {
			add(fmt.Sprintf("Mapping: template %q: ", t.Name), t.Value, fmt.Sprintf("RequestTemplates %q: ", t.Name))
		}
		add("Mapping: TemplateSelectionExpression: ", integration.Property("TemplateSelectionExpression"),
			"TemplateSelectionExpression: ")
		add("HTTP: URI", integration.Property("IntegrationUri"), "IntegrationUri")
		add("HTTP: Method", integration.Property("IntegrationMethod"), "IntegrationMethod")
		add("HTTP: RequestParameters", integration.Property("RequestParameters"), "RequestParameters")
	}
	add("RequestModels: ", r.Property("ModelSelectionExpression"), "ModelSelectionExpression: ")
	return append(places, place{prefix, r.Pos, r.ID + ": "})
}
