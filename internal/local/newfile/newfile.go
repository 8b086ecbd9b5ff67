// Package newfile creates files that are complete and on disk before they have their
// name. A process that is killed, or a machine that fails, at any instant leaves no half
// of one.
package newfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// draftSuffix ends the name of a draft: <file>.<number>.new.
const draftSuffix = ".new"

// syncFile makes the content of a file durable, or the names in a folder.
var syncFile = (*os.File).Sync

// Create creates a file with mode 0600, and its folder with mode 0700, if they do not
// exist. fill writes the content to a draft, which it gets by its path. A file that
// exists stays as it is, also one that another process creates meanwhile. The file and
// its name are on disk when Create returns.
func Create(path string, fill func(draft string) error) error {
	dir := filepath.Dir(path)
	if err := makeFolder(dir); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, filepath.Base(path)+".*"+draftSuffix) // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	if err = draft.Close(); err == nil {
		err = fill(draft.Name())
	}
	if err == nil {
		err = syncPath(draft.Name(), os.O_RDWR)
	}
	if err == nil {
		err = os.Link(draft.Name(), path) // a rename would replace a file of another process
	}
	if err != nil {
		// Perhaps another process was faster, and has removed this draft already.
		if _, missing := os.Lstat(path); missing != nil {
			return err
		}
	}
	return syncFolder(dir)
}

// RemoveDrafts removes the drafts that killed processes left beside a file. The file must
// exist: then no Create that runs elsewhere needs its draft any more. What cannot be
// removed stays, as private as the file.
func RemoveDrafts(path string) {
	dir, name := filepath.Split(path)
	entries, _ := os.ReadDir(filepath.Clean(dir))
	for _, e := range entries {
		if isDraft(e.Name(), name) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// isDraft reports whether Create gives this name to a draft of a file.
func isDraft(draft, name string) bool {
	number, isDraft := strings.CutPrefix(draft, name+".")
	number, isNew := strings.CutSuffix(number, draftSuffix)
	_, err := strconv.ParseUint(number, 10, 64)
	return isDraft && isNew && err == nil
}

// makeFolder creates a folder, and those above it, if they do not exist.
func makeFolder(dir string) error {
	var parents []string // that get a name
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		parents = append(parents, filepath.Dir(d))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncFolder(parent); err != nil {
			return err
		}
	}
	return nil
}

// syncFolder makes the names in a folder durable. Windows cannot, and need not.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return syncPath(dir, os.O_RDONLY)
}

func syncPath(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(syncFile(f), f.Close())
}
