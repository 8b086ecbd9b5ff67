package hubtest_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
)

// feed collects changes.
type feed struct {
	mu      sync.Mutex
	changes []hub.Change
}

func (f *feed) add(c hub.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, c)
}

func (f *feed) all(context.Context) ([]hub.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.changes), nil
}

// fixture is a memory store seen through a specimen and a view of its feed.
func fixture(specimen func(hub.Store) hub.Store, view func([]hub.Change) []hub.Change) func() hubtest.Fixture {
	return func() hubtest.Fixture {
		var f feed
		store := memstore.New(memstore.Options{Epoch: "k1", OnCommit: f.add})
		changes := f.all
		if view != nil {
			changes = func(ctx context.Context) ([]hub.Change, error) {
				all, err := f.all(ctx)
				return view(all), err
			}
		}
		return hubtest.Fixture{Store: specimen(store), Changes: changes}
	}
}

func whole(s hub.Store) hub.Store { return s }

// The specimens: each breaks one promise.
type (
	unconditional struct{ hub.Store }
	forgetful     struct{ hub.Store } // of tombstones
	lagging       struct {
		hub.Store
		mu   sync.Mutex
		last map[hub.Topic][]hub.Subscriber
	}
	onePage   struct{ hub.Store }
	keyless   struct{ hub.Store }
	piecemeal struct{ hub.Store }
	sharing   struct {
		hub.Store
		carts map[string]hub.Cart
	}
	clinging        struct{ hub.Store } // to the subscriptions of who was forgotten
	hasty           struct{ hub.Store } // in clearing marks
	firstOnly       struct{ hub.Store } // one mark of many
	unmoved         struct{ hub.Store } // marks that are renewed keep their place
	wiping          struct{ hub.Store } // topics with every PutConnection
	everlasting     struct{ hub.Store } // keys
	fickle          struct{ hub.Store } // epoch
	subscribersOnly struct{ hub.Store } // Subscribe does not tell the connection
	generous        struct{ hub.Store } // with tickets: looks, then removes
	showing         struct{ hub.Store } // tickets only
	trusting        struct{ hub.Store } // authorities are replaced, whatever they are
	lenient         struct{ hub.Store } // revocations are forgotten
	bottomless      struct{ hub.Store } // sets
	grudging        struct{ hub.Store } // with sets: one new name takes the known ones with it
	miscounting     struct{ hub.Store } // counters are one
	haunted         struct{ hub.Store } // connections that have ended come back
)

func (s unconditional) PutItem(ctx context.Context, i hub.Item, _ int64) error {
	now, _ := s.Store.Items(ctx, []string{i.SKU})
	return s.Store.PutItem(ctx, i, now[i.SKU].Version)
}

func (s forgetful) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	items, err := s.Store.Items(ctx, skus)
	for sku, i := range items {
		if i.Deleted {
			delete(items, sku)
		}
	}
	return items, err
}

func (s *lagging) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	page, next, err := s.Store.Subscribers(ctx, t, after, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	page, s.last[t] = s.last[t], page
	return page, next, err
}

func (s onePage) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	page, _, err := s.Store.Subscribers(ctx, t, after, limit)
	return page, "", err
}

func (s keyless) PutCarts(ctx context.Context, carts []hub.CartWrite, _ *hub.Receipt) error {
	return s.Store.PutCarts(ctx, carts, nil)
}

func (s piecemeal) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	for _, w := range carts {
		if err := s.Store.PutCarts(ctx, []hub.CartWrite{w}, nil); err != nil {
			return err
		}
	}
	return s.Store.PutCarts(ctx, nil, r)
}

func (s sharing) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	for _, w := range carts {
		s.carts[w.Cart.ID] = w.Cart
	}
	return s.Store.PutCarts(ctx, carts, r)
}

func (s sharing) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if c, ok := s.carts[id]; ok {
		return c, nil
	}
	return s.Store.Cart(ctx, id)
}

func (s clinging) Forget(ctx context.Context, id string, _ ...hub.Topic) error {
	c, err := s.Store.Connection(ctx, id)
	if err != nil {
		return nil
	}
	if err := s.Store.Forget(ctx, id); err != nil {
		return err
	}
	return s.Store.Subscribe(ctx, c, c.Topics)
}

