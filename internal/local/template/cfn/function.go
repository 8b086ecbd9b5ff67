package cfn

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown is what could not be evaluated; the problem has been noted.
var unknown = &yaml.Node{}

// fail notes a problem and returns unknown.
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

// call is an intrinsic function that is called: its name as in the long form, such as
// "Ref" or "Fn::Join".
func call(n *yaml.Node) (name string, argument *yaml.Node, ok bool) {
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
	_, _, ok := call(n)
	return ok
}

// resolve evaluates a node until it is a text, a list or a map, whose parts may
// still have to be evaluated. It returns nil for what is absent, and unknown.
func (s *Stack) resolve(n *yaml.Node) *yaml.Node {
	if n == nil || n == unknown {
		return n
	}
	name, argument, ok := call(n)
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
		return s.ref(n, argument)
	case "Fn::GetAtt":
		return s.getAtt(n, argument)
	case "Fn::Sub":
		return s.sub(n, argument)
	case "Fn::Join":
		return s.join(n, argument)
	case "Fn::If":
		return s.choose(n, argument)
	case "Fn::Select":
		return s.selectOne(n, argument)
	case "Fn::Split":
		return s.split(n, argument)
	case "Fn::FindInMap":
		return s.findInMap(n, argument)
	case "Fn::ImportValue":
		return s.fail(n, "Fn::ImportValue takes a value of another stack, which a desk has not")
	}
	return s.fail(n, "%s is not understood", name)
}

// text evaluates a node to a text.
func (s *Stack) text(n *yaml.Node) (string, bool) {
	r := s.resolve(n)
	switch {
	case r == unknown:
		return "", false
	case r == nil:
		s.fail(n, "a text is wanted here, and there is no value")
		return "", false
	case r.Kind != yaml.ScalarNode:
		s.fail(n, "a text is wanted here")
		return "", false
	}
	return r.Value, true
}

// arguments are those of a function that takes a list of that length.
func (s *Stack) arguments(n, argument *yaml.Node, name string, length int) ([]*yaml.Node, bool) {
	if argument.Kind != yaml.SequenceNode || len(argument.Content) != length {
		s.fail(n, "%s takes a list of %d", name, length)
		return nil, false
	}
	return argument.Content, true
}

func (s *Stack) join(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::Join", 2)
	if !ok {
		return unknown
	}
	separator, ok := s.text(args[0])
	if !ok {
		return unknown
	}
	list, ok := s.list(args[1], "Fn::Join")
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

func (s *Stack) selectOne(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::Select", 2)
	if !ok {
		return unknown
	}
	text, ok := s.text(args[0])
	if !ok {
		return unknown
	}
	list, ok := s.list(args[1], "Fn::Select")
	if !ok {
		return unknown
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= len(list) {
		return s.fail(args[0], "Fn::Select: there is no element %q in a list of %d", text, len(list))
	}
	return s.resolve(list[index])
}

func (s *Stack) split(n, argument *yaml.Node) *yaml.Node {
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

func (s *Stack) findInMap(n, argument *yaml.Node) *yaml.Node {
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

// choose is Fn::If.
func (s *Stack) choose(n, argument *yaml.Node) *yaml.Node {
	args, ok := s.arguments(n, argument, "Fn::If", 3)
	if !ok {
		return unknown
	}
	if args[0].Kind != yaml.ScalarNode {
		return s.fail(args[0], "Fn::If takes the name of a condition")
	}
	if s.named(args[0]) {
		return s.resolve(args[1])
	}
	return s.resolve(args[2])
}

// named is a condition by its name.
func (s *Stack) named(name *yaml.Node) bool {
	c := entry(s.template.sections["Conditions"], name.Value)
	if c == nil {
		s.fail(name, "there is no condition %s", name.Value)
		return false
	}
	if s.resolving[c] {
		s.fail(c, "the condition %s depends on itself", name.Value)
		return false
	}
	s.resolving[c] = true
	defer delete(s.resolving, c)
	return s.truth(c)
}

// truth evaluates a condition.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
func (s *Stack) truth(n *yaml.Node) bool {
	name, argument, ok := call(n)
	if !ok && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, argument, ok = "Condition", n.Content[1], true
	}
	if !ok {
		s.fail(n, "a condition is wanted here")
		return false
	}
	switch name {
	case "Condition":
		return s.named(argument)
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
		return ok && !s.truth(args[0])
	case "Fn::And", "Fn::Or":
		if argument.Kind != yaml.SequenceNode || len(argument.Content) < 2 {
			s.fail(n, "%s takes a list of 2 to 10", name)
			return false
		}
		if name == "Fn::Or" {
			return slices.ContainsFunc(argument.Content, s.truth)
		}
		return !slices.ContainsFunc(argument.Content, func(each *yaml.Node) bool { return !s.truth(each) })
	}
	s.fail(n, "%s is not a condition", name)
	return false
}
