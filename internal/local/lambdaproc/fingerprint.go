package lambdaproc

import (
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
		eachSource(sources, add)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// eachSource calls add for the files of a folder, up to maxSources. The nearest come first:
// a handler is near the top, and packages beside it have thousands of files in deep folders.
// What cannot be read is left out.
func eachSource(top string, add func(string, fs.FileInfo)) {
	files := 0
	for folders := []string{top}; len(folders) > 0; folders = folders[1:] {
		entries, _ := os.ReadDir(folders[0])
		for _, entry := range entries {
			path := filepath.Join(folders[0], entry.Name())
			info, err := entry.Info()
			switch {
			case err != nil: // deleted while we look
			case info.IsDir() && !isForeign(info.Name()):
				folders = append(folders, path)
			case info.Mode().IsRegular():
				add(path, info)
				if files++; files == maxSources {
					return
				}
			}
		}
	}
}

// isForeign reports whether a folder has nothing that a developer edits.
func isForeign(name string) bool {
	return strings.HasPrefix(name, ".") || name == "node_modules" || name == "__pycache__" ||
		strings.HasSuffix(name, ".dist-info")
}
