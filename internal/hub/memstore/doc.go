// Package memstore is the hub's store in memory, for development and tests. It
// gives the same guarantees as the store on DynamoDB: conditional writes, versions,
// tombstones, an epoch, strongly consistent reads, and a change feed in the order
// of commits. hubtest.TestStore tests both.
//
// # Guarantees
//
// Any number of goroutines may use a Store. Every method is atomic. [Store.Follow]
// gives the change feed: each committed change once, in the order of commits, before
// the write returns. No caller and no reader of the feed can change a stored row.
// Nothing outlives the process: every new Store begins a new epoch.
package memstore
