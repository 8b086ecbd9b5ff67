package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
)

// diskJournal is a journal that keeps rows in memory.
type diskJournal struct {
	rows   memstore.Rows
	writes []memstore.Rows
	before func() error // called by Write; nil: nothing
	after  func() error // called by Write when the rows are there; nil: nothing
}

func newDiskJournal() *diskJournal { return &diskJournal{rows: memstore.NewRows()} }

func (j *diskJournal) Load() (memstore.Rows, error) { return j.rows, nil }

func (j *diskJournal) Write(changed memstore.Rows) error {
	if j.before != nil {
		if err := j.before(); err != nil {
			return err
		}
	}
	j.writes = append(j.writes, changed)
	if changed.Epoch != "" {
		j.rows.Epoch = changed.Epoch
	}
	j.rows.Shown = max(j.rows.Shown, changed.Shown)
	store(j.rows.Items, changed.Items)
	store(j.rows.Carts, changed.Carts)
	store(j.rows.Receipts, changed.Receipts)
	maps.Copy(j.rows.Revocations, changed.Revocations)
	maps.DeleteFunc(j.rows.Revocations, func(_ string, until time.Time) bool { return until.IsZero() })
	if j.after != nil {
		return j.after()
	}
	return nil
}

func store[K comparable, V any](rows, changed map[K]*V) {
	maps.Copy(rows, changed)
	maps.DeleteFunc(rows, func(_ K, row *V) bool { return row == nil })
}

func openStore(t *testing.T, j memstore.Journal) *memstore.Store {
	t.Helper()
	s, err := memstore.Open("k1", j)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStoreWithJournal runs the suite, and checks that the journal always has what the
// store shows.
func TestStoreWithJournal(t *testing.T) {
	hubtest.TestStore(t, func(t *testing.T) hubtest.Fixture {
		var feed hubtest.Feed
		j := newDiskJournal()
		s := openStore(t, j)
		s.Follow(feed.Add)
		t.Cleanup(func() {
			changes, _ := feed.Changes(t.Context())
			checkReopened(t, s, openStore(t, j), changes)
		})
		return hubtest.Fixture{Store: s, Changes: feed.Changes}
	})
}

// checkReopened compares the rows that changed in a store with those of another that
// opened the same journal.
func checkReopened(t *testing.T, first, second *memstore.Store, changes []hub.Change) {
	t.Helper()
	ctx := context.Background()
	for _, c := range changes {
		if c.NewItem != nil {
			want, _ := first.Items(ctx, []string{c.NewItem.SKU})
			got, _ := second.Items(ctx, []string{c.NewItem.SKU})
			if len(want) != 1 || !reflect.DeepEqual(got, want) {
				t.Errorf("after a restart: got %v, want %v", got, want)
			}
			listed, _, _ := first.VendorSKUs(ctx, c.NewItem.Vendor, "", 1000)
			if again, _, _ := second.VendorSKUs(ctx, c.NewItem.Vendor, "", 1000); !reflect.DeepEqual(again, listed) {
				t.Errorf("after a restart: vendor %q has %q, want %q", c.NewItem.Vendor, again, listed)
			}
			continue
		}
		want, _ := first.Cart(ctx, c.NewCart.ID)
		if got, _ := second.Cart(ctx, c.NewCart.ID); !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart: got %v, want %v", got, want)
		}
	}
}

func item(sku string, version int64) hub.Item { return hub.Item{SKU: sku, Version: version} }

