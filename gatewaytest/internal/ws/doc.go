// Package ws is the server's side of the WebSocket protocol (RFC 6455) with the
// extension permessage-deflate (RFC 7692), as far as API Gateway uses it. It
// reads, writes and checks bytes. It knows no connections, and starts nothing.
//
//   - [Reader] reads a client's messages, and fails with the close code that the
//     client gets ([Failure]).
//   - [Frame] is a frame to a client, ready to be written.
//   - [AcceptDeflate] negotiates the compression that [Inflater] and [Compressor]
//     then do.
package ws
