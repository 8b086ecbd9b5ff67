package gatewaytest

// DefaultAssumptions are the answers that the zero Assumptions stand for, for the tests
// that write them into docs/gateway.md.
var DefaultAssumptions = Assumptions{}.withDefaults()
