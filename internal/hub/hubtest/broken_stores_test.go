package hubtest_test

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
)

// fixture returns a constructor of memory stores. breakStore and breakFeed, if not
// nil, break a promise of the store or of its feed.
func fixture(breakStore func(hub.Store) hub.Store, breakFeed func([]hub.Change) []hub.Change) func() hubtest.Fixture {
	return func() hubtest.Fixture {
		var feed hubtest.Feed
		memory := memstore.New("k1")
		memory.Follow(feed.Add)
		var store hub.Store = memory
		if breakStore != nil {
			store = breakStore(store)
		}
		changes := feed.Changes
		if breakFeed != nil {
			changes = func(ctx context.Context) ([]hub.Change, error) {
				all, err := feed.Changes(ctx)
				return breakFeed(all), err
			}
		}
		return hubtest.Fixture{Store: store, Changes: changes}
	}
}

// The broken stores. Each breaks one promise.
type (
	noVersionCheck  struct{ hub.Store } // writes items at any version
	noTombstones    struct{ hub.Store } // does not return deleted items
	lateSubscribers struct {            // returns the subscribers of the call before
		hub.Store
		mu   sync.Mutex
		last map[hub.Topic][]hub.Subscriber
	}
	onePage        struct{ hub.Store } // ends subscribers after one page
	noReceipts     struct{ hub.Store } // does not write receipts
	noOrders       struct{ hub.Store } // forgets that a cart was ordered
	endlessCarts   struct{ hub.Store } // forgets when a cart ends
	namelessWrites struct{ hub.Store } // forgets which request wrote a cart
	noTransactions struct{ hub.Store } // writes carts one after the other
	sharedCarts    struct {            // returns the carts that it was given
		hub.Store
		carts map[string]hub.Cart
	}
	sharedReceipts struct { // returns the receipts that it was given
		hub.Store
		receipts map[string]hub.Receipt
	}
	hundredConnections struct{ hub.Store } // reads no more than a hundred connections
	keptSubscriptions  struct{ hub.Store } // forgets a connection but not its subscriptions
	newerMarksCleared  struct{ hub.Store } // clears a mark although it was renewed
	firstMarkOnly      struct{ hub.Store } // records the first of several marks
	noRevs             struct{ hub.Store } // marks without revs
	marksByAge         struct{ hub.Store } // lists the marks in the order of their renewal
	skippedMarks       struct{ hub.Store } // leaves out a mark between two pages
	noTries            struct{ hub.Store } // does not count that healing failed
	marksForgotten     struct{ hub.Store } // clears the mark of a connection that it forgets
	clearedMarks       struct{ hub.Store } // finds the mark of a connection that has none
	lostTopics         struct{ hub.Store } // PutConnection removes the topics
	endlessReceipts    struct{ hub.Store } // keeps expired receipts
	changingEpoch      struct{ hub.Store } // changes the epoch after a write
	noTopics           struct{ hub.Store } // Subscribe does not write the connection's topics
	reusableTickets    struct{ hub.Store } // returns a ticket but does not remove it
	anyPrincipal       struct{ hub.Store } // replaces any principal
	replacesOnce       struct{ hub.Store } // does not know a principal that was replaced before
	noRevocations      struct{ hub.Store } // does not return revocations
	unlimitedSets      struct{ hub.Store } // ignores the limit of sets
	allOrNothingSets   struct{ hub.Store } // returns no known names if one is new
	oneCounter         struct{ hub.Store } // has one counter for all names
	countsByOne        struct{ hub.Store } // adds one, whatever it shall add
	sharedCounters     struct{ hub.Store } // has one counter of a name for all holders
	endedReturn        struct{ hub.Store } // lets a connection be put after it ended
	cleanedSKUs        struct{ hub.Store } // cleans SKUs as if they were paths
	trimmedTopics      struct{ hub.Store } // keeps topics as words without punctuation
	sparingAll         struct{ hub.Store } // leaves all subscriptions of an ended connection
	prettyAnywhere     struct{ hub.Store } // makes a row for Pretty
	staleSubscribe     struct{ hub.Store } // returns from Subscribe what it was given
)

