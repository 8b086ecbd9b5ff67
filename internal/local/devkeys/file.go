package devkeys

import (
	"context"
	"errors"
	"fmt"
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

// InCache returns the file in the user's cache folder. ErrCannotKeep: there is no such
// folder.
func InCache() (File, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrCannotKeep, err)
	}
	return InFolder(filepath.Join(cache, "securecart-hub")), nil
}

// ErrCannotKeep: there are no keys, and new ones cannot be kept.
var ErrCannotKeep = errors.New("new keys cannot be kept")

// Path is the path of the file.
func (f File) Path() string { return f.path }

// Keep implements [Keeper]. It creates the folder and the file if they do not exist.
func (f File) Keep(_ context.Context, fresh []byte) ([]byte, error) {
	kept, err := os.ReadFile(f.path)
	if !errors.Is(err, fs.ErrNotExist) {
		return kept, err
	}
	if err := f.create(fresh); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCannotKeep, err)
	}
	return os.ReadFile(f.path) // perhaps that of another localhub, which was faster
}

// create writes the file if it does not exist. The file is complete before it has its
// name.
func (f File) create(data []byte) error {
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, fileName+".*.new") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(data)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), f.path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
