// Package hub is the rules of the real-time hub: who sees what, in which order
// things happen, and what a cart may do. It is synchronous and deterministic: it
// starts no goroutine and has no clock, no randomness, no environment and no
// network of its own. Time, rows and sockets come in through [New]; so a seed
// can replay a fault exactly.
//
// # The seven rules
//
// Each has a test of its name.
//
//  1. AbsoluteAndVersioned: a delta carries the new value and the version; a
//     client keeps the highest. A row made again after deletion never goes below
//     its old version, and a store that lost its history starts a new epoch.
//  2. SubscribeThenRead: the subscription is stored before the snapshot is read.
//  3. RepliesRideOnTheRequest: only [Hub.Broadcast], [Hub.Heal] and
//     [Hub.Revoke] push.
//  4. OneBadListenerHurtsNobody: gone is removed; what could not be served is
//     marked and healed; nobody else waits for it.
//  5. InOrderPerItemAtLeastOnce: a batch that failed in part says which change
//     was the first to fail, and everything from there is delivered again.
//  6. DisconnectIsACourtesy: a 410 and an expiry clean up too.
//  7. ACartHasOneOwner: checked at subscribe, at every write and at every send;
//     it ends with the authority. [Rights] is the table, for carts and all else.
//
// # Guarantees
//
// A Hub holds no state and may be used by any number of goroutines. Two calls for
// one cart may run side by side: conditional writes make one of them try again.
// So may two for one connection: whoever writes looks again afterwards, so that a
// subscription and a new authority do not miss each other. A call returns when
// its work is done.
package hub
