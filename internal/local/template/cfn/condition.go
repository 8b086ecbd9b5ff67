package cfn

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// evalIf evaluates Fn::If.
func (s *Stack) evalIf(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::If", 3)
	if !ok {
		return unknown
	}
	if args[0].Kind != yaml.ScalarNode {
		return s.fail(args[0], "Fn::If takes the name of a condition")
	}
	if s.holds(args[0]) {
		return s.resolve(args[1])
	}
	return s.resolve(args[2])
}

// holds evaluates the condition with this name.
func (s *Stack) holds(name *yaml.Node) bool {
	c := s.template.conditions[name.Value]
	if c == nil {
		s.fail(name, "there is no condition %s", name.Value)
		return false
	}
	if holds, done := s.holding[c]; done {
		return holds
	}
	if s.resolving[c] {
		s.fail(c, "condition %s depends on itself", name.Value)
		return false
	}
	s.resolving[c] = true
	defer func(quiet bool) { s.quiet = quiet }(s.quiet)
	s.quiet = false // a condition that cannot be evaluated is always a problem
	s.holding[c] = s.evalCondition(c)
	delete(s.resolving, c)
	return s.holding[c]
}

// evalCondition evaluates a condition.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
func (s *Stack) evalCondition(n *yaml.Node) bool {
	name, argument, ok := functionCall(n)
	if !ok && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, argument, ok = "Condition", n.Content[1], true
	}
	if !ok {
		s.fail(n, "must be a condition")
		return false
	}
	if !s.spend(n, 1) {
		return false
	}
	switch name {
	case "Condition":
		return s.holds(argument)
	case "Fn::Equals":
		args, ok := s.arguments(n, argument, name, 2)
		if !ok {
			return false
		}
		a, ok1 := s.text(args[0])
		b, ok2 := s.text(args[1])
		return ok1 && ok2 && s.spend(n, len(a)) && a == b
	case "Fn::Not":
		args, ok := s.arguments(n, argument, name, 1)
		return ok && !s.evalCondition(args[0])
	case "Fn::And", "Fn::Or":
		if count := len(argument.Content); argument.Kind != yaml.SequenceNode || count < 2 || count > 10 {
			s.fail(n, "%s takes a list of 2 to 10", name)
			return false
		}
		if name == "Fn::Or" {
			return slices.ContainsFunc(argument.Content, s.evalCondition)
		}
		return !slices.ContainsFunc(argument.Content, func(each *yaml.Node) bool { return !s.evalCondition(each) })
	}
	s.fail(n, "%s is not a condition", name)
	return false
}
