package gatewaytest

import "context"

// disconnect runs $disconnect (G-DISC-1). Its response is ignored (G-DISC-5),
// and its failure is invisible to the client (G-ERR-8). ctx is that of the observation of
// the end, derived from g.handlers.
func (c *conn) disconnect(ctx context.Context, code int, reason string) {
	g, now := c.g, c.g.Now()
	inv := &invocation{c: c, ctx: ctx, route: g.lifecycleRoute(routeDisconnect),
		event: c.disconnectEvent(newRequestID(now), code, reason, now)}
	inv.recordKey()
	switch {
	case !inv.route.bound():
	case g.losesDisconnect():
		g.observeFault(ctx, c.id, "LoseDisconnect")
		return
	default:
		_, refusal := g.integrate(inv)
		if g.api.Assumptions.DisconnectTwice {
			_, refusal = g.integrate(inv) // G-DISC-8
		}
		inv.recordRefusal(refusal)
		if refusal != nil {
			inv.logRefusal("disconnect", refusal)
		}
	}
	g.logAccess(inv)
}
