package gatewaytest

import "time"

// now is the gateway's clock.
func (g *Gateway) now() time.Time { return time.Now().Add(time.Duration(g.warped.Load())) }
