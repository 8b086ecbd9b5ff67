package lambdaproc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Options are the settings of a [Function].
type Options struct {
	Path         string        // of the executable
	Args         []string      // of the executable
	Folder       string        // the working directory; default: the folder of Path
	Sources      string        // a folder: a change of a file in it starts new processes; "": none
	Name         string        // of the function, for AWS_LAMBDA_FUNCTION_NAME
	ARN          string        // of the function, for its context; default: one with the name "local"
	Env          []string      // "NAME=value", added to the variables of Lambda; nothing is inherited
	Environments int           // most processes at the same time; default 8
	Timeout      time.Duration // of an invocation, from when a process takes its event; 0: its context's
	Output       io.Writer     // of all processes; default: discarded

	// Lines gets each line that a process writes, without its end, and the context of the
	// invocation during which it was read: of at most [MaxLines] a process and invocation. A line
	// that a process wrote just before its response may be read during the next invocation. nil: none.
	Lines func(ctx context.Context, line string)
}

// Function is a handler that runs an executable. It is created by [New].
type Function struct {
	opts  Options
	slots chan struct{} // one for each environment that is in use

	mu     sync.Mutex     // guards the following
	idle   []*environment // the last used one last: it is the warmest
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
	o = o.withDefaults(path)
	return &Function{opts: o, slots: make(chan struct{}, o.Environments)}, nil
}

func (o Options) withDefaults(path string) Options {
	o.Path = path
	o.Folder = cmp.Or(o.Folder, filepath.Dir(path))
	o.ARN = cmp.Or(o.ARN, "arn:aws:lambda:eu-central-1:123456789012:function:local")
	o.Environments = cmp.Or(o.Environments, 8)
	if o.Output == nil {
		o.Output = io.Discard
	}
	o.Output = &lockedWriter{w: o.Output}
	return o
}

// Invoke implements [lambda.Handler]. The error is a [FunctionError] if the function
// returned an error.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("function %s: no free environment: %w", f.opts.Name, ctx.Err())
	}
	defer func() { <-f.slots }()
	env, err := f.takeIdle()
	if err != nil {
		return nil, err
	}
	for {
		fresh := env == nil
		if fresh {
			if env, err = start(ctx, f.opts); err != nil {
				return nil, err
			}
		}
		response, err := env.invoke(ctx, event)
		if !env.broken() {
			f.putIdle(env)
			return response, err
		}
		env.stop()
		env = nil
		// A process that panicked in its last invocation may have exited just now. Only a
		// new process counts.
		if fresh || !errors.Is(err, errExitedEarly) {
			return response, err
		}
	}
}

// takeIdle returns an idle environment that runs what is on the disk now, or nil. Invocations
// look at the disk beside each other: a large folder takes milliseconds.
func (f *Function) takeIdle() (*environment, error) {
	for {
		env, err := f.popIdle()
		if env == nil || !env.outdated() {
			return env, err
		}
		env.stop()
	}
}

// popIdle takes the last idle environment, or nil.
func (f *Function) popIdle() (*environment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	if len(f.idle) == 0 {
		return nil, nil
	}
	env := f.idle[len(f.idle)-1]
	f.idle = f.idle[:len(f.idle)-1]
	return env, nil
}

func (f *Function) putIdle(env *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, env)
}

// Close ends all processes. It waits for invocations in progress.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for range cap(f.slots) {
		f.slots <- struct{}{}
	}
	for _, env := range f.idle {
		env.stop()
	}
	f.idle = nil
	for range cap(f.slots) {
		<-f.slots
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
