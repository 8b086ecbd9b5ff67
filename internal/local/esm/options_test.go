package esm_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/esm"
)

func TestNewRefusesOutOfRange(t *testing.T) {
	for name, o := range map[string]esm.Options{
		"negative batch":    {BatchSize: -1},
		"huge batch":        {BatchSize: esm.MaxBatchSize + 1},
		"negative shards":   {Shards: -1},
		"too many shards":   {Shards: esm.MaxShards + 1},
		"unknown retries":   {MaximumRetryAttempts: -3},
		"too many retries":  {MaximumRetryAttempts: esm.MaxRetryAttempts + 1},
		"negative buffer":   {Buffer: -1},
		"negative timeout":  {Timeout: -time.Second},
		"timeout too large": {Timeout: esm.MaxTimeout + 1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := esm.New(&function{}, o); err == nil {
				t.Errorf("New(%+v) returned no error", o)
			}
		})
	}
	if _, err := esm.New(nil, esm.Options{}); err == nil {
		t.Error("New without a handler returned no error")
	}
}

func TestLimitsAreAllowed(t *testing.T) {
	newMapping(t, &function{}, esm.Options{
		BatchSize:            esm.MaxBatchSize,
		Shards:               esm.MaxShards,
		MaximumRetryAttempts: esm.MaxRetryAttempts,
		Timeout:              esm.MaxTimeout,
		Buffer:               1,
	})
}
