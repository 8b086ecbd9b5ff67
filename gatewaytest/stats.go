package gatewaytest

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats counts what a gateway has done since New.
type Stats struct {
	Open        int           // connections open now
	Connects    int64         // connections ever opened
	Refused     map[int]int64 // handshakes refused, by HTTP status
	MessagesIn  int64         // complete messages received
	MessagesOut int64         // messages to clients: posts, answers, error frames
	FramesOut   int64         // data frames handed to the network
	BytesOut    int64         // their payload bytes, compressed where they were
	Posts       int64         // posts accepted
	Gone        int64         // posts answered 410
	Throttled   int64         // posts answered 429
	TooLarge    int64         // posts answered 413
	Dropped     int64         // answers and error frames lost to a full send buffer
	Disconnects map[int]int64 // connections ended, by close code

	// Stage and Routes are what CloudWatch would show: of the API and its stage,
	// and of each route by its key.
	Stage  Metrics
	Routes map[string]Metrics
}

// counters is what Stats is made from. The maps are touched once per
// connection, the atomics on every message.
type counters struct {
	connects, messagesIn, messagesOut         atomic.Int64
	framesOut, bytesOut                       atomic.Int64
	posts, gone, throttled, tooLarge, dropped atomic.Int64

	unrouted metricCounters // of events without a route; those with one have their own

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

// countPost files the outcome of a post under its status.
func (c *counters) addPost(err error) {
	if err == nil {
		c.posts.Add(1)
		return
	}
	answer, ok := err.(*Error)
	if !ok {
		return
	}
	switch answer.StatusCode {
	case ErrGone.StatusCode:
		c.gone.Add(1)
	case ErrLimitExceeded.StatusCode:
		c.throttled.Add(1)
	case ErrPayloadTooLarge.StatusCode:
		c.tooLarge.Add(1)
	}
}

// Stats returns the counters as they are now. The counters are read one after
// the other, not in one instant.
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
