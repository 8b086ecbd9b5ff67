// Package strictjson decodes JSON objects that people write by hand, and says what
// is wrong with them.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// Decode reads exactly one JSON object into v, a pointer to a struct. It refuses
// unknown and duplicate fields, and fields in another letter case, which
// encoding/json accepts. Errors name the field as `field "name"` and are for people.
func Decode(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("the body is empty")
	}
	names := fieldNames(reflect.TypeOf(v).Elem())
	if err := wire.CheckObject(data, names); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) && mismatch.Field != "" {
			field := mismatch.Field
			if first, rest, nested := strings.Cut(field, "."); nested && !slices.Contains(names, first) {
				field = rest // encoding/json puts the name of an embedded struct in front
			}
			return fmt.Errorf("field %q has the wrong type: %s", field, mismatch.Value)
		}
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return fmt.Errorf("unknown field %s", field)
		}
		return fmt.Errorf("not as expected: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// fieldNames are the JSON names of the fields of a struct.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, fieldNames(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
