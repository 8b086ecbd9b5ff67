package samapi_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// FuzzBuild: Build returns either an API or problems.
func FuzzBuild(f *testing.F) {
	f.Add([]byte(fullTemplate))
	for _, file := range []string{"../../../../template.yaml", "../../../../examples/sam-node/template.yaml",
		"testdata/shapes/loops.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"Resources":{"A":{"Type":"AWS::Serverless::WebSocketApi","Properties":{
		"RouteSelectionExpression":"x","Routes":{"$default":{"FunctionArn":"f"}}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := samapi.Build("t.yaml", data, samapi.Options{Handler: evaluateEnvironment})
		var problems cfn.Problems
		if (result == nil) == (err == nil) || err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Errorf("got %v, %v", result, err)
		}
	})
}

// TestEveryLineBroken: if any line of a template is removed, or has another value,
// Build returns either an API or problems.
func TestEveryLineBroken(t *testing.T) {
	lines := strings.Split(fullTemplate, "\n")
	broken := 0
	try := func(i int, new string) {
		t.Helper()
		changed := slices.Clone(lines)
		changed[i] = new
		result, err := build(strings.Join(changed, "\n"), samapi.Options{Handler: evaluateEnvironment})
		var problems cfn.Problems
		switch {
		case (result == nil) == (err == nil):
			t.Errorf("line %d as %q: got %v, %v", i+1, new, result, err)
		case err != nil && !errors.As(err, &problems):
			t.Errorf("line %d as %q: got %v", i+1, new, err)
		case err != nil:
			broken++
		}
	}
	for i, line := range lines {
		try(i, "")
		key, value, ok := strings.Cut(line, ": ")
		if !ok || value == "" {
			continue
		}
		for k, other := range []string{
			"[]", "{}", "~", "!Ref Nobody", "!Ref [a]", "!GetAtt a", "!GetAtt [a]", "!Sub []", "!Sub [a, b]", "!If [IsProd]",
			"!If [[a], b, c]",
			"{Fn::Join: x}", "{Fn::Join: [a, [[b]]]}", "!Select [x, []]", "!FindInMap [Settings, dev, [a]]", "{Fn::Sub: {a: b}}",
			"[[a], {b: c}]", "{a: {b: [c]}}",
		} {
			if (i+k)%3 == 0 { // to save time, each value is tried on a third of the lines
				try(i, key+": "+other)
			}
		}
	}
	if broken < 200 {
		t.Errorf("only %d of the changed templates have problems", broken)
	}
}
