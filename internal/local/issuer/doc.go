// Package issuer imitates Amazon Cognito as far as package auth sees it: an
// issuer that signs access tokens and serves the keys to check them with.
//
// An [Issuer] is an http.Handler, so that the local house can mount it; for tests
// [Issuer.Client] reaches it without a network, which also works inside a
// testing/synctest bubble. Its keys are made when it is made and kept nowhere:
// tokens of an earlier run are worth nothing.
//
// There is no sign-in. Whoever holds the Issuer says who a token is for; that is
// the point of it, and the reason why no function may link this package.
//
// # Guarantees
//
// All methods may be called from any goroutine. Nothing is started and nothing
// needs closing. A token signed before Rotate returns stays good until the second
// Rotate after it.
package issuer
