// Package logs writes the lines of the functions to CloudWatch Logs: JSON with fixed
// keys ([Keys]). Some lines are metrics for CloudWatch
// ([metrics.Series]). No line contains a
// token, a header, or the contents of a cart.
//
// # Guarantees
//
// A logger and an observer of metrics are safe for concurrent use. Each line is one call of
// Write, which returns before the call that logs.
package logs
