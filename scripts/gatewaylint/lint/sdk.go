package lint

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

const eventsPath = "aws-lambda-go/events"

// isNamed reports whether a type, or what it points to, has a name and is from a
// package whose path ends so.
func isNamed(t types.Type, pathEnd, name string) bool {
	if t == nil {
		return false
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && strings.HasSuffix(n.Obj().Pkg().Path(), pathEnd)
}

func isEvent(t types.Type) bool { return isNamed(t, eventsPath, "APIGatewayWebsocketProxyRequest") }

func isEventContext(t types.Type) bool {
	return isNamed(t, eventsPath, "APIGatewayWebsocketProxyRequestContext")
}

func isResponse(t types.Type) bool { return isNamed(t, eventsPath, "APIGatewayProxyResponse") }

// isGoneV2 reports whether a type is the GoneException of the AWS SDK for Go v2,
// whose clients wrap it in other errors.
func isGoneV2(t types.Type) bool {
	return isNamed(t, "aws-sdk-go-v2/service/apigatewaymanagementapi/types", "GoneException")
}

// operations are the SDK's operations that the rules look for, and the field of
// their input that says which connection or row they are about.
var operations = map[string]struct{ service, field string }{
	"PostToConnection": {"service/apigatewaymanagementapi", "ConnectionId"},
	"DeleteItem":       {"service/dynamodb", "Key"},
	"Scan":             {"service/dynamodb", ""},
	"Query":            {"service/dynamodb", ""},
}

// operation returns the SDK operation that a call starts, and the argument that
// says which connection or row it is about. The name is "" for other calls. It
// knows both versions of the SDK, interfaces with such a method, and
// gatewaytest, whose second argument is the connection's id.
func operation(info *types.Info, call *ast.CallExpr) (name string, about ast.Expr) {
	method := strings.TrimSuffix(calleeName(call), "WithContext")
	op, ok := operations[method]
	if !ok {
		return "", nil
	}
	for _, arg := range call.Args {
		if isNamed(info.TypeOf(arg), op.service, method+"Input") {
			return method, arg
		}
	}
	if method == "PostToConnection" && len(call.Args) == 3 && isString(info.TypeOf(call.Args[1])) {
		return method, call.Args[1]
	}
	return "", nil
}

// aboutField returns the field of an operation's input that says what it is
// about, or "" for other types.
func aboutField(t types.Type) string {
	for name, op := range operations {
		if op.field != "" && isNamed(t, op.service, name+"Input") {
			return op.field
		}
	}
	return ""
}

func isString(t types.Type) bool {
	basic, ok := types.Unalias(t).Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// calleeName returns the last part of the name of what is called.
func calleeName(call *ast.CallExpr) string {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// callee returns the function, method or variable that is called, or nil.
func callee(info *types.Info, call *ast.CallExpr) types.Object {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return info.Uses[f]
	case *ast.SelectorExpr:
		return info.Uses[f.Sel]
	}
	return nil
}

// constText returns a constant string.
func constText(info *types.Info, e ast.Expr) (text string, ok bool) {
	value := info.Types[e].Value
	if value == nil || value.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(value), true
}

// literal returns a composite literal without the & and parentheses around it.
func literal(e ast.Expr) *ast.CompositeLit {
	e = ast.Unparen(e)
	if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
		e = ast.Unparen(u.X)
	}
	lit, _ := e.(*ast.CompositeLit)
	return lit
}

// element returns the value of a field in a composite literal, or nil.
func element(lit *ast.CompositeLit, field string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == field {
				return kv.Value
			}
		}
	}
	return nil
}