func (s noVersionCheck) PutItem(ctx context.Context, i hub.Item, _ int64) error {
	items, _ := s.Store.Items(ctx, []string{i.SKU})
	return s.Store.PutItem(ctx, i, items[i.SKU].Version)
}

func (s noTombstones) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	items, err := s.Store.Items(ctx, skus)
	for sku, i := range items {
		if i.Deleted {
			delete(items, sku)
		}
	}
	return items, err
}

func (s cleanedSKUs) PutItem(ctx context.Context, i hub.Item, base int64) error {
	i.SKU = path.Clean(i.SKU)
	return s.Store.PutItem(ctx, i, base)
}

func (s sparingAll) EndConnection(ctx context.Context, id string, now time.Time, _ int) error {
	return s.Store.EndConnection(ctx, id, now, 1000)
}

// Subscribe returns what it was given.
func (s staleSubscribe) Subscribe(
	ctx context.Context, c hub.Connection, topics []hub.Topic,
) (hub.Connection, error) {
	_, err := s.Store.Subscribe(ctx, c, topics)
	c.Topics = topics
	return c, err
}

func (s trimmedTopics) Subscribe(
	ctx context.Context, c hub.Connection, topics []hub.Topic,
) (hub.Connection, error) {
	topics = slices.Clone(topics)
	for i := range topics {
		topics[i].Name = strings.TrimRight(topics[i].Name, "#")
	}
	return s.Store.Subscribe(ctx, c, topics)
}

func (s *lateSubscribers) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.Subscribers(ctx, t, after, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	page, s.last[t] = s.last[t], page
	return page, next, err
}

func (s onePage) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	page, _, err := s.Store.Subscribers(ctx, t, after, limit)
	return page, "", err
}

func (s noReceipts) PutCarts(
	ctx context.Context, carts []hub.CartWrite, _ *hub.Receipt, sessions ...hub.Session,
) error {
	return s.Store.PutCarts(ctx, carts, nil, sessions...)
}

func (s noOrders) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	for i := range carts {
		carts[i].Cart.Ordered = 0
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s endlessCarts) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	for i := range carts {
		carts[i].Cart.Expires = time.Time{}
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s namelessWrites) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	for i := range carts {
		carts[i].Cart.Cause = ""
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s noTransactions) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	for _, w := range carts {
		if err := s.Store.PutCarts(ctx, []hub.CartWrite{w}, nil, sessions...); err != nil {
			return err
		}
	}
	return s.Store.PutCarts(ctx, nil, r, sessions...)
}

func (s sharedCarts) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	for _, w := range carts {
		s.carts[w.Cart.ID] = w.Cart
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s sharedCarts) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if c, ok := s.carts[id]; ok {
		return c, nil
	}
	return s.Store.Cart(ctx, id)
}

func (s sharedReceipts) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	if r != nil {
		s.receipts[r.Key] = *r
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s sharedReceipts) Receipt(ctx context.Context, cartID, key string) (hub.Receipt, error) {
	if r, ok := s.receipts[key]; ok && r.CartID == cartID {
		return r, nil
	}
	return s.Store.Receipt(ctx, cartID, key)
}

func (s keptSubscriptions) Forget(ctx context.Context, id string, _ ...hub.Topic) error {
	c, err := s.Store.Connection(ctx, id)
	if err != nil {
		return nil
	}
	if err := s.Store.Forget(ctx, id); err != nil {
		return err
	}
	return errOf(s.Store.Subscribe(ctx, c, c.Topics))
}

func (s hundredConnections) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	return s.Store.ConnectionsOf(ctx, ids[:min(100, len(ids))])
}

func (s noRevs) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	undelivered = slices.Clone(undelivered)
	for i := range undelivered {
		undelivered[i].Revs = nil
	}
	return s.Store.MarkForRetry(ctx, undelivered, now)
}

func (s firstMarkOnly) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	return append(s.Store.MarkForRetry(ctx, undelivered[:1], now), make([]error, len(undelivered)-1)...)
}

