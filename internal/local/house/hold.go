package house

import (
	"errors"
	"sync"

	"github.com/securecart/hub/internal/local/esm"
)

// What is kept of batches, to deliver one again. Our own choice.
const (
	maxKeptBatches = 100
	maxKeptBytes   = 8 << 20 // of their records
)

// errHeld is the error of who waits for changes that do not go out.
var errHeld = errors.New("the stream is held")

// keptBatches are the newest batches that the function got.
type keptBatches struct {
	mu    sync.Mutex
	all   []keptBatch
	bytes int
}

type keptBatch struct {
	event   uint64 // id of the batch in the log
	mapping *esm.Mapping
	batch   esm.Batch
	bytes   int
}

func (k *keptBatches) keep(event uint64, m *esm.Mapping, b esm.Batch) {
	kept := keptBatch{event, m, b, 0}
	for _, r := range b.Records {
		kept.bytes += len(r.Data)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, kept)
	k.bytes += kept.bytes
	for len(k.all) > maxKeptBatches || k.bytes > maxKeptBytes {
		k.bytes -= k.all[0].bytes
		k.all[0] = keptBatch{}
		k.all = k.all[1:]
	}
}

func (k *keptBatches) find(event uint64) (kept keptBatch, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, kept = range k.all {
		if kept.event == event {
			return kept, true
		}
	}
	return keptBatch{}, false
}

func (k *keptBatches) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all, k.bytes = nil, 0
}

// Hold stops the event source mappings, or lets them go on.
func (h *House) Hold(on bool) {
	h.held.Store(on)
	for _, m := range []*esm.Mapping{h.mappings.inventory, h.mappings.carts, h.mappings.sweeps} {
		m.Hold(on)
	}
}

// Held reports whether Hold has stopped the mappings.
func (h *House) Held() bool { return h.held.Load() }

// Again gives the function a batch once more, by the id of its event.
func (h *House) Again(batch uint64) error {
	kept, ok := h.mappings.kept.find(batch)
	if !ok {
		return errors.New("localhub does not have this batch any more")
	}
	kept.mapping.Again(kept.batch)
	return nil
}

// ForgetBatches drops the batches that could be delivered again: they have carts.
func (h *House) ForgetBatches() { h.mappings.kept.clear() }
