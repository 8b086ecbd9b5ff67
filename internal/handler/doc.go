// Package handler turns AWS events into calls of the hub and the results into
// AWS answers. Each constructor returns a typed function: the functions in AWS
// give it to lambda.Start, the local house wraps it with lambda.NewHandler, so
// both see the same JSON and the same deadline.
//
// It is also the edge: kinds of errors become codes for clients in one table
// (errors.go), internal text stays inside, and what went wrong is logged here,
// once, without tokens and without carts.
package handler
