package lint

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// LostBody finds bodies of responses that no client gets.
var LostBody = &analysis.Analyzer{
	Name: "lostbody",
	Doc: `find bodies of responses that are sent to nobody

The client gets nothing of the response of $connect but its status and the
subprotocol, and nothing of that of $disconnect (G-HANDSHAKE-10, G-DISC-5). A
message is answered only on a route with a route response (G-RESP-1 -2): which
routes have one says the template that the flag -template names. Without it,
handlers of messages are not reported.`,
	Run:      lostBody,
	Requires: []*analysis.Analyzer{programAnalyzer},
}

func lostBody(pass *analysis.Pass) (any, error) {
	p := programOf(pass)
	seen := map[ast.Node]bool{}
	p.walk(func(n ast.Node, at place) {
		result, ok := n.(*ast.ReturnStmt)
		if !ok || len(result.Results) == 0 || !isResponse(p.info.TypeOf(result.Results[0])) {
			return
		}
		where, lost := p.losesBody(at.region)
		if !lost {
			return
		}
		body := p.body(at.unit, result.Results[0])
		if body != nil && !p.isParam(at.unit, body) { // of a parameter: reported where the call is
			report(pass, seen, body, "no client gets this body: %s", where)
		}
	})
	return nil, nil
}

// isParam reports whether an expression is a parameter of the unit.
func (p *program) isParam(u *unit, e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.Contains(u.params, p.info.ObjectOf(id))
}

// losesBody reports whether the bodies of a region's responses are lost, and
// why.
func (p *program) losesBody(r region) (why string, lost bool) {
	switch r.kind {
	case connect:
		return "the response of $connect is a status and a subprotocol (G-HANDSHAKE-10)", true
	case disconnect:
		return "the response of $disconnect is ignored (G-DISC-5)", true
	case message:
		return "the route has no route response (G-RESP-1)", p.oneWay(r)
	}
	return "", false
}

// oneWay reports whether the template says that no route of a region has a route
// response.
func (p *program) oneWay(r region) bool {
	found := false
	for _, route := range p.routes {
		if len(r.keys) > 0 && !slices.Contains(r.keys, route.key) || regionOf(route.key).kind != message {
			continue
		}
		if route.twoWay {
			return false
		}
		found = true
	}
	return found
}

// body returns the expression of the body in a response, or nil if there is none
// or it is empty.
func (p *program) body(u *unit, response ast.Expr) ast.Expr {
	if lit := literal(response); lit != nil {
		return p.nonempty(element(lit, "Body"))
	}
	switch e := ast.Unparen(response).(type) {
	case *ast.Ident:
		return p.bodyOfVariable(u, p.info.ObjectOf(e))
	case *ast.CallExpr:
		return p.bodyOfCall(e)
	}
	return nil
}

// nonempty returns a body, unless it is a constant empty text.
func (p *program) nonempty(body ast.Expr) ast.Expr {
	if body == nil {
		return nil
	}
	if v := p.info.Types[body].Value; v != nil && v.Kind() == constant.String && constant.StringVal(v) == "" {
		return nil
	}
	return body
}

// bodyOfVariable returns a body that a unit gives to a variable.
func (p *program) bodyOfVariable(u *unit, object types.Object) ast.Expr {
	var body ast.Expr
	ast.Inspect(u.body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || body != nil || len(assign.Lhs) != len(assign.Rhs) {
			return body == nil
		}
		for i, target := range assign.Lhs {
			lit := literal(assign.Rhs[i])
			switch target := target.(type) {
			case *ast.Ident:
				if lit != nil && p.info.ObjectOf(target) == object {
					body = p.nonempty(element(lit, "Body"))
				}
			case *ast.SelectorExpr:
				if id, ok := target.X.(*ast.Ident); ok && target.Sel.Name == "Body" && p.info.ObjectOf(id) == object {
					body = p.nonempty(assign.Rhs[i])
				}
			}
		}
		return body == nil
	})
	return body
}

// bodyOfCall returns the argument that a function of this package uses as the
// body of its response. A body that it makes itself is found inside of it.
func (p *program) bodyOfCall(call *ast.CallExpr) ast.Expr {
	target := p.target(call)
	if target == nil {
		return nil
	}
	var body ast.Expr
	ast.Inspect(target.body, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || !isResponse(p.info.TypeOf(lit)) {
			return body == nil
		}
		if id, ok := element(lit, "Body").(*ast.Ident); ok {
			if i := slices.Index(target.params, p.info.ObjectOf(id)); i >= 0 && i < len(call.Args) {
				body = p.nonempty(call.Args[i])
			}
		}
		return body == nil
	})
	return body
}