func (s lostTopics) PutConnection(ctx context.Context, c hub.Connection) error {
	if old, err := s.Store.Connection(ctx, c.ID); err == nil {
		if err := errOf(s.Store.Unsubscribe(ctx, c.ID, old.Topics)); err != nil {
			return err
		}
	}
	return s.Store.PutConnection(ctx, c)
}

func (s endlessReceipts) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	if r != nil {
		if _, err := s.Store.Receipt(ctx, r.CartID, r.Key); err == nil {
			return hub.ErrConflict
		}
	}
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s changingEpoch) Epoch(ctx context.Context) (hub.Epoch, error) {
	items, err := s.Store.Items(ctx, []string{"A"})
	if len(items) > 0 {
		return hub.Epoch{Name: "k2"}, err
	}
	return s.Store.Epoch(ctx)
}

func (s noTopics) Connection(ctx context.Context, id string) (hub.Connection, error) {
	c, err := s.Store.Connection(ctx, id)
	c.Topics = nil
	return c, err
}

// ticketRace reads a ticket, then removes it. Between, one other call reads it.
type ticketRace struct {
	hub.Store
	first *sync.Once
}

func (s ticketRace) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	t, err := s.Store.TakeTicket(ctx, hash)
	if err == nil {
		s.first.Do(func() { err = s.Store.PutTicket(ctx, t) })
	}
	return t, err
}

func (s reusableTickets) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	t, err := s.Store.TakeTicket(ctx, hash)
	if err != nil {
		return t, err
	}
	return t, s.Store.PutTicket(ctx, t)
}

func (s replacesOnce) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	if c, err := s.Store.Connection(ctx, id); err == nil && c.Principal != prev {
		return hub.ErrConflict
	}
	return s.Store.ReplacePrincipal(ctx, id, prev, next)
}

func (s prettyAnywhere) SetPretty(ctx context.Context, id string, on bool) error {
	err := s.Store.SetPretty(ctx, id, on)
	if errors.Is(err, hub.ErrGone) {
		return s.Store.PutConnection(ctx, hub.Connection{ID: id})
	}
	return err
}

