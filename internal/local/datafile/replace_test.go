package datafile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

// TestReplacedWhileOpen: the next write after somebody moved, removed or replaced the file
// fails, and so do all later ones. Nobody hears of them.
func TestReplacedWhileOpen(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(path string) error
		want   error
	}{
		"removed": {func(path string) error { return os.Remove(path) }, datafile.ErrReplaced},
		"moved":   {func(path string) error { return os.Rename(path, path+".old") }, datafile.ErrReplaced},
		"folder moved": {func(path string) error {
			return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old")
		}, datafile.ErrReplaced},
		"replaced by a copy": {func(path string) error {
			now, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".copy", now, 0o600), os.Rename(path+".copy", path))
		}, datafile.ErrReplaced},
		"replaced by a new file": {func(path string) error {
			err := os.Remove(path)
			f, openErr := datafile.Open(filepath.Dir(path))
			return errors.Join(err, openErr, f.Close())
		}, datafile.ErrReplaced},
		"a file in the place of its folder": {func(path string) error {
			dir := filepath.Dir(path)
			return errors.Join(os.Rename(dir, dir+".old"), os.WriteFile(dir, nil, 0o600))
		}, datafile.ErrReplaced},
		"another file written over it": {func(path string) error {
			other, _ := sample(t)
			return os.WriteFile(path, other, 0o600)
		}, datafile.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			var damage []error
			f := open(t, filepath.Join(t.TempDir(), "data"))
			f.OnDamage(func(err error) { damage = append(damage, err) })
			defer closeFile(t, f)
			s, err := memstore.Open("k1", f)
			if err != nil {
				t.Fatal(err)
			}
			var feed hubtest.Feed
			s.Follow(feed.Add)
			if err := tt.change(f.Path()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				err := s.PutItem(t.Context(), hub.Item{SKU: "AFTER", Version: 1}, 0)
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), f.Path()) {
					t.Errorf("got %v, want %v, with the name of the file", err, tt.want)
				}
			}
			if _, err := f.Keep(t.Context(), []byte("secret")); !errors.Is(err, tt.want) {
				t.Errorf("Keep: got %v, want %v", err, tt.want)
			}
			changes, _ := feed.Changes(t.Context())
			if items, _ := s.Items(t.Context(), []string{"AFTER"}); len(items)+len(changes) > 0 {
				t.Errorf("readers have %v, the feed has %v, want nothing", items, changes)
			}
			if len(damage) != 1 || !errors.Is(damage[0], tt.want) {
				t.Errorf("OnDamage got %v, want %v once", damage, tt.want)
			}
		})
	}
}

// TestRefusedStaysRefused: a change that was refused because the file was away is not in it
// when somebody puts the file back.
func TestRefusedStaysRefused(t *testing.T) {
	f := open(t, t.TempDir())
	s, err := memstore.Open("k1", f)
	if err != nil {
		t.Fatal(err)
	}
	away := f.Path() + ".away"
	if err := os.Rename(f.Path(), away); err != nil {
		t.Fatal(err)
	}
	if err := s.PutItem(t.Context(), hub.Item{SKU: "REFUSED", Version: 1}, 0); !errors.Is(err, datafile.ErrReplaced) {
		t.Fatalf("got %v, want %v", err, datafile.ErrReplaced)
	}
	closeFile(t, f)
	data, err := os.ReadFile(away)
	if err != nil || bytes.Contains(data, []byte("REFUSED")) {
		t.Errorf("the file has the row that was refused, %v", err)
	}
}

// TestOlderCopyWrittenOver restores a copy into the file while it is open: the next write
// fails. bbolt notices some copies only, as it uses the same pages in turn.
func TestOlderCopyWrittenOver(t *testing.T) {
	const most = 6
	for back := 1; back <= most; back++ {
		f := open(t, t.TempDir())
		var copies [][]byte
		for n := range int64(2 * most) {
			data, err := os.ReadFile(f.Path())
			if err != nil {
				t.Fatal(err)
			}
			copies = append(copies, data)
			write(t, f, memstore.Rows{Shown: 100 + n})
		}
		if err := os.WriteFile(f.Path(), copies[len(copies)-back], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Write(memstore.Rows{Shown: 200}); !errors.Is(err, datafile.ErrDamaged) {
			t.Errorf("%d writes back: got %v, want %v", back, err, datafile.ErrDamaged)
		}
		closeFile(t, f)
	}
}

// TestLoadReadsOnce: what Open has read, the first Load returns. What is written before
// is in it.
func TestLoadReadsOnce(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	write(t, f, oneOfEach)
	if rows := load(t, f); rows.Epoch != oneOfEach.Epoch {
		t.Errorf("got %v, want what was written after Open", rows)
	}
	closeFile(t, f)
	again := open(t, dir)
	defer closeFile(t, again)
	if err := os.Truncate(again.Path(), 0); err != nil {
		t.Fatal(err)
	}
	if rows := load(t, again); rows.Epoch != oneOfEach.Epoch {
		t.Errorf("got %v, want what Open has read", rows)
	}
	if rows, err := again.Load(); !errors.Is(err, datafile.ErrDamaged) {
		t.Errorf("got %v, %v, want ErrDamaged: the file has lost its rows", rows, err)
	}
}

// TestKeepWritesOnce: a start that finds keys does not write.
func TestKeepWritesOnce(t *testing.T) {
	f := open(t, t.TempDir())
	defer closeFile(t, f)
	var before []byte
	for _, fresh := range []string{"first", "second"} {
		kept, err := f.Keep(t.Context(), []byte(fresh))
		after, readErr := os.ReadFile(f.Path())
		if err != nil || readErr != nil || string(kept) != "first" {
			t.Errorf("got %q, %v, %v, want the first keys", kept, err, readErr)
		}
		if before != nil && string(before) != string(after) {
			t.Error("Keep wrote although there were keys")
		}
		before = after
	}
}
