package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// Options are settings that are not in the template.
type Options struct {
	// Handlers are the functions by the logical id of their resource, or by name
	// for functions of another stack: what main passes to lambda.Start, or a
	// lambda.Handler. Each function that the API invokes needs one.
	Handlers map[string]any

	// Parameters are values for the template's parameters and for pseudo
	// parameters such as AWS::Region. Parameters with a default need none.
	Parameters map[string]string

	// Stage is the stage to serve. It may be empty if there is only one.
	Stage string
}

// Load returns the WebSocket API of the template in a file. It fails the test
// with all that is wrong, each with its line and column: what the template lacks,
// functions without a handler, and handlers without a function. It logs what
// differs from AWS or is probably a mistake.
//
// The caller may change the API before it calls [gatewaytest.Start]: Faults and
// Assumptions, Credentials, which an API with IAM authorization needs, Services,
// which routes to AWS services need, and the output of the access log, which is
// discarded by default.
func Load(tb gatewaytest.TB, path string, o Options) gatewaytest.API {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("template: %v", err)
		return gatewaytest.API{}
	}
	l := &loader{handlers: o.Handlers, invoked: map[string]bool{}}
	result, err := samapi.Build(path, data, samapi.Options{
		Parameters: o.Parameters, Stage: o.Stage, Handler: l.handler,
	})
	if len(l.invoked) > 0 { // otherwise Build has the reason
		err = errors.Join(err, l.checkUnused())
	}
	if err != nil {
		tb.Fatalf("template: %s cannot be served:\n%v", path, err)
		return gatewaytest.API{}
	}
	for _, note := range result.Notes {
		tb.Logf("template: %s", note)
	}
	if result.API.AccessLog != nil {
		result.API.AccessLog.Output = io.Discard
	}
	return result.API
}

// loader gives the functions of a template their handlers.
type loader struct {
	handlers map[string]any
	invoked  map[string]bool // the functions that the API invokes, by id
	missing  []string        // those of them that have no handler
}

// handler returns the handler of a function.
func (l *loader) handler(f *samapi.Function) (lambda.Handler, error) {
	l.invoked[f.ID] = true
	handler, ok := l.handlers[f.ID]
	if !ok || handler == nil {
		l.missing = append(l.missing, f.ID)
		return nil, fmt.Errorf("the API invokes the function %s: Options.Handlers has no %q", f.ID, f.ID)
	}
	if _, ok := handler.(lambda.Handler); !ok && reflect.TypeOf(handler).Kind() != reflect.Func {
		return nil, fmt.Errorf("Options.Handlers[%q] is of type %T, want a function or a lambda.Handler", f.ID, handler)
	}
	return limited{lambda.NewHandler(handler), f.ID, f.Timeout}, nil
}

// checkUnused reports the handlers that no function of the API has.
func (l *loader) checkUnused() error {
	var errs []error
	ids := l.missing
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(l.invoked))
	}
	for _, id := range slices.Sorted(maps.Keys(l.handlers)) {
		if !l.invoked[id] {
			errs = append(errs, fmt.Errorf("Options.Handlers: the API invokes no function %q%s", id, hint(id, ids)))
		}
	}
	return errors.Join(errs...)
}

// limited is a function with the template's timeout.
type limited struct {
	next    lambda.Handler
	id      string
	timeout time.Duration // 0: a function of another stack, whose timeout is not known
}

// Invoke implements [lambda.Handler]. Like Lambda it fails when the function has
// not returned in time; unlike Lambda it can only cancel the context.
func (l limited) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if l.timeout == 0 {
		return l.next.Invoke(ctx, event)
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	response, err := l.next.Invoke(ctx, event)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("the function %s has a timeout of %v", l.id, l.timeout)
	}
	return response, err
}
