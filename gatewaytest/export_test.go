package gatewaytest

// DefaultGuesses are the answers that the zero Guesses stand for, for the tests
// that write them into docs/gateway.md.
var DefaultGuesses = Guesses{}.withDefaults()
