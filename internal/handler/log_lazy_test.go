package handler

import (
	"bytes"
	"log/slog"
	"testing"
)

// TestLazily: lines are those of a logger that is not lazy.
func TestLazily(t *testing.T) {
	lines := func(lazy bool) string {
		var text bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
		if lazy {
			log = lazily(log)
		}
		log = log.With("a", 1)
		first, second := log.With("b", 2), log.With("c", 3)
		first.Info("one", "d", 4)
		second.WithGroup("g").With("e", 5).Warn("two")
		first.Debug("three")
		return text.String()
	}
	if got, want := lines(true), lines(false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
