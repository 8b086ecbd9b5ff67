package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// object is a map in a template.
type object = map[string]any

// template is a template as it is written, with functions in the long form: !Ref X
// is {"Ref": "X"}, !GetAtt X.Y is {"Fn::GetAtt": ["X", "Y"]}.
type template struct {
	text       string
	parsed     *cfn.Template
	parameters map[string]object
	conditions object
	resources  map[string]resource
	outputs    map[string]object
	sections   object
}

// resource is one resource. The properties of a function include the globals.
type resource struct {
	id, kind, condition string
	dependsOn           []string
	properties          object
	raw                 object
}

// parseTemplate reads a template with the evaluator of localhub -template.
// checkReferences reports problems of parameters and resources, for each scene.
func parseTemplate(text string) (*template, error) {
	parsed, err := cfn.Parse("template.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	stack := cfn.New(parsed, cfn.Options{})
	if notes := stack.Notes(); len(notes) > 0 { // such as an alias, which CloudFormation refuses
		return nil, errors.New(notes[0])
	}
	t := &template{text: text, parsed: parsed, sections: object{}, resources: map[string]resource{}}
	for _, name := range []string{"Parameters", "Rules", "Conditions", "Resources", "Outputs"} {
		t.sections[name] = stack.Section(name).Written()
	}
	t.conditions, t.parameters = sub(t.sections, "Conditions"), entries(t.sections, "Parameters")
	t.outputs = entries(t.sections, "Outputs")
	for _, r := range stack.Declared() {
		properties, _ := r.Property().Written().(object)
		t.resources[r.ID] = resource{
			id: r.ID, kind: r.Type, condition: r.Condition(), dependsOn: r.DependsOn(),
			properties: properties, raw: sub(t.sections, "Resources", r.ID),
		}
	}
	return t, nil
}

// sub returns the map at a path. It is empty if there is none.
func sub(v object, path ...string) object {
	for _, name := range path {
		v, _ = v[name].(object)
	}
	if v == nil {
		return object{}
	}
	return v
}

// entries returns the maps of a section by name.
func entries(sections object, section string) map[string]object {
	m := map[string]object{}
	for id := range sub(sections, section) {
		m[id] = sub(sections, section, id)
	}
	return m
}

// ofType returns the resources of a type, by id.
func (t *template) ofType(kind string) []resource {
	var found []resource
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].kind == kind {
			found = append(found, t.resources[id])
		}
	}
	return found
}

// scene is one way to deploy the template, by the parameters that are given.
type scene struct {
	name   string
	given  map[string]string
	refs   map[string]string // values of !Ref that are not <Id>, by id
	t      *template
	stack  *cfn.Stack // set by evaluator
	errors []string   // set by collect
}

// pseudo has the values of the pseudo parameters. None of them is in the template.
var pseudo = map[string]string{
	"AWS::Partition": "aws-p", "AWS::Region": "region-1", "AWS::AccountId": "account",
	"AWS::URLSuffix": "suffix.test", "AWS::StackName": "stack",
	"AWS::StackId": "arn:aws-p:cloudformation:region-1:account:stack/stack/stack-id",
}

// evaluator returns the template with the parameters of the scene. A reference to a
// resource becomes <Id> or <Id.Attribute>.
func (s *scene) evaluator() *cfn.Stack {
	if s.stack == nil {
		parameters := maps.Clone(pseudo)
		maps.Copy(parameters, s.given)
		s.stack = cfn.New(s.t.parsed, cfn.Options{Parameters: parameters, Attribute: func(id, attribute string) string {
			if attribute == "Ref" {
				return cmp.Or(s.refs[id], "<"+id+">")
			}
			return "<" + id + "." + attribute + ">"
		}})
	}
	return s.stack
}

// collect copies the problems of the evaluator so far.
func (s *scene) collect() {
	var problems cfn.Problems
	if errors.As(s.evaluator().Err(), &problems) {
		s.errors = nil
		for _, p := range problems {
			s.errors = append(s.errors, s.name+": "+p.Error())
		}
	}
}

// made reports whether a resource is made in this scene.
func (s *scene) made(r resource) bool { return s.holds(r.condition) }

// holds reports whether a condition holds. "" is no condition.
func (s *scene) holds(condition string) bool {
	return condition == "" || s.evaluator().Value(object{"Condition": condition}).Holds()
}

// allowed reports whether the rules of the template accept the parameters.
func (s *scene) allowed() bool {
	for _, rule := range s.evaluator().Section("Rules").Fields() {
		for _, assertion := range rule.Value.Field("Assertions").List() {
			if !assertion.Field("Assert").Holds() {
				return false
			}
		}
	}
	return true
}

// value evaluates a value of the template.
func (s *scene) value(written any) any {
	defer s.collect()
	return withInts(s.evaluator().Value(written).JSON())
}

// withInts turns whole numbers of a value into ints.
func withInts(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withInts(v[i])
		}
	case object:
		for name := range v {
			v[name] = withInts(v[name])
		}
	case float64:
		if n := int(v); float64(n) == v {
			return n
		}
	}
	return v
}

// text evaluates a value to text. It returns "" if there is no value.
func (s *scene) text(written any) string {
	if v := s.value(written); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// props returns the evaluated properties of a resource.
func (s *scene) props(r resource) object {
	m, _ := s.value(r.properties).(object)
	return m
}

// number returns v if it is an int.
func number(v any) (int, bool) {
	n, ok := v.(int)
	return n, ok
}

// stringList returns a string or a list of strings as a list.
func stringList(v any) []string {
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

// snapshotKinds are the types of the resources in the snapshot of a deployment.
var snapshotKinds = []string{
	kindAPI, kindAuthorizer, kindIntegration, kindIntegrationResponse, kindModel, kindRoute, kindRouteResponse,
}

// snapshotID returns the logical id that the deployment of the template must have.
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
