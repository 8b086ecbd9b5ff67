package cfn

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a template as it is written.
type Template struct {
	file     string
	sections map[string]*yaml.Node // by name, such as "Resources"
	problems Problems
}

// knownSections are the sections that a template may have; true for those that have
// entries by name.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
var knownSections = map[string]bool{
	"AWSTemplateFormatVersion": false, "Description": false, "Transform": false, "Metadata": false, "Rules": false,
	"Hooks": false, "Parameters": true, "Mappings": true, "Conditions": true, "Resources": true, "Outputs": true,
	"Globals": true,
}

// yamlLine is where the YAML library tells the place of a mistake.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// jsonEscape is an escape of JSON strings that YAML has not, or a backslash that is
// none.
var jsonEscape = regexp.MustCompile(`\\\\|\\/|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)

// unescape writes an escape out. Columns behind it are smaller by that.
func unescape(escape []byte) []byte {
	var text string
	if escape[1] == '\\' || json.Unmarshal(slices.Concat([]byte(`"`), escape, []byte(`"`)), &text) != nil {
		return escape
	}
	return []byte(text)
}

// Parse reads a template in YAML or JSON. file is the name in positions. The
// error is [Problems].
func Parse(file string, data []byte) (*Template, error) {
	t := &Template{file: file, sections: map[string]*yaml.Node{}}
	var doc yaml.Node
	if json.Valid(data) {
		data = jsonEscape.ReplaceAllFunc(data, unescape)
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		at := Pos{File: file, Line: 1, Column: 1}
		text := err.Error()
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			at.Line, _ = strconv.Atoi(m[1])
			text = m[2]
		}
		return nil, Problems{{at, "not YAML or JSON: " + text}}
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, Problems{{Pos{file, 1, 1}, "a template is a map with the section Resources"}}
	}
	t.check(doc.Content[0])
	for i := 0; i+1 < len(doc.Content[0].Content); i += 2 {
		name, section := doc.Content[0].Content[i], doc.Content[0].Content[i+1]
		byName, known := knownSections[name.Value]
		switch {
		case !known:
			t.problem(name, "there is no section %s in a template", name.Value)
		case byName && section.Kind != yaml.MappingNode:
			t.problem(section, "%s is a map", name.Value)
		default:
			t.sections[name.Value] = section
		}
	}
	if t.sections["Resources"] == nil {
		t.problem(doc.Content[0], "the template has no Resources")
	}
	t.checkTransform(t.sections["Transform"])
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return t, nil
}

func (t *Template) problem(n *yaml.Node, format string, args ...any) {
	t.problems = append(t.problems, Problem{t.pos(n), fmt.Sprintf(format, args...)})
}

func (t *Template) pos(n *yaml.Node) Pos { return Pos{t.file, n.Line, n.Column} }

// check refuses what YAML has and CloudFormation has not.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
func (t *Template) check(n *yaml.Node) {
	switch n.Kind {
	case yaml.AliasNode:
		t.problem(n, "CloudFormation has no YAML aliases")
		return
	case yaml.MappingNode:
		var seen []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			switch {
			case key.Kind != yaml.ScalarNode:
				t.problem(key, "a key is a text")
			case key.Tag == "!!merge":
				t.problem(key, "CloudFormation has no YAML merge keys")
			case slices.Contains(seen, key.Value):
				t.problem(key, "%s occurs twice", key.Value)
			case strings.HasPrefix(key.Value, "Fn::ForEach::"):
				t.problem(key, "Fn::ForEach is not understood")
			}
			seen = append(seen, key.Value)
			t.check(n.Content[i+1])
		}
	case yaml.SequenceNode:
		for _, each := range n.Content {
			t.check(each)
		}
	}
}

// samTransform is the only macro that is understood.
const samTransform = "AWS::Serverless-2016-10-31"

func (t *Template) checkTransform(n *yaml.Node) {
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for _, each := range n.Content {
			t.checkTransform(each)
		}
	case n.Kind != yaml.ScalarNode || n.Value != samTransform:
		t.problem(n, "the only transform that is understood is %s", samTransform)
	}
}

// entry is the value of a key in a map, nil if there is none.
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
