package lambdaproc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"time"

	"github.com/securecart/hub/internal/local/webserver"
)

const (
	// apiVersion is the path of the Runtime API.
	// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
	apiVersion = "/2018-06-01/runtime"

	// maxResponse is the largest response of a function in bytes: 6 MB.
	maxResponse = 6 << 20

	// defaultTimeout limits an invocation without a timeout whose context has no deadline.
	defaultTimeout = 30 * time.Second

	// noTimeout leaves the end of an invocation to its context.
	noTimeout = 24 * time.Hour

	// initTimeout is how long a new process may take until it asks for its first event.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	initTimeout = 10 * time.Second

	// outputWithin is how long output of a process is read after its end: a program that it
	// started may hold the pipe open. Our own choice: on a busy machine, the last words of a
	// process may need a while.
	outputWithin = 500 * time.Millisecond
)

// environment is one process and the Runtime API that it uses.
type environment struct {
	// Fixed after start.
	opts   Options
	code   string // the fingerprint of what it runs
	cmd    *exec.Cmd
	server *http.Server
	served chan struct{} // closed when the server has ended
	exited chan struct{} // closed when the process has ended

	// One invocation at a time.
	invocations chan invocation // to the process
	responses   chan response   // from the process

	failed bool // owned by the invoker
	lines  *lines
}

// errExitedEarly means that the process exited before it took the event. Another
// process may take it.
var errExitedEarly = errors.New("Runtime.ExitError: the runtime exited before it took an event")

type invocation struct {
	id       string
	event    []byte
	deadline func() time.Time // if the process takes the event now
}

type response struct {
	id   string
	body []byte
	err  error
}

// start starts a process. It is ready when it asks for its first event.
func start(ctx context.Context, o Options) (*environment, error) {
	code, err := fingerprint(o.Path, o.Sources)
	if err != nil {
		return nil, fmt.Errorf("lambdaproc: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdaproc: %w", err)
	}
	e := &environment{
		opts: o, code: code,
		served: make(chan struct{}), exited: make(chan struct{}),
		invocations: make(chan invocation), responses: make(chan response),
		lines: &lines{next: o.Output, each: o.Lines, ctx: ctx},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiVersion+"/invocation/next", e.serveNext)
	mux.HandleFunc("POST "+apiVersion+"/invocation/{id}/response", e.serveResponse)
	mux.HandleFunc("POST "+apiVersion+"/invocation/{id}/error", e.serveError)
	mux.HandleFunc("POST "+apiVersion+"/init/error", e.serveError)
	e.server = webserver.New(mux, webserver.DefaultLimits, slog.New(slog.DiscardHandler))
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener)
	}()
	e.cmd = exec.Command(o.Path, o.Args...)
	e.cmd.Dir = o.Folder
	e.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=" + o.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "_HANDLER=bootstrap",
	}, o.Env...)
	e.cmd.Stdout, e.cmd.Stderr = e.lines, e.lines
	e.cmd.WaitDelay = outputWithin
	if err := e.cmd.Start(); err != nil {
		_ = e.server.Close()
		<-e.served
		return nil, fmt.Errorf("function %s: start %s: %w", o.Name, o.Path, err)
	}
	go func() {
		defer close(e.exited)
		_ = e.cmd.Wait()
	}()
	return e, nil
}

// invoke gives the process one event and waits for its response. The timeout begins when
// the process takes the event: what it does before is its initialization, which has a limit
// of its own.
func (e *environment) invoke(ctx context.Context, event []byte) ([]byte, error) {
	e.lines.begin(ctx)
	timeout := e.timeout(ctx)
	call := invocation{id: rand.Text(), event: event, deadline: func() time.Time { return deadline(ctx, timeout) }}
	next := e.invocations
	timer := time.NewTimer(initTimeout)
	defer timer.Stop()
	for {
		select {
		case next <- call:
			next = nil
			timer.Reset(timeout)
		case a := <-e.responses:
			if a.id != call.id && a.err == nil {
				continue // a late response to an earlier invocation
			}
			return a.body, a.err
		case <-e.exited:
			e.failed = true
			if next != nil {
				return nil, fmt.Errorf("function %s: %w", e.opts.Name, errExitedEarly)
			}
			return nil, fmt.Errorf("function %s: Runtime.ExitError: the runtime exited before it answered", e.opts.Name)
		case <-timer.C:
			e.failed = true // Lambda ends an environment at the deadline
			return nil, e.timedOut(next != nil, timeout)
		case <-ctx.Done():
			e.failed = true
			return nil, fmt.Errorf("function %s timed out: %w", e.opts.Name, ctx.Err())
		}
	}
}

// timeout is how long the process may take for an event. The context may end before.
func (e *environment) timeout(ctx context.Context) time.Duration {
	_, hasDeadline := ctx.Deadline()
	switch {
	case e.opts.Timeout > 0:
		return e.opts.Timeout
	case hasDeadline:
		return noTimeout
	}
	return defaultTimeout
}

// deadline is when an invocation ends that begins now.
func deadline(ctx context.Context, timeout time.Duration) time.Time {
	end := time.Now().Add(timeout)
	if ofCaller, ok := ctx.Deadline(); ok && ofCaller.Before(end) {
		return ofCaller
	}
	return end
}

// timedOut is the error of an invocation or an initialization that took too long.
func (e *environment) timedOut(initializing bool, timeout time.Duration) error {
	if initializing {
		return fmt.Errorf("function %s: initialization timed out after %s", e.opts.Name, initTimeout)
	}
	return fmt.Errorf("function %s timed out after %s", e.opts.Name, timeout)
}

func (e *environment) broken() bool { return e.failed }

// outdated reports whether the code was replaced after the process started.
func (e *environment) outdated() bool {
	code, err := fingerprint(e.opts.Path, e.opts.Sources)
	return err == nil && code != e.code
}

// stop kills the process and waits for it.
func (e *environment) stop() {
	_ = e.cmd.Process.Kill()
	<-e.exited
	_ = e.server.Close()
	<-e.served
}

func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case call := <-e.invocations:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline().UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.opts.ARN)
		h.Set("Lambda-Runtime-Trace-Id", "Root="+newTrace(time.Now())+";Sampled=0")
		_, _ = w.Write(call.event)
	case <-r.Context().Done():
	}
}

// newTrace returns the id of a trace that begins with an invocation: version, seconds
// since 1970, and 96 random bits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func newTrace(now time.Time) string {
	random := make([]byte, 12)
	_, _ = rand.Read(random) // never fails
	return fmt.Sprintf("1-%08x-%x", now.Unix(), random)
}

func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		err = fmt.Errorf("response: %w", err)
	}
	e.deliver(w, r, response{r.PathValue("id"), body, err})
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	e.deliver(w, r, response{r.PathValue("id"), nil, functionError(e.opts.Name, body)})
}

func (e *environment) deliver(w http.ResponseWriter, r *http.Request, a response) {
	select {
	case e.responses <- a:
		w.WriteHeader(http.StatusAccepted)
	case <-r.Context().Done():
	case <-e.exited:
	}
}
