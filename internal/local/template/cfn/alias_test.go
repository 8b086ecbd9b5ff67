package cfn_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// TestAliases: aliases and merge keys are expanded, with a note at the first one.
func TestAliases(t *testing.T) {
	for name, tt := range map[string]struct{ text, want, at string }{
		"an alias": {"A: &a [x, !Ref P]\n      B: *a", `{"A":["x","p"],"B":["x","p"]}`, "t.yaml:7:10"},
		"a merge key": {
			"A: &a {x: 1, y: 2}\n      B: {<<: *a, y: 3}", `{"A":{"x":1,"y":2},"B":{"x":1,"y":3}}`, "t.yaml:7:15",
		},
		"several maps":      {"B: {<<: [{x: 1}, {x: 2, y: 2}], z: 3}", `{"B":{"x":1,"y":2,"z":3}}`, "t.yaml:6:11"},
		"a merged merge":    {"A: &a {<<: {x: 1}}\n      B: {<<: *a}", `{"A":{"x":1},"B":{"x":1}}`, "t.yaml:6:14"},
		"a quoted key":      {`B: {"<<": x, c: d}`, `{"B":{"\u003c\u003c":"x","c":"d"}}`, ""},
		"an unused anchor":  {"A: &a x", `{"A":"x"}`, ""},
		"an aliased scalar": {"A: &a !Ref P\n      B: {c: *a}", `{"A":"p","B":{"c":"p"}}`, "t.yaml:7:14"},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := cfn.Parse("t.yaml", []byte("Parameters: {P: {Type: String, Default: p}}\n"+
				"Resources:\n  R:\n    Type: Custom::R\n    Properties:\n      "+tt.text+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			stack := cfn.New(template, cfn.Options{})
			got, err := json.Marshal(stack.Resources()[0].Property().JSON())
			if err != nil || string(got) != tt.want || stack.Err() != nil {
				t.Errorf("got %s, %v, %v, want %s", got, err, stack.Err(), tt.want)
			}
			var want []string
			if tt.at != "" {
				want = []string{tt.at + ": aliases and merge keys are expanded, as sam and aws cloudformation package do it; " +
					"CloudFormation itself refuses them"}
			}
			if got := stack.Notes(); !slices.Equal(got, want) {
				t.Errorf("notes: got %q, want %q", got, want)
			}
		})
	}
}

// TestTransforms: a transform that does not run here is noted.
func TestTransforms(t *testing.T) {
	const missing = " does not run here: what it changes in AWS is missing"
	for text, want := range map[string][]string{
		"AWS::Serverless-2016-10-31":                            nil,
		"[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]": nil,
		"[AWS::CodeDeployBlueGreen, Own]": {
			"t.yaml:1:13: the transform AWS::CodeDeployBlueGreen" + missing, "t.yaml:1:39: the transform Own" + missing,
		},
		"{Name: AWS::Include, Parameters: {Location: s3://b/k}}": {
			"t.yaml:1:19: the transform AWS::Include" + missing,
		},
	} {
		template, err := cfn.Parse("t.yaml", []byte("Transform: "+text+"\nResources: {R: {Type: T}}"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := cfn.New(template, cfn.Options{}).Notes(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestMadeByTransforms: what a transform would make of a section is noted.
func TestMadeByTransforms(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte("Resources:\n  Fn::Transform: {Name: AWS::Include}\n"+
		"  R: {Type: T}"))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{})
	const missing = " does not run here: the resources that it makes in AWS are missing"
	want := []string{"t.yaml:2:3: Fn::Transform" + missing}
	if got := stack.Notes(); !slices.Equal(got, want) || stack.Err() != nil || len(stack.Resources()) != 1 {
		t.Errorf("got %q, %v, want %q", got, stack.Err(), want)
	}
}

// TestDynamicReferences: Options.Imports has the values of dynamic references.
func TestDynamicReferences(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte("Resources:\n  R:\n    Type: T\n    Properties:\n"+
		"      V: a-{{resolve:ssm:/x:1}}-{{resolve:secretsmanager:s:SecretString:k}}\n      W: '{{resolve:ssm:/y}}'\n"+
		"      X: '{{other:ssm:/y}}'\n"))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{Imports: map[string]string{
		"resolve:ssm:/x:1": "one", "resolve:secretsmanager:s:SecretString:k": "two",
	}})
	r := stack.Resources()[0]
	if got := r.Property("V").Text(); got != "a-one-two" {
		t.Errorf("got %q", got)
	}
	if got := r.Property("X").Text(); got != "{{other:ssm:/y}}" {
		t.Errorf("got %q", got)
	}
	if text, ok := r.Property("W").Try(); ok || stack.Err() != nil {
		t.Errorf("Try: got %q, %v", text, stack.Err())
	}
	r.Property("W").Text()
	const want = "t.yaml:6:10: only AWS resolves {{resolve:ssm:/y}}; set its value with -import resolve:ssm:/y=VALUE"
	if err := stack.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestTry: a value that only AWS knows is no problem for Try, a mistake is one.
func TestTry(t *testing.T) {
	for yaml, want := range map[string]struct {
		text        string
		ok, mistake bool
	}{
		"!Ref Text":                               {"word", true, false},
		"!ImportValue other":                      {"", false, false},
		`!Sub ["${x}", {x: !ImportValue other}]`:  {"", false, false},
		"!GetAtt Other.Outputs.Id":                {"", false, false},
		"!Ref Nobody":                             {"", false, true},
		"!Join ['', [!ImportValue x, !Cidr []]]":  {"", false, false},
		"!Select [7, [!ImportValue x, !Cidr []]]": {"", false, true},
	} {
		v, stack := valueOf(t, yaml)
		text, ok := v.Try()
		if text != want.text || ok != want.ok || (stack.Err() != nil) != want.mistake {
			t.Errorf("%s: got %q, %t, %v", yaml, text, ok, stack.Err())
		}
		if v.Text(); !want.ok && stack.Err() == nil {
			t.Errorf("%s: Text after Try records no problem", yaml)
		}
	}
}
