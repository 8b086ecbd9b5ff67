package cfn_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

const loopHead = `Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "red, navy blue"}
  Nobody: {Type: CommaDelimitedList}
Mappings:
  Sizes: {all: {list: [s, m]}}
`

// newStack returns the stack of a template.
func newStack(t *testing.T, text string, parameters map[string]string) *cfn.Stack {
	t.Helper()
	template, err := cfn.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfn.New(template, cfn.Options{Parameters: parameters})
}

// TestForEach: a loop makes an entry for each value, with the value in place of its identifier.
func TestForEach(t *testing.T) {
	for name, tt := range map[string]struct {
		resources string
		want      map[string]string // the properties of each resource, as JSON
	}{
		"list": {
			"  Fn::ForEach::Loop: [X, [a, b], {'T${X}': {Type: T, Properties: {V: '${X}-&{X}-${Y}'}}}]",
			map[string]string{"Ta": `{"V":"a-a-${Y}"}`, "Tb": `{"V":"b-b-${Y}"}`},
		},
		"parameter, and names without other characters": {
			"  Fn::ForEach::Loop: [X, !Ref Names, {'T&{X}': {Type: T, Properties: {V: !Ref X, W: {Ref: X}}}}]",
			map[string]string{"Tred": `{"V":"red","W":"red"}`, "Tnavyblue": `{"V":"navy blue","W":"navy blue"}`},
		},
		"mapping": {
			"  Fn::ForEach::Loop: [X, !FindInMap [Sizes, all, list], {'T${X}': {Type: T}}]",
			map[string]string{"Ts": `null`, "Tm": `null`},
		},
		"nested, the inner collection from the outer value": {
			"  Fn::ForEach::Out: [X, [a, b], {'Fn::ForEach::In': [Y, [1, '${X}'], {'T${X}${Y}': {Type: T}}]}]",
			map[string]string{"Ta1": `null`, "Taa": `null`, "Tb1": `null`, "Tbb": `null`},
		},
		"properties, and a list in them": {
			"  T: {Type: T, Properties: {Own: 1, Fn::ForEach::P: [X, [a, b], {'V${X}': ['${X}', {'Fn::ForEach::Q': " +
				"[Y, [c], {'${Y}${X}': !Sub '${Y}.${AWS::Region}'}]}]}]}}",
			map[string]string{"T": `{"Own":1,"Va":["a",{"ca":"c.eu-central-1"}],"Vb":["b",{"cb":"c.eu-central-1"}]}`},
		},
		"functions that name what a loop made": {
			"  Fn::ForEach::Loop: [X, [a, b], {'Q${X}': {Type: AWS::SQS::Queue}}]\n" +
				"  T: {Type: T, Properties: {Fn::ForEach::P: [X, [a], " +
				"{'${X}': [!GetAtt 'Q${X}.Arn', !Ref 'Q${X}', !Sub '${Q${X}}']}]}}",
			map[string]string{"Qa": `null`, "Qb": `null`, "T": `{"a":["arn:aws:sqs:eu-central-1:123456789012:Qa",` +
				`"https://sqs.eu-central-1.amazonaws.com/123456789012/Qa",` +
				`"https://sqs.eu-central-1.amazonaws.com/123456789012/Qa"]}`},
		},
		"empty": {"  R: {Type: T}\n  Fn::ForEach::Loop: [X, [], {'T${X}': {Type: T}}]", map[string]string{"R": "null"}},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newStack(t, loopHead+"Resources:\n"+tt.resources, nil)
			got := map[string]string{}
			for _, r := range stack.Resources() {
				data, err := json.Marshal(r.Property().JSON())
				if err != nil {
					t.Fatal(err)
				}
				got[r.ID] = string(data)
			}
			if err := stack.Err(); err != nil || !maps.Equal(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

// TestForEachOfParameters: the same template has other entries with other parameters, in the
// sections Conditions and Outputs, too.
func TestForEachOfParameters(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte(loopHead+`Conditions:
  Fn::ForEach::C: [X, !Ref Names, {'Is${X}': !Equals ['${X}', a]}]
Resources:
  Fn::ForEach::R: [X, !Ref Names, {'R${X}': {Type: T, Condition: 'Is${X}'}}]
Outputs:
  Fn::ForEach::O: [X, !Ref Names, {'O${X}': {Value: '${X}'}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	for names, want := range map[string]string{"a,b": "[Ra] [Oa Ob]", "b": "[] [Ob]", "c,a": "[Ra] [Oc Oa]"} {
		stack := cfn.New(template, cfn.Options{Parameters: map[string]string{"Names": names}})
		made, outputs := []string{}, []string{}
		for _, r := range stack.Resources() {
			made = append(made, r.ID)
		}
		for _, f := range stack.Section("Outputs").Fields() {
			outputs = append(outputs, f.Name)
		}
		if got := fmt.Sprint(made, outputs); got != want || stack.Err() != nil {
			t.Errorf("%s: got %s, %v, want %s", names, got, stack.Err(), want)
		}
	}
}

// TestForEachRefuses: loops that AWS does not run either.
func TestForEachRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"Resources:\n  Fn::ForEach::L: [X, [a], {'T${X}': {Type: T}}]": "t.yaml:2:3: Fn::ForEach::L needs the transform " +
			"AWS::LanguageExtensions",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, [a]]": "t.yaml:8:3: Fn::ForEach::L takes a list of 3",
		loopHead + "Resources:\n  Fn::ForEach::L: [[X], [a], {}]": "t.yaml:8:3: Fn::ForEach::L takes an identifier, " +
			"a collection and a map",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, a, {'T${X}': {Type: T}}]": "t.yaml:8:23: Fn::ForEach::L takes " +
			"a list here",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, [[a]], {'T${X}': {Type: T}}]": "t.yaml:8:24: must be a string",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, !Ref Nobody, {'T${X}': {Type: T}}]": "t.yaml:8:23: parameter Nobody " +
			"has no value; set it with -parameter Nobody=VALUE",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, [a, b], {T: {Type: T}}]": "t.yaml:8:32: T occurs twice",
		loopHead + "Resources:\n  Fn::ForEach::L: [X, [a-b], {'T${X}': {Type: T}}]": `t.yaml:8:31: resource name "Ta-b": ` +
			"only letters and digits",
	} {
		if err := newStack(t, text, nil).Err(); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// TestForEachIsBounded: what loops make is limited, however they are nested.
func TestForEachIsBounded(t *testing.T) {
	hundred := "[" + strings.Repeat("x,", 99) + "x]"
	nested := "{'T${A}': {Type: T}}"
	for i := range 5 {
		nested = fmt.Sprintf("{'Fn::ForEach::L%d': [A%d, %s, %s]}", i, i, hundred, nested)
	}
	many := "[" + strings.Join(slices.Collect(func(yield func(string) bool) {
		for i := range 501 {
			if !yield(fmt.Sprint(i)) {
				return
			}
		}
	}), ",") + "]"
	for text, want := range map[string]string{
		loopHead + "Resources: " + nested: "takes too much work to evaluate",
		loopHead + "Resources: {'Fn::ForEach::L': [X, " + many + ", {'T${X}': {Type: T}}]}": "has 501 resources",
		loopHead + "Resources: {R: {Type: T}}\nOutputs: {'Fn::ForEach::L': [X, " + many +
			", {'T${X}': {Value: v}}]}": "Outputs: 501 entries",
	} {
		if err := newStack(t, text, nil).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
