package rules

import (
	"go/ast"
	"slices"
	"testing"
)

// startGoroutines are the methods and functions that run their argument in a goroutine
// of its own.
var startGoroutines = []string{"Go", "AfterFunc"}

// TestGoroutinesStartInOnePackage checks that code that runs in the functions starts
// goroutines only in internal/parallel, which brings their panics back to the handler.
func TestGoroutinesStartInOnePackage(t *testing.T) {
	files, found := 0, 0
	for _, s := range sources(t) {
		if w := wing(s.pkg); s.isTest || w != cloudWing && w != sharedWing {
			continue
		}
		files++
		ast.Inspect(s.file, func(n ast.Node) bool {
			starts := false
			switch n := n.(type) {
			case *ast.GoStmt:
				starts = true
			case *ast.CallExpr:
				selector, ok := n.Fun.(*ast.SelectorExpr)
				starts = ok && slices.Contains(startGoroutines, selector.Sel.Name)
			}
			switch {
			case starts && s.pkg == "internal/parallel":
				found++
			case starts:
				t.Errorf("%s: starts a goroutine; use internal/parallel", s.set.Position(n.Pos()))
			}
			return true
		})
	}
	if files < 60 || found != 1 {
		t.Errorf("looked at %d files and found %d starts in internal/parallel", files, found)
	}
}
