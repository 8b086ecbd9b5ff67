package lint

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// ConnectPost finds posts to a connection whose $connect still runs.
var ConnectPost = &analysis.Analyzer{
	Name: "connectpost",
	Doc: `find posts to the own connection in $connect

Before $connect has returned, a post to its connection is answered with 410
(G-MGMT-8). Let the client ask in a message, and answer that. Posts to other
connections are not reported.`,
	Run:      connectPost,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

func connectPost(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	p.walk(func(n ast.Node, at place) {
		call, ok := n.(*ast.CallExpr)
		if !ok || at.region.kind != connect {
			return
		}
		// What a function posts to without an argument is reported inside of it.
		inside := roots{}
		if target := p.target(call); target != nil {
			inside.own = target.posts.own
		}
		if p.postsTo(at.unit, call).own && !inside.own {
			report(pass, seen, call, "posts to its own connection in $connect, which is answered with 410 (G-MGMT-8)")
		}
	})
	return nil, nil
}
