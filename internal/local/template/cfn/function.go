package cfn

import (
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

// missing is fail for a value that only AWS knows.
func (s *Stack) missing(at *yaml.Node, format string, args ...any) *yaml.Node {
	if s.quiet {
		return unknown
	}
	return s.fail(at, format, args...)
}

// made returns a string that a function made.
func (s *Stack) made(at *yaml.Node, text string) *yaml.Node {
	if !s.spend(at, len(text)) {
		return unknown
	}
	return textNode(at, text)
}

// madeList returns a list that a function made.
func (s *Stack) madeList(at *yaml.Node, texts []string) *yaml.Node {
	if !s.spend(at, elementWork*len(texts)) {
		return unknown
	}
	return listNode(at, texts)
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
	if value, done := s.values[n]; done {
		return value
	}
	if s.quiet && s.onlyInAWS[n] {
		return unknown
	}
	if s.resolving[n] {
		return s.fail(n, "%s depends on itself", name)
	}
	if !s.spend(n, 1) {
		return unknown
	}
	s.resolving[n] = true
	value := s.evaluate(n, name, argument)
	delete(s.resolving, n)
	if value == unknown && s.quiet {
		s.onlyInAWS[n] = true
	} else {
		s.values[n] = value
	}
	return value
}

// evaluate evaluates a function.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
func (s *Stack) evaluate(n *yaml.Node, name string, argument *yaml.Node) *yaml.Node {
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
		return s.evalImportValue(n, argument)
	case "Fn::Base64":
		return s.evalBase64(n, argument)
	case "Fn::Length":
		return s.evalLength(n, argument)
	case "Fn::ToJsonString":
		return s.evalToJSONString(n, argument)
	}
	return s.missing(n, "%s is not supported", name)
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
