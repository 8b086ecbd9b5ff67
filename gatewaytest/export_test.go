package gatewaytest

// DefaultAssumptions has the defaults of Assumptions, for the tests that write
// them into docs/gateway.md.
var DefaultAssumptions = Assumptions{}.withDefaults()
