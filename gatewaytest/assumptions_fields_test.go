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

// assumptionFields are the fields of gatewaytest.Assumptions with the statements that
// their comments name, in the order of the fields.
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
			// The comment's line breaks are no part of a list of numbers.
			numbers[name] = named(strings.Join(strings.Fields(field.Doc.Text()), " "))
		}
		return false
	})
	if len(fields) != reflect.TypeFor[gatewaytest.Assumptions]().NumField() {
		t.Fatalf("read %d fields of Assumptions, want %d", len(fields), reflect.TypeFor[gatewaytest.Assumptions]().NumField())
	}
	return fields, numbers
}

// changes are, for each statement, the fields of Assumptions that change it, as
// docs/gateway.md tells them: with the default where that is a value.
func changes(t *testing.T) map[string][]string {
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
				t.Errorf("the comment of %s names G-%s, which is no statement", field, number)
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

// sourceMatches counts what the first group of the expression matches in the
// code, without comments, of the files of this package that are meant.
func sourceMatches(t *testing.T, expression *regexp.Regexp, meant func(name string) bool) map[string]int {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 50 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	count := make(map[string]int)
	for _, name := range files {
		if !meant(name) {
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
