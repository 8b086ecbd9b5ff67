package schematest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/schematest"
	"github.com/securecart/hub/internal/wire"
)

// wireSource returns the files of package wire, without its tests.
func wireSource(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("../wire/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// constantsOf returns the values of the constants of a named type, sorted.
func constantsOf(files []*ast.File, name string) []string {
	var values []string
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == name {
				for _, v := range spec.Values {
					if text, ok := v.(*ast.BasicLit); ok {
						value, _ := strconv.Unquote(text.Value) // the file was parsed
						values = append(values, value)
					}
				}
			}
			return true
		})
	}
	return slices.Sorted(slices.Values(values))
}

func texts[T ~string](values []T) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return slices.Sorted(slices.Values(all))
}

// TestValuesAreComplete: a schema allows the constants of package wire, all of them.
func TestValuesAreComplete(t *testing.T) {
	files := wireSource(t)
	for name, got := range map[string][]string{
		"Code": texts(schematest.Codes), "State": texts(schematest.States), "Reason": texts(schematest.Reasons),
		"Skip": texts(schematest.Skips), "Policy": texts(schematest.Policies), "Action": texts(wire.Actions),
	} {
		if want := constantsOf(files, name); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: the schemas have %v, package wire %v", name, got, want)
		}
	}
}

// TestAnswersAreComplete: each type of message that the hub sends has a schema.
func TestAnswersAreComplete(t *testing.T) {
	var got, want []string
	for _, a := range schematest.Answers {
		got = append(got, schematest.Name(a))
	}
	for _, file := range wireSource(t) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "messageType" {
				receiver := f.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				want = append(want, receiver.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the schemas have %v, package wire %v", got, want)
	}
}
