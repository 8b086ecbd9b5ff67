package main

import (
	"flag"
	"io"
	"log/slog"

	"github.com/securecart/hub/internal/redact"
)

// logSettings are the flags of the log on standard error.
type logSettings struct {
	format  string
	level   slog.Level
	verbose bool
}

func (s *logSettings) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.format, "log", "text", "log as `json|text` on standard error")
	fs.TextVar(&s.level, "log-level", slog.LevelInfo, "log what is as important as this `level` or more: debug (a line "+
		"for each event), info, warn, error")
	fs.BoolVar(&s.verbose, "v", false, "the same as -log-level debug")
}

func (s *logSettings) check() error {
	if s.format != "json" && s.format != "text" {
		return usagef("-log %q: it must be json or text", s.format)
	}
	return nil
}

func (s *logSettings) newLog(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.level, ReplaceAttr: redact.Attr}
	if s.verbose {
		o.Level = slog.LevelDebug
	}
	if s.format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
