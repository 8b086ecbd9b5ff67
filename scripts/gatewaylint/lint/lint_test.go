package lint_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/securecart/hub/scripts/gatewaylint/lint"
)

// useTemplate sets lint.Template for one test.
func useTemplate(t *testing.T, name string) {
	t.Helper()
	lint.Template = name
	t.Cleanup(func() { lint.Template = "" })
}

// TestRules compares the findings of each rule in its specimens with the comments
// there.
func TestRules(t *testing.T) {
	for _, tt := range []struct {
		rule     *analysis.Analyzer
		packages []string
	}{
		{lint.ConnectPost, []string{"./connectpost"}},
		{lint.EventHeaders, []string{"./eventheaders"}},
		{lint.GoneError, []string{"./goneerror", "./goneloop"}},
		{lint.OnePage, []string{"./onepage"}},
		{lint.SenderRow, []string{"./senderrow"}},
	} {
		t.Run(tt.rule.Name, func(t *testing.T) {
			analysistest.Run(t, analysistest.TestData(), tt.rule, tt.packages...)
		})
	}
	t.Run(lint.LostBody.Name, func(t *testing.T) {
		useTemplate(t, "testdata/template.yaml")
		analysistest.Run(t, analysistest.TestData(), lint.LostBody, "./lostbody")
	})
}

// TestSamples runs all rules over functions in the shape of AWS's chat samples.
func TestSamples(t *testing.T) {
	useTemplate(t, "testdata/template.yaml")
	all := &analysis.Analyzer{Name: "all", Doc: "runs all rules", Requires: lint.Analyzers[0].Requires,
		Run: func(pass *analysis.Pass) (any, error) {
			for _, rule := range lint.Analyzers {
				if _, err := rule.Run(pass); err != nil {
					return nil, err
				}
			}
			return nil, nil
		}}
	analysistest.Run(t, analysistest.TestData(), all, "./samples/...")
}

// TestAnalyzers checks that the rules are what the analysis framework accepts, and
// that each has specimens.
func TestAnalyzers(t *testing.T) {
	if err := analysis.Validate(lint.Analyzers); err != nil {
		t.Error(err)
	}
	for _, rule := range lint.Analyzers {
		files, err := filepath.Glob(filepath.Join("testdata", rule.Name, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no specimens: %v", rule.Name, err)
		}
	}
}

// failures counts the errors of an analysistest.
type failures int

func (f *failures) Errorf(string, ...any) { *f++ }

// TestTemplateErrors: a template that cannot be read is an error, not silence.
func TestTemplateErrors(t *testing.T) {
	for _, name := range []string{"testdata/missing.yaml", "testdata/broken.yaml"} {
		useTemplate(t, name)
		var f failures
		if analysistest.Run(&f, analysistest.TestData(), lint.LostBody, "./samples/connectionid"); f == 0 {
			t.Errorf("%s: no error", name)
		}
	}
}
