package rules

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a map of the template.
type object = map[string]any

// template is template.yaml, with tags written out: !Ref X is {"Ref": "X"},
// !GetAtt X.Y is {"Fn::GetAtt": ["X", "Y"]}.
type template struct {
	text       string
	parameters map[string]object
	conditions object
	globals    object // of functions
	resources  map[string]resource
	outputs    map[string]object
	whole      object
}

// resource is one resource. Properties of functions have the globals in them.
type resource struct {
	id, kind, condition string
	dependsOn           []string
	properties          object
	raw                 object
}

func parseTemplate(text string) (*template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	v, err := longForm(&doc)
	if err != nil {
		return nil, err
	}
	whole, ok := v.(object)
	if !ok {
		return nil, errors.New("not a map")
	}
	t := &template{text: text, whole: whole, conditions: sub(whole, "Conditions"), globals: sub(sub(whole, "Globals"), "Function"),
		parameters: map[string]object{}, resources: map[string]resource{}, outputs: map[string]object{}}
	for id := range sub(whole, "Parameters") {
		t.parameters[id] = sub(whole, "Parameters", id)
	}
	for id := range sub(whole, "Outputs") {
		t.outputs[id] = sub(whole, "Outputs", id)
	}
	for id := range sub(whole, "Resources") {
		raw := sub(whole, "Resources", id)
		r := resource{id: id, raw: raw, properties: sub(raw, "Properties")}
		r.kind, _ = raw["Type"].(string)
		r.condition, _ = raw["Condition"].(string)
		switch d := raw["DependsOn"].(type) {
		case string:
			r.dependsOn = []string{d}
		case []any:
			for _, each := range d {
				r.dependsOn = append(r.dependsOn, fmt.Sprint(each))
			}
		}
		if r.kind == kindFunction {
			r.properties = maps.Clone(t.globals)
			maps.Copy(r.properties, sub(raw, "Properties"))
		}
		t.resources[id] = r
	}
	return t, nil
}

// sub is the map at a path, empty if there is none.
func sub(v object, path ...string) object {
	for _, name := range path {
		v, _ = v[name].(object)
	}
	if v == nil {
		return object{}
	}
	return v
}

// longForm reads a node as CloudFormation does: no key twice, no aliases.
func longForm(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return longForm(n.Content[0])
	case yaml.AliasNode:
		return nil, fmt.Errorf("line %d: an alias", n.Line)
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("line %d: %s occurs twice", n.Content[i].Line, key)
			}
			v, err := longForm(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key] = v
		}
		return m, nil
	}
	var value any
	if n.Kind == yaml.SequenceNode {
		list := []any{}
		for _, c := range n.Content {
			v, err := longForm(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		value = list
	}
	name, isFunction := strings.CutPrefix(n.Tag, "!")
	isFunction = isFunction && !strings.HasPrefix(n.Tag, "!!")
	if n.Kind == yaml.ScalarNode {
		value = n.Value
		if !isFunction {
			if err := n.Decode(&value); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case !isFunction:
		return value, nil
	case name == "Ref" || name == "Condition":
		return object{name: value}, nil
	case name == "GetAtt" && n.Kind == yaml.ScalarNode:
		id, attribute, _ := strings.Cut(n.Value, ".")
		return object{"Fn::GetAtt": []any{id, attribute}}, nil
	}
	return object{"Fn::" + name: value}, nil
}

// of lists resources of a type, by id.
func (t *template) of(kind string) []resource {
	var found []resource
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].kind == kind {
			found = append(found, t.resources[id])
		}
	}
	return found
}

// scene is one way to deploy the template: the parameters that are given.
type scene struct {
	name   string
	given  map[string]string
	t      *template
	errors []string
}

// Values of the pseudo parameters. Nothing of them may be in the template.
var pseudo = map[string]string{
	"AWS::Partition": "aws-p", "AWS::Region": "region-1", "AWS::AccountId": "account", "AWS::URLSuffix": "suffix.test", "AWS::StackName": "stack",
}

// noValue is what !Ref AWS::NoValue becomes.
type noValue struct{}

func (s *scene) failf(format string, args ...any) {
	s.errors = append(s.errors, s.name+": "+fmt.Sprintf(format, args...))
}

// parameter is the value of a parameter.
func (s *scene) parameter(name string) string {
	if v, ok := s.given[name]; ok {
		return v
	}
	if d, ok := s.t.parameters[name]["Default"]; ok {
		return fmt.Sprint(d)
	}
	s.failf("the parameter %s has no value", name)
	return ""
}

