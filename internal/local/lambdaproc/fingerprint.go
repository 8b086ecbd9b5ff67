package lambdaproc

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSources is how many files of a folder are looked at for changes. Our own choice: each
// invocation reads their times, which costs a few microseconds a file.
const maxSources = 1_000

// errEnough ends the walk of a folder.
var errEnough = errors.New("enough files")

// fingerprint returns a text that changes when the executable or a file of a folder of
// sources does. Folders of packages and hidden ones are left out.
func fingerprint(executable, sources string) (string, error) {
	info, err := os.Stat(executable)
	if err != nil {
		return "", err
	}
	sum := fnv.New128a()
	add := func(path string, info fs.FileInfo) {
		fmt.Fprintln(sum, path, info.ModTime().UnixNano(), info.Size())
	}
	add(executable, info)
	if sources != "" {
		err = eachSource(sources, add)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}

// eachSource calls add for the files of a folder, up to maxSources.
func eachSource(folder string, add func(string, fs.FileInfo)) error {
	files := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted while we look
		case err != nil:
			return err
		case d.IsDir() && path != folder && isForeign(d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil // deleted, too
		}
		add(path, info)
		if files++; files == maxSources {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// isForeign reports whether a folder has nothing that a developer edits.
func isForeign(name string) bool {
	return strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__" ||
		strings.HasSuffix(name, ".dist-info")
}
