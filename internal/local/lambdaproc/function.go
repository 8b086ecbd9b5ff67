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

// Options of a Function.
type Options struct {
	Path         string   // of the executable; its folder is the working directory
	Name         string   // of the function, for AWS_LAMBDA_FUNCTION_NAME
	ARN          string   // of the function, for its context; "": one with the name "local"
	Env          []string // "NAME=value", beside what Lambda sets; nothing else is inherited
	Environments int      // processes at once; 0: 8
	Output       io.Writer
}

// Function is an executable as a handler. It is made by [New].
type Function struct {
	opts  Options
	slots chan *environment // those that are free; nil stands for one not yet started

	mu     sync.Mutex // guards closed
	closed bool
}

var _ lambda.Handler = (*Function)(nil)

// New returns a Function. It starts no process before the first invocation, but
// refuses an executable that this machine cannot run.
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

// Invoke implements [lambda.Handler]. That the function itself failed is a
// [FunctionError].
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
		env.end()
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
		answer, err := env.invoke(ctx, event)
		if env.broken() {
			env.end()
			env = nil
		}
		// A process that panicked in its last invocation may still have been ending.
		if fresh || !errors.Is(err, errNotTaken) {
			return answer, err
		}
	}
}

// Close ends all processes. It waits for invocations that are under way.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for range cap(f.slots) {
		if env := <-f.slots; env != nil {
			env.end()
		}
	}
	for range cap(f.slots) {
		f.slots <- nil
	}
	return nil
}

// lockedWriter lets several processes write whole pieces.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
