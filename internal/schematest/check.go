package schematest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckAnswer returns an error unless a message is one that the hub may send. Clients
// ignore unknown fields; here they are an error.
func CheckAnswer(message []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		return err
	}
	m, _ := v.(map[string]any)
	kind, _ := m["type"].(string)
	schema := compiled()[kind]
	if schema == nil {
		return fmt.Errorf("there is no message of the type %q", kind)
	}
	return schema.Validate(v)
}

// compiled has the schemas of answers, by type.
var compiled = sync.OnceValue(func() map[string]*jsonschema.Schema {
	data, err := json.Marshal(NewSocketRegistry("#/").Map())
	if err != nil {
		panic(err) // the schemas are constants
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("answers.json", v); err != nil {
		panic(err)
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, a := range Answers {
		schemas[Kind(a)] = c.MustCompile("answers.json#/" + Name(a))
	}
	return schemas
})
