package samapi

import (
	"regexp"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

var mappingKey = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()-]{0,300}$`) // G-DOMAIN-2

// readDomain reads the custom domain that is mapped to the stage.
func (b *builder) readDomain() {
	names := map[string]bool{}
	for _, r := range b.resources {
		if r.Type == typeDomainName {
			b.checkProperties(r)
			name, _ := r.Property("DomainName").Try()
			names[name] = true
		}
	}
	for _, r := range b.ofType(typeAPIMapping) {
		b.checkProperties(r)
		b.readMappingOfDomain(r, names)
	}
}

// readMappingOfDomain reads a mapping. names are the domains of the template.
func (b *builder) readMappingOfDomain(r *cfn.Resource, names map[string]bool) {
	for _, property := range []string{"DomainName", "Stage"} {
		v := r.Property(property)
		if !v.Exists() {
			v.Problem("%s has no %s", r.ID, property)
			return
		}
		if _, ok := v.Try(); !ok {
			b.Note(r.Pos, "%s is not served: only AWS knows its %s", r.ID, property)
			return
		}
	}
	name, key := r.Property("DomainName").Text(), r.Property("ApiMappingKey")
	if !names[name] {
		b.Note(r.Pos, "domain %s belongs to another stack", name)
	}
	switch {
	case r.Property("Stage").Text() != b.result.API.Stage:
		b.Note(r.Pos, "%s maps another stage", r.ID)
	case !mappingKey.MatchString(key.Text()):
		key.Problem("ApiMappingKey %q: must be at most 300 letters, digits and $-_.+!*'()", key.Text())
	case b.mapping != nil:
		b.Note(r.Pos, "%s is not served: the stage has the mapping %s, of %s", r.ID, b.mapping.ID, b.result.API.Domain.Name)
	default:
		b.mapping, b.result.API.Domain = r, &gatewaytest.Domain{Name: name, BasePath: key.Text()}
	}
}
