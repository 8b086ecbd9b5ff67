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
	level   enumFlag
	verbose bool
}

func (s *logSettings) flags(fs *pflag.FlagSet) {
	s.format = enumFlag{"text", []string{"json", "text"}}
	fs.Var(&s.format, "log", "`json|text` format of the log on standard error")
	s.level = enumFlag{"info", []string{"debug", "info", "warn", "error"}}
	fs.Var(&s.level, "log-level", "`debug|info|warn|error` log what is as important as this "+
		"or more; debug: a line for each event")
	fs.BoolVar(&s.verbose, "v", false, "the same as -log-level debug")
}

func (s *logSettings) newLog(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.level.value)) // the words of the flag are levels
	if s.verbose {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: redact.Attr}
	if s.format.value == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
