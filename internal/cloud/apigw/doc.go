// Package apigw posts to connections over the @connections API of an API Gateway
// WebSocket API.
//
// The SDK's own retries are off. It would retry a 429 for seconds while all other
// posts wait, and a 429 has two meanings: the account sends too fast, or one client
// reads too slowly. Here throttled posts wait for a later round while the others go
// on, and the rate goes down only if many posts are throttled.
//
// # Guarantees
//
// A [Poster] is safe for concurrent use. Post starts its workers and waits for all of
// them. Posts to one connection go out one after the other, in the order given. Post
// returns Options.Reserve before the deadline of its context, with an error for each
// post that it could not send until then.
package apigw
