// Package issuer imitates the part of Amazon Cognito that package auth uses: it signs
// access tokens and serves the keys that verify them.
//
// An [Issuer] is an http.Handler, which the local house serves. Tests reach it
// through [Issuer.Client] without a network, also inside a testing/synctest bubble.
// Tokens of an earlier run are valid if the address and the key are the same.
//
// There is no sign-in: the caller decides whom a token is for. For this reason no
// function may link this package.
//
// # Guarantees
//
// All methods may be called from any goroutine. An Issuer starts no goroutine and
// needs no Close. A token that was signed before Rotate returns stays valid until the
// second Rotate after it.
package issuer