// TestNothingIsVisibleBeforeTheJournalHasIt holds a write in the journal: nobody reads
// it, nobody hears of it, and all writes that come meanwhile are the next group.
func TestNothingIsVisibleBeforeTheJournalHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers = 20
		var feed hubtest.Feed
		j, release := newDiskJournal(), make(chan struct{})
		s := openStore(t, j)
		s.Follow(feed.Add)
		j.before = func() error { <-release; return nil }
		results := make(chan error, writers+1)
		go func() { results <- s.PutItem(t.Context(), item("A", 1), 0) }()
		synctest.Wait()
		for i := range writers { // each second one writes A too, and only the first of them wins
			go func() {
				if i%2 == 0 {
					results <- s.PutItem(t.Context(), item(fmt.Sprint("B", i), 1), 0)
				} else {
					results <- s.PutItem(t.Context(), item("A", 2), 1)
				}
			}()
		}
		synctest.Wait()

		changes, _ := feed.Changes(t.Context())
		items, _ := s.Items(t.Context(), []string{"A", "B0"})
		if len(results) != 0 || len(changes) != 0 || len(items) != 0 {
			t.Errorf("before the journal wrote: %d results, %d changes in the feed, items %v, want none",
				len(results), len(changes), items)
		}

		release <- struct{}{}
		synctest.Wait()
		changes, _ = feed.Changes(t.Context())
		items, _ = s.Items(t.Context(), []string{"A", "B0"})
		if len(results) != 1 || len(changes) != 1 || len(items) != 1 || items["A"].Version != 1 {
			t.Errorf("after the first write: %d results, %d changes in the feed, items %v, want the first A",
				len(results), len(changes), items)
		}

		release <- struct{}{}
		synctest.Wait()
		conflicts := 0
		for range writers + 1 {
			if err := <-results; errors.Is(err, hub.ErrConflict) {
				conflicts++
			} else if err != nil {
				t.Error(err)
			}
		}
		if want := writers/2 - 1; conflicts != want {
			t.Errorf("%d writes of A lost, want %d", conflicts, want)
		}
		if n := len(j.writes); n != 3 { // the epoch, the first item, the group
			t.Errorf("the journal wrote %d times, want 3", n)
		}
		if changes, _ = feed.Changes(t.Context()); len(changes) != writers/2+2 {
			t.Errorf("%d changes in the feed, want %d", len(changes), writers/2+2)
		}
	})
}

// TestFailedJournal: a write that the journal did not take fails and changes nothing,
// and the same write succeeds later.
func TestFailedJournal(t *testing.T) {
	full := errors.New("no space left on device")
	ctx := t.Context()
	cart := hub.Cart{ID: "u~ann", Version: 1, Lines: map[string]hub.CartLine{"MUG": {Quantity: 1, Version: 1}}}
	receipt := &hub.Receipt{CartID: "u~ann", Key: "k1", Answer: []byte("{}"), At: time.UnixMilli(1)}
	for name, write := range map[string]func(*memstore.Store) error{
		"PutItem": func(s *memstore.Store) error { return s.PutItem(ctx, item("MUG", 2), 1) },
		"PutCarts": func(s *memstore.Store) error {
			return s.PutCarts(ctx, []hub.CartWrite{{Cart: cart}}, receipt)
		},
		"Revoke":     func(s *memstore.Store) error { return s.Revoke(ctx, "u~ann", time.UnixMilli(5)) },
		"RemoveItem": func(s *memstore.Store) error { return s.RemoveItem("MUG") },
		"RemoveCart": func(s *memstore.Store) error { return s.RemoveCart("u~bob") },
		"Erase":      func(s *memstore.Store) error { return s.Erase(ctx, "u~bob") },
		"BeginEpoch": func(s *memstore.Store) error { return s.BeginEpoch("k2") },
		"Expire":     func(s *memstore.Store) error { return s.Expire(time.UnixMilli(2).Add(hub.RevocationLife)) },
	} {
		t.Run(name, func(t *testing.T) {
			var feed hubtest.Feed
			j := newDiskJournal()
			s := openStore(t, j)
			err := errors.Join(
				s.PutItem(ctx, item("MUG", 1), 0), s.Revoke(ctx, "u~bob", time.UnixMilli(1)),
				s.PutCarts(ctx, []hub.CartWrite{{Cart: hub.Cart{ID: "u~bob", Version: 1}}}, nil),
			)
			if err != nil {
				t.Fatal(err)
			}
			s.Follow(feed.Add)
			before := state(t, s)
			j.before = func() error { return full }
			if err := write(s); !errors.Is(err, full) {
				t.Errorf("got %v, want %v", err, full)
			}
			changes, _ := feed.Changes(ctx)
			if after := state(t, s); after != before || len(changes) > 0 {
				t.Errorf("the failed write changed the store to %s from %s, and put %d changes into the feed",
					after, before, len(changes))
			}
			j.before = nil
			if err := write(s); err != nil {
				t.Error(err)
			}
			if after := state(t, s); after == before || after != state(t, openStore(t, j)) {
				t.Errorf("the same write later: %s, after a restart %s", after, state(t, openStore(t, j)))
			}
		})
	}
}

