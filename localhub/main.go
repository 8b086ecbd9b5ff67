// Command localhub is the real-time hub on one machine: the sockets, the demo page
// and an admin API, with nothing else to install or start.
//
//	localhub [flags]                    serve until interrupted
//	localhub token -user NAME [flags]   ask a running localhub for a token
//	localhub -template FILE [flags]     serve the WebSocket API of any SAM template
//
// It ends with status 0 after an interrupt, 2 if it was called wrongly, and 1 if
// anything else failed; the reason is one line on standard error, and for a template
// one for each problem.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// usageError is a mistake on the command line.
type usageError struct{ error }

// exit tells the reason and returns the status.
func exit(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "localhub: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "token" {
		return runToken(ctx, args[1:], stdout)
	}
	if wantsTemplate(args) {
		return runTemplate(ctx, args, stdout, stderr)
	}
	s, err := parse(args, stdout)
	if err != nil || s == nil {
		return err
	}
	return serve(ctx, *s, stdout, stderr)
}
