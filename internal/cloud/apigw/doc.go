// Package apigw posts to connections over the @connections API of an API Gateway
// WebSocket API.
//
// The SDK's own retries are off: it would retry a 429 for seconds while everybody
// else waits, and a 429 has two meanings, "you are too fast" and "this client
// reads too slowly". Here what is throttled waits for a later round while the
// others go on, and the rate goes down only if many are throttled.
//
// # Guarantees
//
// A Poster may be used by any number of goroutines. Post starts its workers and
// waits for all of them. Posts to one connection go out one after the other, in
// the order given. Post returns [Options].Reserve before the deadline of its
// context, with an error for everything that was not sent by then.
package apigw
