package lint

import (
	"go/ast"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// EventHeaders finds reads of headers and query parameters that an event does
// not have.
var EventHeaders = &analysis.Analyzer{
	Name: "eventheaders",
	Doc: `find reads of headers that MESSAGE events do not have

Only CONNECT events have the headers and the query of the handshake. MESSAGE
events have neither, and DISCONNECT events have four headers of the gateway
(G-EVENT-1 -7 -8). Store what you need of them in $connect, or let an authorizer
put it into its context.`,
	Run:      eventHeaders,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

// handshakeFields are the fields of an event that come from the handshake.
var handshakeFields = []string{"Headers", "MultiValueHeaders", "QueryStringParameters",
	"MultiValueQueryStringParameters"}

func eventHeaders(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	p.walk(func(n ast.Node, at place) {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(handshakeFields, s.Sel.Name) || !isEvent(p.info.TypeOf(s.X)) {
			return
		}
		switch {
		case at.region.kind == message:
			report(pass, seen, s, "MESSAGE events have no %s (G-EVENT-1)", s.Sel.Name)
		case at.region.kind == disconnect && strings.Contains(s.Sel.Name, "Query"):
			report(pass, seen, s, "DISCONNECT events have no %s (G-EVENT-1)", s.Sel.Name)
		}
	})
	return nil, nil
}
