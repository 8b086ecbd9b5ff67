package cfn

import (
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Options are the settings of a [Stack].
type Options struct {
	// Parameters are values by name. They may include pseudo parameters, such as
	// AWS::Region.
	Parameters map[string]string

	// Imports are the values of Fn::ImportValue by name, and those of dynamic references,
	// such as "resolve:ssm:/name".
	Imports map[string]string

	// Attribute gives the value of Ref and of Fn::GetAtt for a resource in place of
	// the documented shapes. The attribute of Ref is "Ref". Nil uses the documented
	// shapes.
	Attribute func(id, attribute string) string
}

// pseudo has the default values of the pseudo parameters.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
var pseudo = map[string]string{
	"AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "eu-central-1",
	"AWS::StackName": "local", "AWS::URLSuffix": "amazonaws.com",
	"AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/local/00000000-0000-0000-0000-000000000000",
}

// logicalID is the form of a resource's name in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
var logicalID = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// Stack is a template with the values of its parameters.
type Stack struct {
	template  *Template
	options   Options
	pseudo    map[string]string
	resources []*Resource // in the order of the template, including those that are not made
	byID      map[string]*Resource
	problems  Problems
	notes     Problems

	// The state of the evaluation. Each function and each condition is evaluated once.
	values    map[*yaml.Node]*yaml.Node // of functions
	onlyInAWS map[*yaml.Node]bool       // functions that were unknown while quiet
	holding   map[*yaml.Node]bool       // of conditions
	resolving map[*yaml.Node]bool       // functions and conditions that are being evaluated
	work      int                       // see maxWork
	quiet     bool                      // a value that only AWS knows is no problem
}

// Resource is one resource of a template.
type Resource struct {
	ID, Type string
	Pos      Pos

	// Generated is true for a resource that a transform made.
	Generated bool

	stack      *Stack
	condition  *yaml.Node
	dependsOn  *yaml.Node
	properties *yaml.Node
	metadata   *yaml.Node
	parts      map[string]string // logical ids of generated resources: in SAM, ID.Stage is parts["Stage"]
}

// New returns the stack of a template. Mistakes in the parameters are problems of
// the stack.
func New(t *Template, o Options) *Stack {
	s := &Stack{
		template: t, options: o, pseudo: maps.Clone(pseudo), notes: slices.Clone(t.notes), byID: map[string]*Resource{},
		values: map[*yaml.Node]*yaml.Node{}, onlyInAWS: map[*yaml.Node]bool{},
		holding: map[*yaml.Node]bool{}, resolving: map[*yaml.Node]bool{},
	}
	s.checkParameters()
	s.expandLoops()
	s.declare()
	s.checkResources()
	for _, r := range slices.Backward(s.resources) {
		s.byID[r.ID] = r // of two, the first
	}
	return s
}

// declare reads the resources.
func (s *Stack) declare() {
	t := s.template
	resources := t.sections["Resources"]
	for i := 0; i+1 < len(resources.Content); i += 2 {
		id, n := resources.Content[i], resources.Content[i+1]
		if id.Value == "Fn::Transform" {
			s.Note(t.pos(id), "%s does not run here: the resources that it makes in AWS are missing", id.Value)
			continue
		}
		if !logicalID.MatchString(id.Value) {
			s.Problem(t.pos(id), "resource name %q: only letters and digits", id.Value)
			continue
		}
		if n.Kind != yaml.MappingNode {
			s.Problem(t.pos(n), "resource %s must be a map", id.Value)
			continue
		}
		r := &Resource{
			ID: id.Value, Pos: t.pos(id), stack: s,
			condition: entry(n, "Condition"), dependsOn: entry(n, "DependsOn"), properties: entry(n, "Properties"),
			metadata: entry(n, "Metadata"),
		}
		if kind := entry(n, "Type"); kind != nil && kind.Kind == yaml.ScalarNode {
			r.Type = kind.Value
		} else {
			s.Problem(r.Pos, "resource %s has no Type", r.ID)
			continue
		}
		if r.properties != nil && r.properties.Kind != yaml.MappingNode {
			s.Problem(t.pos(r.properties), "the properties of %s must be a map", r.ID)
			continue
		}
		r.properties = s.withGlobals(r.properties, entry(t.sections["Globals"], globalsOf[r.Type]))
		if r.Type == samWebSocketAPI {
			s.resources = append(s.resources, s.transform(r)...)
		} else {
			s.resources = append(s.resources, r)
		}
	}
}

// Pseudo returns the value of a pseudo parameter, such as AWS::Region.
func (s *Stack) Pseudo(name string) string { return s.pseudo[name] }

// Resources returns the resources that are made in this stack, in the order of the
// template.
func (s *Stack) Resources() []*Resource {
	var resources []*Resource
	for _, r := range s.resources {
		if r.Made() {
			resources = append(resources, r)
		}
	}
	return resources
}

// Made reports whether the resource has no condition, or its condition holds.
func (r *Resource) Made() bool {
	if r.condition == nil {
		return true
	}
	return r.stack.holds(r.condition)
}

// DependsOn returns the logical ids in the DependsOn of the resource.
func (r *Resource) DependsOn() []string {
	var ids []string
	for _, v := range (Value{r.stack, r.dependsOn, r.Pos}).List() {
		ids = append(ids, v.Text())
	}
	return ids
}

// Property returns the property at a path, such as "Environment", "Variables".
// Without a path it returns all properties.
func (r *Resource) Property(path ...string) Value {
	v := Value{stack: r.stack, node: r.properties, parentPos: r.Pos}
	for _, name := range path {
		v = v.Field(name)
	}
	return v
}

// Metadata returns an entry of the resource's metadata, such as "aws:asset:path".
func (r *Resource) Metadata(name string) Value {
	return Value{r.stack, entry(r.metadata, name), r.Pos}
}

// globalsOf has the section of Globals for each type.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
var globalsOf = map[string]string{"AWS::Serverless::Function": "Function", samWebSocketAPI: "WebSocketApi"}

// withGlobals merges as SAM does: a map gets the global entries that it does not
// have, a list comes after the global one, and other values replace the global
// value.
func (s *Stack) withGlobals(own, global *yaml.Node) *yaml.Node {
	switch {
	case global == nil:
		return own
	case own == nil:
		return global
	case !s.spend(global, elementWork*len(global.Content)/2):
		return own
	case own.Kind == yaml.SequenceNode && global.Kind == yaml.SequenceNode:
		merged := *own
		merged.Content = slices.Concat(global.Content, own.Content)
		return &merged
	case own.Kind != yaml.MappingNode || global.Kind != yaml.MappingNode || isFunction(own) || isFunction(global):
		return own
	}
	merged := *own
	merged.Content = nil
	globals, has := entries(global), map[string]bool{}
	for i := 0; i+1 < len(own.Content); i += 2 {
		name := own.Content[i].Value
		has[name] = true
		merged.Content = append(merged.Content, own.Content[i], s.withGlobals(own.Content[i+1], globals[name]))
	}
	merged.Content = append(merged.Content, missingEntries(global, has)...)
	return &merged
}
