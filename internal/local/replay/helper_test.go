package replay_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
)

// play plays a recording against a house of its own, in the virtual time of a bubble.
func play(t *testing.T, data []byte) replay.Result {
	t.Helper()
	rec, err := recording.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	h, err := house.NewForReplay(rec.Header.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	target := h.ReplayTarget()
	target.Waits = true
	target.Pass = func(_ context.Context, by time.Duration) error {
		wait(by)
		return nil
	}
	result, err := replay.Play(t.Context(), rec, target)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// wait lets virtual time pass: its callers are in bubbles.
func wait(by time.Duration) { time.Sleep(by) }
