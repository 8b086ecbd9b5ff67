package lint

import (
	"go/ast"
	"go/token"
)

// statements walks a list of statements. Behind an if whose branch leaves the list, its
// condition is known.
func (w walker) statements(list []ast.Stmt) {
	for _, s := range list {
		ast.Walk(w, s)
		if n, ok := s.(*ast.IfStmt); ok {
			w = w.behind(n)
		}
	}
}

// behind returns the walker for what follows an if.
func (w walker) behind(n *ast.IfStmt) walker {
	holds, fails := w.condition(n.Cond)
	switch next := n.Else.(type) {
	case *ast.IfStmt:
		if leaves(n.Body) {
			return w.in(fails).behind(next)
		}
	case *ast.BlockStmt:
		if leaves(next) {
			return w.in(holds)
		}
	}
	if leaves(n.Body) {
		return w.in(fails)
	}
	return w
}

// leaves reports whether nothing that follows a block runs after it.
func leaves(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	switch last := block.List[len(block.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.ExprStmt:
		call, ok := last.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		name, ok := call.Fun.(*ast.Ident)
		return ok && name.Name == "panic"
	}
	return false
}

func (w walker) branch(n *ast.IfStmt) {
	if n.Init != nil {
		ast.Walk(w, n.Init)
	}
	ast.Walk(w, n.Cond)
	holds, fails := w.condition(n.Cond)
	ast.Walk(w.in(holds), n.Body)
	if n.Else != nil {
		ast.Walk(w.in(fails), n.Else)
	}
}

// condition returns the region where a condition holds, and that where it fails.
func (w walker) condition(e ast.Expr) (holds, fails region) {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			fails, holds = w.condition(e.X)
		}
	case *ast.BinaryExpr:
		return w.binary(e)
	}
	return holds, fails
}

func (w walker) binary(b *ast.BinaryExpr) (holds, fails region) {
	switch b.Op {
	case token.EQL:
		return w.compared(b), region{}
	case token.NEQ:
		return region{}, w.compared(b)
	case token.LAND:
		holdsX, failsX := w.condition(b.X)
		holdsY, failsY := w.condition(b.Y)
		return holdsX.or(holdsY), failsX.join(failsY)
	case token.LOR:
		holdsX, failsX := w.condition(b.X)
		holdsY, failsY := w.condition(b.Y)
		return holdsX.join(holdsY), failsX.or(failsY)
	}
	return region{}, region{}
}

// compared returns the region of the route key or the event type in a comparison.
func (w walker) compared(b *ast.BinaryExpr) region {
	for _, side := range [][2]ast.Expr{{b.X, b.Y}, {b.Y, b.X}} {
		if text, ok := constText(w.p.info, side[1]); ok && w.p.derive(w.place.unit, side[0]).route {
			return regionOf(text)
		}
	}
	return region{}
}

// or returns the region, or another one if it is not known.
func (r region) or(o region) region {
	if r.kind != unknown {
		return r
	}
	return o
}
