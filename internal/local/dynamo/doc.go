// Package dynamo gives the local house tables on a DynamoDB endpoint: an
// engine on this machine, or AWS. It joins internal/hub/dynamostore, which reads and
// writes the rows, and internal/local/streams, which reads their streams.
//
// # Guarantees
//
// The methods of [Tables] may be called by any number of goroutines, but for Start
// and Run: Start is called once, before Run. Nothing is created unless it is asked
// for, and nothing is ever deleted.
package dynamo
