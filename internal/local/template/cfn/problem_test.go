package cfn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
)

// TestProblemsAreBounded: a file with a mistake in each of its lines is reported as far
// as somebody may read.
func TestProblemsAreBounded(t *testing.T) {
	lines := func(n int, line string) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, line+"\n", i)
		}
		return text.String()
	}
	for name, text := range map[string]string{
		"sections":  lines(5_000, "Section%d: {}"),
		"resources": "Resources:\n" + lines(200, "  R%d: 7"),
		"values":    "Resources:\n" + lines(200, "  R%d: {Type: T, Properties: 7}"),
	} {
		template, err := cfn.Parse("t.yaml", []byte(text))
		if err == nil {
			err = cfn.New(template, cfn.Options{}).Err()
		}
		var problems cfn.Problems
		if !errors.As(err, &problems) {
			t.Fatalf("%s: got %v", name, err)
		}
		got := strings.Split(err.Error(), "\n")
		if len(got) != cfn.MaxProblems+1 || got[cfn.MaxProblems] != "and there are more problems" ||
			!strings.HasPrefix(got[0], "t.yaml:") || len(problems) > cfn.MaxProblems+1 {
			t.Errorf("%s: %d lines of %d problems, the last is %q", name, len(got), len(problems), got[len(got)-1])
		}
	}
}

// TestProblemsQuoteLittle: a text of the template is quoted in part.
func TestProblemsQuoteLittle(t *testing.T) {
	text := "Parameters: {P: {Type: String, AllowedValues: [a], Default: " + strings.Repeat("ä", 50_000) + "}}\n" +
		"Resources: {R: {Type: T}}\n"
	template, err := cfn.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	err = cfn.New(template, cfn.Options{}).Err()
	if err == nil || len(err.Error()) > 1100 || !strings.HasSuffix(err.Error(), "…") {
		t.Errorf("got %.200v, want at most 1100 bytes", err)
	}
}
