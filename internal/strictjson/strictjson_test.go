package strictjson_test

import (
	"testing"

	"github.com/securecart/hub/internal/strictjson"
)

func TestDecode(t *testing.T) {
	type inner struct {
		Add int `json:"add"`
	}
	type row struct {
		SKU string `json:"sku"`
		inner
	}
	for text, want := range map[string]string{ // "": no error
		`{"sku":"A","add":1}`:          "",
		` {} `:                         "",
		``:                             "the body is empty",
		`{"sku":1}`:                    `field "sku" has the wrong type: number`,
		`{"add":"1"}`:                  `field "add" has the wrong type: string`,
		`{"size":1}`:                   `unknown field "size"`,
		`{"SKU":"A"}`:                  `field "SKU" is written "sku"`,
		`{"sku":"A","sku":"B"}`:        `key "sku" occurs twice`,
		`[]`:                           "not a JSON object",
		`{"sku":"A"} {"sku":"B"}`:      "more than one JSON value",
		`{"sku":"A","add":1.5}`:        `field "add" has the wrong type: number 1.5`,
		"{\"sku\":\"\xff\",\"add\":1}": "invalid UTF-8",
	} {
		var v row
		got := ""
		if err := strictjson.Decode([]byte(text), &v); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
