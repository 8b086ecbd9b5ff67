package cfn

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Value is a property, or a part of one. It is evaluated when it is used. If the
// value has another type than a method needs, the method records a problem and
// returns the zero value.
type Value struct {
	stack     *Stack
	node      *yaml.Node // nil: absent
	parentPos Pos        // of the value that does not have it
}

// Pos returns the place of the value, or of the value that does not have it.
func (v Value) Pos() Pos {
	if v.node == nil || v.node.Line == 0 {
		return v.parentPos
	}
	return v.stack.template.pos(v.node)
}

// Exists reports whether there is a value. AWS::NoValue does not exist. A value that only
// AWS knows exists, and is no problem yet.
func (v Value) Exists() bool {
	defer func(quiet bool) { v.stack.quiet = quiet }(v.stack.quiet)
	v.stack.quiet = true
	return v.stack.resolve(v.node) != nil
}

// Problem records a mistake in the value.
func (v Value) Problem(format string, args ...any) { v.stack.Problem(v.Pos(), format, args...) }

// Note records a note at the value.
func (v Value) Note(format string, args ...any) { v.stack.Note(v.Pos(), format, args...) }

// Text returns a string, number or boolean as it is written, or "" if there is no
// value.
func (v Value) Text() string {
	switch n := v.stack.resolve(v.node); {
	case n == nil || n == unknown:
		return ""
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		v.Problem("must be a string")
		return ""
	default:
		text, _ := v.stack.resolveDynamic(n)
		return text
	}
}

// dynamicReference matches a dynamic reference. The group is its name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
var dynamicReference = regexp.MustCompile(`\{\{(resolve:[^{}]*)\}\}`)

// resolveDynamic returns a string with the values of its dynamic references, and whether
// all of them are known.
func (s *Stack) resolveDynamic(n *yaml.Node) (text string, ok bool) {
	ok = true
	text = dynamicReference.ReplaceAllStringFunc(n.Value, func(m string) string {
		name := m[2 : len(m)-2]
		value, known := s.options.Imports[name]
		if !known {
			ok = false
			s.missing(n, "only AWS resolves %s; set its value with -import %s=VALUE", m, name)
		}
		return value
	})
	return text, ok
}

// Try returns a string as Text does. It returns false, without a problem, if the value
// is known only in AWS, such as one of another stack.
func (v Value) Try() (text string, ok bool) {
	defer func(quiet bool) { v.stack.quiet = quiet }(v.stack.quiet)
	v.stack.quiet = true
	n := v.stack.resolve(v.node)
	if n == nil || n == unknown {
		return "", false
	}
	if _, ok := v.stack.resolveDynamic(n); !ok {
		return "", false
	}
	return v.Text(), true
}

// Known reports whether the value exists and could be evaluated.
func (v Value) Known() bool { n := v.stack.resolve(v.node); return n != nil && n != unknown }

// Int returns a whole number, or fallback if there is no value.
func (v Value) Int(fallback int) int {
	if !v.Known() {
		return fallback
	}
	text := v.Text()
	n, err := strconv.Atoi(text)
	if err != nil {
		v.Problem("%q is not a whole number", text)
		return fallback
	}
	return n
}

// Float returns a number, or fallback if there is no value.
func (v Value) Float(fallback float64) float64 {
	if !v.Known() {
		return fallback
	}
	text := v.Text()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		v.Problem("%q is not a number", text)
		return fallback
	}
	return n
}

// Bool returns a boolean, or false if there is no value.
func (v Value) Bool() bool {
	if !v.Known() {
		return false
	}
	text := v.Text()
	b, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		v.Problem("%q is not true or false", text)
	}
	return b
}

// Field is an entry of a map.
type Field struct {
	Name  string
	Pos   Pos // of the name
	Value Value
}

// Fields returns the entries of a map, in the order of the template. They are not
// evaluated, so one may have no value.
func (v Value) Fields() []Field {
	n := v.stack.resolve(v.node)
	if n == nil || n == unknown {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		v.Problem("must be a map")
		return nil
	}
	var fields []Field
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		fields = append(fields, Field{name.Value, v.stack.template.pos(name), Value{v.stack, n.Content[i+1], v.Pos()}})
	}
	return fields
}

// Field returns the entry with this name. It does not exist if the map, or its
// entry, does not.
func (v Value) Field(name string) Value {
	n := v.stack.resolve(v.node)
	if n != nil && n != unknown && n.Kind != yaml.MappingNode {
		v.Problem("must be a map")
	}
	return Value{v.stack, entry(n, name), v.Pos()}
}

// List returns the elements of a list that have a value. As in CloudFormation, a
// string stands for a list of one.
func (v Value) List() []Value {
	n := v.stack.resolve(v.node)
	switch {
	case n == nil || n == unknown:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []Value{v}
	case n.Kind != yaml.SequenceNode:
		v.Problem("must be a list")
		return nil
	}
	var list []Value
	for _, each := range n.Content {
		if e := (Value{v.stack, each, v.Pos()}); e.Exists() {
			list = append(list, e)
		}
	}
	return list
}

// IsText reports whether the value is a string, number or boolean.
func (v Value) IsText() bool {
	n := v.stack.resolve(v.node)
	return n != nil && n != unknown && n.Kind == yaml.ScalarNode
}

// JSON returns the value as encoding/json decodes it: maps, lists, strings,
// numbers, booleans and nil.
func (v Value) JSON() any {
	n := v.stack.resolve(v.node)
	switch {
	case n == nil || n == unknown || !v.stack.spend(n, 0):
		return nil
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for _, f := range v.Fields() {
			if f.Value.Exists() {
				m[f.Name] = f.Value.JSON()
			}
		}
		return m
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, each := range v.List() {
			list = append(list, each.JSON())
		}
		return list
	}
	if !v.stack.spend(n, len(n.Value)) {
		return nil
	}
	plain := v.stack.scalar(n)
	if number, ok := plain.(int); ok {
		return float64(number)
	}
	return plain
}
