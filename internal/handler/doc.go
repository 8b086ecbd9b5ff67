// Package handler turns AWS events into calls of the hub, and the results into AWS
// answers. Each constructor returns a typed function. The functions in AWS pass it
// to lambda.Start, and localhub wraps it with lambda.NewHandler, so both see the
// same JSON and the same deadline.
//
// One table in errors.go turns the errors of the hub into codes for clients.
// Internal error texts go to the log only. Each failure is logged here, once,
// without tokens and without the contents of carts.
package handler
