// Command localhub is the real-time hub on one machine: the sockets, the demo shop
// and an admin API, in one process.
//
//	localhub [flags]                    serve until interrupted
//	localhub token -user NAME [flags]   ask a running localhub for a token
//	localhub -template FILE [flags]     serve the WebSocket API of any SAM template
//
// The exit status is 0 after an interrupt, 2 if the command line is wrong, and 1 after
// any other failure. Standard error says why, on one line; for a template it has a
// line for each problem.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/securecart/hub/internal/redact"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(exitStatus(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// usageError is a mistake on the command line.
type usageError struct{ error }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitStatus prints the error and returns the status of the process.
func exitStatus(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "localhub: %s\n", firstLines(redact.Text(err.Error())))
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// maxErrorLines is how many lines of an error are printed. Our own choice.
const maxErrorLines = 200

// firstLines shortens an error with a line for each of many mistakes.
func firstLines(text string) string {
	lines := strings.SplitAfterN(text, "\n", maxErrorLines+1)
	if len(lines) <= maxErrorLines {
		return text
	}
	return strings.Join(lines[:maxErrorLines], "") + "and more"
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "token":
		return runToken(ctx, args[1:], stdout)
	case hasFlag(args, "template") && hasFlag(args, "data"):
		return usagef("-data and -template: functions of a template keep rows where they like")
	case hasFlag(args, "template"):
		return runTemplate(ctx, args, stdout, stderr)
	}
	s, err := parse(args, stdout)
	if err != nil || s == nil {
		return err
	}
	return runHouse(ctx, *s, args, stdout, stderr)
}

// version is the version of this build, as go install records it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
