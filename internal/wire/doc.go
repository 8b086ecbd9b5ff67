// Package wire is what travels on the socket: protocol version 1, subprotocol
// securecart.v1.
//
// One JSON object is one text message, at most [MaxMessage] bytes each way. A
// client sends a [Request]; every request gets exactly one answer ([Hello],
// [Snapshot], [OK], [Error], [Pong] or [Help]); [Delta] and [Bye] are pushed.
// docs/protocol.md tells the conversation message by message, and
// testdata/protocol holds one golden file for each message, which the browser
// module reads too.
//
// Text that is not a JSON object is read as shorthand, so that a person can type
// "sub sku:MUG cart" into wscat. Shorthand and JSON are two spellings of the same
// [Request]: [Request.Shorthand] and [Request.MarshalJSON] write them, [Decode]
// reads both.
//
// [Decode] is stricter than encoding/json: it refuses a key that occurs twice, a
// known field in another letter case, invalid UTF-8, half a surrogate pair, and
// nesting deeper than [MaxDepth]. Otherwise two programs could read one message
// differently.
package wire
