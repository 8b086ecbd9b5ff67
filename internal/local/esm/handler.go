package esm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/handlertrace"
)

// invokeHandler invokes h and returns a response that no other invocation changes.
//
// The Invoke of lambda.NewHandler returns a buffer that is already back in its pool.
// An invocation of another shard may overwrite it, and a reported failure would be
// lost (aws/aws-lambda-go #639, open as of v1.55.1). So the value is taken from the
// library's handler trace and encoded here. gatewaytest does the same: neither
// package may import the other.
func invokeHandler(ctx context.Context, h lambda.Handler, event []byte) ([]byte, error) {
	var value any
	traced := false
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{
		ResponseEvent: func(_ context.Context, v any) { value, traced = v, true },
	})
	response, err := h.Invoke(ctx, event)
	if _, isStream := value.(io.Reader); err != nil || !traced || isStream {
		return response, err
	}
	var own bytes.Buffer
	enc := json.NewEncoder(&own)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return own.Bytes(), nil
}
