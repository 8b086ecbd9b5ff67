package handler

import "time"

const (
	// leastSpread is the shortest time over which clients reconnect after a cut.
	leastSpread = 5 * time.Second

	// connectsPerSecond is how many reconnect in a second. API Gateway accepts 500 new
	// connections a second of all APIs in an account and Region (G-LIMIT-9); other clients
	// come too.
	connectsPerSecond = 400
)

// ReconnectWithin returns the time over which clients should spread their return, if as
// many as n lost their connections together: five seconds, or a second for each 400.
func ReconnectWithin(n int) time.Duration {
	return max(leastSpread, (time.Duration(n) * time.Second / connectsPerSecond).Round(time.Second))
}

// reconnectWithin is the field of hello, in seconds: absent where clients choose well.
func (o MessageOptions) reconnectWithin() int {
	if o.Connections == nil {
		return 0
	}
	if within := ReconnectWithin(o.Connections()); within > leastSpread {
		return int(within / time.Second)
	}
	return 0
}
