package cfn

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The types of parameters. A type with the prefix ssmPrefix names an entry in Systems
// Manager, whose value is a string or a list of strings.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
const (
	typeNumber = "Number"
	typeCommas = "CommaDelimitedList"
	ssmPrefix  = "AWS::SSM::Parameter::Value<"
)

// checkParameters checks the values of all parameters, given or by default.
func (s *Stack) checkParameters() {
	declared := s.template.sections["Parameters"]
	for _, name := range slices.Sorted(maps.Keys(s.options.Parameters)) {
		switch _, isPseudo := pseudo[name]; {
		case isPseudo:
			s.pseudo[name] = s.options.Parameters[name]
		case entry(declared, name) == nil:
			s.Problem(Pos{File: "-parameter " + name}, "the template has no such parameter")
		}
	}
	if declared == nil {
		return
	}
	for i := 0; i+1 < len(declared.Content); i += 2 {
		name, n := declared.Content[i], declared.Content[i+1]
		kind := entry(n, "Type")
		switch {
		case n.Kind != yaml.MappingNode || kind == nil:
			s.Problem(s.template.pos(name), "parameter %s has no Type", name.Value)
		case !knownType(kind.Value):
			s.Problem(s.template.pos(kind), "unknown parameter type %s", kind.Value)
		default:
			if value, ok := s.parameterText(name.Value, n); ok {
				s.checkParameter(name, n, value)
			}
		}
	}
}

func knownType(kind string) bool {
	return kind == "String" || kind == typeNumber || kind == typeCommas ||
		strings.HasPrefix(kind, "List<") || strings.HasPrefix(kind, "AWS::")
}

// parameterText returns the value that is given for a parameter, or its default.
func (s *Stack) parameterText(name string, n *yaml.Node) (string, bool) {
	if given, ok := s.options.Parameters[name]; ok {
		return given, true
	}
	if strings.HasPrefix(entry(n, "Type").Value, ssmPrefix) {
		return "", false // the default is a name in Systems Manager
	}
	if d := entry(n, "Default"); d != nil && d.Kind == yaml.ScalarNode {
		return d.Value, true
	}
	return "", false
}

// checkParameter checks a value against the declaration of its parameter.
func (s *Stack) checkParameter(name, n *yaml.Node, value string) {
	bad := func(format string, args ...any) {
		s.Problem(s.template.pos(name), "parameter %s: "+format, append([]any{name.Value}, args...)...)
	}
	limit := func(rule string) (float64, bool) {
		r := entry(n, rule)
		if r == nil {
			return 0, false
		}
		v, err := strconv.ParseFloat(r.Value, 64)
		if err != nil {
			s.Problem(s.template.pos(r), "%s must be a number", rule)
		}
		return v, err == nil
	}
	parts := []string{value}
	if list := entry(n, "Type").Value; list == typeCommas || strings.HasPrefix(list, "List<") {
		parts = commaSeparated(value)
	}
	if allowed := entry(n, "AllowedValues"); allowed != nil {
		for _, part := range parts {
			if !slices.ContainsFunc(allowed.Content, func(a *yaml.Node) bool { return a.Value == part }) {
				bad("%q is not one of AllowedValues", part)
			}
		}
	}
	if pattern := entry(n, "AllowedPattern"); pattern != nil {
		// Patterns are those of Java. Go cannot compile all of them, such as lookaround;
		// then the value is not checked.
		if re, err := regexp.Compile(`^(?:` + pattern.Value + `)$`); err == nil && !re.MatchString(value) {
			bad("%q does not match AllowedPattern %s", value, pattern.Value)
		}
	}
	if least, ok := limit("MinLength"); ok && float64(len(value)) < least {
		bad("%q is shorter than MinLength %g", value, least)
	}
	if most, ok := limit("MaxLength"); ok && float64(len(value)) > most {
		bad("%q is longer than MaxLength %g", value, most)
	}
	if entry(n, "Type").Value != typeNumber {
		return
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		bad("%q is not a number", value)
		return
	}
	if least, ok := limit("MinValue"); ok && number < least {
		bad("%s is below MinValue %g", value, least)
	}
	if most, ok := limit("MaxValue"); ok && number > most {
		bad("%s is above MaxValue %g", value, most)
	}
}

func commaSeparated(text string) []string {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// parameter returns the value of a parameter where it is used, or unknown.
func (s *Stack) parameter(at *yaml.Node, name string, n *yaml.Node) *yaml.Node {
	kind := entry(n, "Type")
	if kind == nil {
		return unknown // checkParameters reports it
	}
	value, ok := s.parameterText(name, n)
	switch {
	case !ok && strings.HasPrefix(kind.Value, ssmPrefix):
		return s.fail(at, "parameter %s names an entry in Systems Manager; set its value with -parameter %s=VALUE",
			name, name)
	case !ok:
		return s.fail(at, "parameter %s has no value; set it with -parameter %s=VALUE", name, name)
	case kind.Value == typeCommas || strings.HasPrefix(kind.Value, "List<") ||
		strings.HasPrefix(kind.Value, ssmPrefix+"List<") || kind.Value == ssmPrefix+typeCommas+">":
		return listNode(at, commaSeparated(value))
	}
	return textNode(at, value)
}
