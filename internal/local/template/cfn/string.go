package cfn

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
		if !ok || !s.spend(n, len(separator)+len(part)) {
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
	return s.madeList(n, strings.Split(text, separator))
}

// evalFindInMap evaluates Fn::FindInMap, with or without a default value.
func (s *Stack) evalFindInMap(n, argument *yaml.Node) *yaml.Node {
	var fallback *yaml.Node
	if argument.Kind == yaml.SequenceNode && len(argument.Content) == 4 {
		if fallback = entry(argument.Content[3], "DefaultValue"); fallback != nil {
			three := *argument
			three.Content = argument.Content[:3]
			argument = &three
		}
	}
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
		if at = entry(at, key); at == nil && fallback != nil {
			return s.resolve(fallback)
		} else if at == nil {
			return s.fail(each, "Fn::FindInMap: there is no %s in the mappings", key)
		}
	}
	return at
}

// evalImportValue returns a value of another stack.
func (s *Stack) evalImportValue(n, argument *yaml.Node) *yaml.Node {
	name, ok := s.text(argument)
	if !ok {
		return unknown
	}
	value, ok := s.options.Imports[name]
	if !ok {
		return s.missing(n, "%s is a value of another stack; set it with -import %s=VALUE", name, name)
	}
	return s.made(n, value)
}

// evalBase64 evaluates Fn::Base64.
func (s *Stack) evalBase64(n, argument *yaml.Node) *yaml.Node {
	text, ok := s.text(argument)
	if !ok {
		return unknown
	}
	return s.made(n, base64.StdEncoding.EncodeToString([]byte(text)))
}

// evalLength evaluates Fn::Length of AWS::LanguageExtensions.
func (s *Stack) evalLength(n, argument *yaml.Node) *yaml.Node {
	list, ok := s.list(argument, "Fn::Length")
	if !ok {
		return unknown
	}
	return s.made(n, strconv.Itoa(len(list)))
}

// evalToJSONString evaluates Fn::ToJsonString of AWS::LanguageExtensions.
func (s *Stack) evalToJSONString(n, argument *yaml.Node) *yaml.Node {
	defer func(quiet bool) { s.quiet = quiet }(s.quiet)
	s.quiet = false // a part without a value is always a problem
	before := len(s.problems)
	data, err := json.Marshal(Value{s, argument, s.template.pos(n)}.JSON())
	if err != nil || len(s.problems) > before {
		return unknown
	}
	return s.made(n, string(data))
}
