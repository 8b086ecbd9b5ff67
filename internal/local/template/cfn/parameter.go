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
	if value, ok := s.options.Parameters[name]; ok {
		return value, true
	}
	if strings.HasPrefix(entry(n, "Type").Value, ssmPrefix) {
		return "", false // the default is a name in Systems Manager
	}
	if d := entry(n, "Default"); d != nil && d.Kind == yaml.ScalarNode {
		return d.Value, true
	}
	return "", false
}

// declaration is the declaration of a parameter, with a value to check.
type declaration struct {
	s     *Stack
	name  *yaml.Node
	n     *yaml.Node
	value string
}

// checkParameter checks a value against the declaration of its parameter.
func (s *Stack) checkParameter(name, n *yaml.Node, value string) {
	d := declaration{s, name, n, value}
	d.checkAllowed()
	length := float64(len(value))
	d.checkLimits(length, "%q is shorter than MinLength %g", "MinLength", "%q is longer than MaxLength %g", "MaxLength")
	if entry(n, "Type").Value != typeNumber {
		return
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil {
		d.problem("%q is not a number", value)
		return
	}
	d.checkLimits(number, "%s is below MinValue %g", "MinValue", "%s is above MaxValue %g", "MaxValue")
}

// problem notes a problem. It does not show the value of a parameter with NoEcho, which
// CloudFormation masks too.
func (d declaration) problem(format string, args ...any) {
	if noEcho := entry(d.n, "NoEcho"); noEcho != nil && strings.EqualFold(noEcho.Value, "true") {
		for i, arg := range args {
			if text, ok := arg.(string); ok && strings.Contains(d.value, text) { // or a part of a list
				args[i] = "****"
			}
		}
	}
	d.s.Problem(d.s.template.pos(d.name), "parameter %s: "+format, append([]any{d.name.Value}, args...)...)
}

// checkAllowed checks AllowedValues and AllowedPattern.
func (d declaration) checkAllowed() {
	parts := []string{d.value}
	if list := entry(d.n, "Type").Value; list == typeCommas || strings.HasPrefix(list, "List<") {
		parts = commaSeparated(d.value)
	}
	if allowed := entry(d.n, "AllowedValues"); allowed != nil {
		for _, part := range parts {
			if !slices.ContainsFunc(allowed.Content, func(a *yaml.Node) bool { return a.Value == part }) {
				d.problem("%q is not one of AllowedValues", part)
			}
		}
	}
	if pattern := entry(d.n, "AllowedPattern"); pattern != nil {
		// Patterns are those of Java. Go cannot compile all of them, such as lookaround;
		// then the value is not checked.
		if re, err := regexp.Compile(`^(?:` + pattern.Value + `)$`); err == nil && !re.MatchString(d.value) {
			d.problem("%q does not match AllowedPattern %s", d.value, pattern.Value)
		}
	}
}

// checkLimits checks a number against the lowest and the highest that the
// declaration allows. The formats take the value and the limit.
func (d declaration) checkLimits(number float64, tooLow, lowest, tooHigh, highest string) {
	if limit, ok := d.limit(lowest); ok && number < limit {
		d.problem(tooLow, d.value, limit)
	}
	if limit, ok := d.limit(highest); ok && number > limit {
		d.problem(tooHigh, d.value, limit)
	}
}

// limit returns a limit of the declaration, such as MinLength.
func (d declaration) limit(name string) (float64, bool) {
	n := entry(d.n, name)
	if n == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		d.s.Problem(d.s.template.pos(n), "%s must be a number", name)
	}
	return v, err == nil
}

func commaSeparated(text string) []string {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// parameter returns the value of a parameter where it is used, or unknown.
func (s *Stack) parameter(reference *yaml.Node, name string, declared *yaml.Node) *yaml.Node {
	kind := entry(declared, "Type")
	if kind == nil {
		return unknown // checkParameters reports it
	}
	value, ok := s.parameterText(name, declared)
	switch {
	case !ok && strings.HasPrefix(kind.Value, ssmPrefix):
		return s.missing(reference, "parameter %s names an entry in Systems Manager; set its value with -parameter %s=VALUE",
			name, name)
	case !ok:
		return s.missing(reference, "parameter %s has no value; set it with -parameter %s=VALUE", name, name)
	case kind.Value == typeCommas || strings.HasPrefix(kind.Value, "List<") ||
		strings.HasPrefix(kind.Value, ssmPrefix+"List<") || kind.Value == ssmPrefix+typeCommas+">":
		return s.madeList(reference, commaSeparated(value))
	}
	return s.made(reference, value)
}
