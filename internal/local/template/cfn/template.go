package cfn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Template is a template as it is written.
type Template struct {
	file     string
	sections map[string]*yaml.Node // by name, such as "Resources"

	conditions map[string]*yaml.Node // by name
	transforms map[string]bool       // those that the template names
	hasLoops   bool
	problems   Problems
	notes      Problems
}

// knownSections are the sections that a template may have. True means that the
// section has entries by name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
var knownSections = map[string]bool{
	"AWSTemplateFormatVersion": false, "Description": false, "Transform": false, "Metadata": false, "Rules": false,
	"Hooks": false, "Parameters": true, "Mappings": true, "Conditions": true, "Resources": true, "Outputs": true,
	"Globals": true,
}

// yamlLine matches errors of the YAML library.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// jsonEscape matches the escapes of JSON strings that YAML does not have, and an
// escaped backslash.
var jsonEscape = regexp.MustCompile(`\\\\|\\/|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)

// unescape replaces an escape by its character. This makes later columns of the
// line smaller.
func unescape(escape []byte) []byte {
	var text string
	if escape[1] == '\\' || json.Unmarshal(slices.Concat([]byte(`"`), escape, []byte(`"`)), &text) != nil {
		return escape
	}
	return []byte(text)
}

// Parse reads a template in YAML or JSON. Positions have file as their file. The
// error is of type [Problems].
func Parse(file string, data []byte) (*Template, error) {
	t := &Template{file: file, sections: map[string]*yaml.Node{}, transforms: map[string]bool{}}
	if len(data) > MaxBody {
		return nil, Problems{{Pos{file, 1, 1}, fmt.Sprintf("CloudFormation accepts at most %d bytes", MaxBody)}}
	}
	var doc yaml.Node
	if json.Valid(data) {
		data = jsonEscape.ReplaceAllFunc(data, unescape)
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		pos := Pos{File: file, Line: 1, Column: 1}
		text := err.Error()
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			pos.Line, _ = strconv.Atoi(m[1])
			text = m[2]
		}
		return nil, Problems{{pos, "not YAML or JSON: " + text}}
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, Problems{{Pos{file, 1, 1}, "a template must be a map with a section Resources"}}
	}
	t.expand(doc.Content[0])
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	for i := 0; i+1 < len(doc.Content[0].Content); i += 2 {
		name, section := doc.Content[0].Content[i], doc.Content[0].Content[i+1]
		byName, known := knownSections[name.Value]
		switch {
		case !known:
			t.problem(name, "unknown section %s", name.Value)
		case byName && section.Kind != yaml.MappingNode:
			t.problem(section, "%s must be a map", name.Value)
		default:
			t.sections[name.Value] = section
		}
	}
	if t.sections["Resources"] == nil {
		t.problem(doc.Content[0], "the template has no Resources")
	}
	t.conditions = entries(t.sections["Conditions"])
	t.readTransform(t.sections["Transform"])
	t.checkBounds()
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return t, nil
}

// expand replaces aliases and merge keys, as SAM does before AWS gets the template.
func (t *Template) expand(root *yaml.Node) {
	e := &expander{t: t, sizes: map[*yaml.Node]int{}}
	e.expand(root)
	switch {
	case e.alias == nil:
	case e.sizes[root] > MaxBody:
		t.problem(e.alias, "with its aliases expanded the template has more than %d bytes, which CloudFormation refuses",
			MaxBody)
	default:
		t.notes.add(t.pos(e.alias), "aliases and merge keys are expanded, as sam and aws cloudformation package do it; "+
			"CloudFormation itself refuses them")
	}
}

func (t *Template) problem(n *yaml.Node, format string, args ...any) {
	t.problems.add(t.pos(n), format, args...)
}

func (t *Template) pos(n *yaml.Node) Pos { return Pos{t.file, n.Line, n.Column} }

// knownTransforms are the transforms that the template is evaluated with, or without whose
// work it may be: true means that nothing is left out.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-reference.html
var knownTransforms = map[string]bool{"AWS::Serverless-2016-10-31": true, languageExtensions: true}

// readTransform notes the transforms that do not run here.
func (t *Template) readTransform(n *yaml.Node) {
	switch name := entry(n, "Name"); {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, each := range n.Content {
			t.readTransform(each)
		}
	case name != nil: // with parameters, such as AWS::Include
		t.readTransform(name)
	case n.Kind != yaml.ScalarNode:
		t.problem(n, "a transform must be a name")
	case !knownTransforms[n.Value]:
		t.notes.add(t.pos(n), "the transform %s does not run here: what it changes in AWS is missing", n.Value)
	default:
		t.transforms[n.Value] = true
	}
}

// entry returns the value of a key in a map, or nil.
func entry(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
