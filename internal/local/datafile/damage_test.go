package datafile_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"go.etcd.io/bbolt"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

// readBucket reads the rows of a closed file.
func readBucket(t *testing.T, dir string) map[string]string {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, datafile.Name), 0, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows := map[string]string{}
	if err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("hub")).ForEach(func(key, value []byte) error {
			rows[string(key)] = string(value)
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// editBucket changes a closed file behind localhub's back.
func editBucket(t *testing.T, dir string, o *bbolt.Options, edit func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, datafile.Name), 0o600, o)
	if err == nil {
		err = errors.Join(db.Update(edit), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sample is a file with branches, leaves and a value of several pages, and its rows.
func sample(t *testing.T) (data []byte, rows memstore.Rows) {
	t.Helper()
	dir := t.TempDir()
	f := open(t, dir)
	defer closeFile(t, f)
	write(t, f, oneOfEach)
	for n := range 4 {
		items, carts := map[string]*hub.Item{}, map[string]*hub.Cart{}
		for i := range 20 {
			sku := fmt.Sprintf("S%03d", 20*n+i)
			items[sku] = &hub.Item{SKU: sku, Version: int64(i), Vendor: "acme", UpdatedAt: at}
		}
		lines := map[string]hub.CartLine{}
		for i := range 100 {
			lines[fmt.Sprint("S", i)] = hub.CartLine{Quantity: n, Version: 1, At: at}
		}
		carts["u~ann"] = &hub.Cart{ID: "u~ann", Version: int64(n), Lines: lines, UpdatedAt: at}
		write(t, f, memstore.Rows{Items: items, Carts: carts})
	}
	data, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	return data, load(t, f)
}

// openBytes opens a folder whose file has these bytes.
func openBytes(t *testing.T, dir string, data []byte) (rows memstore.Rows, err error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, datafile.Name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := datafile.Open(dir)
	if err != nil {
		return rows, err
	}
	defer closeFile(t, f)
	return load(t, f), nil
}

// TestDamage changes bytes anywhere in a file: it is refused, or the change was in a
// place that has no meaning and the rows are all there.
func TestDamage(t *testing.T) {
	data, want := sample(t)
	dir := t.TempDir()
	pageSize := os.Getpagesize()
	random := rand.New(rand.NewPCG(1, 2))
	places := map[int]byte{}
	for range 250 {
		inHeader := random.IntN(len(data)/pageSize)*pageSize + random.IntN(80) // and in a meta, or elements
		places[inHeader] = []byte{1, 0x80, 0xFF}[random.IntN(3)]
		places[random.IntN(len(data))] = byte(1 + random.IntN(255))
	}
	refused := 0
	for at, flip := range places {
		damaged := append([]byte(nil), data...)
		damaged[at] ^= flip
		switch rows, err := openBytes(t, dir, damaged); {
		case err == nil && !reflect.DeepEqual(rows, want):
			t.Fatalf("byte %d of page %d changed by %#x: other rows, and no error", at%pageSize, at/pageSize, flip)
		case err == nil:
		case errors.Is(err, datafile.ErrDamaged), errors.Is(err, datafile.ErrForeign), errors.Is(err, datafile.ErrFormat):
			refused++
		default:
			t.Errorf("byte %d of page %d changed by %#x: got %v, want a named error", at%pageSize, at/pageSize, flip, err)
		}
	}
	t.Logf("%d of %d changes were refused", refused, len(places))
	if refused < 100 {
		t.Errorf("%d of %d changes were refused, want 100 at least", refused, len(places))
	}
}

// TestDamagedPages loses, swaps and cuts off whole pages.
func TestDamagedPages(t *testing.T) {
	data, want := sample(t)
	pageSize := os.Getpagesize()
	pages := len(data) / pageSize
	page := func(b []byte, n int) []byte { return b[n*pageSize : (n+1)*pageSize] }
	refused := 0
	check := func(what string, damaged []byte) {
		t.Helper()
		rows, err := openBytes(t, t.TempDir(), damaged)
		switch {
		case err == nil && !reflect.DeepEqual(rows, want):
			t.Errorf("%s: other rows, and no error", what)
		case err != nil && !errors.Is(err, datafile.ErrDamaged) && !errors.Is(err, datafile.ErrForeign):
			t.Errorf("%s: got %v, want a named error", what, err)
		case err != nil:
			refused++
		}
	}
	for n := range pages {
		lost := append([]byte(nil), data...)
		clear(page(lost, n))
		check(fmt.Sprintf("page %d of %d is empty", n, pages), lost)
		swapped := append([]byte(nil), data...)
		copy(page(swapped, n), page(data, (n+1)%pages))
		check(fmt.Sprintf("page %d has the bytes of the next", n), swapped)
		check(fmt.Sprintf("cut off before page %d", n), data[:n*pageSize])
		check(fmt.Sprintf("cut off in page %d", n), data[:n*pageSize+100])
	}
	if refused < pages {
		t.Errorf("%d damaged files were refused, want %d at least", refused, pages)
	}
}

// TestRefusedFiles: files that were never data files, or those of another version.
func TestRefusedFiles(t *testing.T) {
	noFreeList := &bbolt.Options{NoFreelistSync: true}
	putInHub := func(key, value string) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("hub"))
			if err != nil {
				return err
			}
			return b.Put([]byte(key), []byte(value))
		}
	}
	otherBucket := func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("other"))
		return err
	}
	for name, tt := range map[string]struct {
		make func(t *testing.T, dir string)
		want error
	}{
		"text":  {func(t *testing.T, dir string) { writeFile(t, dir, strings.Repeat("hello ", 9000)) }, datafile.ErrForeign},
		"short": {func(t *testing.T, dir string) { writeFile(t, dir, "x") }, datafile.ErrForeign},
		"empty": {func(t *testing.T, dir string) { writeFile(t, dir, "") }, datafile.ErrDamaged},
		"bbolt file of another program": {func(t *testing.T, dir string) {
			editBucket(t, dir, nil, otherBucket)
		}, datafile.ErrForeign},
		"bbolt file of another program, with our options": {func(t *testing.T, dir string) {
			editBucket(t, dir, noFreeList, otherBucket)
		}, datafile.ErrForeign},
		"bbolt file without a row": {func(t *testing.T, dir string) {
			editBucket(t, dir, noFreeList, func(*bbolt.Tx) error { return nil })
		}, datafile.ErrForeign},
		"later format": {func(t *testing.T, dir string) {
			editBucket(t, dir, noFreeList, putInHub("format", "securecart-hub 2"))
		}, datafile.ErrFormat},
		"row added by hand": {func(t *testing.T, dir string) {
			closeFile(t, open(t, dir))
			editBucket(t, dir, noFreeList, putInHub("item/MUG", `{"SKU":"MUG","Version":1}`))
		}, datafile.ErrDamaged},
		"row that is not JSON": {func(t *testing.T, dir string) {
			closeFile(t, open(t, dir))
			editBucket(t, dir, noFreeList, putInHub("cart/u~ann", "{"))
		}, datafile.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tt.make(t, dir)
			before, _ := os.ReadFile(filepath.Join(dir, datafile.Name))
			f, err := datafile.Open(dir)
			if err == nil {
				closeFile(t, f)
			}
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), filepath.Join(dir, datafile.Name)) {
				t.Errorf("got %v, want %v, with the name of the file", err, tt.want)
			}
			if after, _ := os.ReadFile(filepath.Join(dir, datafile.Name)); string(after) != string(before) {
				t.Error("Open changed the file")
			}
		})
	}
}

