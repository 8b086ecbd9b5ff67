package house

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub/memstore"
)

// Memory is the store of a house without tables.
func (h *House) Memory() *memstore.Store { return h.memory }

// DialPath is Dial with a path that may have a query.
func (h *House) DialPath(
	ctx context.Context, path string, o *websocket.DialOptions,
) (*websocket.Conn, *http.Response, error) {
	return h.gateway.Dial(ctx, path, o)
}

// InProcess is inProcess.
func InProcess[E, A any](function func(context.Context, E) (A, error)) lambda.Handler {
	return inProcess(function)
}
