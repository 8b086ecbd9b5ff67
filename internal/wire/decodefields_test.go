package wire

import (
	"errors"
	"reflect"
	"testing"
)

// TestDecodeFields: fields from elsewhere count as those of a message, each once.
func TestDecodeFields(t *testing.T) {
	for name, tt := range map[string]struct {
		text   string
		others map[string]any
		same   string // message that must decode to the same request
		code   Code
	}{
		"body alone":        {`{"sku":"MUG","quantity":2}`, nil, `{"action":"add","sku":"MUG","quantity":2}`, ""},
		"others alone":      {"", map[string]any{"sku": "MUG"}, `{"action":"add","sku":"MUG"}`, ""},
		"white space":       {" \n", map[string]any{"sku": "MUG"}, `{"action":"add","sku":"MUG"}`, ""},
		"both":              {`{"sku":"MUG"}`, map[string]any{"key": "k"}, `{"action":"add","sku":"MUG","key":"k"}`, ""},
		"special text":      {"", map[string]any{"sku": `"<&>ä`}, `{"action":"add","sku":"\"<&>ä"}`, ""},
		"the same action":   {`{"action":"add","sku":"MUG"}`, nil, `{"action":"add","sku":"MUG"}`, ""},
		"an unknown field":  {`{"sku":"MUG","colour":1}`, nil, `{"action":"add","sku":"MUG"}`, ""},
		"another action":    {`{"action":"set","sku":"MUG"}`, nil, "", CodeBadField},
		"twice":             {`{"sku":"MUG"}`, map[string]any{"sku": "MUG"}, "", CodeBadField},
		"another case":      {`{"SKU":"MUG"}`, map[string]any{"sku": "MUG"}, "", CodeBadField},
		"a key in the body": {`{"sku":"A","sku":"B"}`, nil, "", CodeBadJSON},
		"an array":          {`[]`, nil, "", CodeBadJSON},
		"null":              {`null`, nil, "", CodeBadJSON},
		"a typed line":      {`MUG 2`, nil, "", CodeBadJSON},
		"missing":           {`{}`, nil, "", CodeBadField},
		"a bad key":         {`{"sku":"MUG"}`, map[string]any{"key": "a b"}, "", CodeBadField},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeFields(ActionAdd, []byte(tt.text), tt.others)
			if tt.code != "" {
				var refused *Error
				if !errors.As(err, &refused) || refused.Code != tt.code {
					t.Errorf("got %+v, %v, want %s", got, err, tt.code)
				}
				return
			}
			want, wantErr := Decode([]byte(tt.same), false)
			if err != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, want, wantErr)
			}
		})
	}
}
