package lint

import (
	"go/ast"
	"go/types"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// program is what the rules need to know of a package.
type program struct {
	info  *types.Info
	files []*ast.File // without tests
	dir   string      // of the files

	units   map[types.Object]*unit // functions by what a call of them uses
	ordered []*unit                // all, in the order of the text
	keys    map[any][]string       // route keys by function: a types.Object or an *ast.FuncLit
	literal map[*unit]*ast.FuncLit // the literal of a unit that has no declaration
	routes  []route                // of the template, for functions in this directory
}

// programAnalyzer reads a package once for all rules.
var programAnalyzer = &analysis.Analyzer{
	Name:       "gatewayprogram",
	Doc:        "finds the handlers of a WebSocket API, and what they post to and delete",
	Run:        func(pass *analysis.Pass) (any, error) { return newProgram(pass) },
	ResultType: reflect.TypeFor[*program](),
}

func newProgram(pass *analysis.Pass) (*program, error) {
	p := &program{info: pass.TypesInfo, units: make(map[types.Object]*unit), keys: make(map[any][]string),
		literal: make(map[*unit]*ast.FuncLit)}
	for _, file := range pass.Files {
		name := pass.Fset.Position(file.FileStart).Filename
		p.dir = filepath.Dir(name)
		// Tests do on purpose what handlers should not.
		if !strings.HasSuffix(name, "_test.go") {
			p.files = append(p.files, file)
		}
	}
	routes, err := templateRoutes()
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		if r.isCodeOf(p.dir) {
			p.routes = append(p.routes, r)
		}
	}
	for _, file := range p.files {
		p.addUnits(file)
	}
	for changed := true; changed; {
		changed = false
		for _, u := range p.ordered {
			changed = p.trace(u) || changed
		}
	}
	return p, nil
}

// addUnits finds the functions of a file, and what maps with route keys say of
// them.
func (p *program) addUnits(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				p.add(newUnit(p.info, p.info.Defs[n.Name], n.Type, n.Body))
			}
		case *ast.AssignStmt:
			for i, value := range n.Rhs {
				if name, ok := n.Lhs[i].(*ast.Ident); ok {
					p.addLiteral(value, p.info.ObjectOf(name))
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				p.addLiteral(value, p.info.Defs[n.Names[i]])
			}
		case *ast.FuncLit:
			p.addLiteral(n, nil)
		case *ast.CompositeLit:
			p.addKeys(n)
		}
		return true
	})
}

func (p *program) add(u *unit) {
	p.ordered = append(p.ordered, u)
	if u.object != nil {
		p.units[u.object] = u
	}
}

// addLiteral adds a function literal that is a handler or the value of a
// variable. The literal is seen again, without the variable, and ignored then.
func (p *program) addLiteral(value ast.Expr, object types.Object) {
	lit, ok := ast.Unparen(value).(*ast.FuncLit)
	if !ok {
		return
	}
	for _, known := range p.literal {
		if known == lit {
			return
		}
	}
	u := newUnit(p.info, object, lit.Type, lit.Body)
	p.literal[u] = lit
	p.add(u)
}

// addKeys notes what a map of routes says. Other maps have no key that starts
// with a dollar sign.
func (p *program) addKeys(lit *ast.CompositeLit) {
	values := make(map[string]ast.Expr)
	isRoutes := false
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := constText(p.info, kv.Key); ok {
			values[key] = kv.Value
			isRoutes = isRoutes || strings.HasPrefix(key, "$")
		}
	}
	if !isRoutes {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		p.addKey(key, values[key])
	}
}

// addKey notes that the functions in the value of a map belong to a route key.
func (p *program) addKey(key string, value ast.Expr) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			p.keys[n] = append(p.keys[n], key)
			return false
		case *ast.Ident:
			if object := p.info.Uses[n]; object != nil {
				p.keys[object] = append(p.keys[object], key)
			}
		}
		return true
	})
}

// routeKeys returns the route keys that a map gives to a unit.
func (p *program) routeKeys(u *unit) []string {
	if u.object != nil {
		if keys := p.keys[u.object]; len(keys) > 0 {
			return keys
		}
	}
	if lit := p.literal[u]; lit != nil {
		return p.keys[lit]
	}
	return nil
}

// report reports a finding once.
func report(pass *analysis.Pass, seen map[ast.Node]bool, n ast.Node, format string, args ...any) {
	if !seen[n] {
		seen[n] = true
		pass.ReportRangef(n, format, args...)
	}
}

// programOf returns the result of programAnalyzer.
func programOf(pass *analysis.Pass) *program { return pass.ResultOf[programAnalyzer].(*program) }
