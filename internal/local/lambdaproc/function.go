package lambdaproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
)

// Options are the settings of a [Function].
type Options struct {
	Path         string    // of the executable; its folder is the working directory
	Name         string    // of the function, for AWS_LAMBDA_FUNCTION_NAME
	ARN          string    // of the function, for its context; default: one with the name "local"
	Env          []string  // "NAME=value", added to the variables of Lambda; nothing is inherited
	Environments int       // most processes at the same time; default 8
	Output       io.Writer // of all processes; default: discarded
}

// Function is a handler that runs an executable. It is created by [New].
type Function struct {
	opts  Options
	slots chan *environment // the free ones; nil stands for one that is not started

	mu     sync.Mutex // guards closed
	closed bool
}

var _ lambda.Handler = (*Function)(nil)

// New returns a Function. It refuses an executable that this machine cannot run. The
// first process starts with the first invocation.
func New(o Options) (*Function, error) {
	if info, err := os.Stat(o.Path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return nil, fmt.Errorf("lambdaproc: %s is not an executable file", o.Path)
	}
	if err := runsHere(o.Path); err != nil {
		return nil, fmt.Errorf("lambdaproc: %s: %w", o.Path, err)
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("lambdaproc: %w", err)
	}
	o.Path = path
	if o.ARN == "" {
		o.ARN = "arn:aws:lambda:eu-central-1:123456789012:function:local"
	}
	if o.Environments == 0 {
		o.Environments = 8
	}
	if o.Output == nil {
		o.Output = io.Discard
	}
	o.Output = &lockedWriter{w: o.Output}
	f := &Function{opts: o, slots: make(chan *environment, o.Environments)}
	for range o.Environments {
		f.slots <- nil
	}
	return f, nil
}

// Invoke implements [lambda.Handler]. The error is a [FunctionError] if the function
// returned an error.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var env *environment
	select {
	case env = <-f.slots:
	case <-ctx.Done():
		return nil, fmt.Errorf("function %s: no free environment: %w", f.opts.Name, ctx.Err())
	}
	defer func() { f.slots <- env }()
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if env != nil && env.outdated() {
		env.stop()
		env = nil
	}
	for {
		fresh := env == nil
		if fresh {
			started, err := start(f.opts)
			if err != nil {
				return nil, err
			}
			env = started
		}
		response, err := env.invoke(ctx, event)
		if env.broken() {
			env.stop()
			env = nil
		}
		// A process that panicked in its last invocation may have exited just now. Only a
		// new process counts.
		if fresh || !errors.Is(err, errExitedEarly) {
			return response, err
		}
	}
}

// Close ends all processes. It waits for invocations in progress.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for range cap(f.slots) {
		if env := <-f.slots; env != nil {
			env.stop()
		}
	}
	for range cap(f.slots) {
		f.slots <- nil
	}
	return nil
}

// lockedWriter keeps the writes of several processes apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
