package main

import (
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/redact"
)

// logSettings are the flags of the log on standard error.
type logSettings struct {
	format  enumFlag
	level   slog.Level
	verbose bool
}

func (s *logSettings) flags(fs *pflag.FlagSet) {
	s.format = enumFlag{"text", []string{"json", "text"}}
	fs.Var(&s.format, "log", "`json|text` format of the log on standard error")
	fs.TextVar(&s.level, "log-level", slog.LevelInfo, "`debug|info|warn|error` log what is as important as this "+
		"or more; debug: a line for each event (default info)")
	fs.BoolVar(&s.verbose, "v", false, "the same as -log-level debug")
}

func (s *logSettings) newLog(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.level, ReplaceAttr: redact.Attr}
	if s.verbose {
		o.Level = slog.LevelDebug
	}
	if s.format.value == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
