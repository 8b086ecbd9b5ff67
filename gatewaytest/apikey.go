package gatewaytest

// APIKey is a key of a usage plan.
type APIKey struct {
	ID       string   // for the access log
	Value    string   // what the client sends, or the authorizer returns
	Throttle Throttle // of the usage plan, for this key
}
