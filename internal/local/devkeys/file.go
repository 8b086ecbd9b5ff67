package devkeys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/securecart/hub/internal/local/newfile"
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
	if errors.Is(err, fs.ErrNotExist) {
		fill := func(draft string) error { return os.WriteFile(draft, fresh, 0o600) }
		if err := newfile.Create(f.path, fill); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCannotKeep, err)
		}
		kept, err = os.ReadFile(f.path) // perhaps that of another localhub, which was faster
	}
	if err == nil {
		newfile.RemoveDrafts(f.path)
	}
	return kept, err
}
