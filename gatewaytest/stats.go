package gatewaytest

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are counters since New.
type Stats struct {
	Open        int           // open connections
	Connects    int64         // connections opened
	Refused     map[int]int64 // refused handshakes, by HTTP status
	MessagesIn  int64         // complete messages from clients
	MessagesOut int64         // messages to clients: posts, responses, error frames
	FramesOut   int64         // data frames written to the network
	BytesOut    int64         // their payload bytes, after compression
	Posts       int64         // accepted posts
	Gone        int64         // posts that failed with 410
	Throttled   int64         // posts that failed with 429
	TooLarge    int64         // posts that failed with 413

	// Dropped counts responses and error frames that did not fit into the send
	// buffer of their connection. It does not count Faults.DropEvery, which cuts
	// connections.
	Dropped int64

	Disconnects map[int]int64 // ended connections, by close code

	// Stage and Routes have the CloudWatch metrics of the stage, and of each
	// route by its key.
	Stage  Metrics
	Routes map[string]Metrics
}

// counters are behind Stats. The maps change once per connection, the atomics
// with every message.
type counters struct {
	connects, messagesIn, messagesOut         atomic.Int64
	framesOut, bytesOut                       atomic.Int64
	posts, gone, throttled, tooLarge, dropped atomic.Int64

	unrouted metricCounters // of events without a route; routes have their own

	mu          sync.Mutex
	refused     map[int]int64
	disconnects map[int]int64
}

func (c *counters) addRefusal(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[int]int64)
	}
	c.refused[status]++
}

func (c *counters) addDisconnect(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disconnects == nil {
		c.disconnects = make(map[int]int64)
	}
	c.disconnects[code]++
}

// addPost counts a post by its status.
func (c *counters) addPost(err error) {
	if err == nil {
		c.posts.Add(1)
		return
	}
	apiErr, ok := err.(*Error)
	if !ok {
		return
	}
	switch apiErr.StatusCode {
	case ErrGone.StatusCode:
		c.gone.Add(1)
	case ErrLimitExceeded.StatusCode:
		c.throttled.Add(1)
	case ErrPayloadTooLarge.StatusCode:
		c.tooLarge.Add(1)
	}
}

// Stats returns the current counters. It reads them one after the other, not at
// one instant.
func (g *Gateway) Stats() Stats {
	c := &g.counters
	s := Stats{
		Connects: c.connects.Load(), MessagesIn: c.messagesIn.Load(), MessagesOut: c.messagesOut.Load(),
		FramesOut: c.framesOut.Load(), BytesOut: c.bytesOut.Load(),
		Posts: c.posts.Load(), Gone: c.gone.Load(), Throttled: c.throttled.Load(),
		TooLarge: c.tooLarge.Load(), Dropped: c.dropped.Load(),
		Refused: make(map[int]int64), Disconnects: make(map[int]int64),
		Stage: c.unrouted.load(), Routes: make(map[string]Metrics),
	}
	for key, route := range g.routes {
		s.Routes[key] = route.metrics.load()
		s.Stage.add(s.Routes[key])
	}
	s.Stage.MessageCount = s.MessagesIn + s.MessagesOut
	c.mu.Lock()
	maps.Copy(s.Refused, c.refused)
	maps.Copy(s.Disconnects, c.disconnects)
	c.mu.Unlock()
	g.mu.RLock()
	s.Open = g.openConns
	g.mu.RUnlock()
	return s
}
