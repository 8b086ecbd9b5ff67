package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/house"
)

// recordSettings say what is recorded.
type recordSettings struct {
	file   string // "": nothing from the start on
	folder string // in which the admin API may begin recordings; "": it may not
}

func (r *recordSettings) flags(fs *pflag.FlagSet) {
	fs.StringVar(&r.file, "record", "", "`FILE` write all conversations into this new file, for localhub replay")
	fs.StringVar(&r.folder, "record-dir", "", "`DIR` folder in which the admin API may begin recordings "+
		"(default: it may not)")
}

// open makes the file and opens the folder.
func (r *recordSettings) open() (house.Recording, error) {
	o := house.Recording{Name: r.file, Localhub: version()}
	if r.folder != "" {
		root, err := os.OpenRoot(r.folder)
		if err != nil {
			return o, usagef("-record-dir: %w", err)
		}
		o.Folder = root
	}
	if r.file == "" {
		return o, nil
	}
	file, err := os.OpenFile(r.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return o, usagef("-record %s: the file exists; choose another name or remove it", r.file)
	case err != nil:
		return o, usagef("-record: %w", err)
	}
	o.File = file
	return o, nil
}