func (s hasty) ClearRetryMark(ctx context.Context, m hub.RetryMark) error {
	marks, err := s.Store.RetryMarks(ctx, 1000)
	for _, now := range marks {
		if now.ConnectionID == m.ConnectionID {
			m = now
		}
	}
	if err != nil {
		return err
	}
	return s.Store.ClearRetryMark(ctx, m)
}

func (s unmoved) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if len(missed[0].Topics) == 0 {
		return []error{nil}
	}
	return s.Store.MarkForRetry(ctx, missed, now)
}

func (s firstOnly) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	return append(s.Store.MarkForRetry(ctx, missed[:1], now), make([]error, len(missed)-1)...)
}

func (s wiping) PutConnection(ctx context.Context, c hub.Connection) error {
	if old, err := s.Store.Connection(ctx, c.ID); err == nil {
		if err := s.Store.Unsubscribe(ctx, c.ID, old.Topics); err != nil {
			return err
		}
	}
	return s.Store.PutConnection(ctx, c)
}

func (s everlasting) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	if r != nil {
		if _, err := s.Store.Receipt(ctx, r.CartID, r.Key); err == nil {
			return hub.ErrConflict
		}
	}
	return s.Store.PutCarts(ctx, carts, r)
}

func (s fickle) Epoch(ctx context.Context) (string, error) {
	items, err := s.Store.Items(ctx, []string{"A"})
	if len(items) > 0 {
		return "k2", err
	}
	return s.Store.Epoch(ctx)
}

func (s subscribersOnly) Connection(ctx context.Context, id string) (hub.Connection, error) {
	c, err := s.Store.Connection(ctx, id)
	c.Topics = nil
	return c, err
}

func (s generous) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	t, err := s.Store.TakeTicket(ctx, hash)
	if err != nil {
		return t, err
	}
	if err := s.Store.PutTicket(ctx, t); err != nil {
		return t, err
	}
	for range 100 {
		runtime.Gosched() // others look meanwhile
	}
	_, _ = s.Store.TakeTicket(ctx, hash)
	return t, nil
}

func (s showing) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	t, err := s.Store.TakeTicket(ctx, hash)
	if err != nil {
		return t, err
	}
	return t, s.Store.PutTicket(ctx, t)
}

func (s trusting) ReplacePrincipal(ctx context.Context, id string, _, is hub.Principal) error {
	c, err := s.Store.Connection(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.ReplacePrincipal(ctx, id, c.Principal, is)
}

func (s lenient) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	o, err := s.Store.Holder(ctx, id, after, limit)
	o.Revoked = time.Time{}
	return o, err
}

func (s bottomless) Collect(ctx context.Context, set string, names []string, _ int, expires time.Time) ([]string, error) {
	return s.Store.Collect(ctx, set, names, 1_000, expires)
}

func (s grudging) Collect(ctx context.Context, set string, names []string, most int, expires time.Time) ([]string, error) {
	in, err := s.Store.Collect(ctx, set, names, most, expires)
	if len(in) < len(names) {
		return nil, err
	}
	return in, err
}

func (s miscounting) Count(ctx context.Context, _ string, expires time.Time) (int, error) {
	return s.Store.Count(ctx, "all", expires)
}

func (s haunted) EndConnection(ctx context.Context, id string, _ time.Time) error {
	return s.Store.Forget(ctx, id)
}

