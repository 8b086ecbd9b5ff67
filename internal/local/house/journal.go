package house

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/wire"
)

// openMemory opens the store in memory, with the rows of the journal if there is one.
func (h *House) openMemory() (err error) {
	if h.opts.Rows.Journal == nil {
		h.memory = memstore.New(newEpoch())
		return nil
	}
	h.journal = &journal{Journal: h.opts.Rows.Journal, log: h.opts.Log}
	h.memory, err = memstore.Open(newEpoch(), h.journal)
	if err == nil && h.opts.Rows.NewEpoch {
		err = h.memory.BeginEpoch(newEpoch())
	}
	return err
}

// logEvery is how often at most the log says that the journal fails: a nearly full disk
// takes some writes and refuses others.
const logEvery = time.Minute

// journal is a journal that may fail for a time, such as that of a full disk.
type journal struct {
	memstore.Journal
	log     *slog.Logger
	failing atomic.Bool // the last write failed

	// Only Write uses these.
	logged   time.Time // when the log said that the journal fails
	reported bool      // that is the last thing that the log said
}

// Write implements [memstore.Journal]. It logs when the journal begins to fail and when
// it works again, not each write.
func (j *journal) Write(changed memstore.Rows) error {
	err := j.Journal.Write(changed)
	j.failing.Store(err != nil)
	switch {
	case err != nil && time.Since(j.logged) >= logEvery:
		j.logged, j.reported = time.Now(), true
		j.log.Error("rows cannot be written, so changes are refused until they can", "error", err)
	case err == nil && j.reported:
		j.reported = false
		j.log.Info("rows can be written again")
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%w)", errNotWritten, err)
}

// errNotWritten is what clients get of a failed write.
var errNotWritten = &hub.Error{
	Code: wire.CodeInternal, Message: "the change cannot be stored at the moment; please try again", Retry: true,
}

// ready fails if the last write failed.
func (j *journal) ready() error {
	if j != nil && j.failing.Load() {
		return errors.New("rows cannot be written; the log says why")
	}
	return nil
}
