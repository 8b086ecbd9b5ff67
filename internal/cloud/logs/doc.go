// Package logs is what the functions write to CloudWatch Logs: JSON lines with
// fixed keys, [Keys], and among them lines that CloudWatch reads as metrics,
// [Series]. No line has a token, a header, or what is in a cart.
//
// # Guarantees
//
// A logger and a [Metrics] may be used by any number of goroutines. A line is
// written with one call of Write, before the call that makes it returns.
package logs
