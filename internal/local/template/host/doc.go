// Package host serves the WebSocket API of a SAM or CloudFormation template, and runs
// its functions: bootstraps beside the template, or programs that the developer
// started behind Lambda's Invoke API.
//
// # Guarantees
//
// A Host may be used by any number of goroutines. [Host.Close] closes the connections
// first, then ends the functions, and waits for both.
package host
