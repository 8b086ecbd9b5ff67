package crowd_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unsafe"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Quotas of an account in a Region, for all its APIs together (G-LIMIT-10).
const (
	accountRate  = 10_000 // requests a second
	accountBurst = 5_000
)

// postTime is how long a post takes.
const postTime = 15 * time.Millisecond

// bucket is the token bucket of the account.
type bucket struct {
	mu      sync.Mutex
	tokens  float64
	updated time.Time
}

func (b *bucket) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(accountBurst, b.tokens+now.Sub(b.updated).Seconds()*accountRate)
	b.updated = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// gateway is the management API, and everybody who has a connection.
type gateway struct {
	account bucket

	mu       sync.Mutex // guards the fields below
	screens  map[string]*screen
	read     map[*byte][]entry // what messages say, by their first byte: one message goes to many
	posts    int               // accepted ones
	refused  int               // with 429
	repeated int               // posts of something that the screen had
	tooOften int               // posts of something that the screen had twice
	closed   int               // connections that were ended
}

func newGateway() *gateway {
	g := &gateway{screens: map[string]*screen{}, read: map[*byte][]entry{}}
	g.account.tokens, g.account.updated = accountBurst, time.Now()
	return g
}

// screen is what one connection shows of its topic.
type screen struct {
	topic   *topic
	version int64
	times   int // how often it was posted
	closed  bool
}

func (g *gateway) PostToConnection(
	ctx context.Context, in *apigatewaymanagementapi.PostToConnectionInput,
	_ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.PostToConnectionOutput, error) {
	accepted := g.account.take()
	if err := pause(ctx, postTime); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !accepted {
		g.refused++
		return nil, status(http.StatusTooManyRequests)
	}
	s := g.screens[*in.ConnectionId]
	if s == nil || s.closed {
		return nil, status(http.StatusGone)
	}
	g.posts++
	now := time.Now()
	for _, e := range g.entries(in.Data) {
		if s.topic.name == e.topic {
			g.show(s, e.version, now)
		}
	}
	return &apigatewaymanagementapi.PostToConnectionOutput{}, nil
}

// entries returns what a message says. The same bytes go to many connections.
func (g *gateway) entries(data []byte) []entry {
	first := unsafe.SliceData(data)
	known, ok := g.read[first]
	if !ok {
		known = parse(data)
		g.read[first] = known // keeps data, so that no other message gets its address
	}
	return known
}

func (g *gateway) show(s *screen, version int64, now time.Time) {
	switch {
	case version > s.version:
		s.topic.shown(s.version, version, now)
		s.version, s.times = version, 1
	case version == s.version:
		g.repeated++
		if s.times++; s.times > 2 {
			g.tooOften++
		}
	default:
		s.topic.older++
	}
}

func (g *gateway) DeleteConnection(
	ctx context.Context, in *apigatewaymanagementapi.DeleteConnectionInput,
	_ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.DeleteConnectionOutput, error) {
	if err := pause(ctx, postTime); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.screens[*in.ConnectionId]; s != nil && !s.closed {
		s.closed = true
		g.closed++
	}
	return &apigatewaymanagementapi.DeleteConnectionOutput{}, nil
}

// status returns the error that the SDK makes of an HTTP status.
func status(code int) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: fmt.Errorf("status %d", code),
	}}
}

// pause waits as a call over the network does.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// otherAPIs calls another API of the account at a rate, and counts its 429s.
type otherAPIs struct{ calls, refused int }

func (o *otherAPIs) run(ctx context.Context, account *bucket, perSecond int) {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.calls++
			if !account.take() {
				o.refused++
			}
		}
	}
}
