package rules

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// timeUnits are the constants of package time that durations are written with.
var timeUnits = map[string]time.Duration{
	"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
}

// constantOf returns a constant of a package, exported or not: a number, or a
// duration in nanoseconds.
func constantOf(folder, name string) (int64, error) {
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("%s has %d Go files, %v", folder, len(files), err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return 0, err
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				for i, id := range s.(*ast.ValueSpec).Names {
					if values := s.(*ast.ValueSpec).Values; id.Name == name && i < len(values) {
						return evalConstant(folder, values[i])
					}
				}
			}
		}
	}
	return 0, fmt.Errorf("%s has no constant %s", folder, name)
}

// evalConstant evaluates an expression of numbers, units of time and constants of
// the same package.
func evalConstant(folder string, e ast.Expr) (int64, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return evalConstant(folder, e.X)
	case *ast.Ident:
		return constantOf(folder, e.Name)
	case *ast.SelectorExpr:
		if unit, ok := timeUnits[e.Sel.Name]; ok && fmt.Sprint(e.X) == "time" {
			return int64(unit), nil
		}
	case *ast.BasicLit:
		if n, exact := constant.Int64Val(constant.ToInt(constant.MakeFromLiteral(e.Value, e.Kind, 0))); exact {
			return n, nil
		}
	case *ast.BinaryExpr:
		x, err := evalConstant(folder, e.X)
		if err != nil {
			return 0, err
		}
		y, err := evalConstant(folder, e.Y)
		if err != nil {
			return 0, err
		}
		switch e.Op {
		case token.ADD:
			return x + y, nil
		case token.SUB:
			return x - y, nil
		case token.MUL:
			return x * y, nil
		case token.SHL:
			return x << y, nil
		}
	}
	return 0, fmt.Errorf("%s: this test cannot evaluate a %T", folder, e)
}

// duration returns a constant of a package as a duration. A constant that is
// missing is a problem of the check.
func (k *checker) duration(folder, name string) time.Duration {
	return time.Duration(k.constant(folder, name))
}

func (k *checker) constant(folder, name string) int64 {
	n, err := constantOf(folder, name)
	if err != nil || n <= 0 {
		k.failf("constant %s: got %d, %v", name, n, err)
	}
	return n
}

// browserDuration returns a duration of web/src/timing.js, which has milliseconds.
func (k *checker) browserDuration(name string) time.Duration {
	text, err := os.ReadFile(filepath.Join(root, "web/src/timing.js"))
	found := regexp.MustCompile(`(?m)^export const ` + name + ` = (\d[\d_]*);$`).FindSubmatch(text)
	if err != nil || found == nil {
		k.failf("web/src/timing.js has no %s, %v", name, err)
		return 0
	}
	n, _ := constant.Int64Val(constant.MakeFromLiteral(string(found[1]), token.INT, 0))
	return time.Duration(n) * time.Millisecond
}

func TestConstantOf(t *testing.T) {
	for _, tt := range []struct {
		folder, name string
		want         int64
	}{
		{"internal/handler", "answerReserve", int64(500 * time.Millisecond)},
		{"internal/wire", "MaxMessage", 32_000},
		{"internal/wire", "MaxVersion", 1<<53 - 1},
		{"internal/hub", "CatalogueWindow", int64(time.Hour)},
	} {
		if got, err := constantOf(tt.folder, tt.name); err != nil || got != tt.want {
			t.Errorf("%s in %s: got %d, %v, want %d", tt.name, tt.folder, got, err, tt.want)
		}
	}
	for _, tt := range [][2]string{
		{"internal/handler", "missing"}, {"internal/missing", "x"}, {"internal/hub", "CodeNotFound"},
	} {
		if got, err := constantOf(tt[0], tt[1]); err == nil {
			t.Errorf("%s in %s: got %d, want an error", tt[1], tt[0], got)
		}
	}
}