// TestDoubtfulWrite: the journal failed, but it has the rows. The next write, of another
// row, takes them back, so that no receipt is left of a write that was lost.
func TestDoubtfulWrite(t *testing.T) {
	ctx := t.Context()
	j := newDiskJournal()
	s := openStore(t, j)
	err := errors.Join(
		s.PutItem(ctx, item("MUG", 1), 0), s.Revoke(ctx, "u~ann", time.UnixMilli(1)),
		s.PutCarts(ctx, []hub.CartWrite{{Cart: hub.Cart{ID: "u~ann", Version: 1}}}, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := state(t, s)
	unknown := errors.New("sync: input/output error")
	j.after = func() error { return unknown }
	receipt := &hub.Receipt{CartID: "u~ann", Key: "k1", At: time.UnixMilli(1)}
	for name, err := range map[string]error{
		"PutItem":    s.PutItem(ctx, item("MUG", 2), 1),
		"PutCarts":   s.PutCarts(ctx, []hub.CartWrite{{Cart: hub.Cart{ID: "u~ann", Version: 2}, Base: 1}}, receipt),
		"Revoke":     s.Revoke(ctx, "u~bob", time.UnixMilli(1)),
		"BeginEpoch": s.BeginEpoch("k2"),
	} {
		if !errors.Is(err, unknown) {
			t.Errorf("%s: got %v, want %v", name, err, unknown)
		}
	}
	if state(t, openStore(t, &diskJournal{rows: j.rows})) == want {
		t.Fatal("the journal does not have the rows, so this tests nothing")
	}
	j.after = nil
	if err := s.PutItem(ctx, item("CAP", 1), 0); err != nil {
		t.Fatal(err)
	}
	if got := state(t, openStore(t, j)); got != want || state(t, s) != want {
		t.Errorf("after a restart\n got %s\nwant %s", got, want)
	}
	if items, _ := openStore(t, j).Items(ctx, []string{"CAP"}); items["CAP"].Version != 1 {
		t.Errorf("got %v, want the item of the last write", items)
	}
}

// TestDoubtAfterTwoFailures: the journal has the rows of a refused write, and then fails
// before it can take them back. The write after that takes them back.
func TestDoubtAfterTwoFailures(t *testing.T) {
	ctx, failed := t.Context(), errors.New("input/output error")
	j := newDiskJournal()
	s := openStore(t, j)
	fail := func() error { return failed }
	for _, step := range []struct {
		before, after func() error
		sku           string
		want          error
	}{{nil, fail, "MUG", failed}, {fail, nil, "CAP", failed}, {nil, nil, "PEN", nil}} {
		j.before, j.after = step.before, step.after
		if err := s.PutItem(ctx, item(step.sku, 1), 0); !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.sku, err, step.want)
		}
	}
	for _, s := range []*memstore.Store{s, openStore(t, j)} {
		if items, _ := s.Items(ctx, []string{"MUG", "CAP", "PEN"}); len(items) != 1 || items["PEN"].Version != 1 {
			t.Errorf("got %v, want PEN only: the others were refused", items)
		}
	}
}

// TestConflictWithALostWrite: two writes of a group conflict, and the journal fails. Both
// get its error: the row that the second one met was lost.
func TestConflictWithALostWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed, release := errors.New("input/output error"), make(chan struct{})
		j := newDiskJournal()
		s := openStore(t, j)
		j.before = func() error { <-release; return nil }
		held := make(chan error)
		go func() { held <- s.PutItem(t.Context(), item("HELD", 1), 0) }()
		synctest.Wait()
		results := make(chan error)
		for range 2 { // they are the next group
			go func() { results <- s.PutItem(t.Context(), item("MUG", 1), 0) }()
		}
		synctest.Wait()
		j.after = func() error { j.before = func() error { return failed }; return nil }
		close(release)
		if err := <-held; err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-results; !errors.Is(err, failed) {
				t.Errorf("got %v, want %v", err, failed)
			}
		}
	})
}

// TestEraseWipes: an erasure wipes the journal, also if it finds no row, since the person's
// rows may have been removed or replaced before, and also after a write that failed.
func TestEraseWipes(t *testing.T) {
	ctx := t.Context()
	j := newDiskJournal()
	s := openStore(t, j)
	last := func() memstore.Rows { return j.writes[len(j.writes)-1] }
	erase := func(id string) {
		t.Helper()
		before := len(j.writes)
		if err := s.Erase(ctx, id); err != nil || len(j.writes) == before || !last().Wipe {
			t.Errorf("erase %s: %v, the journal wrote %v, want that it wipes", id, err, last())
		}
	}
	cart := hub.CartWrite{Cart: hub.Cart{ID: "u~ann", Version: 1}}
	if err := s.PutCarts(ctx, []hub.CartWrite{cart}, nil); err != nil || last().Wipe {
		t.Errorf("got %v, the journal wrote %v, want that it does not wipe", err, last())
	}
	erase("u~ann")
	erase("u~nobody")
	j.after = func() error { return errors.New("input/output error") }
	if err := s.PutItem(ctx, item("MUG", 1), 0); err == nil {
		t.Fatal("the write succeeded, so this tests nothing")
	}
	j.after = nil
	erase("u~nobody")
}

