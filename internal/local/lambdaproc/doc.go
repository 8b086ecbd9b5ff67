// Package lambdaproc provides handlers for functions that run outside of this
// process. A [Function] runs an executable and serves the Lambda Runtime API to it.
// It can be any executable for provided.al2023, in any language. An [Endpoint] calls
// a server that offers Lambda's Invoke API.
//
// # Guarantees
//
// A [Function] may be invoked from any goroutine. Each environment is one process and
// has one invocation at a time, as in Lambda. Further invocations start further
// environments, up to [Options].Environments, and then wait. If a process exits, or
// does not respond before the deadline of the invocation's context, the invocation
// fails, and the next one starts a new process. A new process also starts when the
// executable was replaced. Close ends all processes and waits for them.
//
// An [Endpoint] may be invoked from any goroutine, and keeps only idle connections.
package lambdaproc
