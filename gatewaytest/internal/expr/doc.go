// Package expr evaluates the expressions that an API Gateway WebSocket API is
// configured with: selection expressions ([Selection]) and the paths in them
// ([Path]). They are parsed when an API is created, so that New reports their
// mistakes, and evaluated for each message. Evaluation never fails: what is missing
// is empty. Mapping templates are another language, in package vtl.
package expr
