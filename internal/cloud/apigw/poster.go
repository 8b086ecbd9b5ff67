package apigw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/parallel"
)

// defaultReserve is the time before the deadline in which the caller records the posts
// that were not sent.
const defaultReserve = 2 * time.Second

// retryAfter has the pauses before throttled posts are sent again, once for all posts
// of a call.
var retryAfter = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond}

// API has the methods of the SDK's client that a [Poster] uses.
type API interface {
	PostToConnection(
		context.Context, *apigatewaymanagementapi.PostToConnectionInput, ...func(*apigatewaymanagementapi.Options),
	) (*apigatewaymanagementapi.PostToConnectionOutput, error)
	DeleteConnection(
		context.Context, *apigatewaymanagementapi.DeleteConnectionInput, ...func(*apigatewaymanagementapi.Options),
	) (*apigatewaymanagementapi.DeleteConnectionOutput, error)
}

// Options are the settings of a [Poster].
type Options struct {
	MaxWorkers     int           // the most concurrent posts, as the rate and the latency need them; 0: 128
	PostsPerSecond int           // the highest rate; 0: no limit until the service throttles
	Reserve        time.Duration // time that is left when Post returns before a deadline; 0: 2 s
}

// Poster implements [hub.Poster].
type Poster struct {
	api      API
	opts     Options
	governor *governor
}

var _ hub.Poster = (*Poster)(nil)

// New returns a Poster.
func New(api API, o Options) *Poster {
	if o.MaxWorkers == 0 {
		o.MaxWorkers = maxConnections
	}
	if o.Reserve == 0 {
		o.Reserve = defaultReserve
	}
	return &Poster{api: api, opts: o, governor: newGovernor(o.PostsPerSecond, o.MaxWorkers)}
}

// Post implements [hub.Poster]. ErrForbidden means that the function has no
// permission to post: the call sends nothing more.
func (p *Poster) Post(ctx context.Context, posts []hub.Post) []error {
	if deadline, ok := ctx.Deadline(); ok {
		early, cancel := context.WithDeadline(ctx, deadline.Add(-p.opts.Reserve))
		defer cancel()
		ctx = early
	}
	c := call{p: p, ctx: ctx, posts: posts, errs: make([]error, len(posts))}
	groups := byConnection(posts)
	for try := 0; ; try++ {
		groups = c.round(groups)
		if len(groups) == 0 || try == len(retryAfter) || !wait(ctx, retryAfter[try]) {
			return c.errs
		}
	}
}

// byConnection groups the indexes of posts by connection, in order.
func byConnection(posts []hub.Post) [][]int {
	var groups [][]int
	groupOf := make(map[string]int, len(posts))
	for i, post := range posts {
		g, known := groupOf[post.ConnectionID]
		if !known {
			g = len(groups)
			groupOf[post.ConnectionID] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// wait pauses for d. It reports false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// call is one call of Post.
type call struct {
	p         *Poster
	ctx       context.Context
	posts     []hub.Post
	errs      []error // by post; only the worker of its connection writes an element
	forbidden atomic.Bool
}

// round sends groups and returns the throttled rest of each, if there is one.
func (c *call) round(groups [][]int) [][]int {
	rest := make([][]int, len(groups)) // by group
	parallel.EachUpTo(len(groups), c.p.governor.workers, func(g int) { rest[g] = c.send(groups[g]) })
	throttled := rest[:0]
	for _, group := range rest {
		if group != nil {
			throttled = append(throttled, group)
		}
	}
	return throttled
}

// send sends the posts to one connection. If one is throttled, it returns that post
// and all later ones, for another round: sent now, they would overtake it.
func (c *call) send(group []int) []int {
	for n, i := range group {
		c.errs[i] = c.post(c.posts[i])
		if errors.Is(c.errs[i], hub.ErrThrottled) {
			for _, later := range group[n+1:] {
				c.errs[later] = c.errs[i]
			}
			return group[n:]
		}
	}
	return nil
}

func (c *call) post(post hub.Post) error {
	if c.forbidden.Load() {
		return fmt.Errorf("post: not sent after a 403: %w", hub.ErrForbidden)
	}
	if err := c.p.governor.take(c.ctx); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	began := time.Now()
	_, err := c.p.api.PostToConnection(c.ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: &post.ConnectionID, Data: post.Data,
	})
	err = kindOf("post", err)
	c.p.governor.result(began, time.Now(), errors.Is(err, hub.ErrThrottled))
	if errors.Is(err, hub.ErrForbidden) {
		c.forbidden.Store(true)
	}
	return err
}

// Disconnect implements [hub.Poster].
func (p *Poster) Disconnect(ctx context.Context, connectionID, _ string) error {
	_, err := p.api.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &connectionID})
	if err = kindOf("disconnect", err); errors.Is(err, hub.ErrGone) {
		return nil
	}
	return err
}

// kindOf turns an error of the SDK into a kind of the hub. It looks at the status
// only: for the SDK a 410 without its header is no GoneException.
func kindOf(operation string, err error) error {
	if err == nil {
		return nil
	}
	kinds := map[int]error{
		http.StatusGone:                  hub.ErrGone,
		http.StatusTooManyRequests:       hub.ErrThrottled,
		http.StatusRequestEntityTooLarge: hub.ErrTooLarge,
		http.StatusForbidden:             hub.ErrForbidden,
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		if kind, ok := kinds[answer.HTTPStatusCode()]; ok {
			return fmt.Errorf("%s: %w", operation, kind)
		}
	}
	return fmt.Errorf("%s: %w", operation, err)
}
