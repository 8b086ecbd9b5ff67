// Package house puts the house together on one machine: the same hub and the same
// handlers as in AWS, with an imitation on each side.
//
//	API Gateway WebSocket API   gatewaytest
//	DynamoDB tables             memstore, or Tables of the caller's
//	streams and their triggers  esm, fed by memstore's change feed, or by Tables
//	Lambda                      the handlers in this process, or bootstraps by lambdaproc
//	Cognito                     issuer
//
// A change takes the way it takes in AWS: it is committed, written as a stream
// record, batched, handed as JSON to the broadcast handler, and posted to
// connections.
//
// # Guarantees
//
// A House may be used by any number of goroutines. [New] starts it, [House.Close]
// tells every client "bye", closes its connection with 1001 and waits for
// everything that was started.
package house
