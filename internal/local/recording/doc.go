// Package recording writes down what clients and operators do with a localhub, and what
// clients get, so that package replay can do it again. docs/recording.md describes the
// format.
//
// A recording has no secret and no name of a person. Tokens, users, connections and epochs
// have stand-ins ("token-1", "customer-1"), the same in all lines; the contents of carts
// stay, since a replay needs them.
//
// # Guarantees
//
// A [Recorder] never makes the hub wait. It keeps a reference to each message, and copies of
// a request's body what its handler reads, at most as much as the handler accepts. A
// goroutine of its own replaces names and writes lines, in the order in which things
// happened. If the file cannot be written, or more than [MaxWaiting] bytes wait for it, the
// recording ends, its [Status] says why, and the hub goes on.
package recording
