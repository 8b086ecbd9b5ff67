package gatewaytest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

// assumptionFields returns the fields of gatewaytest.Assumptions, in order, and
// the statements that their comments name.
func assumptionFields(t *testing.T) (fields []string, numbers map[string][]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "assumptions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	numbers = make(map[string][]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Assumptions" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			name := field.Names[0].Name
			fields = append(fields, name)
			// A list of numbers may contain line breaks.
			numbers[name] = statementNumbers(strings.Join(strings.Fields(field.Doc.Text()), " "))
		}
		return false
	})
	if len(fields) != reflect.TypeFor[gatewaytest.Assumptions]().NumField() {
		t.Fatalf("read %d fields of Assumptions, want %d", len(fields), reflect.TypeFor[gatewaytest.Assumptions]().NumField())
	}
	return fields, numbers
}

// fieldsByStatement returns the fields of Assumptions that change each
// statement, as docs/gateway.md shows them: with the default if it is a value.
func fieldsByStatement(t *testing.T) map[string][]string {
	t.Helper()
	fields, numbers := assumptionFields(t)
	changed := make(map[string][]string)
	for _, field := range fields {
		words := "`Assumptions." + field + "`"
		switch value := reflect.ValueOf(gatewaytest.DefaultAssumptions).FieldByName(field); value.Kind() {
		case reflect.Int:
			words += fmt.Sprintf(" (%d)", value.Int())
		case reflect.String:
			words += fmt.Sprintf(" (%q)", value.String())
		}
		for _, number := range numbers[field] {
			changed[number] = append(changed[number], words)
		}
	}
	return changed
}

// TestAssumptionFields. Our own: every field of Assumptions names statements, is
// read in one place, and is set by a test.
func TestAssumptionFields(t *testing.T) {
	fields, numbers := assumptionFields(t)
	rows := make(map[string]bool)
	for _, s := range statements {
		rows[s.number] = true
	}
	reads := sourceMatches(t, regexp.MustCompile(`\b[aA]ssumptions\.([A-Z]\w+)`), func(name string) bool {
		return !strings.HasSuffix(name, "_test.go")
	})
	sets := sourceMatches(t, regexp.MustCompile(`Assumptions\{([A-Z]\w+):`), func(name string) bool {
		return strings.HasPrefix(name, "assumptions") && strings.HasSuffix(name, "_test.go")
	})
	for _, field := range fields {
		if len(numbers[field]) == 0 {
			t.Errorf("the comment of %s names no statement", field)
		}
		for _, number := range numbers[field] {
			if !rows[number] {
				t.Errorf("the comment of %s names G-%s, which does not exist", field, number)
			}
		}
		if reads[field] != 1 {
			t.Errorf("%s is read in %d places, want 1", field, reads[field])
		}
		if sets[field] == 0 {
			t.Errorf("no test sets %s", field)
		}
	}
}

// sourceMatches counts the matches of the expression's first group in the code
// of the selected files of this package, without comments.
func sourceMatches(t *testing.T, expression *regexp.Regexp, selected func(name string) bool) map[string]int {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	count := make(map[string]int)
	for _, name := range files {
		if !selected(name) {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(source)) {
			code, _, _ := strings.Cut(line, "// ")
			for _, m := range expression.FindAllStringSubmatch(code, -1) {
				count[m[1]]++
			}
		}
	}
	return count
}
