package datafile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
)

// ErrReplaced: the file that is open is not at its path any more.
var ErrReplaced = errors.New("it was moved, removed or replaced while localhub had it open: " +
	"put it back, or start again with what is there now")

// use runs a function that uses bbolt. Only one runs at a time, and none after one that
// found damage.
func (f *File) use(run func() error) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	defer func() {
		if err == nil {
			return
		}
		err = fmt.Errorf("%s: %w", f.path, err)
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrReplaced) {
			f.failed = err
			if f.onDamage != nil {
				f.onDamage(err)
			}
		}
	}()
	defer f.recoverDamage(&err)()
	return run()
}

// recoverDamage turns a panic of bbolt, or a page of the file that cannot be read, into
// ErrDamaged. Nothing else may use bbolt afterwards.
func (f *File) recoverDamage(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			f.panicked = true
			*err = fmt.Errorf("%w (%v)", ErrDamaged, p)
		}
	}
}

// update runs a transaction on the file that the last one left. When update returns, the
// transaction is on disk, in the file that the path leads to.
func (f *File) update(change func(*rowTx) error) error {
	if err := f.checkPath(); err != nil {
		return err
	}
	last := f.last
	f.rows, f.last = nil, 0
	next := 0
	err := update(f.db, func(t *rowTx) error {
		if next = t.b.Tx().ID(); last != 0 && next != last+1 {
			return fmt.Errorf("%w (another program wrote it while localhub had it open)", ErrDamaged)
		}
		return change(t)
	})
	if err != nil {
		return err
	}
	f.last = next
	return f.checkPath()
}

// checkPath checks that the path leads to the file that is open. Otherwise the next start
// would not find what is written.
func (f *File) checkPath() error {
	found, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !os.SameFile(found, f.opened) {
		return ErrReplaced
	}
	return err
}
