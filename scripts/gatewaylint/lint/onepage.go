package lint

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/analysis"
)

// OnePage finds scans and queries for receivers that read one page.
var OnePage = &analysis.Analyzer{
	Name: "onepage",
	Doc: `find scans for receivers that read only one page

A scan or a query returns at most 1 MB, and LastEvaluatedKey if there is more.
Receivers of the other pages get nothing, without an error. Use a paginator.
Reported are functions that post to others than the sender, and those that they
call.`,
	Run:      onePage,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

func onePage(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	for _, u := range p.ordered {
		if p.turnsPages(u) || !p.findsReceivers(u) {
			continue
		}
		for _, call := range callsIn(u.body) {
			name, _ := operation(p.info, call)
			if name == "Scan" || name == "Query" && !p.wantsOne(u) {
				report(pass, seen, call, "%s reads one page of receivers: the others get nothing", name)
			}
		}
	}
	return nil, nil
}

// turnsPages reports whether a unit looks for the next page.
func (p *program) turnsPages(u *unit) bool {
	return contains(u.body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		return ok && (id.Name == "LastEvaluatedKey" || id.Name == "ExclusiveStartKey")
	})
}

// findsReceivers reports whether a unit posts to another connection than the
// event's own, or one that calls it does.
func (p *program) findsReceivers(u *unit) bool {
	callers := map[*unit]bool{u: true}
	for grown := true; grown; {
		grown = false
		for _, other := range p.ordered {
			if !callers[other] && p.callsOneOf(other, callers) {
				callers[other], grown = true, true
			}
		}
	}
	for caller := range callers {
		if p.postsToOther(caller) {
			return true
		}
	}
	return false
}

func (p *program) postsToOther(u *unit) bool {
	return contains(u.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && p.isPost(call) && !p.postsTo(u, call).own
	})
}

func (p *program) callsOneOf(u *unit, targets map[*unit]bool) bool {
	return contains(u.body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && targets[p.target(call)]
	})
}

// wantsOne reports whether a unit uses only the first item of a query.
func (p *program) wantsOne(u *unit) bool {
	return contains(u.body, func(n ast.Node) bool {
		index, ok := n.(*ast.IndexExpr)
		if !ok {
			return false
		}
		s, isField := ast.Unparen(index.X).(*ast.SelectorExpr)
		at, isLiteral := index.Index.(*ast.BasicLit)
		return isField && s.Sel.Name == "Items" && isLiteral && at.Kind == token.INT && at.Value == "0"
	})
}
