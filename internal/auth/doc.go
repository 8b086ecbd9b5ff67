// Package auth verifies tokens and returns the [hub.Principal] that they are for:
// user, role, vendor, and the end of the session.
//
// There are two kinds of token. A user token is an access token as Amazon Cognito
// issues them; the keys of a JWKS verify it. A guest token is issued by the hub:
// [GuestTokenPrefix], then a JWS under a secret of the shop. The prefix alone decides
// which keys and which algorithms apply; nothing in the token can change that. Both
// kinds go through the same steps: shape, signature, claims, time. go-jose does the
// cryptography, and go-oidc the frame of the verification.
//
// A refusal has one of three reasons, for errors.Is: [ErrExpired] for a token that
// was valid once, [ErrInvalid] for one that is not valid, and [ErrUnavailable] if the
// keys cannot be fetched, so that nothing is known about the token. Error texts are
// for logs and never contain any part of the token.
//
// # Guarantees
//
// A [Verifier] is safe for concurrent use. It starts no goroutines and needs no
// Close.
//
// The call that needs keys fetches them. There is at most one fetch at a time and one
// in thirty seconds, however many tokens name unknown keys. A fetch does not end with
// the context of its caller, or a client that hangs up could keep the keys from all
// others; it has its own timeout. Other calls wait for a fetch only if they cannot go
// on without it, and stop waiting when their context ends. Keys stay in use while the
// JWKS cannot be reached.
package auth
