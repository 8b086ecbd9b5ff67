package cfn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// repeat returns n lines, with their number in place of %d.
func repeat(n int, line string) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(strings.ReplaceAll(line, "%d", fmt.Sprint(i)) + "\n")
	}
	return text.String()
}

// nest puts a value n times into a function: NEXT stands for the value inside.
func nest(n int, function, value string) string {
	for range n {
		value = strings.ReplaceAll(function, "NEXT", value)
	}
	return value
}

// evaluate evaluates all resources of a template and their properties.
func evaluate(text string) (*cfn.Stack, error) {
	template, err := cfn.Parse("t.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	stack := cfn.New(template, cfn.Options{})
	for _, r := range stack.Resources() {
		r.Property().JSON()
	}
	return stack, stack.Err()
}

const resourceWithV = "Resources:\n  R:\n    Type: Custom::R\n    Properties:\n      V: "

// TestHostileTemplates: templates that would take hours or gigabytes, were each part
// evaluated again wherever it is used. The test ends because they do not.
func TestHostileTemplates(t *testing.T) {
	conditions := "Conditions:\n  C0: !Equals [a, a]\n"
	for i := 1; i < 2_000; i++ {
		conditions += fmt.Sprintf("  C%d: !And [!Condition C%d, !Condition C%d]\n", i, i-1, i-1)
	}
	const tooMuch = "the template takes too much work to evaluate: its functions make more than 4194304 bytes"
	for name, tt := range map[string]struct {
		text, want string // a part of the error; "" for none
	}{
		"nested Join":        {resourceWithV + nest(200, `!Join ["", [NEXT, x]]`, "x"), ""},
		"nested Select":      {resourceWithV + nest(200, `!Select [0, [NEXT, x]]`, "x"), ""},
		"nested If":          {conditions + resourceWithV + nest(200, `!If [C1, NEXT, x]`, "x"), ""},
		"nested failure":     {resourceWithV + nest(200, `!Join ["", [NEXT, x]]`, "!ImportValue x"), "-import x=VALUE"},
		"doubled conditions": {conditions + resourceWithV + "!If [C1999, a, b]", ""},
		"doubled text": {
			resourceWithV + nest(12, `!Sub ["${a}${a}${a}${a}", {a: NEXT}]`, strings.Repeat("x", 1000)), tooMuch,
		},
		"long names": {
			"Resources:\n  L: {Type: AWS::SQS::Queue, Properties: {QueueName: " + strings.Repeat("x", 500_000) + "}}\n" +
				"  R:\n    Type: Custom::R\n    Properties:\n" + repeat(20_000, "      P%d: !Ref L"), tooMuch,
		},
		"long lists": {
			"Parameters: {P: {Type: CommaDelimitedList, Default: '" + strings.Repeat(",", 4000) + "'}}\n" +
				"Resources:\n  R:\n    Type: Custom::R\n    Properties:\n" +
				repeat(20_000, "      P%d: !Select [0, !Ref P]"), tooMuch,
		},
		"80 000 keys":     {"Resources:\n R:\n  Type: Custom::R\n  Properties:\n" + repeat(80_000, "   %d: a"), ""},
		"80 000 sections": {repeat(80_000, "A%d: a"), "unknown section A0\n"},
		"many globals": {
			"Globals:\n  Function:\n" + repeat(40_000, "    G%d: a") + "Resources:\n" +
				repeat(400, "  F%d: {Type: AWS::Serverless::Function, Properties: {A: b}}"), tooMuch,
		},
		"many routes": {
			"Resources:\n  A:\n    Type: AWS::Serverless::WebSocketApi\n    Properties:\n      Routes:\n" +
				repeat(25_000, "        r%d: {FunctionArn: a}"), "CloudFormation accepts at most 500",
		},
		"many variables": {
			resourceWithV + "!Sub\n      - '" + strings.ReplaceAll(repeat(30_000, "${v%d}"), "\n", "") + "'\n      -\n" +
				repeat(30_000, "        v%d: a"), "",
		},
		"a bomb of aliases": {
			"Metadata:\n  a0: &a0 [x, x]\n" + repeatAliases(40) + "Resources: {R: {Type: Custom::R, Properties: {V: *a40}}}",
			"with its aliases expanded the template has more than 1048576 bytes",
		},
		"a bomb of merge keys": {
			"Metadata:\n  a0: &a0 {x0: 1}\n" + repeatMerges(200) + "Resources: {R: {Type: Custom::R}}",
			"with its aliases expanded the template has more than 1048576 bytes",
		},
		"too long":        {strings.Repeat(" ", cfn.MaxBody+1), "t.yaml:1:1: CloudFormation accepts at most 1048576 bytes"},
		"many lists":      {resourceWithV + "[" + strings.Repeat("[],", 300_000) + "]", ""},
		"deep lists":      {resourceWithV + strings.Repeat("[", 500_000), "not YAML or JSON"},
		"deep JSON lists": {`{"Resources":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "}", "must be a map"},
		"many parameters": {"Parameters:\n" + repeat(201, "  P%d: {Type: String}") + "Resources: {}", "at most 200"},
		"many outputs":    {"Outputs:\n" + repeat(201, "  P%d: {Value: a}") + "Resources: {}", "at most 200"},
		"many mappings":   {"Mappings:\n" + repeat(201, "  P%d: {a: {b: c}}") + "Resources: {}", "at most 200"},
		"many attributes": {
			"Mappings:\n  M:\n    A:\n" + repeat(201, "      P%d: a") + "Resources: {}", "mapping M: 201 entries",
		},
		"many resources": {"Resources:\n" + repeat(501, "  P%d: {Type: T}"), "CloudFormation accepts at most 500"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evaluate(tt.text)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %.500v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %.500v, want %s", err, tt.want)
			}
		})
	}
}

// TestWorkIsLimited: 4 MiB is the most that functions make, as text or as lists, by which a
// list counts 16 for each element. Hostile templates would pass a higher limit, only slower.
func TestWorkIsLimited(t *testing.T) {
	text := func(n int) string { // 512 KiB of a name, and twice that for each Ref: made, then read
		return "Resources:\n  L: {Type: AWS::SQS::Queue, Properties: {QueueName: " + strings.Repeat("x", 1<<19-100) + "}}\n" +
			"  R:\n    Type: Custom::R\n    Properties:\n" + repeat(n, "      P%d: !Ref L")
	}
	list := func(n int) string { // n lists of 4 000 elements, which count 64 000
		return "Parameters: {P: {Type: CommaDelimitedList, Default: '" + strings.Repeat(",", 3999) + "'}}\n" +
			"Resources:\n  R:\n    Type: Custom::R\n    Properties:\n" + repeat(n, "      P%d: !Select [0, !Ref P]")
	}
	for name, tt := range map[string]struct {
		template func(int) string
		most     int
	}{"text": {text, 3}, "lists": {list, 65}} {
		if _, err := evaluate(tt.template(tt.most)); err != nil {
			t.Errorf("%s: %d: got %.200v", name, tt.most, err)
		}
		if _, err := evaluate(tt.template(tt.most + 1)); err == nil {
			t.Errorf("%s: %d: got no error", name, tt.most+1)
		}
	}
}

// repeatAliases doubles a list n times.
func repeatAliases(n int) string {
	var text string
	for i := range n {
		text += fmt.Sprintf("  a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	return text
}

// repeatMerges gives each map all entries of the one before, and a long one.
func repeatMerges(n int) string {
	var text string
	for i := range n {
		text += fmt.Sprintf("  a%d: &a%d {<<: *a%d, x%d: %s}\n", i+1, i+1, i, i+1, strings.Repeat("y", 1000))
	}
	return text
}

// TestLimitsThemselves: a template at a limit is accepted.
func TestLimitsThemselves(t *testing.T) {
	text := "Parameters:\n" + repeat(200, "  P%d: {Type: String}") + "Outputs:\n" + repeat(200, "  P%d: {Value: a}") +
		"Mappings:\n" + repeat(199, "  P%d: {a: {b: c}}") + "  M:\n    A:\n" + repeat(200, "      P%d: a") +
		"Resources:\n" + repeat(500, "  P%d: {Type: T}")
	text += strings.Repeat("#", cfn.MaxBody-len(text))
	stack, err := evaluate(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(stack.Resources()); got != 500 {
		t.Errorf("got %d resources", got)
	}
}
