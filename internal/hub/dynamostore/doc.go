// Package dynamostore is the hub's store on DynamoDB. It keeps the promises of
// package hub with strongly consistent reads of base tables alone: no index, no
// scan. hubtest.TestStore judges it, as it judges memstore.
//
// # Rows
//
// The inventory and cart tables are as package table says, and may be the shop's
// own: attributes that the hub does not know stay. The hub table holds:
//
//	pk                  sk                 what
//	C#<connection>      !                  a connection, with its topics; one that has ended: expires alone
//	C#<connection>      stale              the mark on a connection that missed something
//	S#0                 m#<mark>#<conn.>   that there is such a mark, in the order of marking
//	T#<topic>#<shard>   c#<connection>     a subscription; there is one shard, 0
//	O#<owner>           c#<connection>     that a connection is of a user or an address
//	O#<owner>           !                  when the authorities of a user were revoked
//	N#<name>            !                  a counter or a set, for a time
//	K#<cart>            k#<key>            the answer that an idempotency key got
//	V#<vendor>          s#<sku>            that an item may be the vendor's
//	X#<hash>            !                  a ticket, by the hash of its secret
//	E                   !                  the epoch
//
// All but the epoch and vendors' lists have expires, seconds since 1970, for DynamoDB's
// TTL, which may lag by days. Until then they are returned, and the hub judges
// them by their own times.
//
// # What happens halfway
//
// A change of one row, and what PutCarts writes, happens whole or not at all. The
// rest may end halfway, and the order of its steps decides what is left then:
//
//   - Subscribe writes subscriptions, then the topics of the connection;
//     Unsubscribe and Forget go the other way. So a topic that a connection shows
//     has its subscription. A subscription may be left over: it serves nobody,
//     and goes when a post to its connection finds it gone, or expires.
//   - PutConnection lists a connection with its owners, then writes its row, then
//     takes off what is listed no more. EndConnection goes the other way, and
//     leaves a row that PutConnection does not replace: it takes back what it
//     listed. So nothing lists a connection that has ended, but for a crash.
//   - Messages of one connection may be handled side by side. Unsubscribe counts
//     on the connection's row, before and after its work, and Subscribe starts
//     over if that count moved meanwhile. In whatever order their requests are
//     carried out, either both the topic and its subscription are there in the
//     end, or neither is.
//   - MarkStale writes the mark, then lists it, then takes it off its old place. A
//     place whose mark is gone or has another number is passed over and mended by
//     Stale. Only a first mark may be unlisted, after an error, which the caller of
//     MarkStale answers by asking again or by delivering its batch again.
//   - PutItem lists an item under its vendor before it writes it, and VendorSKUs
//     looks at the items it finds listed. So a list may have too much, which
//     nobody sees, but lacks nothing that PutItem wrote.
//
// # Retries
//
// The SDK's retries are off. What was throttled, met another transaction or was
// not processed is tried again a few times, with jitter, until the context ends.
// So is what failed with an unknown outcome: most writes may be done twice, and
// a transaction carries a token. A single conditional write that turns out
// refused afterwards is compared with the row: it may have been its own doing.
// Where even that does not tell, the error is not one of package hub's kinds.
//
// # Guarantees
//
// A Store may be used by any number of goroutines. It keeps nothing between calls but
// the names of rows that it found unreadable. Only MarkStale starts goroutines, and
// it waits for them.
package dynamostore
