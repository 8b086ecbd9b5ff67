package esm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/esm"
)

func TestNewRefusesOutOfRange(t *testing.T) {
	for name, o := range map[string]esm.Options{
		"negative batch":    {BatchSize: -1},
		"huge batch":        {BatchSize: 10_001},
		"negative shards":   {Shards: -1},
		"too many shards":   {Shards: 1_025},
		"unknown retries":   {MaximumRetryAttempts: -3},
		"too many retries":  {MaximumRetryAttempts: 10_001},
		"negative buffer":   {Buffer: -1},
		"negative timeout":  {Timeout: -time.Second},
		"timeout too large": {Timeout: 15*time.Minute + 1},
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

// TestLimitsAreAllowed checks that each limit is allowed, and that it is the one that
// takes effect.
func TestLimitsAreAllowed(t *testing.T) {
	t.Run("batches of 10 000", func(t *testing.T) {
		f := &function{}
		mapping := newMapping(t, f, esm.Options{BatchSize: 10_000})
		putN(mapping, 10_001)
		stepAll(t, mapping, 3)
		if calls := f.invocations(); len(calls) != 2 || strings.Count(calls[0], " ") != 9_999 || calls[1] != "10001" {
			t.Errorf("got %d invocations, want one of 10 000 records and one of the last", len(calls))
		}
	})
	t.Run("1 024 shards", func(t *testing.T) {
		if got := newMapping(t, &function{}, esm.Options{Shards: 1_024}).Shards(); got != 1_024 {
			t.Errorf("got %d shards, want 1 024", got)
		}
	})
	t.Run("10 000 retries", func(t *testing.T) {
		var given failures
		f := &function{respond: func(context.Context, int, []string) (string, error) { return "", errors.New("fails") }}
		mapping := newMapping(t, f, esm.Options{MaximumRetryAttempts: 10_000, OnFailure: given.add})
		putN(mapping, 1)
		stepAll(t, mapping, 10_002)
		if n := len(f.invocations()); n != 10_001 {
			t.Errorf("got %d invocations, want the first and 10 000 retries", n)
		}
		given.mu.Lock()
		defer given.mu.Unlock()
		if len(given.got) != 1 {
			t.Errorf("failures %q, want one", given.got)
		}
	})
	t.Run("15 minutes", func(t *testing.T) {
		newMapping(t, &function{}, esm.Options{Timeout: 15 * time.Minute})
		if _, err := esm.New(&function{}, esm.Options{Timeout: 15*time.Minute + 1}); err == nil {
			t.Error("a longer timeout was accepted")
		}
	})
	t.Run("a buffer of one", func(t *testing.T) {
		f := &function{}
		mapping := newMapping(t, f, esm.Options{Buffer: 1})
		putN(mapping, 3)
		stepAll(t, mapping, 3)
		wantCalls(t, f, "3")
	})
}