// TestEraseInTheGroupOfAWrite: a write that waits for the journal together with an erasure
// leaves nothing of the person.
func TestEraseInTheGroupOfAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		j := newDiskJournal()
		s := openStore(t, j)
		j.before = func() error { <-release; return nil }
		results := make(chan error, 3)
		go func() { results <- s.PutItem(t.Context(), item("HELD", 1), 0) }()
		synctest.Wait()
		cart := hub.CartWrite{Cart: hub.Cart{ID: "u~ann", Version: 1}}
		receipt := &hub.Receipt{CartID: "u~ann", Key: "k", Answer: []byte("{}"), At: time.Now()}
		go func() { results <- s.PutCarts(t.Context(), []hub.CartWrite{cart}, receipt) }()
		synctest.Wait()
		go func() { results <- s.Erase(t.Context(), "u~ann") }()
		synctest.Wait()
		j.before = func() error { return nil }
		close(release)
		for range cap(results) {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if c, err := s.Cart(t.Context(), "u~ann"); err != nil || c.Version != 0 {
			t.Errorf("the cart is %+v, %v, want none", c, err)
		}
		if r, err := s.Receipt(t.Context(), "u~ann", "k"); err == nil {
			t.Errorf("the receipt is %+v, want none", r)
		}
	})
}

// TestExpireSettlesADoubtfulWrite: the next call of Expire takes a refused write back,
// although no row expires and nobody writes.
func TestExpireSettlesADoubtfulWrite(t *testing.T) {
	j := newDiskJournal()
	s := openStore(t, j)
	j.after = func() error { return errors.New("sync: input/output error") }
	if err := s.PutItem(t.Context(), item("MUG", 1), 0); err == nil {
		t.Fatal("the write succeeded, so this tests nothing")
	}
	j.after = nil
	if err := s.Expire(time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	if items, _ := openStore(t, j).Items(t.Context(), []string{"MUG"}); len(items) != 0 {
		t.Errorf("after a restart there is %v, want nothing: the write was refused", items)
	}
}

// state is what a store shows of the rows of TestFailedJournal.
func state(t *testing.T, s *memstore.Store) string {
	t.Helper()
	ctx := context.Background()
	epoch, _ := s.Epoch(ctx)
	items, _ := s.Items(ctx, []string{"MUG"})
	ann, _ := s.Cart(ctx, "u~ann")
	bob, _ := s.Cart(ctx, "u~bob")
	receipt, _ := s.Receipt(ctx, "u~ann", "k1")
	annRevoked, _ := s.Revocation(ctx, "u~ann")
	bobRevoked, _ := s.Revocation(ctx, "u~bob")
	return fmt.Sprint(epoch, items, ann, bob, receipt, annRevoked, bobRevoked)
}

// TestVersionsOutliveARemovedCart: after a restart, a cart begins above the versions that
// clients may show of one that was removed before.
func TestVersionsOutliveARemovedCart(t *testing.T) {
	j := newDiskJournal()
	s := openStore(t, j)
	if got := s.FirstCartVersion(); got != 1 {
		t.Errorf("without a removed cart: got %d, want 1", got)
	}
	cart := hub.Cart{ID: "u~ann", Version: 7}
	err := s.PutCarts(t.Context(), []hub.CartWrite{{Cart: cart}}, nil)
	if err = errors.Join(err, s.RemoveCart("u~ann"), s.RemoveCart("u~bob")); err != nil {
		t.Fatal(err)
	}
	if got := openStore(t, j).FirstCartVersion(); got != 9 { // clients show version 8, without lines
		t.Errorf("after the restart: got %d, want 9", got)
	}
}

// TestUnreadableJournal: a store whose rows cannot be read does not open.
func TestUnreadableJournal(t *testing.T) {
	damaged := errors.New("damaged")
	if _, err := memstore.Open("k1", failedLoad{damaged}); !errors.Is(err, damaged) {
		t.Errorf("got %v, want %v", err, damaged)
	}
	j := newDiskJournal()
	j.before = func() error { return damaged }
	if _, err := memstore.Open("k1", j); !errors.Is(err, damaged) {
		t.Errorf("the epoch was not written: got %v, want %v", err, damaged)
	}
}

type failedLoad struct{ err error }

func (f failedLoad) Load() (memstore.Rows, error) { return memstore.Rows{}, f.err }
func (f failedLoad) Write(memstore.Rows) error    { return nil }
