package newfile

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
)

// fillWith returns a fill with this content.
func fillWith(content string) func(string) error {
	return func(draft string) error { return os.WriteFile(draft, []byte(content), 0o600) }
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s has %q, %v, want %q", dir, got, err, want)
	}
}

// replaceSync calls sync instead of the operating system's until the test ends.
func replaceSync(t *testing.T, sync func(*os.File) error) {
	t.Helper()
	before := syncFile
	t.Cleanup(func() { syncFile = before })
	syncFile = sync
}

// TestSyncs: the content is synced before the file has its name, each folder when it has
// a new name, and nothing else.
func TestSyncs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no sync of folders")
	}
	top := t.TempDir()
	dir := filepath.Join(top, "new", "folder")
	path := filepath.Join(dir, "file")
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	var synced []string
	replaceSync(t, func(f *os.File) error {
		switch content, _ := os.ReadFile(f.Name()); {
		case f.Name() == dir && exists(path):
			synced = append(synced, "the folder with the file")
		case f.Name() == filepath.Join(top, "new") && exists(dir):
			synced = append(synced, "the folder with the folder")
		case f.Name() == top && exists(filepath.Join(top, "new")):
			synced = append(synced, "the top folder")
		case !exists(path) && string(content) == "whole":
			synced = append(synced, "the whole draft")
		default:
			synced = append(synced, f.Name()+" too early or late")
		}
		return nil
	})
	if err := Create(path, fillWith("whole")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"the folder with the folder", "the top folder", "the whole draft", "the folder with the file",
	}
	if !reflect.DeepEqual(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
}

// TestFailures: an error of any step is returned, and no draft is left. Until the name is
// there, there is no file.
func TestFailures(t *testing.T) {
	broken := errors.New("input/output error")
	for name, tt := range map[string]struct {
		fill func(string) error
		sync func(*os.File) error
		file []string
	}{
		"fill": {func(string) error { return broken }, syncFile, nil},
		"sync": {fillWith("x"), func(f *os.File) error {
			if filepath.Ext(f.Name()) == draftSuffix {
				return broken
			}
			return nil
		}, nil},
		"sync of the folder": {fillWith("x"), func(f *os.File) error {
			if filepath.Ext(f.Name()) == draftSuffix {
				return nil
			}
			return broken
		}, []string{"file"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			replaceSync(t, tt.sync)
			if err := Create(filepath.Join(dir, "file"), tt.fill); !errors.Is(err, broken) {
				t.Errorf("got %v, want %v", err, broken)
			}
			wantNames(t, dir, tt.file...)
		})
	}
}

// TestSlowerThanAnother: whatever another process does between two steps, its file stays,
// and Create succeeds.
func TestSlowerThanAnother(t *testing.T) {
	for name, other := range map[string]func(path string) error{
		"creates the file": fillWith("first"),
		"creates it and removes drafts": func(path string) error {
			err := fillWith("first")(path)
			RemoveDrafts(path)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if err := Create(path, func(draft string) error {
				return errors.Join(fillWith("second")(draft), other(path))
			}); err != nil {
				t.Fatal(err)
			}
			wantContent(t, path, "first")
			wantNames(t, dir, "file")
		})
	}
}

// TestRemoveDrafts removes drafts of this file, and nothing else that looks like one.
func TestRemoveDrafts(t *testing.T) {
	dir := t.TempDir()
	var draft string
	if err := Create(filepath.Join(dir, "file"), func(path string) error {
		draft = path
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	others := []string{"file", "file.copy.new", "file.new", "file.old.1.new", "other.1.new"}
	for _, name := range append(others, filepath.Base(draft), "file.77.new") {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	RemoveDrafts(filepath.Join(dir, "file"))
	wantNames(t, dir, others...)
}
