package lint

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// SenderRow finds functions that delete the sender's row because a receiver is
// gone.
var SenderRow = &analysis.Analyzer{
	Name: "senderrow",
	Doc: `find deletions of the sender's row when a receiver is gone

A post that is answered with 410 says that the receiver is gone (G-MGMT-5). The
connection id of the event is that of the sender, who is still there.`,
	Run:      senderRow,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

func senderRow(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	for _, u := range p.ordered {
		p.goneBranches(u, func(branch ast.Node) {
			if !p.isAfterOther(u, branch) {
				return
			}
			for _, call := range callsIn(branch) {
				if p.deletesIn(u, call).own {
					report(pass, seen, call, "deletes the sender's row because a receiver is gone (G-MGMT-5)")
				}
			}
		})
	}
	return nil, nil
}

// isAfterOther reports whether the last post before a branch goes to another
// connection than the event's own.
func (p *program) isAfterOther(u *unit, branch ast.Node) bool {
	other := false
	for _, call := range callsIn(u.body) {
		if call.Pos() < branch.Pos() && p.isPost(call) {
			other = !p.postsTo(u, call).own
		}
	}
	return other
}

// goneBranches calls f for each branch of a unit that runs after a 410.
func (p *program) goneBranches(u *unit, f func(ast.Node)) {
	ast.Inspect(u.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if p.mentionsGone(n.Cond) {
				f(n.Body)
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				if p.mentionsGone(e) {
					f(n)
				}
			}
		}
		return true
	})
}

func callsIn(root ast.Node) []*ast.CallExpr {
	var calls []*ast.CallExpr
	ast.Inspect(root, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}
