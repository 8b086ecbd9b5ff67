package cfn

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// languageExtensions is the transform that Fn::ForEach needs.
const languageExtensions = "AWS::LanguageExtensions"

// loopPrefix begins the key of a loop. The loop's name follows.
const loopPrefix = "Fn::ForEach::"

// expandLoops replaces each Fn::ForEach by the entries that it makes. As in AWS, this happens
// before anything else is read, so a collection can use parameters and mappings only. The stack
// gets a template of its own, because its parameters decide how often a loop runs.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
func (s *Stack) expandLoops() {
	if !s.template.hasLoops {
		return
	}
	t := *s.template
	t.sections = maps.Clone(t.sections)
	l := &loops{s: s, t: &t, done: map[*yaml.Node]*yaml.Node{}}
	for _, name := range []string{"Conditions", "Resources", "Outputs"} {
		if section := t.sections[name]; section != nil {
			t.sections[name] = l.expand(section)
		}
	}
	t.checkCount("Outputs", t.sections["Outputs"], maxOutputs)
	t.conditions = entries(t.sections["Conditions"])
	s.template = &t
	s.problems = append(s.problems, t.problems...)
}

// loops expands the loops of a template.
type loops struct {
	s    *Stack
	t    *Template // which gets what is expanded
	done map[*yaml.Node]*yaml.Node
}

// expand returns a node with its loops expanded: n itself if it has none.
func (l *loops) expand(n *yaml.Node) *yaml.Node {
	if done := l.done[n]; done != nil {
		return done
	}
	var content []*yaml.Node
	for i := 0; i < len(n.Content); i++ {
		if part := n.Content[i]; n.Kind == yaml.MappingNode && i%2 == 0 && strings.HasPrefix(part.Value, loopPrefix) {
			i++
			content = append(content, l.run(part, n.Content[i])...)
		} else {
			content = append(content, l.expand(part))
		}
	}
	expanded := withContent(n, content)
	if expanded != n && n.Kind == yaml.MappingNode {
		l.t.checkKeys(expanded)
	}
	l.done[n] = expanded
	return expanded
}

// withContent returns a node with these parts: n itself if they are its own.
func withContent(n *yaml.Node, content []*yaml.Node) *yaml.Node {
	if slices.Equal(content, n.Content) {
		return n
	}
	other := *n
	other.Content = content
	return &other
}

// run returns the entries that a loop makes: [identifier, collection, entries].
func (l *loops) run(key, loop *yaml.Node) (made []*yaml.Node) {
	if !l.t.transforms[languageExtensions] {
		l.s.fail(key, "%s needs the transform %s", key.Value, languageExtensions)
		return nil
	}
	args, ok := l.s.arguments(key, loop, key.Value, 3)
	if !ok {
		return nil
	}
	identifier, body := args[0], args[2]
	if identifier.Kind != yaml.ScalarNode || body.Kind != yaml.MappingNode {
		l.s.fail(key, "%s takes an identifier, a collection and a map", key.Value)
		return nil
	}
	values, _ := l.s.list(args[1], key.Value)
	for _, each := range values {
		value, ok := l.s.text(each)
		if !ok {
			break
		}
		entries := l.expand(newReplacement(l.s, identifier.Value, value).in(body)).Content
		if !l.s.spend(each, elementWork*(1+len(entries))) {
			break
		}
		made = append(made, entries...)
	}
	return made
}

// replacement puts one value of a collection in place of the identifier.
type replacement struct {
	s           *Stack
	name, value string
	text        *strings.Replacer
	done        map[*yaml.Node]*yaml.Node
}

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)

func newReplacement(s *Stack, name, value string) *replacement {
	return &replacement{s, name, value, strings.NewReplacer(
		"${"+name+"}", value, "&{"+name+"}", notAlphanumeric.ReplaceAllString(value, ""),
	), map[*yaml.Node]*yaml.Node{}}
}

// in returns a node with the value in place of the identifier: n itself if it does not have it.
func (r *replacement) in(n *yaml.Node) *yaml.Node {
	if done := r.done[n]; done != nil {
		return done
	}
	if !r.s.spend(n, elementWork+len(n.Value)) {
		return n
	}
	name, argument, isCall := functionCall(n)
	if isCall && name == "Ref" && argument.Value == r.name {
		return textNode(n, r.value)
	}
	var content []*yaml.Node
	for _, part := range n.Content {
		content = append(content, r.in(part))
	}
	replaced := withContent(n, content)
	if text := r.text.Replace(n.Value); text != n.Value {
		other := *replaced
		other.Value = text
		replaced = &other
	}
	r.done[n] = replaced
	return replaced
}
