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
	// feed. If the feed lags, it waits.
	Changes func(context.Context) ([]hub.Change, error)
}

// storeCases are the promises of a store, by name. A check returns an error that
// says what the store promises and what it did.
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
	{"any two SKUs are kept apart", anySKU},
	{"cart round trip", cartRoundTrip},
	{"cart write is conditional", cartConditional},
	{"two carts, all or nothing", cartsAtomic},
	{"rows are not shared with the caller", cartsNotShared},
	{"receipt is stored with its cart", receiptKept},
	{"a key has one receipt", receiptOnce},
	{"a key is free after a day", receiptExpires},
	{"a revoked session writes nothing", revokedWriteRefused},
	{"a user is erased completely", eraseUser},
	{"a connection leaves the list of a holder", releaseConnection},
	{"concurrent writers: one wins each version", concurrentWriters},
	{"feed has every change once, in order", feedOrder},
	{"feed has old and new rows", feedImages},
	{"connection round trip", connectionRoundTrip},
	{"connection written again keeps its topics", connectionKeepsTopics},
	{"pretty is set alone, and stays", prettyStays},
	{"a principal is replaced only if it is the named one", principalConditional},
	{"a holder's connections are visible at once", holdersSeen},
	{"a holder's connections page to the end", holdersPage},
	{"forget removes a connection from its holders", holdersForget},
	{"a connection has the holder of its latest user", holdersChange},
	{"a connection that has ended cannot be put again", endedStaysAway},
	{"a connection that was forgotten can be put again", forgottenReturns},
	{"the latest revocation is kept", revocationKept},
	{"each count is different", countersCount},
	{"a full set accepts nothing new", setLimited},
	{"subscribers are visible at once", subscribersSeen},
	{"subscribing again replaces", subscribeReplaces},
	{"subscribe returns what is recorded", subscribeReturnsRow},
	{"subscribers page to the end", subscribersPage},
	{"subscribers page while connections are forgotten", subscribersPageForget},
	{"unsubscribe removes only what it names", unsubscribeSome},
	{"an end spares SKUs with few subscribers", endSpares},
	{"forget removes every trace", forgetAll},
	{"forget removes orphans", forgetOrphans},
	{"several connections are read together", readsSeveral},
	{"concurrent subscribers are all kept", concurrentSubscribers},
	{"retry marks collect topics", marksCollectTopics},
	{"retry marks keep the newest rev", marksKeepNewestRev},
	{"many connections are marked together", marksMany},
	{"retry marks come in pages of a fixed order", marksPages},
	{"retry marks count tries", marksCountTries},
	{"retry marks outlive their connections", marksOutliveConnections},
	{"clearing a mark keeps a newer one", marksClear},
	{"the mark of one connection", markOfOne},
	{"a sweep keeps the newest change", sweepRaised},
	{"sweeps are listed in order", sweepsListed},
	{"a sweep is saved at its step", sweepSaved},
	{"a bell is rung without a step", sweepRung},
	{"a sweep ends when it has served what is wanted", sweepEnds},
	{"those who may see exact figures have a list", exactListed},
	{"a subscription moves to the exact list for good", exactMoves},
	{"ticket round trip", ticketRoundTrip},
	{"ticket is taken once", ticketOnce},
}

// TestStore tests a store. open returns a fresh one for each case and may register
// its cleanup with t.Cleanup.
func TestStore(t *testing.T, open func(t *testing.T) Fixture) { TestStoreExcept(t, open, nil) }

// TestStoreExcept does the same on a store that fails some cases, which are named by
// the reason. A named case that passes fails the test.
func TestStoreExcept(t *testing.T, open func(t *testing.T) Fixture, fails map[string][]string) {
	reasons := map[string]string{} // by the name of a case
	for reason, names := range fails {
		for _, name := range names {
			reasons[name] = reason
		}
	}
	for _, c := range storeCases {
		reason, mustFail := reasons[c.name]
		delete(reasons, c.name)
		t.Run(c.name, func(t *testing.T) {
			err := c.check(t.Context(), open(t))
			switch {
			case mustFail && err == nil:
				t.Errorf("it passes, and is listed as a case that fails: %s", reason)
			case !mustFail && err != nil:
				t.Error(err)
			}
		})
	}
	for name := range reasons {
		t.Errorf("there is no case %q", name)
	}
}

// StoreFailures runs the cases of [TestStore] outside a test and returns the names
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

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
