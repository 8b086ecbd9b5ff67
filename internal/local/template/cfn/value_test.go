package cfn_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

const templateHead = `Parameters:
  Text: {Type: String, Default: word}
  List: {Type: CommaDelimitedList, Default: "a, b,c"}
  Number: {Type: Number, Default: 7}
Mappings:
  Map: {eu-central-1: {word: found, list: [x, y]}}
Conditions:
  Yes: !Equals [!Ref Text, word]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Not [Condition: No]]
  Either: !Or [!Condition No, !Equals [1, 1]]
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Topic: {Type: AWS::SNS::Topic}
  Fn: {Type: AWS::Serverless::Function, Properties: {FunctionName: !Sub "${Text}-fn"}}
  Alias: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Fn, Name: live}}
  Other: {Type: Custom::Thing}
  Unnamed: {Type: AWS::DynamoDB::Table, Properties: {TableName: !ImportValue nobody}}
  R:
    Type: Custom::R
    Properties:
      V: `

// valueOf returns the property V of the resource R.
func valueOf(t *testing.T, yaml string) (cfn.Value, *cfn.Stack) {
	t.Helper()
	template, err := cfn.Parse("t.yaml", []byte(templateHead+yaml+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	stack := cfn.New(template, cfn.Options{Imports: map[string]string{"a:b": "imported", "word:b": "imported"}})
	for _, r := range stack.Resources() {
		if r.ID == "R" {
			return r.Property("V"), stack
		}
	}
	t.Fatalf("the template has no R: %v", stack.Err())
	return cfn.Value{}, nil
}

func TestValue(t *testing.T) {
	for yaml, want := range map[string]string{
		`word`:                      `"word"`,
		`"7"`:                       `"7"`,
		`7`:                         `7`,
		`1.5`:                       `1.5`,
		`true`:                      `true`,
		`2010-09-09`:                `"2010-09-09"`,
		`!Ref Text`:                 `"word"`,
		`{Ref: Text}`:               `"word"`,
		`!Ref Number`:               `"7"`,
		`!Ref List`:                 `["a","b","c"]`,
		`!Ref AWS::Region`:          `"eu-central-1"`,
		`!Ref "AWS::AccountId"`:     `"123456789012"`,
		`!Ref AWS::NoValue`:         `null`,
		`!Ref Other`:                `"Other"`,
		`!Ref Queue`:                `"https://sqs.eu-central-1.amazonaws.com/123456789012/jobs"`,
		`!GetAtt Queue.Arn`:         `"arn:aws:sqs:eu-central-1:123456789012:jobs"`,
		`!Ref Unnamed`:              `"Unnamed"`,
		`!Ref Topic`:                `"arn:aws:sns:eu-central-1:123456789012:Topic"`,
		`!Ref Fn`:                   `"word-fn"`,
		`{"Fn::GetAtt": [Fn, Arn]}`: `"arn:aws:lambda:eu-central-1:123456789012:function:word-fn"`,
		`{"Fn::GetAtt": Fn.Arn}`:    `"arn:aws:lambda:eu-central-1:123456789012:function:word-fn"`,
		`!Ref Fn.Alias`:             `"arn:aws:lambda:eu-central-1:123456789012:function:word-fn:live"`,
		`!Sub "${Fn.Alias}"`:        `"arn:aws:lambda:eu-central-1:123456789012:function:word-fn:live"`,
		`!Ref Alias`:                `"arn:aws:lambda:eu-central-1:123456789012:function:word-fn:live"`,
		`!Sub "${Text}/${!Text}/${AWS::Partition}"`:               `"word/${Text}/aws"`,
		`!Sub ["${a}-${Text}", {a: !Ref Number}]`:                 `"7-word"`,
		`{"Fn::Sub": ["${Text}", {Text: own}]}`:                   `"own"`,
		`!Join ["-", [a, !Ref Text, !Ref AWS::NoValue]]`:          `"a-word"`,
		`!Join ["+", !Ref List]`:                                  `"a+b+c"`,
		`!Select [1, !Ref List]`:                                  `"b"`,
		`!Select ["0", [!Ref Text, x]]`:                           `"word"`,
		`!Split [":", "a:b"]`:                                     `["a","b"]`,
		`!Select [2, !Split ["/", "x/y/z"]]`:                      `"z"`,
		`!FindInMap [Map, !Ref AWS::Region, !Ref Text]`:           `"found"`,
		`!FindInMap [Map, eu-central-1, list]`:                    `["x","y"]`,
		`!If [Yes, 1, 2]`:                                         `1`,
		`!If [No, 1, !Ref Text]`:                                  `"word"`,
		`{"Fn::If": [Both, {a: !Ref Text}, b]}`:                   `{"a":"word"}`,
		`!If [Either, [!If [No, x, !Ref AWS::NoValue], y], z]`:    `["y"]`,
		`{a: !If [No, x, !Ref AWS::NoValue], b: 1}`:               `{"b":1}`,
		`{"Fn::Base64": !Ref Text}`:                               `"d29yZA=="`,
		`{"Fn::Length": !Ref List}`:                               `"3"`,
		`{"Fn::ToJsonString": {a: !Ref Text, b: [1]}}`:            `"{\"a\":\"word\",\"b\":[1]}"`,
		`!FindInMap [Map, us-east-1, word, {DefaultValue: d}]`:    `"d"`,
		`!FindInMap [Map, eu-central-1, word, {DefaultValue: d}]`: `"found"`,
		`!ImportValue a:b`:                                        `"imported"`,
		`{"Fn::ImportValue": !Sub "${Text}:b"}`:                   `"imported"`,
		"|\n        two\n        lines":                           `"two\nlines\n"`,
	} {
		t.Run(yaml, func(t *testing.T) {
			v, stack := valueOf(t, yaml)
			got, err := json.Marshal(v.JSON())
			if err != nil || string(got) != want {
				t.Errorf("got %s, %v, want %s", got, err, want)
			}
			if err := stack.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPositions: the place of a problem is where the value is written, not where it
// comes from.
func TestPositions(t *testing.T) {
	line := strings.Count(templateHead, "\n") + 1
	for yaml, column := range map[string]int{
		`word`: 10, `  word`: 12, `!Ref Text`: 10, `!If [Yes, !Ref Text, x]`: 10, `{a: b}`: 10, `!Sub "${Text}"`: 10,
		`[a, {b: c}]`: 10,
	} {
		t.Run(yaml, func(t *testing.T) {
			v, stack := valueOf(t, yaml)
			v.Int(0)
			if want := fmt.Sprintf("t.yaml:%d:%d: ", line, column); stack.Err() == nil ||
				!strings.HasPrefix(stack.Err().Error(), want) {
				t.Errorf("got %v, want %s", stack.Err(), want)
			}
		})
	}
}

// TestJSONEscapes: JSON has escapes that YAML does not have.
func TestJSONEscapes(t *testing.T) {
	template, err := cfn.Parse("t.json",
		[]byte(`{"Resources":{"R":{"Type":"Custom::R","Properties":{"V":"a\/b \ud83d\ude00 c\\/d \u00e9"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfn.New(template, cfn.Options{}).Resources()[0].Property("V").Text(), `a/b 😀 c\/d é`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	const notAMap = "t.yaml:1:1: a template must be a map with a section Resources"
	const noResources = "t.yaml:1:1: the template has no Resources"
	for text, want := range map[string]string{
		"":                                 notAMap,
		"- a":                              notAMap,
		"a: [":                             "t.yaml:1:1: not YAML or JSON: did not find expected node content",
		"Description: x":                   noResources,
		"Resources: []":                    "t.yaml:1:12: Resources must be a map\n" + noResources,
		"Resources: {a: {<<: 7}}":          "t.yaml:1:17: a merge key takes a map or a list of maps",
		"Resources: {a: &x {b: *x}}":       "t.yaml:1:16: the anchor x contains its own alias",
		"Transform: {a: b}\nResources: {}": "t.yaml:1:12: a transform must be a name",
	} {
		if _, err := cfn.Parse("t.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
