// Package lint finds mistakes in Lambda handlers of an API Gateway WebSocket API
// that no compiler sees, and that cost messages in production.
//
// A handler is a function that gets an events.APIGatewayWebsocketProxyRequest and
// returns an events.APIGatewayProxyResponse. Which events it gets is known from a
// switch or an if on RouteKey or EventType, from a map with route keys, from the
// template that [Template] names, from its name or its folder (connect,
// disconnect, message), or from the fact that it reads the body. Where none of
// these tells, rules that depend on it report nothing.
//
// The rules follow calls of functions in the same package, and values through
// variables, arguments and results. They do not look into other packages, behind
// interfaces, or into fields of structs. Test files are not read.
//
// G-… are statements about the service. docs/gateway.md in the repository has
// their evidence.
package lint

import "golang.org/x/tools/go/analysis"

// Analyzers are all rules.
var Analyzers = []*analysis.Analyzer{ConnectPost, EventHeaders, GoneError, LostBody, OnePage, SenderRow}
