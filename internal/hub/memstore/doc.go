// Package memstore is the hub's store in memory, for development and tests. It
// gives the same guarantees as the store on DynamoDB: conditional writes, versions,
// tombstones, an epoch, strongly consistent reads, and a change feed in the order
// of commits. hubtest.TestStore tests both.
//
// A [Journal] keeps what outlives the process: items, carts, receipts, revocations and
// the epoch. Connections, subscriptions, quotas, retry marks, sweeps and tickets end with
// it.
//
// # Guarantees
//
// Any number of goroutines may use a Store. Every method is atomic. [Store.Follow]
// gives the change feed: each committed change once, in the order of commits, before
// the write returns. No caller and no reader of the feed can change a stored row.
// With a journal, a change is in the journal before anybody can read it, before the
// feed has it, and before the write returns. Without one, nothing outlives the process:
// every new Store begins a new epoch.
package memstore
