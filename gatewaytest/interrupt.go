package gatewaytest

import (
	"context"
	"fmt"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// CloseConnection closes an open connection as the service does when it fails
// itself, with 1011, or restarts, with 1012 (G-CLOSE-10): after what was posted
// before, and with $disconnect afterwards. Its reasons are not known:
// Assumptions.CloseReasons has them. The error is ErrGone or ErrBadRequest as for DeleteConnection, or says
// that the code is neither.
func (g *Gateway) CloseConnection(ctx context.Context, connectionID string, code int) error {
	if code != ws.CloseInternal && code != ws.CloseRestart {
		return fmt.Errorf("gatewaytest: close code %d: must be %d or %d", code, ws.CloseInternal, ws.CloseRestart)
	}
	return g.closeWith(ctx, connectionID, code, g.reason(code))
}
