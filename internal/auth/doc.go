// Package auth turns a token into a [hub.Principal]: who is speaking, in which role,
// until when.
//
// There are two kinds of token and one way to check them. A user token is an
// access token as Amazon Cognito makes them, verified with the keys of a JWKS. A
// guest token is our own: [GuestPrefix], then a JWS under a secret that only the
// shop has. The prefix alone decides which keys and which algorithms apply; what
// the token says of itself never does. Both kinds then go through the same steps:
// shape, signature, claims, time. Cryptography is go-jose's, the frame of the
// check is go-oidc's.
//
// A refusal is of one of three kinds, to be told apart with errors.Is:
// [ErrExpired] for a token that was good once, [ErrInvalid] for one that is not,
// and [ErrUnavailable] when the keys could not be had, so that nothing can be
// said. The texts are for logs and never contain any part of the token.
//
// # Guarantees
//
// A [Verifier] may be used from any goroutine. It starts none and needs no
// closing.
//
// Keys are fetched by the call that needs them, at most one fetch at a time and
// one in thirty seconds, however many tokens name unknown keys. The fetch does
// not end with the caller that happened to start it, or a client that hangs up
// could keep the keys from everybody; it has a timeout of its own. Other calls
// wait for it only if they cannot do without, and then give way to their context.
// Keys once fetched stay in use while the JWKS cannot be reached.
package auth
