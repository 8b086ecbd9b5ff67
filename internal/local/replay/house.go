package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/versions"
)

// houseBound is how long a frame may take in this process: marked connections are healed
// every second, and a busy machine is slow.
const houseBound = 5 * time.Second

// NewHouse starts an empty house with the settings of a recording.
func NewHouse(s recording.Settings) (*house.House, error) {
	deprecations, err := versions.Parse(s.Deprecations)
	if err != nil {
		return nil, fmt.Errorf("deprecations: %w", err)
	}
	window := time.Duration(s.BatchWindowMs) * time.Millisecond
	if window == 0 {
		window = -1 // not at all
	}
	return house.New(house.Options{
		Catalogue: []catalogue.Product{}, BatchWindow: window, Limits: s.Limits, Deprecations: deprecations,
		PostsPerSecond: s.PostsPerSecond,
		Gateway: house.Gateway{
			IdleTimeout: time.Duration(s.IdleTimeoutMs) * time.Millisecond,
			MaxAge:      time.Duration(s.MaxAgeMs) * time.Millisecond,
		},
	})
}

// InHouse is a house in this process as a target. Its clock is moved.
func InHouse(h *house.House) Target {
	return Target{
		Dial: h.DialQuery, Admin: Serve(h.Admin()), REST: Serve(h), Bound: houseBound,
		Pass: func(_ context.Context, by time.Duration) error { return h.Warp(by) },
	}
}
