package logs

import (
	"io"
	"log/slog"
	"strings"
)

// Text returns a writer for libraries that print text: the runtime client of
// aws-lambda-go, the SDK, net/http. Each call of Write becomes one line of log, an
// error with the text.
func Text(log *slog.Logger) io.Writer { return textWriter{log} }

type textWriter struct{ log *slog.Logger }

// Write implements [io.Writer].
func (w textWriter) Write(text []byte) (int, error) {
	w.log.Error("runtime", "error", strings.TrimSpace(string(text)))
	return len(text), nil
}
