// Package wire defines the messages on the socket: protocol version 1, subprotocol
// securecart.v1.
//
// A text message holds one JSON object of at most [MaxMessage] bytes, in both
// directions. A client sends a [Request] and gets exactly one answer: [Hello],
// [Snapshot], [OK], [Error], [Why], [Pong] or [Help]. The hub pushes [Delta] and [Bye].
// docs/protocol.md explains the conversation message by message, and
// testdata/protocol holds one golden file per message, which the browser module
// reads too.
//
// Text that is not a JSON object is read as shorthand, so that a person can type
// "sub sku:MUG cart" into wscat. Shorthand and JSON are two spellings of the same
// [Request]: [Request.Shorthand] and [Request.MarshalJSON] write them, [Decode]
// reads both.
//
// [Decode] is stricter than encoding/json. It refuses a repeated key, a known field
// in another letter case, invalid UTF-8, half a surrogate pair, and nesting deeper
// than [MaxDepth]. Otherwise two programs could read one message differently.
package wire
