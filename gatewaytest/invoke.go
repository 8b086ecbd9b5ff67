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
	// errTimedOut says that an integration took longer than its time-out.
	errTimedOut = errors.New("integration timed out")

	// errMalformed says that an answer of a proxy function cannot be read.
	errMalformed = errors.New("malformed answer")
)

// invoke calls a function and waits for it at most as long as timeout. The
// function's context ends then; the function itself may go on (G-ERR-4), and
// Close waits for it. A panic is a function error, as it is in Lambda.
func (g *Gateway) invoke(h lambda.Handler, event []byte, requestID string, timeout time.Duration) ([]byte, error) {
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithTimeout(g.handlers, timeout)
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	// Whoever calls invoke is itself waited for, so Close is still waiting.
	g.running.Go(func() {
		defer cancel()
		// A handler that ends its goroutine (t.FailNow does) leaves this.
		r := result{err: errors.New("function ended without an answer")}
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("function panicked: %v", p)}
				g.api.Log.Warn("function panicked", "requestId", requestID, "panic", p, "stack", string(debug.Stack()))
			}
			done <- r
		}()
		r.answer, r.err = invokeHandler(ctx, h, event)
	})
	select {
	case r := <-done:
		if r.err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut // it gave up because its time was over
		}
		return r.answer, r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errTimedOut
		}
		// Cancelled either by the function's end, and then there is a result,
		// or by Close.
		select {
		case r := <-done:
			return r.answer, r.err
		default:
			return nil, ctx.Err()
		}
	}
}

// answerOf invokes h and returns an answer that is nobody else's.
//
// What lambda.NewHandler's Invoke returns is a buffer that is in the pool again:
// the next invocation of the same handler overwrites it, and a client would get
// the answer for another (aws/aws-lambda-go #639, open as of v1.55.1). A gateway
// invokes side by side, so the value is taken through the trace that the library
// offers, and encoded here. Other handlers return what they return.
func invokeHandler(ctx context.Context, h lambda.Handler, event []byte) ([]byte, error) {
	var value any
	traced := false
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{
		ResponseEvent: func(_ context.Context, v any) { value, traced = v, true },
	})
	answer, err := h.Invoke(ctx, event)
	if _, isStream := value.(io.Reader); err != nil || !traced || isStream {
		return answer, err
	}
	var own bytes.Buffer
	enc := json.NewEncoder(&own)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return own.Bytes(), nil
}
