package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/securecart/hub/internal/wire"
)

// httpBodies are the requests of the REST API whose bodies are messages of the socket.
var httpBodies = map[wire.Action][2]string{
	wire.ActionAdd: {"/v1/cart/lines", "post"}, wire.ActionSet: {"/v1/cart", "patch"},
	wire.ActionMerge: {"/v1/cart/merge", "post"}, wire.ActionCheckout: {"/v1/cart/checkout", "post"},
}

// looser are the fields of which a schema cannot say all: it counts characters, not
// bytes, takes 1.0 for an integer, and does not know the grammar of names.
var looser = []string{"sku", "lines", "quantity"}

// TestOpenAPIBodies: one corpus of good and bad bodies has one verdict: what the decoder
// takes, docs/openapi.yaml allows, and what the document allows, the decoder takes, but
// for what a schema cannot say. (checkModels holds the socket's models to the decoder.)
func TestOpenAPIBodies(t *testing.T) {
	var document object
	parseYAML(t, "docs/openapi.yaml", &document)
	for action, request := range httpBodies {
		written := sub(document, "paths", request[0], request[1], "requestBody", "content", "application/json", "schema")
		schema := compileSchema(t, written)
		taken, refused := 0, 0
		for _, text := range messages(action) {
			body, _ := decoded(text).(object)
			maps.DeleteFunc(body, func(name string, _ any) bool { return sub(written, "properties")[name] == nil })
			data, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			_, decodeErr := wire.DecodeFields(action, data, nil)
			schemaErr := schema.Validate(v)
			switch known := differsIn(body); {
			case decodeErr == nil && schemaErr != nil:
				t.Errorf("%s: the hub takes %.200s, the document does not: %v", action, data, schemaErr)
			case decodeErr != nil && schemaErr == nil && known == "":
				t.Errorf("%s: the document allows %.200s, the hub does not: %v", action, data, decodeErr)
			case decodeErr == nil:
				taken++
			case schemaErr != nil:
				refused++
			}
		}
		if taken < 15 || refused < 1 && action != wire.ActionCheckout {
			t.Errorf("%s: %d bodies were taken and %d refused by both: the corpus says little", action, taken, refused)
		}
	}
}

// differsIn returns a field of a body of which a schema cannot say all, "" if there is none.
func differsIn(body object) string {
	for name := range body {
		if slices.Contains(looser, name) && odd(body[name]) {
			return name
		}
	}
	return ""
}

// odd reports whether a value is one of those that JSON Schema cannot tell from good ones.
func odd(v any) bool {
	switch v := v.(type) {
	case string:
		return v != "MUG"
	case object:
		return len(v) != 1 || v["MUG"] == nil || odd(v["MUG"])
	case json.Number:
		return strings.ContainsAny(v.String(), ".eE")
	}
	return false
}

// newCompiler returns a compiler of the schemas in a document, which it knows by a name.
func newCompiler(t *testing.T, name string, document object, draft *jsonschema.Draft) *jsonschema.Compiler {
	t.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(draft)
	if err := c.AddResource(name, v); err != nil {
		t.Fatal(err)
	}
	return c
}

func compileSchema(t *testing.T, written object) *jsonschema.Schema {
	t.Helper()
	schema, err := newCompiler(t, "body.json", written, jsonschema.Draft4).Compile("body.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
