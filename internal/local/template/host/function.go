package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/local/template/samapi"
	"github.com/securecart/hub/internal/redact"
)

// start returns the handler of a function: that of the program at a URL, of a bootstrap in
// the folder of its code, or of an interpreter for its runtime.
func (h *Host) start(f *samapi.Function) (lambda.Handler, error) {
	if f.Folder != "" {
		folder, err := filepath.Abs(f.Folder) // processes run in other folders than localhub
		if err != nil {
			return nil, err
		}
		f.Folder = folder
	}
	if address := cmp.Or(h.opts.Functions[f.ID], h.opts.FunctionsURL); address != "" {
		return h.startEndpoint(f, address)
	}
	o, where, err := h.program(f)
	if err != nil {
		return nil, err
	}
	o.Name, o.ARN, o.Timeout = f.Name, f.ARN, f.Timeout
	variables, _ := f.Environment(h.envFlags(f.ID))
	o.Env, o.Output = h.environment(f, variables), h.output.writer(f.ID)
	o.Lines = h.logLine(f.ID)
	p, err := lambdaproc.New(o)
	if err != nil {
		return nil, err
	}
	h.processes = append(h.processes, p)
	h.running = append(h.running, runningFunction{f.ID, where})
	return named{h.withTexts(f.ID, h.logged(f, p)), f.ID}, nil
}

// startEndpoint returns the handler of a function at a URL.
func (h *Host) startEndpoint(f *samapi.Function, address string) (lambda.Handler, error) {
	if !functionName.MatchString(f.ID) {
		return nil, fmt.Errorf("%q is not the logical id or the name of a function", f.ID)
	}
	e, err := lambdaproc.NewEndpoint(address, f.ID)
	if err != nil {
		return nil, err
	}
	h.endpoints = append(h.endpoints, f)
	h.running = append(h.running, runningFunction{f.ID, "at " + redact.URL(address)})
	return named{h.withTexts(f.ID, h.logged(f, withTimeout(f, e))), f.ID}, nil
}

// program returns what runs a function, and where that is.
func (h *Host) program(f *samapi.Function) (o lambdaproc.Options, where string, err error) {
	managed := lambdaproc.Managed{Runtime: f.Runtime, Handler: f.Handler, Folder: f.Folder,
		Runtimes: h.opts.Folder, Path: h.opts.Path}
	if language := managed.Language(); f.Folder == "" && f.Inline != "" && language != "" {
		if f.Folder, err = h.writeInline(f, language); err != nil {
			return o, "", err
		}
		managed.Folder = f.Folder
	}
	path := filepath.Join(f.Folder, "bootstrap")
	switch _, missing := os.Stat(path); {
	case f.Folder != "" && missing == nil:
		return lambdaproc.Options{Path: path}, path, nil
	case f.Folder == "" || managed.Language() == "":
		return o, "", errNotRunning(f, path)
	}
	o, module, err := managed.Find()
	if err != nil {
		return o, "", fmt.Errorf("nothing runs the function %s (%s): %w; if it has to be built, build it and serve "+
			"the template that has the result, or %s", f.ID, f.Runtime, err, invokeAdvice(f))
	}
	return o, fmt.Sprintf("%s in %s", module, managed.Language()), nil
}

// errNotRunning is the error for a function that cannot be started here.
func errNotRunning(f *samapi.Function, path string) error {
	advice := invokeAdvice(f)
	switch {
	case f.Folder == "" && !f.InTemplate:
		advice = "it is not in the template: " + advice
	case f.Folder == "":
		advice = "its code is in no folder beside the template: " + advice
	case strings.HasPrefix(f.Runtime, "provided"):
		advice = fmt.Sprintf("put an executable for %s as %s, or %s", f.Runtime, path, advice)
	}
	return fmt.Errorf("nothing runs the function %s (%s): %s", f.ID, cmp.Or(f.Runtime, "no Runtime"), advice)
}

// invokeAdvice says how a function runs that localhub cannot start.
func invokeAdvice(f *samapi.Function) string {
	return fmt.Sprintf("start it behind Lambda's Invoke API, as sam local start-lambda does, and add "+
		"-function %s=http://127.0.0.1:3001, or -functions with the URL for all", f.ID)
}

// withTimeout ends an invocation after the function's timeout. A function of another stack
// has none that is known.
func withTimeout(f *samapi.Function, next lambda.Handler) lambda.Handler {
	if f.Timeout == 0 {
		return next
	}
	return handlerFunc(func(parent context.Context, event []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(parent, f.Timeout)
		defer cancel()
		answer, err := next.Invoke(ctx, event)
		if err != nil && ctx.Err() != nil && parent.Err() == nil {
			return nil, fmt.Errorf("function %s timed out after %s, its Timeout", f.ID, f.Timeout)
		}
		return answer, err
	})
}

// logged writes the failures of a function to its log.
func (h *Host) logged(f *samapi.Function, next lambda.Handler) lambda.Handler {
	return handlerFunc(func(ctx context.Context, event []byte) ([]byte, error) {
		answer, err := next.Invoke(ctx, event)
		if err != nil {
			fmt.Fprintln(h.output.writer(f.ID), "failed:", err)
		}
		if errors.Is(err, lambdaproc.ErrNoFunction) {
			err = fmt.Errorf("%w: %w", gatewaytest.ErrNoFunction, err)
		}
		return answer, err
	})
}

// handlerFunc is a function as a [lambda.Handler].
type handlerFunc func(ctx context.Context, event []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }
