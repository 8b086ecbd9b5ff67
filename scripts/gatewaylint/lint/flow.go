package lint

import (
	"go/ast"
	"go/types"
	"strings"
)

// roots says where a value comes from.
type roots struct {
	own    bool   // the connection id of the event
	route  bool   // the route key or the type of the event
	params uint64 // bit i: parameter i of the function
}

func (r roots) union(o roots) roots {
	return roots{r.own || o.own, r.route || o.route, r.params | o.params}
}

// unit is a function of the package, or a function literal that is the value of
// a local variable.
type unit struct {
	object types.Object // nil: a literal without a name
	typ    *ast.FuncType
	body   *ast.BlockStmt

	params  []types.Object
	vars    map[types.Object]roots // of its local variables
	returns roots                  // of its first result
	posts   roots                  // of the ids that it posts to, itself or in functions that it calls
	deletes roots                  // of the keys that it deletes, likewise
	posting bool                   // it posts, likewise
}

// name returns the name of the function, or "".
func (u *unit) name() string {
	if u.object == nil {
		return ""
	}
	return u.object.Name()
}

// newUnit returns a unit whose parameters are known and nothing else.
func newUnit(info *types.Info, object types.Object, typ *ast.FuncType, body *ast.BlockStmt) *unit {
	u := &unit{object: object, typ: typ, body: body, vars: make(map[types.Object]roots)}
	for _, field := range typ.Params.List {
		if len(field.Names) == 0 {
			u.params = append(u.params, nil)
		}
		for _, name := range field.Names {
			u.params = append(u.params, info.Defs[name])
		}
	}
	for i, p := range u.params {
		if p != nil && i < 64 {
			u.vars[p] = roots{params: 1 << i}
		}
	}
	return u
}

// trace updates what is known of a unit from what is known of the others. It
// reports whether that changed.
func (p *program) trace(u *unit) bool {
	t := tracer{p: p, u: u}
	ast.Inspect(u.body, func(n ast.Node) bool {
		t.node(n)
		return true
	})
	return t.changed
}

// tracer goes once through the body of a unit.
type tracer struct {
	p       *program
	u       *unit
	changed bool
}

func (t *tracer) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		t.assignAll(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if len(n.Values) > 0 {
				t.assign(name, n.Values[min(i, len(n.Values)-1)])
			}
		}
	case *ast.RangeStmt:
		if n.Value != nil {
			t.assign(n.Value, n.X)
		}
	case *ast.ReturnStmt:
		if len(n.Results) > 0 {
			t.add(&t.u.returns, t.p.derive(t.u, n.Results[0]))
		}
	case *ast.CallExpr:
		t.call(n)
	}
}

func (t *tracer) call(call *ast.CallExpr) {
	t.add(&t.u.posts, t.p.postsTo(t.u, call))
	t.add(&t.u.deletes, t.p.deletesIn(t.u, call))
	if !t.u.posting && t.p.isPost(call) {
		t.u.posting, t.changed = true, true
	}
}

// assignAll assigns values to targets. All targets of a single call get what the
// call returns first.
func (t *tracer) assignAll(targets, values []ast.Expr) {
	for i, target := range targets {
		t.assign(target, values[min(i, len(values)-1)])
	}
}

func (t *tracer) assign(target, value ast.Expr) {
	if object := t.p.assigned(target); object != nil {
		have := t.u.vars[object]
		t.add(&have, t.p.derive(t.u, value))
		t.u.vars[object] = have
	}
}

func (t *tracer) add(have *roots, more roots) {
	if sum := have.union(more); sum != *have {
		*have, t.changed = sum, true
	}
}

// assigned returns the variable that an assignment changes, or nil. Of a field
// that says which connection or row an input is about it is the input.
func (p *program) assigned(target ast.Expr) types.Object {
	switch target := ast.Unparen(target).(type) {
	case *ast.Ident:
		return p.info.ObjectOf(target)
	case *ast.SelectorExpr:
		if id, ok := target.X.(*ast.Ident); ok && target.Sel.Name == aboutField(p.info.TypeOf(id)) {
			return p.info.ObjectOf(id)
		}
	}
	return nil
}

// derive returns where the value of an expression comes from. It follows
// variables, literals, conversions and functions of this package. A field of a
// struct has no roots, because another field may have given the struct its own.
func (p *program) derive(u *unit, e ast.Expr) roots {
	var sum roots
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.Ident:
			sum = sum.union(u.vars[p.info.ObjectOf(n)])
		case *ast.SelectorExpr:
			sum = sum.union(p.deriveField(n))
			return false
		case *ast.KeyValueExpr:
			sum = sum.union(p.derive(u, n.Value))
			return false
		case *ast.CompositeLit:
			if field := aboutField(p.info.TypeOf(n)); field != "" {
				if value := element(n, field); value != nil {
					sum = sum.union(p.derive(u, value))
				}
				return false
			}
		case *ast.CallExpr:
			sum = sum.union(p.deriveCall(u, n))
			return false
		}
		return true
	})
	return sum
}

// deriveField returns the roots of a field of the event's context.
func (p *program) deriveField(s *ast.SelectorExpr) roots {
	if !isEventContext(p.info.TypeOf(s.X)) {
		return roots{}
	}
	return roots{
		own:   s.Sel.Name == "ConnectionID",
		route: s.Sel.Name == "RouteKey" || s.Sel.Name == "EventType",
	}
}

// deriveCall returns the roots of the result of a call: of its arguments for
// conversions and functions that only change the form of a value, of what it
// returns for functions of this package, and none for others.
func (p *program) deriveCall(u *unit, call *ast.CallExpr) roots {
	if target := p.target(call); target != nil {
		return p.substitute(u, call, target.returns)
	}
	var sum roots
	if p.info.Types[call.Fun].IsType() || p.changesForm(call) {
		for _, arg := range call.Args {
			sum = sum.union(p.derive(u, arg))
		}
	}
	return sum
}

// changesForm reports whether the result of a call is its argument in another
// form.
func (p *program) changesForm(call *ast.CallExpr) bool {
	f, ok := callee(p.info, call).(*types.Func)
	if !ok || f.Pkg() == nil {
		_, builtin := callee(p.info, call).(*types.Builtin)
		return builtin && calleeName(call) == "append"
	}
	for _, end := range []string{"/aws", "strings", "fmt", "/attributevalue", "/dynamodbattribute"} {
		if path := f.Pkg().Path(); path == end || strings.HasPrefix(end, "/") && strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// substitute returns the roots of something in a called function, seen by the
// caller.
func (p *program) substitute(u *unit, call *ast.CallExpr, inside roots) roots {
	sum := roots{own: inside.own, route: inside.route}
	for i, arg := range call.Args {
		if i < 64 && inside.params&(1<<i) != 0 {
			sum = sum.union(p.derive(u, arg))
		}
	}
	return sum
}

// postsTo returns where the ids come from that a call posts to.
func (p *program) postsTo(u *unit, call *ast.CallExpr) roots {
	if name, id := operation(p.info, call); name == "PostToConnection" {
		return p.derive(u, id)
	}
	if target := p.target(call); target != nil {
		return p.substitute(u, call, target.posts)
	}
	return roots{}
}

// deletesIn returns where the keys come from that a call deletes.
func (p *program) deletesIn(u *unit, call *ast.CallExpr) roots {
	if name, key := operation(p.info, call); name == "DeleteItem" {
		return p.derive(u, key)
	}
	if target := p.target(call); target != nil {
		return p.substitute(u, call, target.deletes)
	}
	return roots{}
}

// isPost reports whether a call posts to a connection, itself or in a function
// of this package.
func (p *program) isPost(call *ast.CallExpr) bool {
	if name, _ := operation(p.info, call); name == "PostToConnection" {
		return true
	}
	target := p.target(call)
	return target != nil && target.posting
}

// target returns the function of this package that is called, or nil.
func (p *program) target(call *ast.CallExpr) *unit {
	if object := callee(p.info, call); object != nil {
		return p.units[object]
	}
	return nil
}
