package cfn_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// TestWritten: Written does not evaluate a value, and has functions in the long
// form.
func TestWritten(t *testing.T) {
	for yaml, want := range map[string]string{
		`word`:                         `"word"`,
		`7`:                            `7`,
		`true`:                         `true`,
		`2010-09-09`:                   `"2010-09-09"`,
		`!Ref Text`:                    `{"Ref":"Text"}`,
		`!GetAtt Queue.Arn`:            `{"Fn::GetAtt":["Queue","Arn"]}`,
		`{"Fn::GetAtt": [Fn, Arn]}`:    `{"Fn::GetAtt":["Fn","Arn"]}`,
		`!If [Yes, !Ref Text, {a: 1}]`: `{"Fn::If":["Yes",{"Ref":"Text"},{"a":1}]}`,
		`!Sub "${Text}"`:               `{"Fn::Sub":"${Text}"}`,
		`[1, !Ref Nowhere]`:            `[1,{"Ref":"Nowhere"}]`,
	} {
		t.Run(yaml, func(t *testing.T) {
			v, stack := valueOf(t, yaml)
			got, err := json.Marshal(v.Written())
			if err != nil || string(got) != want {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
			if err := stack.Err(); err != nil {
				t.Errorf("Written evaluated the value: %v", err)
			}
		})
	}
}

// TestWrittenValue: a value that was written evaluates to the same again.
func TestWrittenValue(t *testing.T) {
	v, stack := valueOf(t, `[!If [Yes, !Sub "${Text}-x", b], !Ref AWS::NoValue, {a: !Split [",", "1,2"]}, 3]`)
	if got, want := stack.Value(v.Written()).JSON(), v.JSON(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSectionHolds(t *testing.T) {
	_, stack := valueOf(t, `x`)
	got := map[string]bool{}
	for _, condition := range stack.Section("Conditions").Fields() {
		got[condition.Name] = condition.Value.Holds()
	}
	if want := map[string]bool{"Yes": true, "No": false, "Both": true, "Either": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if stack.Section("Outputs").Exists() {
		t.Error("a missing section exists")
	}
	if err := stack.Err(); err != nil {
		t.Error(err)
	}
	if stack.Section("Outputs").Holds() || stack.Err() == nil {
		t.Errorf("a missing condition: got problems %v, want one", stack.Err())
	}
}

// TestDeclared: resources that their condition leaves out are declared, and not made.
func TestDeclared(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte("Conditions: {No: !Equals [a, b]}\nResources:\n"+
		"  A: {Type: Custom::A}\n  B: {Type: Custom::B, Condition: No}\n"))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{})
	if got := len(stack.Resources()); got != 1 {
		t.Errorf("%d resources are made, want 1", got)
	}
	all := stack.Declared()
	if len(all) != 2 || all[0].Condition() != "" || !all[0].Made() || all[1].Condition() != "No" || all[1].Made() {
		t.Errorf("got %+v", all)
	}
}

// TestAttribute: Options.Attribute replaces the values of references to resources.
func TestAttribute(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte(templateHead+`!Sub "${Other} ${Other.Any} ${Text}"`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{Attribute: func(id, attribute string) string { return id + "/" + attribute }})
	all := stack.Declared()
	if got, want := all[len(all)-1].Property("V").Text(), "Other/Ref Other/Any word"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