func (s anyPrincipal) ReplacePrincipal(ctx context.Context, id string, _, next hub.Principal) error {
	c, err := s.Store.Connection(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.ReplacePrincipal(ctx, id, c.Principal, next)
}

func (noRevocations) Revocation(context.Context, string) (time.Time, error) { return time.Time{}, nil }

func (s unlimitedSets) Collect(
	ctx context.Context, holder, set string, names []string, _ int, expires time.Time,
) ([]string, error) {
	return s.Store.Collect(ctx, holder, set, names, 1_000, expires)
}

func (s allOrNothingSets) Collect(
	ctx context.Context, holder, set string, names []string, most int, expires time.Time,
) ([]string, error) {
	members, err := s.Store.Collect(ctx, holder, set, names, most, expires)
	if len(members) < len(names) {
		return nil, err
	}
	return members, err
}

func (s oneCounter) Count(ctx context.Context, holder, _ string, n int, expires time.Time) (int, error) {
	return s.Store.Count(ctx, holder, "all", n, expires)
}

func (s countsByOne) Count(ctx context.Context, holder, counter string, _ int, expires time.Time) (int, error) {
	return s.Store.Count(ctx, holder, counter, 1, expires)
}

func (s sharedCounters) Count(ctx context.Context, _, counter string, n int, expires time.Time) (int, error) {
	return s.Store.Count(ctx, "all", counter, n, expires)
}

func (s endedReturn) EndConnection(ctx context.Context, id string, _ time.Time, _ int) error {
	return s.Store.Forget(ctx, id)
}

func TestStoreFindsBrokenStores(t *testing.T) {
	if failed := hubtest.StoreFailures(t.Context(), fixture(nil, nil)); failed != nil {
		t.Fatalf("the intact store fails %q", failed)
	}
	for name, tt := range map[string]struct {
		breakStore func(hub.Store) hub.Store
		breakFeed  func([]hub.Change) []hub.Change
		failed     string // a case that must fail
	}{
		"items without version check": {
			func(s hub.Store) hub.Store { return noVersionCheck{s} }, nil,
			"item write is conditional",
		},
		"no tombstones": {
			func(s hub.Store) hub.Store { return noTombstones{s} }, nil,
			"item tombstone is kept",
		},
		"late subscribers": {
			func(s hub.Store) hub.Store { return &lateSubscribers{Store: s, last: map[hub.Topic][]hub.Subscriber{}} }, nil,
			"subscribers are visible at once",
		},
		"one page of subscribers": {
			func(s hub.Store) hub.Store { return onePage{s} }, nil,
			"subscribers page to the end",
		},
		"no receipts": {
			func(s hub.Store) hub.Store { return noReceipts{s} }, nil,
			"receipt is stored with its cart",
		},
		"no orders": {
			func(s hub.Store) hub.Store { return noOrders{s} }, nil,
			"cart round trip",
		},
		"carts have no end": {
			func(s hub.Store) hub.Store { return endlessCarts{s} }, nil,
			"cart round trip",
		},
		"carts of nobody": {
			func(s hub.Store) hub.Store { return namelessWrites{s} }, nil,
			"cart round trip",
		},
		"carts one by one": {
			func(s hub.Store) hub.Store { return noTransactions{s} }, nil,
			"two carts, all or nothing",
		},
		"shared carts": {
			func(s hub.Store) hub.Store { return sharedCarts{s, map[string]hub.Cart{}} }, nil,
			"rows are not shared with the caller",
		},
		"shared receipts": {
			func(s hub.Store) hub.Store { return sharedReceipts{s, map[string]hub.Receipt{}} }, nil,
			"rows are not shared with the caller",
		},
		"any session writes": {
			func(s hub.Store) hub.Store { return anySession{s} }, nil,
			"a revoked session writes nothing",
		},
		"carts survive": {
			func(s hub.Store) hub.Store { return keptCart{s} }, nil,
			"a user is erased completely",
		},
		"receipts survive": {
			func(s hub.Store) hub.Store { return keptReceipts{s} }, nil,
			"a user is erased completely",
		},
		"another user is erased": {
			func(s hub.Store) hub.Store { return erasedByPrefix{s} }, nil,
			"a user is erased completely",
		},
		"a user's connections are erased": {
			func(s hub.Store) hub.Store { return erasedHolder{s} }, nil,
			"a user is erased completely",
		},
		"no release": {
			func(s hub.Store) hub.Store { return noRelease{s} }, nil,
			"a connection leaves the list of a holder",
		},
		"subscriptions survive forget": {
			func(s hub.Store) hub.Store { return keptSubscriptions{s} }, nil,
			"forget removes every trace",
		},
		"clear removes newer marks": {
			func(s hub.Store) hub.Store { return newerMarksCleared{s} }, nil,
			"clearing a mark keeps a newer one",
		},
		"first mark only": {
			func(s hub.Store) hub.Store { return firstMarkOnly{s} }, nil,
			"many connections are marked together",
		},
		"marks lose revs": {
			func(s hub.Store) hub.Store { return noRevs{s} }, nil,
			"retry marks keep the newest rev",
		},
		"marks in order of age": {
			func(s hub.Store) hub.Store { return marksByAge{s} }, nil,
			"retry marks come in pages of a fixed order",
		},
		"marks between pages": {
			func(s hub.Store) hub.Store { return skippedMarks{s} }, nil,
			"retry marks come in pages of a fixed order",
		},
		"tries not counted": {
			func(s hub.Store) hub.Store { return noTries{s} }, nil,
			"retry marks count tries",
		},
		"marks are forgotten": {
			func(s hub.Store) hub.Store { return marksForgotten{s} }, nil,
			"retry marks outlive their connections",
		},
		"an empty mark": {
			func(s hub.Store) hub.Store { return clearedMarks{s} }, nil,
			"the mark of one connection",
		},
		"connections of one request": {
			func(s hub.Store) hub.Store { return hundredConnections{s} }, nil,
			"several connections are read together",
		},
		"SKUs are cleaned": {
			func(s hub.Store) hub.Store { return cleanedSKUs{s} }, nil,
			"any two SKUs are kept apart",
		},
		"topics are trimmed": {
			func(s hub.Store) hub.Store { return trimmedTopics{s} }, nil,
			"any two SKUs are kept apart",
		},
		"an end spares everything": {
			func(s hub.Store) hub.Store { return sparingAll{s} }, nil,
			"an end spares SKUs with few subscribers",
		},
		"subscribe returns what it was given": {
			func(s hub.Store) hub.Store { return staleSubscribe{s} }, nil,
			"subscribe returns what is recorded",
		},
		"topics are lost": {
			func(s hub.Store) hub.Store { return lostTopics{s} }, nil,
			"connection written again keeps its topics",
		},
		"receipts do not expire": {
			func(s hub.Store) hub.Store { return endlessReceipts{s} }, nil,
			"a key is free after a day",
		},
		"changing epoch": {
			func(s hub.Store) hub.Store { return changingEpoch{s} }, nil,
			"epoch is a name and stays",
		},
		"a principal cannot be replaced again": {
			func(s hub.Store) hub.Store { return replacesOnce{s} }, nil,
			"a principal is replaced only if it is the named one",
		},
		"a row is made for pretty": {
			func(s hub.Store) hub.Store { return prettyAnywhere{s} }, nil,
			"pretty is set alone, and stays",
		},
		"any principal is replaced": {
			func(s hub.Store) hub.Store { return anyPrincipal{s} }, nil,
			"a principal is replaced only if it is the named one",
		},
		"no revocations": {
			func(s hub.Store) hub.Store { return noRevocations{s} }, nil,
			"the latest revocation is kept",
		},
		"unlimited sets": {
			func(s hub.Store) hub.Store { return unlimitedSets{s} }, nil,
			"a full set accepts nothing new",
		},
		"sets refuse known names": {
			func(s hub.Store) hub.Store { return allOrNothingSets{s} }, nil,
			"a full set accepts nothing new",
		},
		"one counter": {
			func(s hub.Store) hub.Store { return oneCounter{s} }, nil,
			"each count is different",
		},
		"counts by one": {
			func(s hub.Store) hub.Store { return countsByOne{s} }, nil,
			"each count is different",
		},
		"counters of all holders": {
			func(s hub.Store) hub.Store { return sharedCounters{s} }, nil,
			"each count is different",
		},
		"ended connections are subscribed": {
			func(s hub.Store) hub.Store { return endedSubscribers{s} }, nil,
			"a connection that has ended cannot be put again",
		},
		"ended connections return": {
			func(s hub.Store) hub.Store { return endedReturn{s} }, nil,
			"a connection that has ended cannot be put again",
		},
		"connection without topics": {
			func(s hub.Store) hub.Store { return noTopics{s} }, nil,
			"subscribers are visible at once",
		},
		"ticket read before it is removed": {
			func(s hub.Store) hub.Store { return ticketRace{s, new(sync.Once)} }, nil,
			"ticket is taken once",
		},
		"reusable tickets": {
			func(s hub.Store) hub.Store { return reusableTickets{s} }, nil,
			"ticket is taken once",
		},
		"feed out of order":     {nil, reversed, "feed has every change once, in order"},
		"feed loses a change":   {nil, withoutLast, "feed has every change once, in order"},
		"feed repeats changes":  {nil, repeated, "feed has every change once, in order"},
		"feed without old rows": {nil, withoutOld, "feed has old and new rows"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			failed := hubtest.StoreFailures(ctx, fixture(tt.breakStore, tt.breakFeed))
			if !slices.Contains(failed, tt.failed) {
				t.Errorf("the suite fails %q, want it to fail %q", failed, tt.failed)
			}
		})
	}
}

func reversed(changes []hub.Change) []hub.Change {
	slices.Reverse(changes)
	return changes
}

func withoutLast(changes []hub.Change) []hub.Change { return changes[:max(0, len(changes)-1)] }

func repeated(changes []hub.Change) []hub.Change { return append(changes, changes...) }

func withoutOld(changes []hub.Change) []hub.Change {
	for i := range changes {
		changes[i].OldItem, changes[i].OldCart = nil, nil
	}
	return changes
}

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
