package house

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

// inProcess returns a function as a handler that takes and returns JSON, as lambda.NewHandler
// does. A gateway would have to encode the answers of that one a second time, see
// https://github.com/aws/aws-lambda-go/issues/639; here each answer has its own memory.
func inProcess[E, A any](function func(context.Context, E) (A, error)) lambda.Handler {
	return invoked(func(ctx context.Context, payload []byte) ([]byte, error) {
		var event E
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		answer, err := function(ctx, event)
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(answer)
		return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
	})
}

// invoked is a lambda.Handler.
type invoked func(context.Context, []byte) ([]byte, error)

// Invoke implements [lambda.Handler].
func (f invoked) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }
