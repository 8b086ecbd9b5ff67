// Package expr evaluates the expressions that an API Gateway WebSocket API is
// configured with: selection expressions ([Selection]), JSONPaths ([Path]) and
// mapping templates ([Template]). They are parsed when an API is created, so that
// New reports their mistakes, and evaluated for each message. Evaluation never
// fails: what is missing is empty.
package expr
