package gatewaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/handlertrace"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

var (
	// errTimedOut means that an integration took longer than its timeout.
	errTimedOut = errors.New("integration timed out")

	// errMalformed means that the response of a proxy function is malformed.
	errMalformed = errors.New("malformed response")
)

// invoke calls a function and waits for at most timeout. Then the function's
// context ends, but the function may continue (G-ERR-4), and Close waits for
// it. As in Lambda, a panic is an error of the function. parent is g.handlers or derived
// from it.
func (g *Gateway) invoke(
	parent context.Context, h lambda.Handler, event []byte, requestID string, timeout time.Duration,
) ([]byte, error) {
	type result struct {
		response []byte
		err      error
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithTimeout(parent, timeout)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	// The caller is counted in running, so Close is still waiting.
	g.running.Go(func() {
		defer cancel()
		growStack()
		// The result if the handler ends its goroutine, as t.FailNow does.
		r := result{err: errors.New("function ended without a response")}
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("function panicked: %v", p)}
				g.api.Log.Warn("function panicked", "requestId", requestID, "panic", p, "stack", string(debug.Stack()))
			}
			done <- r
		}()
		r.response, r.err = invokeHandler(ctx, h, event)
	})
	select {
	case r := <-done:
		if r.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut // it ended because its context did
		}
		return r.response, r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut
		}
		// Cancelled by the end of the function, and then there is a result, or by
		// Close.
		select {
		case r := <-done:
			return r.response, r.err
		default:
			return nil, ctx.Err()
		}
	}
}

// invokeHandler invokes h and returns a response that nothing else refers to.
//
// lambda.NewHandler's Invoke returns a buffer that is already back in its pool.
// The next invocation of the same handler overwrites it, and a client would get
// the response to another (aws/aws-lambda-go #639, open as of v1.55.1). A
// gateway invokes concurrently, so invokeHandler takes the value from the
// library's trace and encodes it. Other handlers' responses are returned
// unchanged.
func invokeHandler(ctx context.Context, h lambda.Handler, event []byte) ([]byte, error) {
	var value any
	traced := false
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{
		ResponseEvent: func(_ context.Context, v any) { value, traced = v, true },
	})
	resp, err := h.Invoke(ctx, event)
	if _, isStream := value.(io.Reader); err != nil || !traced || isStream {
		return resp, err
	}
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return encoded.Bytes(), nil
}
