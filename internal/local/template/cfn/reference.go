package cfn

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// evalRef evaluates Ref.
func (s *Stack) evalRef(n, argument *yaml.Node) *yaml.Node {
	if argument.Kind != yaml.ScalarNode {
		return s.fail(n, "Ref takes a name")
	}
	return s.reference(n, argument.Value)
}

// reference returns the value of a name: a pseudo parameter, a parameter or a
// resource.
func (s *Stack) reference(at *yaml.Node, name string) *yaml.Node {
	if name == "AWS::NoValue" {
		return nil
	}
	if value, ok := s.pseudo[name]; ok {
		return textNode(at, value)
	}
	if p := entry(s.template.sections["Parameters"], name); p != nil {
		return s.parameter(at, name, p)
	}
	id, part, isPart := strings.Cut(name, ".") // in SAM: MyFunction.Alias, MyApi.Stage
	r := s.byID[id]
	switch {
	case r == nil:
		return s.fail(at, "there is no parameter or resource %s", name)
	case !r.Made():
		return s.fail(at, "reference to %s, which its condition leaves out", id)
	case isPart && r.parts[part] != "":
		return s.reference(at, r.parts[part])
	case isPart:
		part = "Ref " + part
	default:
		part = "Ref"
	}
	value, ok := r.attribute(part)
	if !ok {
		return s.missing(at, "Ref %s has no value locally", name)
	}
	return s.made(at, value)
}

// evalGetAtt evaluates Fn::GetAtt.
func (s *Stack) evalGetAtt(n, argument *yaml.Node) *yaml.Node {
	var id, name string
	switch {
	case argument.Kind == yaml.ScalarNode:
		id, name, _ = strings.Cut(argument.Value, ".")
	case argument.Kind == yaml.SequenceNode && len(argument.Content) == 2:
		text, ok := s.text(argument.Content[1])
		if !ok {
			return unknown
		}
		id, name = argument.Content[0].Value, text
	}
	if id == "" || name == "" {
		return s.fail(n, "Fn::GetAtt takes a resource and an attribute")
	}
	return s.attribute(n, id, name)
}

func (s *Stack) attribute(at *yaml.Node, id, name string) *yaml.Node {
	r := s.byID[id]
	switch {
	case r == nil:
		return s.fail(at, "there is no resource %s", id)
	case !r.Made():
		return s.fail(at, "reference to %s, which its condition leaves out", id)
	}
	if part := r.parts[name]; part != "" {
		return s.reference(at, part)
	}
	value, ok := r.attribute(name)
	if !ok {
		value, ok = r.attribute("Ref " + name) // in SAM, inside Fn::Sub
	}
	if !ok {
		return s.missing(at, "the attribute %s of %s (%s) has no value locally", name, id, r.Type)
	}
	return s.made(at, value)
}

// placeholder matches ${Name}, ${Name.Attribute} and ${!Literal} in a Fn::Sub.
var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// evalSub evaluates Fn::Sub, with or without a map of variables.
func (s *Stack) evalSub(n, argument *yaml.Node) *yaml.Node {
	text, variables := argument, (*yaml.Node)(nil)
	if argument.Kind == yaml.SequenceNode {
		args, ok := s.arguments(n, argument, "Fn::Sub", 2)
		if !ok {
			return unknown
		}
		if text, variables = args[0], args[1]; variables.Kind != yaml.MappingNode {
			return s.fail(variables, "Fn::Sub takes a map of variables here")
		}
	}
	if text.Kind != yaml.ScalarNode || isFunction(text) {
		return s.fail(n, "Fn::Sub takes a string")
	}
	failed, own := false, entries(variables)
	replaced := placeholder.ReplaceAllStringFunc(text.Value, func(m string) string {
		name := strings.TrimSpace(m[2 : len(m)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		value := own[name]
		if value != nil {
			value = s.resolve(value)
		} else {
			value = s.placeholder(n, name)
		}
		switch {
		case value == unknown:
		case value == nil || value.Kind != yaml.ScalarNode:
			s.fail(n, "Fn::Sub: %s is not a string", name)
		case s.spend(n, len(value.Value)):
			return value.Value
		}
		failed = true
		return ""
	})
	if failed {
		return unknown
	}
	return textNode(n, replaced)
}

// placeholder returns the value of a Ref or, with a dot, of an attribute.
func (s *Stack) placeholder(at *yaml.Node, name string) *yaml.Node {
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return s.attribute(at, id, attribute)
	}
	return s.reference(at, name)
}
