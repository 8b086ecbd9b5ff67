package hubtest

import (
	"context"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// Fixture is a fresh, empty store under test.
type Fixture struct {
	Store hub.Store

	// Changes returns all changes committed so far, in the order of the store's
	// feed. It waits for a feed that lags.
	Changes func(context.Context) ([]hub.Change, error)
}

// storeCases are the promises of a store, by name. A case returns an error that
// says what was promised and what happened.
var storeCases = []struct {
	name  string
	check func(context.Context, Fixture) error
}{
	{"epoch is a name and stays", epochStays},
	{"unknown rows are absent", unknownRows},
	{"item round trip", itemRoundTrip},
	{"item write is conditional", itemConditional},
	{"item tombstone is kept", itemTombstone},
	{"items of a vendor", vendorSKUs},
	{"many items in one read", manyItems},
	{"cart round trip", cartRoundTrip},
	{"cart write is conditional", cartConditional},
	{"two carts, all or nothing", cartsAtomic},
	{"rows are not shared with the caller", cartsNotShared},
	{"request is kept with its cart", requestKept},
	{"request key is taken once", requestOnce},
	{"request key is free after a day", requestExpires},
	{"concurrent writers: one wins each version", concurrentWriters},
	{"feed has every change once, in order", feedOrder},
	{"feed has old and new rows", feedImages},
	{"connection round trip", connectionRoundTrip},
	{"connection written again keeps its topics", connectionKeepsTopics},
	{"an authority is replaced only if it is the one named", authorityConditional},
	{"connections of an owner are seen at once", ownersSeen},
	{"connections of an owner page to the end", ownersPage},
	{"forget takes a connection off its owners", ownersForget},
	{"a connection follows its user", ownersChange},
	{"a connection that has ended stays away", endedStays},
	{"a connection that was forgotten may return", forgottenReturns},
	{"the latest revocation is kept", revocationKept},
	{"each count is another", countsEach},
	{"a set that is full takes nothing new", collectsOnce},
	{"subscribers are seen at once", subscribersSeen},
	{"subscribing again replaces", subscribeReplaces},
	{"subscribers page to the end", subscribersPage},
	{"subscribers page while others leave", subscribersPageLeave},
	{"unsubscribe removes only what it names", unsubscribeOnly},
	{"forget removes every trace", forgetAll},
	{"forget removes orphans", forgetOrphans},
	{"concurrent subscribers are all kept", concurrentSubscribers},
	{"stale marks collect topics", staleCollects},
	{"many are marked at once", staleMany},
	{"stale marks are oldest first and limited", staleOrder},
	{"clearing a mark spares a newer one", staleClear},
	{"a mark that is renewed goes to the end", staleRotates},
	{"ticket round trip", ticketRoundTrip},
	{"ticket is taken once", ticketOnce},
}

// TestStore judges a store. open returns a fresh one for each case and may
// register its end with t.Cleanup.
func TestStore(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range storeCases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// StoreFailures runs the cases of [TestStore] without a test and returns the names
// of those that fail.
func StoreFailures(ctx context.Context, open func() Fixture) []string {
	var failed []string
	for _, c := range storeCases {
		if c.check(ctx, open()) != nil {
			failed = append(failed, c.name)
		}
	}
	return failed
}
