// Package runtimetest runs executables as Lambda does: it speaks the Lambda
// Runtime API to a bootstrap process and so makes a lambda.Handler of it. Any
// executable for provided.al2023 will do, in any language.
//
// # Guarantees
//
// A [Function] may be invoked by any number of goroutines. Each environment, one
// process, has one invocation at a time, as in Lambda; further invocations start
// further environments, up to [Options].Environments, and then wait. A process
// that dies, or that overruns the deadline of the invocation's context, fails the
// invocation and is started anew for the next one. Close ends all processes and
// waits for them.
package runtimetest
