// Package recording writes down what clients and operators do with a localhub, and what
// clients get, so that package replay can do it again. docs/recording.md describes the
// format.
//
// Tokens, users, connections and epochs have stand-ins ("token-1", "customer-1"), the same in
// all lines. What the protocol does not have is replaced too, and so is what answers quote of
// it ("other"): it may be a secret in the wrong place. The contents of carts, SKUs, ids and
// keys of messages and what operators send stay, since a replay needs them: a secret or the
// name of a person there is in the recording, unless it has the form of a signed token.
//
// # Guarantees
//
// A [Recorder] never makes the hub wait. It keeps a reference to each message, and copies of
// a request's body what its handler reads, at most as much as the handler accepts. A
// goroutine of its own replaces names and writes lines, in the order in which things
// happened. If the file cannot be written, or more than [MaxWaiting] bytes wait for it, the
// recording ends, its [Status] says why, and the hub goes on.
package recording
