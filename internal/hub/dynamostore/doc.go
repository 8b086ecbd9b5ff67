// Package dynamostore is the hub's store on DynamoDB. It keeps the promises of
// package hub with strongly consistent reads of base tables alone: no index, and no
// scan but that of CheckRows, for programs on a developer's machine. One read that no
// promise depends on is eventually consistent: how many subscribers a topic has, when a
// connection ends.
// hubtest.TestStore tests it, as it tests memstore.
//
// # Rows
//
// The inventory and cart tables have the rows that package table describes. They
// may be the shop's own tables: attributes that the hub does not know stay. The hub
// table holds:
//
//	pk                  sk                 what
//	C#<hash>            !                  a connection by the hash of its id; one that has ended: expires alone
//	S#<shard>           m#<connection>     the retry mark of a connection; there are shards 1 to 8
//	T#<topic>#<shard>   c#<connection>     a subscription; there is one shard, 0
//	T#sku:<…>#<shard>   a#<connection>     one of a connection that may see exact figures, or once could
//	O#<holder>          c#<connection>     that a user holds a connection
//	R#<hash>            !                  up to when the sessions of a user are revoked, by the hash of its id
//	N#<holder>          <name>             a counter or a set of a holder, for a time
//	K#<cart>            k#<key>            the receipt of an idempotency key
//	V#<vendor>          s#<sku>            that an item may be the vendor's
//	X#<hash>            !                  a ticket, by the hash of its secret
//	E                   !                  the epoch, and perhaps the one before, which holds until then
//	D                   !                  the keys of localhubs, which a deployed hub ignores
//
// The sweep table has a row S, <topic> for each sweep. One partition has one shard in the
// stream, so sweeps have one worker.
//
// A hash is a [hub.NameHash]. All rows except E, D and the vendor indexes have expires,
// in seconds since 1970, for DynamoDB's TTL, which may lag by days. Until then the
// store returns them, and the hub checks their own times.
//
// # What happens halfway
//
// A change of one row, and what PutCarts writes, happens completely or not at all.
// Other methods may end halfway. The order of their steps decides what remains:
//
//   - Subscribe writes subscriptions, then the topics of the connection.
//     Unsubscribe and Forget go the other way. So a topic that a connection shows
//     has its subscription. A subscription may be left over. It delivers nothing,
//     and goes when a post finds its connection gone, or when it expires.
//   - A subscription of a connection that may see exact figures is written under a#
//     before it is removed under c#, so it is always under one of them. It does not go
//     back: a connection stays in its list, and the rights of its principal decide what
//     it gets. So no two calls move it in different directions. Rows of a vendor from
//     before there was that list are under c# until the vendor renews its session
//     or connects again, and miss changes that no badge shows.
//   - PutConnection lists a connection with its holders, then writes its row, then
//     removes entries with previous holders. EndConnection goes the other way, and
//     leaves a row that PutConnection does not replace: PutConnection then removes
//     the entries that it wrote. If it wrote the row meanwhile, which its random
//     number tells, EndConnection removes the entry once more. So only a crash leaves
//     an entry of a connection that has ended.
//   - Messages of one connection may be handled concurrently. Unsubscribe counts
//     itself on the connection's row, before and after its work, and Subscribe
//     starts over if that count is not the one that its caller read. In whatever order
//     their requests reach DynamoDB, in the end either both the topic and its
//     subscription exist, or neither does.
//   - PutItem adds an item to its vendor's index before it writes the item, and
//     VendorSKUs checks the items that it finds in the index. So an index may
//     contain too much, which nobody sees, but it lacks nothing that PutItem wrote.
//
// # Retries
//
// The SDK's retries are off. A request that was throttled, met another transaction
// or was not processed is sent again a few times, with jitter, until the context
// ends. So is a request whose outcome is unknown: most writes may be repeated, and a
// transaction carries a token. If the repetition of a single conditional write
// fails its condition, the store compares the row: the first attempt may have
// written it. If even that does not tell, the error is not one of package hub's
// kinds.
//
// # Guarantees
//
// Any number of goroutines may use a Store. Between calls it keeps only what it
// logged about unreadable rows and attributes, so that it logs each once. A method
// that starts goroutines waits for them.
package dynamostore
