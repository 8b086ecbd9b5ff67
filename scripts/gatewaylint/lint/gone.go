package lint

import (
	"go/ast"
	"regexp"
)

// goneName matches names and texts of the answer 410.
var goneName = regexp.MustCompile(`(?i)gone|\b410\b`)

// mentionsGone reports whether a tree asks for 410: by a name, a status, a code,
// or a variable of the type GoneException.
func (p *program) mentionsGone(root ast.Node) bool {
	return contains(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			t := p.info.TypeOf(n)
			return goneName.MatchString(n.Name) || isGoneV2(t) || isNamed(t, "/apigatewaymanagementapi", "GoneException")
		case *ast.BasicLit:
			return goneName.MatchString(n.Value)
		}
		return false
	})
}
