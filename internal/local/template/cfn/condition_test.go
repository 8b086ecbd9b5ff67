package cfn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// conditionHolds evaluates a condition as CloudFormation spells it in YAML. The
// conditions T and F hold and do not hold.
func conditionHolds(t *testing.T, condition string) (bool, error) {
	t.Helper()
	template, err := cfn.Parse("t.yaml", []byte(`
Conditions:
  T: !Equals [a, a]
  F: !Equals [a, b]
  C: `+condition+`
Resources: {R: {Type: Custom::R, Properties: {V: !If [C, "yes", "no"]}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{})
	resources := stack.Resources()
	if len(resources) != 1 {
		t.Fatalf("%d resources, want one", len(resources))
	}
	return resources[0].Property("V").Text() == "yes", stack.Err()
}

// expression is a condition and whether it holds.
type expression struct {
	yaml  string
	holds bool
}

// expressions returns conditions nested to a depth, each with its truth.
func expressions(depth int) []expression {
	all := []expression{
		{`{Condition: T}`, true}, {`!Condition F`, false}, {`!Equals [x, x]`, true}, {`{"Fn::Equals": [x, X]}`, false},
	}
	if depth == 0 {
		return all[1:3]
	}
	inner := expressions(depth - 1)
	for _, a := range inner {
		all = append(all, expression{`!Not [` + a.yaml + `]`, !a.holds})
		for _, b := range inner {
			all = append(all,
				expression{fmt.Sprintf(`{"Fn::And": [%s, %s]}`, a.yaml, b.yaml), a.holds && b.holds},
				expression{fmt.Sprintf(`!Or [%s, %s]`, a.yaml, b.yaml), a.holds || b.holds})
		}
	}
	return all
}

// TestConditions evaluates the truth tables of And, Or and Not, nested twice.
func TestConditions(t *testing.T) {
	all := expressions(2)
	if len(all) < 200 {
		t.Fatalf("%d conditions, want hundreds", len(all))
	}
	held := 0
	for _, e := range all {
		got, err := conditionHolds(t, e.yaml)
		if err != nil || got != e.holds {
			t.Errorf("%s: got %t, %v, want %t", e.yaml, got, err, e.holds)
		}
		if got {
			held++
		}
	}
	if held < len(all)/4 || held > len(all)*3/4 {
		t.Errorf("%d of %d conditions hold, want a mix", held, len(all))
	}
}

// TestConditionLists evaluates And and Or of 2 to 10 conditions with each mix of
// one that differs from the others, and refuses lists of other lengths.
func TestConditionLists(t *testing.T) {
	list := func(n, other int, rest, odd string) string {
		parts := make([]string, n)
		for i := range parts {
			if parts[i] = "!Condition " + rest; i == other {
				parts[i] = "!Condition " + odd
			}
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for n := 2; n <= 10; n++ {
		for other := -1; other < n; other++ {
			for yaml, want := range map[string]bool{
				"!And " + list(n, other, "T", "F"): other < 0,
				"!Or " + list(n, other, "F", "T"):  other >= 0,
			} {
				if got, err := conditionHolds(t, yaml); err != nil || got != want {
					t.Errorf("%s: got %t, %v, want %t", yaml, got, err, want)
				}
			}
		}
	}
	for _, yaml := range []string{
		"!And []", "!Or []", "!And " + list(1, -1, "T", ""), "!Or " + list(1, -1, "T", ""),
		"!And " + list(11, -1, "T", ""), "!Or " + list(11, -1, "T", ""), "!And {a: b}", "!Or T",
		"!Not []", "!Not " + list(2, -1, "F", ""), "!Equals [a]", "!Equals [a, b, c]", "!Not [a]", "a", "!Ref T",
		"!Condition Missing", "!Condition C", "!Not [!Condition C]", "!Equals [!Ref Missing, a]",
	} {
		if got, err := conditionHolds(t, yaml); err == nil {
			t.Errorf("%s: got %t without an error, want a problem", yaml, got)
		}
	}
}
