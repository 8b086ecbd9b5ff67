package hub

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// EpochAge is how long a Hub answers with the epoch that it read.
	EpochAge = 30 * time.Second

	// EpochNotice is how long before its begin a new epoch must be recorded: EpochAge,
	// and as much again for clocks that differ. docs/operations.md has the command.
	EpochNotice = 2 * EpochAge
)

// Epoch is the record of a store's epoch.
type Epoch struct {
	Name     string    // a [wire.IsSafeName]
	Previous string    // the epoch before; "" if it does not count any more
	Begins   time.Time // until then, Previous is the epoch
}

// At returns the name of the epoch at a time.
func (e Epoch) At(now time.Time) string {
	if e.Previous != "" && now.Before(e.Begins) {
		return e.Previous
	}
	return e.Name
}

// epochMemory keeps the epoch for EpochAge. Any number of goroutines may use it.
type epochMemory struct {
	mu     sync.Mutex // guards everything below
	epoch  Epoch
	readAt time.Time // zero: never
}

// at returns the epoch at a time, "" if it must be read. A time before the last read is
// that of a clock that was set back.
func (m *epochMemory) at(now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if age := now.Sub(m.readAt); age < 0 || age > EpochAge {
		return ""
	}
	return m.epoch.At(now)
}

// keep keeps an epoch. readAt is before the read began.
func (m *epochMemory) keep(e Epoch, readAt time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch, m.readAt = e, readAt
}

// Epoch returns the epoch. It reads the store if the last read is older than EpochAge.
// All Hubs on a store change to a new epoch at the same time, as far as their clocks
// agree, because its record comes EpochNotice before its begin. So no client is led from
// a new epoch back to an old one, whose messages it would then take for current.
func (h *Hub) Epoch(ctx context.Context) (string, error) {
	now := h.now()
	if name := h.epoch.at(now); name != "" {
		return name, nil
	}
	e, err := h.store.Epoch(ctx)
	if err != nil {
		return "", fmt.Errorf("epoch: %w", err)
	}
	h.epoch.keep(e, now)
	return e.At(now), nil
}
