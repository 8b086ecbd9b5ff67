package datafile_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

// marker is in the names, lines and answers of a person, and nowhere else.
const marker = "mark-of-ann"

// markers counts the marker in a file. Answers are in base64.
func markers(t *testing.T, f *datafile.File) int {
	t.Helper()
	data, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	answer := base64.StdEncoding.EncodeToString([]byte(marker))
	return bytes.Count(data, []byte(marker)) + bytes.Count(data, []byte(answer))
}

// useCarts writes the carts and receipts of a person and of others: small ones, and some
// of several pages.
func useCarts(t *testing.T, s *memstore.Store) {
	t.Helper()
	for n := range 40 {
		id := "u~" + marker
		if n%4 == 3 {
			id = fmt.Sprint("u~other", n)
		}
		cart, err := s.Cart(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		base := cart.Version
		cart.Version++
		cart.Lines = map[string]hub.CartLine{}
		for i := range 1 + n*n/8 {
			cart.Lines[strings.TrimPrefix(id, "u~")+fmt.Sprint(i)] = hub.CartLine{Quantity: n, Version: 1, At: at}
		}
		receipt := &hub.Receipt{CartID: id, Key: fmt.Sprint("key", n), Answer: []byte(marker), At: time.Now()}
		if n%4 == 3 {
			receipt = nil
		}
		if err := s.PutCarts(t.Context(), []hub.CartWrite{{Cart: cart, Base: base}}, receipt); err != nil {
			t.Fatal(err)
		}
	}
}

// TestErasedUsersLeaveNoByte: an erasure leaves no byte of the person in the file, without
// a restart, and all rows of others.
func TestErasedUsersLeaveNoByte(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	journal := newRecorder(f)
	s, err := memstore.Open("k1", journal)
	if err != nil {
		t.Fatal(err)
	}
	useCarts(t, s)
	if n := markers(t, f); n < 50 {
		t.Fatalf("the file has the person %d times, so this tests little", n)
	}
	for range 2 { // what is repeated finds nothing to remove
		if err := s.Erase(t.Context(), "u~"+marker); err != nil {
			t.Fatal(err)
		}
		if n := markers(t, f); n > 0 {
			t.Errorf("after the erasure the file has the person %d times", n)
		}
	}
	if err := s.PutItem(t.Context(), hub.Item{SKU: "LATER", Version: 1}, 0); err != nil {
		t.Error(err)
	}
	closeFile(t, f)
	again := open(t, dir)
	defer closeFile(t, again)
	if got := load(t, again); !reflect.DeepEqual(got, journal.rows) || len(got.Carts) != 10 {
		t.Errorf("after a restart\n got %v\nwant %v", got, journal.rows)
	}
}

// TestStartLeavesNoRemovedByte: what was removed or replaced, or belonged to a transaction
// that did not complete, is not in the file after a start.
func TestStartLeavesNoRemovedByte(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	s, err := memstore.Open("k1", f)
	if err != nil {
		t.Fatal(err)
	}
	useCarts(t, s)
	write(t, f, memstore.Rows{Carts: map[string]*hub.Cart{"u~" + marker: nil}})
	receipts := map[memstore.ReceiptKey]*hub.Receipt{}
	for n := range 40 {
		receipts[memstore.ReceiptKey{CartID: "u~" + marker, Key: fmt.Sprint("key", n)}] = nil
	}
	write(t, f, memstore.Rows{Receipts: receipts})
	want := load(t, f)
	closeFile(t, f)
	file, err := os.OpenFile(f.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(strings.Repeat(marker, 1000))
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := markers(t, f); n < 1050 {
		t.Fatalf("the file has the person %d times, so this tests little", n)
	}
	again := open(t, dir)
	defer closeFile(t, again)
	if n := markers(t, again); n > 0 {
		t.Errorf("after a start the file has the person %d times", n)
	}
	if got := load(t, again); !reflect.DeepEqual(got, want) {
		t.Errorf("after a start\n got %v\nwant %v", got, want)
	}
}

// TestWipeBetweenWrites wipes after some of many random writes: the file has exactly the
// rows that were written, and what it has beside them is zero.
func TestWipeBetweenWrites(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	f := open(t, dir)
	journal := newRecorder(f)
	for n := range 400 {
		rows := memstore.NewRows()
		for range 1 + random.IntN(4) {
			sku := fmt.Sprint("S", random.IntN(60))
			rows.Items[sku] = &hub.Item{SKU: sku, Version: int64(n), Vendor: strings.Repeat("v", random.IntN(6000))}
			if random.IntN(3) == 0 {
				rows.Items[sku] = nil
			}
		}
		rows.Wipe = random.IntN(4) == 0
		if err := journal.Write(rows); err != nil {
			t.Fatalf("seed %d, write %d: %v", seed, n, err)
		}
		if n%50 == 49 {
			closeFile(t, f)
			f = open(t, dir)
			journal.Journal = f
			if got := load(t, f); !reflect.DeepEqual(got, journal.rows) {
				t.Fatalf("seed %d, write %d: other rows after a start", seed, n)
			}
		}
	}
	closeFile(t, f)
}

// TestWipeFails: an erasure that may not be durable fails, and can be repeated.
func TestWipeFails(t *testing.T) {
	f := open(t, t.TempDir())
	defer closeFile(t, f)
	s, err := memstore.Open("k1", f)
	if err != nil {
		t.Fatal(err)
	}
	useCarts(t, s)
	broken := errors.New("input/output error")
	f.ReplaceSync(func() error {
		if n := markers(t, f); n > 0 {
			t.Errorf("at the sync the file has the person %d times", n)
		}
		return broken
	})
	if err := s.Erase(t.Context(), "u~"+marker); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	f.ReplaceSync(func() error { return nil })
	if err := s.Erase(t.Context(), "u~"+marker); err != nil || markers(t, f) > 0 {
		t.Errorf("repeated: got %v, and the file has the person %d times", err, markers(t, f))
	}
}

// TestSyncs: bbolt does not return before a transaction is on disk.
func TestSyncs(t *testing.T) {
	f := open(t, t.TempDir())
	defer closeFile(t, f)
	if !f.Syncs() {
		t.Error("the file is open without syncs")
	}
}
