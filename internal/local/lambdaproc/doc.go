// Package lambdaproc makes a lambda.Handler of a function that runs outside of this
// process: a [Function] is an executable, to which it speaks the Lambda Runtime API (any
// executable for provided.al2023 will do, in any language), an [Endpoint] a
// server that takes Lambda's Invoke API.
//
// # Guarantees
//
// A [Function] may be invoked by any number of goroutines. Each environment, one
// process, has one invocation at a time, as in Lambda; further invocations start
// further environments, up to [Options].Environments, and then wait. A process
// that dies, or that overruns the deadline of the invocation's context, fails the
// invocation and is started anew for the next one. So is one whose executable was
// replaced after it had started. Close ends all processes and waits for them.
//
// An [Endpoint] may be invoked by any number of goroutines as well, and holds
// nothing but idle connections.
package lambdaproc
