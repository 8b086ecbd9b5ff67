package house

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
	"github.com/securecart/hub/internal/versions"
)

// replayBound is how long a frame may take in this process: marked connections are healed
// every second, and a busy machine is slow.
const replayBound = 5 * time.Second

// Replay plays a recording against an empty house with the settings of the recording. Houses
// that run already notice nothing of it.
func Replay(ctx context.Context, rec *recording.Recording) (replay.Result, error) {
	h, err := NewForReplay(rec.Header.Settings)
	if err != nil {
		return nil, err
	}
	result, err := replay.Play(ctx, rec, h.ReplayTarget())
	return result, errors.Join(err, h.Close())
}

// NewForReplay starts an empty house with the settings of a recording.
func NewForReplay(s recording.Settings) (*House, error) {
	deprecations, err := versions.Parse(s.Deprecations)
	if err != nil {
		return nil, fmt.Errorf("deprecations: %w", err)
	}
	window := time.Duration(s.BatchWindowMs) * time.Millisecond
	if window == 0 {
		window = -1 // not at all
	}
	return New(Options{
		Catalogue: []catalogue.Product{}, BatchWindow: window, Limits: s.Limits, Deprecations: deprecations,
		PostsPerSecond: s.PostsPerSecond,
		Gateway: Gateway{
			IdleTimeout: time.Duration(s.IdleTimeoutMs) * time.Millisecond,
			MaxAge:      time.Duration(s.MaxAgeMs) * time.Millisecond,
		},
	})
}

// ReplayTarget is the house as the target of a replay, which moves its clock.
func (h *House) ReplayTarget() replay.Target {
	return replay.Target{
		Dial: h.DialQuery, Admin: replay.Serve(h.Admin()), REST: replay.Serve(h), Bound: replayBound,
		Pass: func(_ context.Context, by time.Duration) error { return h.Warp(by) },
	}
}
