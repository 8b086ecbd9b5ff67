// Package hub holds the rules of the real-time hub: who sees what, in which order
// things happen, and what a cart may do. It is synchronous and deterministic: it
// starts no goroutine and has no clock, randomness, environment or network access
// of its own. [New] receives the clock, the store and the poster, so one seed
// replays a failure exactly.
//
// # The seven rules
//
// Each rule has a test with its name.
//
//  1. AbsoluteAndVersioned: a delta carries the new value and its version, and a
//     client keeps the highest version. An item that is created again after its
//     deletion continues its old versions, and a store that lost its history
//     begins a new epoch.
//  2. SubscribeThenRead: the subscription is stored before the snapshot is read.
//  3. RepliesRideOnTheRequest: only [Hub.Broadcast], [Hub.Sweep], [Hub.Heal] and
//     [Hub.Revoke] push messages.
//  4. OneBadListenerHurtsNobody: a connection that is gone is removed. One that
//     did not receive a message is marked and healed. Nobody waits for it.
//  5. InOrderPerItemAtLeastOnce: a batch that failed in part names the first
//     change that failed, and the stream delivers that one and all later ones again.
//  6. DisconnectIsACourtesy: a 410 and the expiry of rows clean up too.
//  7. ACartHasOneOwner: checked at every subscribe, write and send. Access ends
//     with the session. [Rights] is the table for carts and everything else.
//
// # Guarantees
//
// A Hub keeps the epoch, for [EpochAge], and who got the rows of batches and pages of
// sweeps that failed, some 20 000 posts of each. Any number of goroutines may use it. Two
// calls may write to one cart at the same time: conditional writes make one of them retry.
// Two calls may also change one connection at the same time: each reads the
// connection again after its write, so a subscription and a new session do not
// miss each other. A call returns when its work is done.
package hub
