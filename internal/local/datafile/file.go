package datafile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/newfile"
)

// Name is the name of the file in its folder.
const Name = "hub.db"

// lockTimeout is how long Open waits for the lock: a localhub that is ending may still
// have it.
const lockTimeout = 200 * time.Millisecond

// The kinds of failure of Open. Other errors are those of the operating system.
var (
	// ErrInUse: another process has the file.
	ErrInUse = errors.New("another localhub uses it: end that one, or choose another folder")
	// ErrDamaged: the file, or a row in it, is not what was written.
	ErrDamaged = errors.New("it is damaged: restore a copy, or move it away to begin with an empty hub")
	// ErrForeign: another program wrote the file.
	ErrForeign = errors.New("it is not a data file of localhub: choose another folder")
	// ErrFormat: another version of localhub wrote the file.
	ErrFormat = errors.New("another version of localhub wrote it: use that version, or choose another folder")
)

// File is an open data file. It is a [memstore.Journal].
type File struct {
	path     string
	db       *bbolt.DB
	file     *os.File     // bbolt's
	sync     func() error // makes what was written to file durable
	opened   os.FileInfo  // of file
	onDamage func(error)  // nil: nobody needs to know

	mu       sync.Mutex     // guards everything below, and bbolt
	rows     *memstore.Rows // that Open read, for the first Load; nil: it has to read them
	last     int            // number of the last transaction; 0: unknown since a write failed
	failed   error          // the file is damaged or has lost its name
	panicked bool           // bbolt may hold its locks for ever
}

var _ memstore.Journal = (*File)(nil)

// Open opens the file in a folder, and creates both if they do not exist. It has read
// the whole file when it returns, and overwritten what the file does not use.
func Open(dir string) (*File, error) {
	f := &File{path: filepath.Join(dir, Name)}
	if err := f.create(); err != nil {
		return nil, err
	}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return f, nil
}

// Path is the path of the file.
func (f *File) Path() string { return f.path }

// OnDamage sets what is called, once, when a write finds that the file is damaged or is
// not at its path any more. From then on, each write fails. Call it before the first write.
func (f *File) OnDamage(call func(error)) { f.onDamage = call }

// Close closes the file and gives up its lock. A file that was damaged while it was open
// may keep the lock until the process ends.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = nil
	if f.panicked {
		return nil
	}
	return f.db.Close()
}

// create creates the folder, and the file with no rows, if they do not exist.
func (f *File) create() error {
	if _, err := os.Lstat(f.path); err == nil {
		newfile.RemoveDrafts(f.path)
		return f.checkRegular()
	}
	return newfile.Create(f.path, func(draft string) error {
		db, err := bbolt.Open(draft, 0o600, options())
		if err == nil {
			err = update(db, func(t *rowTx) error { return t.put(formatKey, []byte(format)) })
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", draft, err)
		}
		return nil
	})
}

// checkRegular refuses what is no file: opening a pipe would wait for ever.
func (f *File) checkRegular() error {
	info, err := os.Stat(f.path) // of what a link leads to
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", f.path, ErrForeign)
	}
	return err
}

// options are those of every bbolt.Open here. The list of free pages is not in the file:
// it is one thing less that can be damaged, and Open reads all pages anyway.
func options() *bbolt.Options {
	return &bbolt.Options{Timeout: lockTimeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// open checks the file, locks it and reads it.
func (f *File) open() (err error) {
	defer f.recoverDamage(&err)()
	if err := f.checkPages(); err != nil {
		return err
	}
	o := options()
	o.OpenFile = func(path string, flag int, mode os.FileMode) (*os.File, error) {
		f.file, err = os.OpenFile(path, flag, mode)
		return f.file, err
	}
	if f.db, err = bbolt.Open(f.path, 0o600, o); errors.Is(err, bbolt.ErrTimeout) {
		return ErrInUse
	} else if err != nil {
		return err
	}
	f.sync = f.db.Sync
	if f.opened, err = f.file.Stat(); err == nil {
		err = f.read()
	}
	if err == nil {
		// A process that was killed may have left the page that frees others in memory only.
		// If the machine fails now, the one before it counts, and needs those others.
		err = f.sync()
	}
	if err == nil {
		err = f.wipe() // what the last process had no time to
	}
	if err != nil {
		return errors.Join(err, f.db.Close())
	}
	return nil
}

// checkPages checks the pages of the file while nobody writes them: under bbolt's lock
// for readers.
func (f *File) checkPages() error {
	reader := options()
	reader.ReadOnly = true // bbolt reads the first two pages only
	db, openErr := bbolt.Open(f.path, 0, reader)
	if db != nil {
		defer db.Close()
	}
	if errors.Is(openErr, bbolt.ErrTimeout) {
		return ErrInUse
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	if _, err := checkPages(data); err != nil {
		return err
	}
	var system syscall.Errno // as of a file system without locks
	if openErr != nil && !errors.As(openErr, &system) {
		openErr = fmt.Errorf("%w (%v)", ErrDamaged, openErr)
	}
	return openErr
}

// read reads all rows.
func (f *File) read() error {
	return f.db.View(func(tx *bbolt.Tx) error {
		rows, err := readRows(tx)
		if err == nil {
			f.rows, f.last = &rows, tx.ID()
		}
		return err
	})
}

// Load implements [memstore.Journal].
func (f *File) Load() (rows memstore.Rows, err error) {
	err = f.use(func() error {
		if f.rows == nil {
			if err := f.read(); err != nil {
				return err
			}
		}
		rows, f.rows = *f.rows, nil
		return nil
	})
	return rows, err
}

// Write implements [memstore.Journal].
func (f *File) Write(changed memstore.Rows) error {
	encoded, err := encode(changed)
	if err != nil {
		return err
	}
	return f.use(func() error {
		err := f.update(func(t *rowTx) error {
			for _, r := range encoded {
				if err := t.put(r.key, r.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil && changed.Wipe {
			err = f.wipe()
		}
		return err
	})
}

// Keep returns the development keys that the file has. If it has none, it takes fresh
// and returns that.
func (f *File) Keep(_ context.Context, fresh []byte) (kept []byte, err error) {
	err = f.use(func() error {
		err := f.db.View(func(tx *bbolt.Tx) error {
			kept = slices.Clone(tx.Bucket([]byte(bucket)).Get([]byte(keysKey)))
			return nil
		})
		if err != nil || kept != nil {
			return err
		}
		kept = fresh
		return f.update(func(t *rowTx) error { return t.put(keysKey, fresh) })
	})
	return kept, err
}
