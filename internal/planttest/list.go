package planttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// ReadList returns the defects of a [List] in a test file of another package, which cannot be
// imported.
func ReadList(t testing.TB, name string) map[string]Defect {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Defect{}
	ast.Inspect(file, func(n ast.Node) bool {
		entry, ok := n.(*ast.CompositeLit)
		if !ok || entry.Type != nil || len(entry.Elts) != 4 {
			return true
		}
		var texts [4]string
		for i, e := range entry.Elts {
			texts[i] = text(t, e)
		}
		all[texts[0]] = Defect{texts[0], texts[1], texts[2], texts[3]}
		return false
	})
	return all
}

// text evaluates a constant text.
func text(t testing.TB, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.BinaryExpr:
		return text(t, e.X) + text(t, e.Y)
	}
	t.Fatalf("%T is no constant text", e)
	return ""
}
