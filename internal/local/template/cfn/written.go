package cfn

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Section returns a section of the template, such as "Conditions" or "Outputs".
// It does not exist if the template does not have it.
func (s *Stack) Section(name string) Value {
	return Value{stack: s, node: s.template.sections[name], parentPos: Pos{File: s.template.file}}
}

// Declared returns all resources in the order of the template, including those
// that their condition leaves out.
func (s *Stack) Declared() []*Resource { return s.resources }

// Condition returns the name of the resource's condition, or "".
func (r *Resource) Condition() string {
	if r.condition == nil {
		return ""
	}
	return r.condition.Value
}

// Holds evaluates the value as a condition, such as an entry of the section
// Conditions or an Assert of a rule.
func (v Value) Holds() bool {
	if v.node == nil {
		v.Problem("a condition is missing")
		return false
	}
	return v.stack.evalCondition(v.node)
}

// Written returns the value as it is written in the template: maps, lists, strings,
// ints, floats, booleans and nil. Functions are not evaluated and have their long
// form: !Ref X is {"Ref": "X"}, and !GetAtt X.Y is {"Fn::GetAtt": ["X", "Y"]}.
func (v Value) Written() any {
	if v.node == nil {
		return nil
	}
	return v.stack.written(v.node)
}

func (s *Stack) written(n *yaml.Node) any {
	if name, argument, ok := functionCall(n); ok {
		if id, attribute, _ := strings.Cut(argument.Value, "."); name == "Fn::GetAtt" && argument.Kind == yaml.ScalarNode {
			return map[string]any{name: []any{id, attribute}}
		}
		return map[string]any{name: s.written(argument)}
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = s.written(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, each := range n.Content {
			list = append(list, s.written(each))
		}
		return list
	}
	return s.scalar(n)
}

// scalar returns a scalar with the type of its YAML tag. A date stays a string.
func (s *Stack) scalar(n *yaml.Node) any {
	var plain any
	if err := n.Decode(&plain); err != nil {
		s.fail(n, "%v", err)
	}
	switch plain.(type) {
	case int, float64, bool, string, nil:
		return plain
	}
	return n.Value
}

// Value returns a value that is not in the template but may refer to it. Its
// argument has the form that [Value.Written] returns.
func (s *Stack) Value(written any) Value {
	v := Value{stack: s, node: &yaml.Node{}, parentPos: Pos{File: s.template.file}}
	if err := v.node.Encode(written); err != nil {
		v.Problem("%v", err)
		v.node = unknown
	}
	return v
}
