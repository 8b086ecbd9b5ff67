// Package dynamo gives a local house tables on a DynamoDB endpoint: an engine on
// this machine, or DynamoDB in AWS. It joins internal/hub/dynamostore, which reads
// and writes the rows, and internal/local/streams, which reads the tables' streams.
//
// # Guarantees
//
// The methods of [Tables] may be called from any goroutine, except Start and Run:
// Start is called once, before Run. Tables are created only if [Options].Create is
// set, and never deleted.
package dynamo
