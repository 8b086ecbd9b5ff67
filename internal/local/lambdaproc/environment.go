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
	"os"
	"os/exec"
	"path/filepath"
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

	// defaultTimeout limits an invocation whose context has no deadline.
	defaultTimeout = 30 * time.Second
)

// environment is one process and the Runtime API that it uses.
type environment struct {
	// Fixed after start.
	name   string // of the function
	arn    string
	built  time.Time // the executable's modification time
	cmd    *exec.Cmd
	server *http.Server
	served chan struct{} // closed when the server has ended
	exited chan struct{} // closed when the process has ended

	// One invocation at a time.
	invocations chan invocation // to the process
	responses   chan response   // from the process

	failed bool // owned by the invoker
}

// errExitedEarly means that the process exited before it took the event. Another
// process may take it.
var errExitedEarly = errors.New("Runtime.ExitError: the runtime exited before it took an event")

type invocation struct {
	id       string
	event    []byte
	deadline time.Time
}

type response struct {
	id   string
	body []byte
	err  error
}

// start starts a process. It is ready when it asks for its first event.
func start(o Options) (*environment, error) {
	info, err := os.Stat(o.Path)
	if err != nil {
		return nil, fmt.Errorf("lambdaproc: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdaproc: %w", err)
	}
	e := &environment{
		name: o.Name, arn: o.ARN, built: info.ModTime(),
		served: make(chan struct{}), exited: make(chan struct{}),
		invocations: make(chan invocation), responses: make(chan response),
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
	e.cmd = exec.Command(o.Path)
	e.cmd.Dir = filepath.Dir(o.Path)
	e.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=" + o.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "_HANDLER=bootstrap",
	}, o.Env...)
	e.cmd.Stdout, e.cmd.Stderr = o.Output, o.Output
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

// invoke gives the process one event and waits for its response.
func (e *environment) invoke(ctx context.Context, event []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultTimeout)
		defer cancel()
	}
	deadline, _ := ctx.Deadline()
	call := invocation{id: rand.Text(), event: event, deadline: deadline}
	next := e.invocations
	for {
		select {
		case next <- call:
			next = nil
		case a := <-e.responses:
			if a.id != call.id && a.err == nil {
				continue // a late response to an earlier invocation
			}
			return a.body, a.err
		case <-e.exited:
			e.failed = true
			if next != nil {
				return nil, fmt.Errorf("function %s: %w", e.name, errExitedEarly)
			}
			return nil, fmt.Errorf("function %s: Runtime.ExitError: the runtime exited before it answered", e.name)
		case <-ctx.Done():
			e.failed = true // Lambda ends an environment at the deadline
			return nil, fmt.Errorf("function %s timed out: %w", e.name, ctx.Err())
		}
	}
}

func (e *environment) broken() bool { return e.failed }

// outdated reports whether the executable was replaced after the process started.
func (e *environment) outdated() bool {
	info, err := os.Stat(e.cmd.Path)
	return err == nil && !info.ModTime().Equal(e.built)
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
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.arn)
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
	e.deliver(w, r, response{r.PathValue("id"), nil, functionError(e.name, body)})
}

func (e *environment) deliver(w http.ResponseWriter, r *http.Request, a response) {
	select {
	case e.responses <- a:
		w.WriteHeader(http.StatusAccepted)
	case <-r.Context().Done():
	case <-e.exited:
	}
}
