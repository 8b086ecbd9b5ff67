package schematest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/schematest"
)

// TestCheckAnswerTakesGoldens: what the hub sends has no field that a schema lacks.
func TestCheckAnswerTakesGoldens(t *testing.T) {
	files, err := filepath.Glob("../../testdata/protocol/*.server.json")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d golden answers, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.CheckAnswer(data); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

func TestCheckAnswer(t *testing.T) {
	topics := func(text string) string { return `{"type":"snapshot","epoch":"k3","topics":{` + text + `}}` }
	for message, good := range map[string]bool{
		topics(`"sku:A":{"version":1,"state":"back","until":"2026-12-24"}`): true,
		topics(`"sku:A":{"version":1,"state":"gone"}`):                      false,
		topics(`"sku:A":{"version":1}`):                                     false,
		topics(`"sku:A":{"version":1,"state":"in","colour":"red"}`):         false,
		topics(`"sku:A":{"version":1,"lines":{}}`):                          false,
		topics(`"cart":{"version":1,"lines":{"A":null}}`):                   true,
		topics(`"cart:u~bob":{"version":1,"lines":{}}`):                     true,
		topics(`"cart":{"version":1,"lines":null}`):                         false,
		topics(`"cart":{"version":1,"state":"in"}`):                         false,
		topics(`"vendor:acme":{"skus":[]}`):                                 true,
		topics(`"vendor:acme":{"skus":null}`):                               false,
		topics(`"hub":{"version":1,"state":"in"}`):                          false,
		`{"type":"snapshot","epoch":"k3"}`:                                  false,
		`{"type":"pong"}`:                                                   true,
		`{"type":"pong","id":{}}`:                                           false,
		`{"type":"pong","id":"` + strings.Repeat("x", 127) + `"}`:           false,
		`{"type":"error","code":"odd","message":"m"}`:                       false,
		`{"type":"odd"}`: false, `{}`: false, `[]`: false, `pong`: false,
	} {
		if err := schematest.CheckAnswer([]byte(message)); (err == nil) != good {
			t.Errorf("%s: %v", message, err)
		}
	}
}
