// Package memstore is the hub's store in memory, for a desk and for tests. It keeps
// the promises that the store on DynamoDB keeps: conditional writes, versions,
// tombstones, an epoch, strongly consistent reads, and a change feed in the order
// of commits. hubtest.TestStore judges both.
//
// # Guarantees
//
// A Store may be used by any number of goroutines. Every method is atomic. The
// change feed calls [Options].OnCommit once for each committed change, in the
// order of commits, before the write returns; OnCommit must be quick and must not
// call the Store. Nothing that a Store was given or has returned is shared with
// it. Nothing outlives the process: every new Store is a new epoch.
package memstore
