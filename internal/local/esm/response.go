package esm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/handlertrace"
)

// answerOf invokes h and returns an answer that is nobody else's.
//
// What lambda.NewHandler's Invoke returns is a buffer that is in the pool again:
// the invocation of another shard overwrites it, and a failure would be lost
// (aws/aws-lambda-go #639, open as of v1.55.1). So the value is taken through the
// trace that the library offers, and encoded here.
func answerOf(ctx context.Context, h lambda.Handler, event []byte) ([]byte, error) {
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
