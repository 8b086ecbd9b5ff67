package streamtest_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/internal/streamtest"
)

func TestNewRefusesWhatIsOutOfRange(t *testing.T) {
	for name, o := range map[string]streamtest.Options{
		"negative batch":    {BatchSize: -1},
		"huge batch":        {BatchSize: streamtest.MaxBatchSize + 1},
		"negative shards":   {Shards: -1},
		"too many shards":   {Shards: streamtest.MaxShards + 1},
		"unknown retries":   {MaximumRetryAttempts: -3},
		"too many retries":  {MaximumRetryAttempts: streamtest.MaxRetryAttempts + 1},
		"negative buffer":   {Buffer: -1},
		"negative timeout":  {Timeout: -time.Second},
		"timeout too large": {Timeout: streamtest.MaxTimeout + 1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := streamtest.New(&function{}, o); err == nil {
				t.Errorf("New(%+v) gave no error", o)
			}
		})
	}
	if _, err := streamtest.New(nil, streamtest.Options{}); err == nil {
		t.Error("New without a handler gave no error")
	}
}

func TestLimitsThemselvesAreAllowed(t *testing.T) {
	newTrigger(t, &function{}, streamtest.Options{
		BatchSize:            streamtest.MaxBatchSize,
		Shards:               streamtest.MaxShards,
		MaximumRetryAttempts: streamtest.MaxRetryAttempts,
		Timeout:              streamtest.MaxTimeout,
		Buffer:               1,
	})
}
