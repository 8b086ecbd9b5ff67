package samapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// readService reads an integration with another AWS service than Lambda
// (G-INTEG-11). It reports false if the URI names none.
func (b *builder) readService(r *cfn.Resource, uri cfn.Value, route *gatewaytest.Route) bool {
	m := serviceAction.FindStringSubmatch(uri.Text())
	if m == nil || m[1] == "lambda" {
		return false
	}
	if kind := r.Property("IntegrationType"); kind.Text() != "AWS" {
		kind.Problem("IntegrationType %s invokes functions only; for %s it must be AWS", kind.Text(), m[1])
		return true
	}
	if _, ok := b.withStageVariables(uri); !ok {
		return true
	}
	if !r.Property("CredentialsArn").Exists() {
		b.Note(r.Pos, "%s has no CredentialsArn: in AWS, its requests to %s need a role", r.ID, m[1])
	}
	if m[1] == "execute-api" && !strings.Contains(uri.Text(), ":"+b.api.Ref()+".execute-api:") {
		b.Note(uri.Pos(), "%s calls another API; localhub sends its requests to this one", r.ID)
	}
	route.Service = &gatewaytest.Service{
		URI: uri.Text(), Method: r.Property("IntegrationMethod").Text(),
		RequestParameters: stringMap(r.Property("RequestParameters")),
	}
	route.Mapping = b.readMapping(r)
	if !slices.Contains(b.result.Services, m[1]) {
		b.result.Services = append(b.result.Services, m[1])
		slices.Sort(b.result.Services)
	}
	return true
}

// templates returns the mapping templates of a property by key. A mistake in one is a
// problem at its line.
func templates(r *cfn.Resource, name string) map[string]string {
	texts := r.Property(name)
	for _, f := range texts.Fields() {
		if !f.Value.Known() || !f.Value.IsText() {
			continue
		}
		var mistake *gatewaytest.TemplateError
		if errors.As(gatewaytest.CheckTemplate(f.Value.Text()), &mistake) {
			f.Value.ProblemIn(mistake.Line, mistake.Column, "%s %q: %s", name, f.Name, mistake.Message)
		}
	}
	return stringMap(texts)
}
