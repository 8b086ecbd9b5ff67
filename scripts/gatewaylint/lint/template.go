package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is the name of a SAM or CloudFormation template, or "". It says which
// function is behind which route, and which routes have a route response.
var Template string

// route is a route of the template with a function behind it.
type route struct {
	key    string
	twoWay bool   // it has a route response
	code   string // the folder of the function's code, absolute
}

// isCodeOf reports whether the function's code is in a folder. Code is often
// built into another place, such as build/connect: then the last name counts.
func (r route) isCodeOf(dir string) bool {
	return r.code == dir || !hasGo(r.code) && filepath.Base(r.code) == filepath.Base(dir)
}

// hasGo reports whether a folder has Go files.
func hasGo(dir string) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is valid
	return len(files) > 0
}

// resource is a resource of a template.
type resource struct {
	Type       string    `yaml:"Type"`
	Properties yaml.Node `yaml:"Properties"`
}

// templateRoutes reads the routes of the template.
func templateRoutes() ([]route, error) {
	if Template == "" {
		return nil, nil
	}
	text, err := os.ReadFile(Template)
	if err != nil {
		return nil, err
	}
	var t struct {
		Resources map[string]resource `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", Template, err)
	}
	folder, err := filepath.Abs(filepath.Dir(Template))
	if err != nil {
		return nil, err
	}
	var routes []route
	for name, r := range t.Resources {
		if r.Type != "AWS::ApiGatewayV2::Route" {
			continue
		}
		for _, code := range codeBehind(t.Resources, r) {
			routes = append(routes, route{
				key: scalar(property(r.Properties, "RouteKey")), twoWay: hasResponse(t.Resources, name),
				code: filepath.Join(folder, code),
			})
		}
	}
	return routes, nil
}

// codeBehind returns the folders of the functions behind a route.
func codeBehind(all map[string]resource, r resource) []string {
	var folders []string
	for _, integration := range refersTo(all, property(r.Properties, "Target"), "AWS::ApiGatewayV2::Integration") {
		uri := property(all[integration].Properties, "IntegrationUri")
		for _, function := range refersTo(all, uri, "AWS::Serverless::Function") {
			if code := scalar(property(all[function].Properties, "CodeUri")); code != "" {
				folders = append(folders, code)
			}
		}
	}
	return folders
}

// hasResponse reports whether a route has a route response.
func hasResponse(all map[string]resource, route string) bool {
	for _, r := range all {
		if r.Type == "AWS::ApiGatewayV2::RouteResponse" &&
			slices.Contains(refersTo(all, property(r.Properties, "RouteId"), "AWS::ApiGatewayV2::Route"), route) {
			return true
		}
	}
	return false
}

// refersTo returns the resources of a type that a value names, in whatever
// function of CloudFormation.
func refersTo(all map[string]resource, value *yaml.Node, kind string) []string {
	var names []string
	for _, word := range words(value) {
		if all[word].Type == kind && !slices.Contains(names, word) {
			names = append(names, word)
		}
	}
	return names
}

// words returns the letters and digits in a value, split at everything else.
func words(value *yaml.Node) []string {
	if value == nil {
		return nil
	}
	isOther := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	found := strings.FieldsFunc(value.Value, isOther)
	for _, inner := range value.Content {
		found = append(found, words(inner)...)
	}
	return found
}

// property returns a property of a resource, or nil.
func property(properties yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(properties.Content); i += 2 {
		if properties.Content[i].Value == name {
			return properties.Content[i+1]
		}
	}
	return nil
}

// scalar returns a value that is a text, or "".
func scalar(value *yaml.Node) string {
	if value == nil {
		return ""
	}
	return value.Value
}
