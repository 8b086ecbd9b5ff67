package devkeys

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// fileName is the name of the file in its folder.
const fileName = "localhub-keys.json"

// File is a file in a folder that only its user can read. It is a [Keeper].
type File struct{ path string }

// InFolder returns the file in a folder.
func InFolder(dir string) File { return File{filepath.Join(dir, fileName)} }

// InCache returns the file in the user's cache folder.
func InCache() (File, error) {
	cache, err := os.UserCacheDir()
	return InFolder(filepath.Join(cache, "securecart-hub")), err
}

// Path is the path of the file.
func (f File) Path() string { return f.path }

// Keep implements [Keeper]. It creates the folder and the file if they do not exist.
func (f File) Keep(_ context.Context, fresh []byte) ([]byte, error) {
	kept, err := os.ReadFile(f.path)
	if !errors.Is(err, fs.ErrNotExist) {
		return kept, err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	draft, err := os.CreateTemp(dir, fileName+".*.new") // with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(fresh)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, err
	}
	// The file is complete before it has its name, and never replaces another one.
	if err := os.Link(draft.Name(), f.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(f.path)
}
