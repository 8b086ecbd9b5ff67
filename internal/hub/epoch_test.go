package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// epochStore is a store with an epoch that tests change.
type epochStore struct {
	hub.Store
	epoch hub.Epoch
	err   error
	reads int
}

func (s *epochStore) Epoch(context.Context) (hub.Epoch, error) {
	s.reads++
	return s.epoch, s.err
}

// TestEpochIsKept checks for how long a hub answers with what it read.
func TestEpochIsKept(t *testing.T) {
	begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := begun
	store := &epochStore{epoch: hub.Epoch{Name: "k1"}}
	h := hub.New(store, nil, func() time.Time { return now }).WithLimits(hub.DefaultLimits())
	for _, step := range []struct {
		name  string
		after time.Duration
		do    func()
		want  string
		reads int
	}{
		{"the first call reads", 0, nil, "k1", 1},
		{"it is kept for 30 s", 30 * time.Second, func() { store.epoch.Name = "kept" }, "k1", 1},
		{"and read then", 30*time.Second + time.Millisecond, func() { store.epoch.Name = "k1" }, "k1", 2},
		{"the next one is not read yet", 40 * time.Second, func() {
			store.epoch = hub.Epoch{Name: "k2", Previous: "k1", Begins: begun.Add(100 * time.Second)}
		}, "k1", 2},
		{"it has not begun", 70 * time.Second, nil, "k1", 3},
		{"it is about to begin", 100*time.Second - time.Millisecond, nil, "k1", 3},
		{"it begins without another read", 100 * time.Second, nil, "k2", 3},
		{"the clock is set back", 60 * time.Second, nil, "k1", 4},
		{"an error is not kept", 200 * time.Second, func() { store.err = errInjected }, "", 5},
		{"the next call reads", 200 * time.Second, func() { store.err = nil }, "k2", 6},
	} {
		now = begun.Add(step.after)
		if step.do != nil {
			step.do()
		}
		got, err := h.Epoch(t.Context())
		if got != step.want || !errors.Is(err, store.err) || store.reads != step.reads {
			t.Errorf("%s: got %q, %v after %d reads, want %q after %d", step.name, got, err, store.reads, step.want, step.reads)
		}
	}
	if hub.EpochNotice < 2*hub.EpochAge {
		t.Errorf("a new epoch is announced %s before, want twice %s", hub.EpochNotice, hub.EpochAge)
	}
}
