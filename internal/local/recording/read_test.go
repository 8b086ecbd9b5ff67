package recording_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/securecart/hub/internal/local/recording"
)

const header = `{"format":"securecart.recording","version":1,"localhub":"x","started":"2026-11-29T15:00:00Z",` +
	`"settings":{"batchWindowMs":10}}` + "\n"

const opened = `{"at":1,"type":"open","conn":"guest-1","user":"guest-1","role":"guest","status":101}` + "\n"

const closed = `{"at":2,"type":"close","conn":"guest-1"}` + "\n"

// TestReadErrors: each mistake is named with its line.
func TestReadErrors(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"empty":        {"", "the file is empty"},
		"another file": {"{\"a\":1}\n", "line 1: not a recording"},
		"no JSON":      {"hello\n", "line 1: not a recording"},
		"a newer one": {
			strings.Replace(header, `:1,`, `:2,`, 1), "line 1: a recording of version 2; this localhub reads version 1",
		},
		"unknown field": {header + `{"at":1,"type":"in","colour":"red"}`, "line 2: not a line of a recording"},
		"cut":           {header + opened + `{"at":2,"type":"in","conn":"gue`, "line 3: not a line of a recording"},
		"two objects":   {header + `{"at":1,"type":"in"} {}`, "line 2: not a line of a recording: more than one"},
		"type":          {header + `{"at":1,"type":"dance"}`, `line 2: there is no type "dance"`},
		"time":          {header + opened + `{"at":0,"type":"in","conn":"guest-1"}`, `line 3: "at" is 0`},
		"not open":      {header + `{"at":0,"type":"in","conn":"guest-1"}`, `line 2: "guest-1" is not open`},
		"closed": {
			header + opened + closed + `{"at":2,"type":"in","conn":"guest-1"}`, `line 4: "guest-1" is not open`,
		},
		"twice":           {header + opened + opened, `line 3: "guest-1" was opened before`},
		"a token":         {header + `{"at":0,"type":"token","token":"token-1"}`, `line 2: a token needs`},
		"an item":         {header + `{"at":0,"type":"stock"}`, `line 2: "item" is missing`},
		"a request":       {header + `{"at":0,"type":"admin","path":"/admin/warp"}`, `line 2: a request needs`},
		"an open":         {header + `{"at":0,"type":"open","conn":"guest-1"}`, `line 2: an open needs`},
		"a frame is late": {header + opened + closed + `{"at":2,"type":"out","conn":"guest-1"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := recording.Read(strings.NewReader(tt.file))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestSchema: each line of the recorded afternoon is valid, and lines that Read refuses are not.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/recording.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	valid := func(line []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	data, err := os.ReadFile("../../../testdata/recordings/afternoon.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[recording.Type]bool{}
	for i, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		if err := valid(line); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
		for _, kind := range recording.Types {
			seen[kind] = seen[kind] || bytes.Contains(line, []byte(`"type":"`+kind+`"`))
		}
	}
	for _, kind := range recording.Types {
		if !seen[kind] {
			t.Errorf("the afternoon has no %s", kind)
		}
	}
	for _, line := range []string{
		`{"at":1,"type":"dance"}`, `{"at":-1,"type":"in","conn":"guest-1"}`, `{"at":0,"type":"stock"}`,
		`{"at":0,"type":"token","token":"eyJh"}`, `{"at":0,"type":"in"}`, `{"at":0,"type":"admin"}`, `{"type":"in"}`,
		`{"at":0,"type":"open","conn":"guest-1","user":"alice","status":101}`,
		`{"format":"securecart.recording","version":2}`,
	} {
		if valid([]byte(line)) == nil {
			t.Errorf("%s is valid", line)
		}
	}
}