// TestNoFile refuses at once what is no regular file, and a link that leads nowhere.
func TestNoFile(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		want error
	}{
		"a folder":           {func(path string) error { return os.Mkdir(path, 0o700) }, datafile.ErrForeign},
		"a link to nothing":  {func(path string) error { return os.Symlink(path+".gone", path) }, os.ErrNotExist},
		"a link to a device": {func(path string) error { return os.Symlink(os.DevNull, path) }, datafile.ErrForeign},
		"a link to a folder": {func(path string) error { return os.Symlink(os.TempDir(), path) }, datafile.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.make(filepath.Join(dir, datafile.Name)); err != nil {
				t.Fatal(err)
			}
			if _, err := datafile.Open(dir); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestDamageWhileOpen: a file that another program cuts while it is open fails each
// write at once, and Close returns.
func TestDamageWhileOpen(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	write(t, f, oneOfEach)
	if err := os.Truncate(filepath.Join(dir, datafile.Name), 8192); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := f.Write(oneOfEach); !errors.Is(err, datafile.ErrDamaged) {
			t.Errorf("got %v, want ErrDamaged", err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func writeFile(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, datafile.Name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInUse: a file has one user. In the bubble, waiting for the lock takes no time.
func TestInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f := open(t, dir)
		if _, err := datafile.Open(dir); !errors.Is(err, datafile.ErrInUse) {
			t.Errorf("got %v, want %v", err, datafile.ErrInUse)
		}
		closeFile(t, f)
		closeFile(t, open(t, dir))
	})
}

// TestCreateTogether: of many that create a file at once, one gets it, and nothing else
// is left in the folder.
func TestCreateTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "new", "folder")
		results := make(chan error)
		release := make(chan struct{})
		const starts = 8
		for range starts {
			go func() {
				f, err := datafile.Open(dir)
				results <- err
				<-release
				if err == nil {
					closeFile(t, f)
				}
			}()
		}
		opened := 0
		for range starts {
			if err := <-results; err == nil {
				opened++
			} else if !errors.Is(err, datafile.ErrInUse) {
				t.Errorf("got %v, want %v", err, datafile.ErrInUse)
			}
		}
		close(release)
		synctest.Wait()
		files, err := os.ReadDir(dir)
		if opened != 1 || err != nil || len(files) != 1 {
			t.Errorf("%d have the file, the folder has %v, %v, want one each", opened, files, err)
		}
	})
}

// TestDraftsAreRemoved: Open removes the drafts of killed starts.
func TestDraftsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	closeFile(t, f)
	if err := os.WriteFile(f.Path()+".77.new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closeFile(t, open(t, dir))
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, %v, want the file only", files, err)
	}
}

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	closeFile(t, open(t, dir))
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, datafile.Name): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want mode %o", path, info.Mode(), err, want)
		}
	}
}
