package datafile_test

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

func open(t testing.TB, dir string) *datafile.File {
	t.Helper()
	f, err := datafile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func closeFile(t testing.TB, f *datafile.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func load(t testing.TB, f *datafile.File) memstore.Rows {
	t.Helper()
	rows, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func write(t testing.TB, f *datafile.File, rows memstore.Rows) {
	t.Helper()
	if err := f.Write(rows); err != nil {
		t.Fatal(err)
	}
}

// recorder is a journal that remembers the rows that it passed on.
type recorder struct {
	memstore.Journal
	rows memstore.Rows
}

func newRecorder(j memstore.Journal) *recorder {
	return &recorder{j, memstore.NewRows()}
}

func (r *recorder) Write(changed memstore.Rows) error {
	if changed.Epoch != "" {
		r.rows.Epoch = changed.Epoch
	}
	r.rows.Shown = max(r.rows.Shown, changed.Shown)
	put(r.rows.Items, changed.Items)
	put(r.rows.Carts, changed.Carts)
	put(r.rows.Receipts, changed.Receipts)
	maps.Copy(r.rows.Revocations, changed.Revocations)
	maps.DeleteFunc(r.rows.Revocations, func(_ string, until time.Time) bool { return until.IsZero() })
	return r.Journal.Write(changed)
}

func put[K comparable, V any](rows, changed map[K]*V) {
	maps.Copy(rows, changed)
	maps.DeleteFunc(rows, func(_ K, row *V) bool { return row == nil })
}

// TestStore runs the suite of stores on memstore with a file, and compares the file
// afterwards with what was written to it.
func TestStore(t *testing.T) {
	hubtest.TestStore(t, func(t *testing.T) hubtest.Fixture {
		var feed hubtest.Feed
		dir := t.TempDir()
		f := open(t, dir)
		journal := newRecorder(f)
		store, err := memstore.Open("k1", journal)
		if err != nil {
			t.Fatal(err)
		}
		store.Follow(feed.Add)
		t.Cleanup(func() {
			closeFile(t, f)
			again := open(t, dir)
			defer closeFile(t, again)
			if got := load(t, again); !reflect.DeepEqual(got, journal.rows) {
				t.Errorf("after a restart\n got %v\nwant %v", got, journal.rows)
			}
		})
		return hubtest.Fixture{Store: store, Changes: feed.Changes}
	})
}

var at = time.Date(2026, 11, 28, 9, 0, 0, 123e6, time.UTC)

// oneOfEach has a row of each kind, with all fields.
var oneOfEach = memstore.Rows{
	Epoch: "kabc",
	Shown: 4711,
	Items: map[string]*hub.Item{"RED CAP/ä": {
		SKU: "RED CAP/ä", Version: 7, Available: -3, LowAt: 5, Vendor: "acme", UpdatedAt: at, Deleted: true,
		Untracked: true, BackOrder: true, BackAt: "2026-12-24",
	}},
	Carts: map[string]*hub.Cart{"u~ann": {
		ID: "u~ann", Version: 9, Floor: 4, Ordered: 3, UpdatedAt: at, Expires: at.Truncate(time.Second),
		Lines: map[string]hub.CartLine{"MUG": {Quantity: 2, Version: 9, At: at}},
	}},
	Receipts: map[memstore.ReceiptKey]*hub.Receipt{{CartID: "u~ann", Key: "k/1"}: {
		CartID: "u~ann", Key: "k/1", Fingerprint: "f00d", Answer: []byte(`{"type":"ok"}`), At: at,
	}},
	Revocations: map[string]time.Time{"u~bob": at},
}

// rowsOfFormat1 are the rows of oneOfEach as files have them. A file of today must be
// readable for every later localhub: a change here needs another format.
var rowsOfFormat1 = map[string]string{
	"epoch": "kabc",
	"item/RED CAP/ä": `{"SKU":"RED CAP/ä","Version":7,"Available":-3,"LowAt":5,"Vendor":"acme",` +
		`"UpdatedAt":"2026-11-28T09:00:00.123Z","Deleted":true,` +
		`"Untracked":true,"BackOrder":true,"BackAt":"2026-12-24"}`,
	"cart/u~ann": `{"ID":"u~ann","Version":9,` +
		`"Lines":{"MUG":{"Quantity":2,"Version":9,"At":"2026-11-28T09:00:00.123Z"}},` +
		`"Floor":4,"Ordered":3,"UpdatedAt":"2026-11-28T09:00:00.123Z","Expires":"2026-11-28T09:00:00Z"}`,
	"receipt/u~ann\x00k/1": `{"CartID":"u~ann","Key":"k/1","Fingerprint":"f00d",` +
		`"Answer":"eyJ0eXBlIjoib2sifQ==","At":"2026-11-28T09:00:00.123Z"}`,
	"revoked/u~bob": `"2026-11-28T09:00:00.123Z"`,
	"shown":         "4711",
	"keys":          "secret",
	"format":        "securecart-hub 1",
	"sum":           "ee2b581e4b9d15aa",
}

func TestFormat(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	write(t, f, oneOfEach)
	if kept, err := f.Keep(t.Context(), []byte("secret")); err != nil || string(kept) != "secret" {
		t.Errorf("got keys %q, %v, want those that were new", kept, err)
	}
	closeFile(t, f)
	if got := readBucket(t, dir); !reflect.DeepEqual(got, rowsOfFormat1) {
		t.Errorf("got\n%q\nwant\n%q", got, rowsOfFormat1)
	}

	again := open(t, dir)
	defer closeFile(t, again)
	if got := load(t, again); !reflect.DeepEqual(got, oneOfEach) {
		t.Errorf("after a restart\n got %v\nwant %v", got, oneOfEach)
	}
	if kept, err := again.Keep(t.Context(), []byte("other")); err != nil || string(kept) != "secret" {
		t.Errorf("got keys %q, %v, want those of the first start", kept, err)
	}
	write(t, again, memstore.Rows{
		Items: map[string]*hub.Item{"RED CAP/ä": nil}, Carts: map[string]*hub.Cart{"u~ann": nil, "u~nobody": nil},
		Receipts:    map[memstore.ReceiptKey]*hub.Receipt{{CartID: "u~ann", Key: "k/1"}: nil},
		Revocations: map[string]time.Time{"u~bob": {}},
	})
	if got, want := load(t, again), newRecorder(nil).rows; !reflect.DeepEqual(got, memstore.Rows{
		Epoch: "kabc", Items: want.Items, Carts: want.Carts, Shown: 4711,
		Receipts: want.Receipts, Revocations: want.Revocations,
	}) {
		t.Errorf("after all rows were removed: got %v", got)
	}
}