func TestStoreFindsBrokenStores(t *testing.T) {
	if failed := hubtest.StoreFailures(t.Context(), fixture(whole, nil)); failed != nil {
		t.Fatalf("the whole store fails %q", failed)
	}
	for name, tt := range map[string]struct {
		open   func() hubtest.Fixture
		broken string // one that has to fail
	}{
		"writes items whatever the version":  {fixture(func(s hub.Store) hub.Store { return unconditional{s} }, nil), "item write is conditional"},
		"loses tombstones":                   {fixture(func(s hub.Store) hub.Store { return forgetful{s} }, nil), "item tombstone is kept"},
		"shows subscribers late":             {fixture(func(s hub.Store) hub.Store { return &lagging{Store: s, last: map[hub.Topic][]hub.Subscriber{}} }, nil), "subscribers are seen at once"},
		"stops after one page":               {fixture(func(s hub.Store) hub.Store { return onePage{s} }, nil), "subscribers page to the end"},
		"keeps no keys":                      {fixture(func(s hub.Store) hub.Store { return keyless{s} }, nil), "request is kept with its cart"},
		"writes carts one by one":            {fixture(func(s hub.Store) hub.Store { return piecemeal{s} }, nil), "two carts, all or nothing"},
		"shares its rows":                    {fixture(func(s hub.Store) hub.Store { return sharing{s, map[string]hub.Cart{}} }, nil), "rows are not shared with the caller"},
		"forgets half":                       {fixture(func(s hub.Store) hub.Store { return clinging{s} }, nil), "forget removes every trace"},
		"clears marks it has not seen":       {fixture(func(s hub.Store) hub.Store { return hasty{s} }, nil), "clearing a mark spares a newer one"},
		"marks the first of many":            {fixture(func(s hub.Store) hub.Store { return firstOnly{s} }, nil), "many are marked at once"},
		"keeps renewed marks in place":       {fixture(func(s hub.Store) hub.Store { return unmoved{s} }, nil), "a mark that is renewed goes to the end"},
		"wipes topics":                       {fixture(func(s hub.Store) hub.Store { return wiping{s} }, nil), "connection written again keeps its topics"},
		"keeps keys for ever":                {fixture(func(s hub.Store) hub.Store { return everlasting{s} }, nil), "request key is free after a day"},
		"changes its epoch":                  {fixture(func(s hub.Store) hub.Store { return fickle{s} }, nil), "epoch is a name and stays"},
		"replaces any authority":             {fixture(func(s hub.Store) hub.Store { return trusting{s} }, nil), "an authority is replaced only if it is the one named"},
		"forgets revocations":                {fixture(func(s hub.Store) hub.Store { return lenient{s} }, nil), "the latest revocation is kept"},
		"has sets without an end":            {fixture(func(s hub.Store) hub.Store { return bottomless{s} }, nil), "a set that is full takes nothing new"},
		"refuses known names beside new":     {fixture(func(s hub.Store) hub.Store { return grudging{s} }, nil), "a set that is full takes nothing new"},
		"counts everything together":         {fixture(func(s hub.Store) hub.Store { return miscounting{s} }, nil), "each count is another"},
		"brings back what has ended":         {fixture(func(s hub.Store) hub.Store { return haunted{s} }, nil), "a connection that has ended stays away"},
		"does not tell what is subscribed":   {fixture(func(s hub.Store) hub.Store { return subscribersOnly{s} }, nil), "subscribers are seen at once"},
		"spends a ticket after a look":       {fixture(func(s hub.Store) hub.Store { return generous{s} }, nil), "ticket is taken once"},
		"never spends a ticket":              {fixture(func(s hub.Store) hub.Store { return showing{s} }, nil), "ticket is taken once"},
		"has a feed out of order":            {fixture(whole, func(c []hub.Change) []hub.Change { slices.Reverse(c); return c }), "feed has every change once, in order"},
		"has a feed that loses a change":     {fixture(whole, func(c []hub.Change) []hub.Change { return c[:max(0, len(c)-1)] }), "feed has every change once, in order"},
		"has a feed that repeats a change":   {fixture(whole, func(c []hub.Change) []hub.Change { return append(c, c...) }), "feed has every change once, in order"},
		"has a feed without the rows before": {fixture(whole, withoutOld), "feed has old and new rows"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if failed := hubtest.StoreFailures(ctx, tt.open); !slices.Contains(failed, tt.broken) {
				t.Errorf("the suite fails %q, want it to fail %q", failed, tt.broken)
			}
		})
	}
}

func withoutOld(changes []hub.Change) []hub.Change {
	for i := range changes {
		changes[i].OldItem, changes[i].OldCart = nil, nil
	}
	return changes
}
