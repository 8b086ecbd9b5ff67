package lint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// GoneError finds posts whose 410 is missed, or found only in a text.
var GoneError = &analysis.Analyzer{
	Name: "goneerror",
	Doc: `find posts whose 410 is missed or compared as text

A connection that is gone is answered with 410, an empty body and the exception's
name in a header (G-MGMT-5). SDKs make different texts of that. With the AWS SDK
for Go v2 use errors.As with a *types.GoneException: the client wraps it, so a
type assertion and errors.Is never find it. A loop over receivers in a package
that nowhere looks for 410 never forgets those who are gone.`,
	Run:      goneError,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

func goneError(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	looks := slices.ContainsFunc(p.files, func(f *ast.File) bool {
		return slices.ContainsFunc(f.Decls, func(d ast.Decl) bool { return p.mentionsGone(d) })
	})
	for _, u := range p.ordered {
		ast.Inspect(u.body, func(n ast.Node) bool {
			if n == nil {
				return true
			}
			if problem := p.wrongComparison(n); problem != "" {
				report(pass, seen, n, "%s; use errors.As with GoneException (G-MGMT-5)", problem)
			}
			if isLoop(n) && !looks {
				p.reportMissed(pass, seen, n)
			}
			return true
		})
	}
	return nil, nil
}

// reportMissed reports the posts in a loop, except those that repeat one post.
func (p *program) reportMissed(pass *analysis.Pass, seen map[ast.Node]bool, loop ast.Node) {
	for _, call := range callsIn(loop) {
		if p.isPost(call) && p.postVaries(call, loop) {
			report(pass, seen, call, "posts to several connections, and never looks for 410 (G-MGMT-5)")
		}
	}
}

func isLoop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

// postVaries reports whether a post in a loop may go to another connection each
// time.
func (p *program) postVaries(call *ast.CallExpr, loop ast.Node) bool {
	_, about := operation(p.info, call)
	if about == nil { // a function of this package: each of its arguments may be the connection
		return p.varies(call.Fun, loop) ||
			slices.ContainsFunc(call.Args, func(e ast.Expr) bool { return p.varies(e, loop) })
	}
	if lit := literal(about); lit != nil {
		if id := element(lit, "ConnectionId"); id != nil {
			about = id
		}
	}
	return p.varies(about, loop)
}

// varies reports whether an expression in a loop has a variable that the loop
// declares or changes, or calls a method, which may return the next value.
func (p *program) varies(e ast.Expr, loop ast.Node) bool {
	return contains(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			object := p.info.ObjectOf(n)
			return object != nil && (declaredIn(loop, object) || p.changedIn(loop, object))
		case *ast.CallExpr:
			f, ok := callee(p.info, n).(*types.Func)
			return ok && f.Signature().Recv() != nil
		}
		return false
	})
}

func declaredIn(loop ast.Node, object types.Object) bool {
	return loop.Pos() <= object.Pos() && object.Pos() < loop.End()
}

// changedIn reports whether a loop assigns a value to a variable.
func (p *program) changedIn(loop ast.Node, object types.Object) bool {
	return contains(loop, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		return ok && slices.ContainsFunc(assign.Lhs, func(e ast.Expr) bool { return p.assigned(e) == object })
	})
}

// wrongComparison returns what is wrong with a comparison of an error with 410,
// or "".
func (p *program) wrongComparison(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			if p.isText(n.X) && p.saysGone(n.Y) || p.isText(n.Y) && p.saysGone(n.X) {
				return "compares the text of an error"
			}
		}
	case *ast.CallExpr:
		return p.wrongCall(n)
	case *ast.TypeAssertExpr:
		if n.Type != nil && isGoneV2(p.info.TypeOf(n.Type)) && isError(p.info.TypeOf(n.X)) {
			return "the client wraps the exception, so this type assertion never holds"
		}
	case *ast.TypeSwitchStmt:
		return p.wrongSwitch(n)
	}
	return ""
}

// wrongCall finds strings.Contains(err.Error(), "Gone"), errors.Is(err,
// &types.GoneException{}) and the like.
func (p *program) wrongCall(call *ast.CallExpr) string {
	f, ok := callee(p.info, call).(*types.Func)
	if !ok || f.Pkg() == nil || len(call.Args) != 2 {
		return ""
	}
	switch path := f.Pkg().Path(); {
	case path == "strings" && p.isText(call.Args[0]) && p.saysGone(call.Args[1]):
		return "compares the text of an error"
	case path == "errors" && f.Name() == "Is" && isGoneV2(p.info.TypeOf(call.Args[1])):
		return "errors.Is compares pointers, so it never finds this exception"
	}
	return ""
}

// wrongSwitch finds the exception among the cases of switch err.(type).
func (p *program) wrongSwitch(n *ast.TypeSwitchStmt) string {
	for _, s := range n.Body.List {
		for _, e := range s.(*ast.CaseClause).List {
			if isGoneV2(p.info.TypeOf(e)) && isError(p.info.TypeOf(switched(n))) {
				return "the client wraps the exception, so this case never holds"
			}
		}
	}
	return ""
}

// switched returns the expression whose type a type switch looks at.
func switched(n *ast.TypeSwitchStmt) ast.Expr {
	var e ast.Expr
	ast.Inspect(n.Assign, func(n ast.Node) bool {
		if assertion, ok := n.(*ast.TypeAssertExpr); ok {
			e = assertion.X
		}
		return e == nil
	})
	return e
}

// isText reports whether an expression contains err.Error().
func (p *program) isText(e ast.Expr) bool {
	return contains(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || calleeName(call) != "Error" || len(call.Args) > 0 {
			return false
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		return ok && types.Implements(p.info.TypeOf(s.X), errorInterface)
	})
}

// saysGone reports whether an expression is a text about 410.
func (p *program) saysGone(e ast.Expr) bool {
	text, ok := constText(p.info, e)
	return ok && (strings.Contains(strings.ToLower(text), "gone") || strings.Contains(text, "410"))
}

var errorInterface = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// isError reports whether a type is error itself.
func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}
