package cfn

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown is the value of a node that could not be evaluated. Its problem is
// recorded.
var unknown = &yaml.Node{}

// fail records a problem and returns unknown.
func (s *Stack) fail(at *yaml.Node, format string, args ...any) *yaml.Node {
	s.Problem(s.template.pos(at), format, args...)
	return unknown
}

func textNode(at *yaml.Node, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column}
}

func listNode(at *yaml.Node, texts []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: at.Line, Column: at.Column}
	for _, text := range texts {
		list.Content = append(list.Content, textNode(at, text))
	}
	return list
}

// functionCall returns the intrinsic function that a node calls, with its name in
// the long form, such as "Ref" or "Fn::Join".
func functionCall(n *yaml.Node) (name string, argument *yaml.Node, ok bool) {
	if short, tagged := strings.CutPrefix(n.Tag, "!"); tagged && !strings.HasPrefix(short, "!") && short != "" {
		plain := *n
		plain.Tag = ""
		if n.Kind == yaml.ScalarNode {
			plain.Tag = "!!str"
		}
		if short == "Ref" || short == "Condition" {
			return short, &plain, true
		}
		return "Fn::" + short, &plain, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		if name := n.Content[0].Value; name == "Ref" || strings.HasPrefix(name, "Fn::") {
			return name, n.Content[1], true
		}
	}
	return "", nil, false
}

func isFunction(n *yaml.Node) bool {
	_, _, ok := functionCall(n)
	return ok
}

// resolve evaluates a node until it is a string, a list or a map, whose parts are
// not evaluated yet. It returns nil for an absent value, and unknown after a
// problem.
func (s *Stack) resolve(n *yaml.Node) *yaml.Node {
	if n == nil || n == unknown {
		return n
	}
	name, argument, ok := functionCall(n)
	if !ok {
		return n
	}
	if s.resolving[n] {
		return s.fail(n, "%s depends on itself", name)
	}
	s.resolving[n] = true
	defer delete(s.resolving, n)
	switch name {
	case "Ref":
		return s.evalRef(n, argument)
	case "Fn::GetAtt":
		return s.evalGetAtt(n, argument)
	case "Fn::Sub":
		return s.evalSub(n, argument)
	case "Fn::Join":
		return s.evalJoin(n, argument)
	case "Fn::If":
		return s.evalIf(n, argument)
	case "Fn::Select":
		return s.evalSelect(n, argument)
	case "Fn::Split":
		return s.evalSplit(n, argument)
	case "Fn::FindInMap":
		return s.evalFindInMap(n, argument)
	case "Fn::ImportValue":
		return s.fail(n, "Fn::ImportValue needs another stack, and there is none locally")
	}
	return s.fail(n, "%s is not supported", name)
}

// text evaluates a node to a string.
func (s *Stack) text(n *yaml.Node) (string, bool) {
	r := s.resolve(n)
	switch {
	case r == unknown:
		return "", false
	case r == nil:
		s.fail(n, "must be a string, but has no value")
		return "", false
	case r.Kind != yaml.ScalarNode:
		s.fail(n, "must be a string")
		return "", false
	}
	return r.Value, true
}

// arguments returns the arguments of a function that takes a list of this length.
func (s *Stack) arguments(n, argument *yaml.Node, name string, length int) ([]*yaml.Node, bool) {
	if argument.Kind != yaml.SequenceNode || len(argument.Content) != length {
		s.fail(n, "%s takes a list of %d", name, length)
		return nil, false
	}
	return argument.Content, true
}

// textAndList evaluates the arguments of a function that takes a string and a list.
func (s *Stack) textAndList(n, argument *yaml.Node, name string) (text string, list []*yaml.Node, ok bool) {
	args, ok := s.arguments(n, argument, name, 2)
	if !ok {
		return "", nil, false
	}
	if text, ok = s.text(args[0]); !ok {
		return "", nil, false
	}
	list, ok = s.list(args[1], name)
	return text, list, ok
}

func (s *Stack) evalJoin(n, argument *yaml.Node) *yaml.Node {
	separator, list, ok := s.textAndList(n, argument, "Fn::Join")
	if !ok {
		return unknown
	}
	var parts []string
	for _, each := range list {
		if s.resolve(each) == nil {
			continue // AWS::NoValue
		}
		part, ok := s.text(each)
		if !ok {
			return unknown
		}
		parts = append(parts, part)
	}
	return textNode(n, strings.Join(parts, separator))
}

// list evaluates a node to a list.
func (s *Stack) list(n *yaml.Node, name string) ([]*yaml.Node, bool) {
	r := s.resolve(n)
	if r == unknown {
		return nil, false
	}
	if r == nil || r.Kind != yaml.SequenceNode {
		s.fail(n, "%s takes a list here", name)
		return nil, false
	}
	return r.Content, true
}

func (s *Stack) evalSelect(n, argument *yaml.Node) *yaml.Node {
	text, list, ok := s.textAndList(n, argument, "Fn::Select")
	if !ok {
		return unknown
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= len(list) {
		return s.fail(argument.Content[0], "Fn::Select: there is no element %q in a list of %d", text, len(list))
	}
	return s.resolve(list[index])
}

func (s *Stack) evalSplit(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::Split", 2)
	if !ok {
		return unknown
	}
	separator, ok1 := s.text(args[0])
	text, ok2 := s.text(args[1])
	switch {
	case !ok1 || !ok2:
		return unknown
	case separator == "":
		return s.fail(args[0], "Fn::Split: the delimiter is empty")
	}
	return listNode(n, strings.Split(text, separator))
}

func (s *Stack) evalFindInMap(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::FindInMap", 3)
	if !ok {
		return unknown
	}
	at := s.template.sections["Mappings"]
	for _, each := range args {
		key, ok := s.text(each)
		if !ok {
			return unknown
		}
		if at = entry(at, key); at == nil {
			return s.fail(each, "Fn::FindInMap: there is no %s in the mappings", key)
		}
	}
	return at
}

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
	c := entry(s.template.sections["Conditions"], name.Value)
	if c == nil {
		s.fail(name, "there is no condition %s", name.Value)
		return false
	}
	if s.resolving[c] {
		s.fail(c, "condition %s depends on itself", name.Value)
		return false
	}
	s.resolving[c] = true
	defer delete(s.resolving, c)
	return s.evalCondition(c)
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
		return ok1 && ok2 && a == b
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
