package gatewaytest

// selectRoute chooses the route of a message: the one whose key the expression
// gives, else $default (G-ROUTE-2); nil if there is none. $connect and
// $disconnect are not for messages (G-ROUTE-11).
func (g *Gateway) selectRoute(body string) *route {
	key, ok := g.selection.Evaluate(body)
	reserved := (key == routeConnect || key == routeDisconnect) && !g.api.Assumptions.ReservedKeysMatch
	if route := g.routes[key]; ok && route != nil && !reserved {
		return route
	}
	return g.routes[routeDefault]
}

// ownRoute is $connect or $disconnect, or what stands in for it when there is
// nothing behind it (G-HANDSHAKE-2, G-DISC-6).
func (g *Gateway) ownRoute(key string) *route {
	if route := g.routes[key]; route.bound() || !g.api.Assumptions.DefaultStandsIn {
		return route
	}
	return g.routes[routeDefault]
}