// made reports whether a resource is made in this scene.
func (s *scene) made(r resource) bool { return r.condition == "" || s.condition(r.condition) }

func (s *scene) condition(name string) bool {
	c, ok := s.t.conditions[name]
	if !ok {
		s.failf("there is no condition %s", name)
		return false
	}
	return s.truth(c)
}

func (s *scene) truth(v any) bool {
	m, _ := v.(object)
	for name, args := range m {
		list, _ := args.([]any)
		switch name {
		case "Condition":
			return s.condition(fmt.Sprint(args))
		case "Fn::Equals":
			return len(list) == 2 && fmt.Sprint(s.value(list[0])) == fmt.Sprint(s.value(list[1]))
		case "Fn::Not":
			return len(list) == 1 && !s.truth(list[0])
		case "Fn::And":
			return !slices.ContainsFunc(list, func(each any) bool { return !s.truth(each) })
		case "Fn::Or":
			return slices.ContainsFunc(list, s.truth)
		}
	}
	s.failf("not a condition: %v", v)
	return false
}

// reference is what a Ref or an attribute of a resource becomes: <Id>, <Id.Attr>.
func (s *scene) reference(id, attribute string) string {
	if r, ok := s.t.resources[id]; ok {
		if !s.made(r) {
			s.failf("a reference to %s, which is not made", id)
		}
		if attribute != "" {
			id += "." + attribute
		}
		return "<" + id + ">"
	}
	if v, ok := pseudo[id]; ok && attribute == "" {
		return v
	}
	if _, ok := s.t.parameters[id]; ok && attribute == "" {
		return s.parameter(id)
	}
	s.failf("a reference to %s, which is nowhere", id)
	return ""
}

var inSub = regexp.MustCompile(`\$\{([^!][^}]*)\}`)

// value resolves references, and leaves out what has no value.
func (s *scene) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, each := range v {
			if r := s.value(each); r != (noValue{}) {
				list = append(list, r)
			}
		}
		return list
	case object:
		for name, args := range v {
			list, _ := args.([]any)
			switch {
			case name == "Ref" && args == "AWS::NoValue":
				return noValue{}
			case name == "Ref":
				return s.reference(fmt.Sprint(args), "")
			case name == "Fn::GetAtt" && len(list) == 2:
				return s.reference(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
			case name == "Fn::Sub":
				text, ok := args.(string)
				if !ok {
					s.failf("a Sub with a map")
				}
				return inSub.ReplaceAllStringFunc(text, func(m string) string {
					id, attribute, _ := strings.Cut(m[2:len(m)-1], ".")
					return s.reference(id, attribute)
				})
			case name == "Fn::Split" && len(list) == 2:
				parts := []any{}
				for part := range strings.SplitSeq(s.text(list[1]), fmt.Sprint(list[0])) {
					parts = append(parts, part)
				}
				return parts
			case name == "Fn::If" && len(list) == 3:
				if s.condition(fmt.Sprint(list[0])) {
					return s.value(list[1])
				}
				return s.value(list[2])
			case strings.HasPrefix(name, "Fn::"):
				s.failf("%s is not understood here", name)
				return nil
			}
		}
		m := object{}
		for name, each := range v {
			if r := s.value(each); r != (noValue{}) {
				m[name] = r
			}
		}
		return m
	}
	return v
}

// text is a value as text, "" if there is none.
func (s *scene) text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(s.value(v))
}

// props are the properties of a resource.
func (s *scene) props(r resource) object {
	m, _ := s.value(r.properties).(object)
	return m
}

// whole number, if v is one.
func number(v any) (int, bool) {
	n, ok := v.(int)
	return n, ok
}

// texts is a string or a list of strings as a list.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprint(v)}
	}
	var all []string
	for _, each := range list {
		all = append(all, fmt.Sprint(each))
	}
	return all
}

// snapshotKinds are the resources that a deployment takes a snapshot of.
var snapshotKinds = []string{
	kindAPI, kindAuthorizer, kindIntegration, kindIntegrationResponse, kindModel, kindRoute, kindRouteResponse,
}

// snapshotID is the logical id that a deployment of the template must have.
func snapshotID(t *template) (string, error) {
	parts := object{}
	for id, r := range t.resources {
		if slices.Contains(snapshotKinds, r.kind) {
			parts[id] = r.raw
		}
	}
	data, err := json.Marshal(parts) // maps in the order of their keys
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Deployment%X", sha256.Sum256(data))[:len("Deployment")+10], nil
}
