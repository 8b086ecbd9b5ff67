// Package house runs the hub with all its neighbours in one process, on a
// developer's machine: the same hub and the same handlers as in AWS, with an
// imitation of each AWS service.
//
//	API Gateway WebSocket API   gatewaytest
//	DynamoDB tables             memstore, with a journal if rows shall stay, or the Tables of the caller
//	event source mappings       esm, fed by memstore's change feed or by the Tables' streams
//	Lambda                      the handlers in this process, or bootstraps run by lambdaproc
//	Cognito                     issuer
//
// A change takes the path that it takes in AWS: it is committed, becomes a stream
// record, is batched, reaches the broadcast handler as JSON, and is posted to
// connections.
//
// # Guarantees
//
// A House may be used by any number of goroutines. [New] starts it. [House.Close]
// sends every client "bye", closes its connection with 1001 and waits for everything
// that New started.
package house
