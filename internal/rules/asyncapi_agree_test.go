package rules

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestModelsAgreeWithAsyncAPI: the request models of template.yaml have the fields,
// types, patterns and required fields of docs/asyncapi.yaml. (A model has no numbers, so
// it has no limits, and some texts have no pattern there, because the hub's answer is
// better.)
func TestModelsAgreeWithAsyncAPI(t *testing.T) {
	api := readAsyncAPI(t)
	_, parsed := readTemplate(t)
	models := map[string]object{}
	for _, m := range parsed.ofType(kindModel) {
		models[m.id] = sub(m.properties, "Schema")
	}
	for _, action := range modelActions {
		_, written, _ := api.message(t, string(action), true)
		id := strings.ToUpper(string(action[:1])) + string(action[1:]) + "Message"
		model := maps.Clone(models[id])
		if len(model) == 0 {
			t.Errorf("template.yaml has no model %s", id)
		}
		delete(model, "$schema")
		for _, difference := range modelDiffers(id, model, modelOf(written)) {
			t.Error(difference)
		}
	}
}

// modelOf returns what a model can say of a schema: fields and types, without numbers.
// Alternatives become a list of types. "action" is left out: it selects the model.
func modelOf(schema object) object {
	model := object{}
	for _, keyword := range []string{"enum", "pattern", "type"} {
		if schema[keyword] != nil {
			model[keyword] = stringList(schema[keyword])
		}
	}
	required := slices.DeleteFunc(requiredOf(schema), func(name string) bool { return name == "action" })
	if len(required) > 0 {
		model["required"] = required
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[keyword].(object); ok {
			model[keyword] = modelOf(inner)
		}
	}
	if fields, ok := schema["properties"].(object); ok {
		model["properties"] = object{}
		for name, field := range fields {
			if name != "action" {
				model["properties"].(object)[name] = modelOf(field.(object))
			}
		}
	}
	alternatives, _ := schema["oneOf"].([]any)
	var types []string
	for _, alternative := range alternatives {
		one := modelOf(alternative.(object))
		types = append(types, one["type"].([]string)...)
		maps.Copy(model, one)
		model["type"] = types
	}
	return model
}

// requiredOf returns the fields that a schema requires.
func requiredOf(schema object) []string {
	if schema["required"] == nil {
		return nil
	}
	return stringList(schema["required"])
}

// modelDiffers returns where a model differs from what a schema says.
func modelDiffers(place string, model, want object) []string {
	var all []string
	for keyword, value := range model {
		switch keyword {
		case "items", "additionalProperties":
			all = append(all, modelDiffers(place+"."+keyword, value.(object), sub(want, keyword))...)
		case "properties":
			fields, known := value.(object), sub(want, keyword)
			if !slices.Equal(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(known))) {
				all = append(all, fmt.Sprintf("%s: the model has the fields %v, the schema %v", place,
					slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(known))))
			}
			for name, field := range fields {
				all = append(all, modelDiffers(place+"."+name, field.(object), sub(known, name))...)
			}
		default:
			if got := stringList(value); !reflect.DeepEqual(got, want[keyword]) {
				all = append(all, fmt.Sprintf("%s: %s is %v in the model, %v in the schema", place, keyword, got, want[keyword]))
			}
		}
	}
	for _, keyword := range []string{"required", "properties", "items", "additionalProperties"} {
		if want[keyword] != nil && model[keyword] == nil {
			all = append(all, fmt.Sprintf("%s: the model has no %s", place, keyword))
		}
	}
	return all
}

// typesOf are the interfaces of web/src/types.d.ts that describe what comes over the
// socket, their schemas, and the fields that the client keeps for itself.
var typesOf = map[string]struct {
	schema string
	kept   []string
}{
	"Badge":      {"Badge", []string{"rev"}},
	"CartValue":  {"Cart", []string{"from", "reason", "rev"}},
	"VendorList": {"Vendor", nil},
	"Ok":         {"OK", []string{"id", "key", "again"}},
}

// TestTypesAgreeWithAsyncAPI: the types of the browser's client have the fields of
// docs/asyncapi.yaml, and those that may be absent have a question mark.
func TestTypesAgreeWithAsyncAPI(t *testing.T) {
	api := readAsyncAPI(t)
	source := read(t, "web/src/types.d.ts")
	for name, as := range typesOf {
		schema := sub(api.document, "components", "schemas", as.schema)
		want := slices.Sorted(maps.Keys(sub(schema, "properties")))
		want = slices.DeleteFunc(want, func(field string) bool { return slices.Contains(as.kept, field) })
		fields := interfaceFields(source, name)
		if got := slices.Sorted(maps.Keys(fields)); !slices.Equal(got, want) {
			t.Errorf("%s has the fields %v, the schema %s %v", name, got, as.schema, want)
		}
		for field, isOptional := range fields {
			if !isOptional && !slices.Contains(requiredOf(schema), field) {
				t.Errorf("%s.%s may be absent: it needs a question mark", name, field)
			}
		}
	}
}

// interfaceFields returns the fields of a TypeScript interface, and whether they are
// optional.
func interfaceFields(source, name string) map[string]bool {
	body := regexp.MustCompile(`(?s)export interface ` + name + ` \{\n(.*?)\n\}`).FindStringSubmatch(source)
	fields := map[string]bool{}
	if body != nil {
		for _, m := range regexp.MustCompile(`(?m)^  (\w+)(\??):`).FindAllStringSubmatch(body[1], -1) {
			fields[m[1]] = m[2] == "?"
		}
	}
	return fields
}

// TestLimitsAgreeWithAsyncAPI: the limits that the client assumes before the first hello
// are limits of hello, with the values of the golden one.
func TestLimitsAgreeWithAsyncAPI(t *testing.T) {
	schema := sub(readAsyncAPI(t).document, "components", "schemas", "Limits", "properties")
	golden := sub(decoded(read(t, "testdata/protocol/hello-answer.server.json")).(object), "limits")
	list := regexp.MustCompile(`\n  limits = \{ (.*) \};`).FindStringSubmatch(read(t, "web/src/identity.js"))
	if list == nil {
		t.Fatal("web/src/identity.js has no limits")
	}
	for _, m := range regexp.MustCompile(`(\w+): (\d+)`).FindAllStringSubmatch(list[1], -1) {
		if schema[m[1]] == nil || fmt.Sprint(golden[m[1]]) != m[2] {
			t.Errorf("%s is %s in the client, and %v in hello", m[1], m[2], golden[m[1]])
		}
	}
}
