package hubtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
)

// maxPost is the size of the largest message that the gateway takes from a poster
// (G-MGMT-7).
const maxPost = 128 << 10

// fakeGateway accepts posts in memory. It is not safe for concurrent use.
type fakeGateway struct {
	received map[string][]string // by connection
	failures map[string][]error  // the results of the next posts, by connection
	ended    map[string]bool
}

func (g *fakeGateway) post(id string, data []byte) error {
	switch failures := g.failures[id]; {
	case g.ended[id]:
		return hub.ErrGone
	case len(data) > maxPost:
		return hub.ErrTooLarge
	case len(failures) > 0:
		g.failures[id] = failures[1:]
		return failures[0]
	}
	g.received[id] = append(g.received[id], string(data))
	return nil
}

// fakePoster is a poster over a fakeGateway that tries a throttled post three
// times. Each of its fields breaks one promise of [hub.Poster].
type fakePoster struct {
	gateway *fakeGateway

	sentBehindThrottled   bool // answers "sent" for posts behind a throttled one
	overtakes             bool // sends posts behind a throttled one
	retriesNothing        bool
	stopsAtErrors         bool // sends nothing after a post that failed
	sharesErrors          bool // returns the first error for all posts
	dropsResults          bool // returns the errors only
	forgetsThrottled      bool // answers "sent" for posts that stayed throttled
	sentAtDeadline        bool // answers "sent" for posts that the deadline cut off
	acceptsLarge          bool // answers "sent" for posts that are too large
	reverses              bool // sends the last post first
	keepsConnections      bool // Disconnect does nothing
	refusesToDisconnect   bool // Disconnect of an unknown connection is an error
	truncates             bool // sends the first 1 000 bytes
	goneIsAnyOtherFailure bool // returns ErrGone for a failure of the service
}

func (p fakePoster) Disconnect(_ context.Context, id, _ string) error {
	if p.refusesToDisconnect && p.gateway.ended[id] {
		return hub.ErrGone
	}
	p.gateway.ended[id] = !p.keepsConnections
	return nil
}

func (p fakePoster) Post(ctx context.Context, posts []hub.Post) []error {
	if p.reverses {
		posts = slices.Clone(posts)
		slices.Reverse(posts)
	}
	errs := make([]error, len(posts))
	throttled := map[string]bool{}
	for i, post := range posts {
		if throttled[post.ConnectionID] && !p.overtakes {
			if errs[i] = hub.ErrThrottled; p.sentBehindThrottled {
				errs[i] = nil
			}
			continue
		}
		errs[i] = p.try(ctx, post)
		throttled[post.ConnectionID] = errors.Is(errs[i], hub.ErrThrottled)
		if errs[i] != nil && p.stopsAtErrors {
			for later := range errs[i+1:] {
				errs[i+1+later] = errs[i]
			}
			break
		}
	}
	return p.breakResults(errs)
}

// try sends a post up to three times while it is throttled.
func (p fakePoster) try(ctx context.Context, post hub.Post) error {
	if p.truncates {
		post.Data = post.Data[:min(len(post.Data), 1_000)]
	}
	for range 3 {
		err := p.gateway.post(post.ConnectionID, post.Data)
		switch {
		case p.acceptsLarge && errors.Is(err, hub.ErrTooLarge):
			return nil
		case p.goneIsAnyOtherFailure && err != nil && !errors.Is(err, hub.ErrThrottled):
			return hub.ErrGone
		case !errors.Is(err, hub.ErrThrottled) || p.retriesNothing:
			return err
		}
	}
	if p.sentAtDeadline {
		if _, limited := ctx.Deadline(); limited {
			return nil
		}
	}
	if p.forgetsThrottled {
		return nil
	}
	return hub.ErrThrottled
}

// breakResults returns results as a broken poster returns them.
func (p fakePoster) breakResults(errs []error) []error {
	failed := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch {
	case p.dropsResults:
		return failed
	case p.sharesErrors && len(failed) > 0:
		return slices.Repeat(failed[:1], len(errs))
	case p.reverses:
		slices.Reverse(errs)
	}
	return errs
}

// posterFixture returns a constructor of posters that are broken like p.
func posterFixture(p fakePoster) func() hubtest.PosterFixture {
	return func() hubtest.PosterFixture {
		g := &fakeGateway{received: map[string][]string{}, failures: map[string][]error{}, ended: map[string]bool{}}
		p.gateway = g
		connections := 0
		return hubtest.PosterFixture{
			Poster: p,
			Connect: func() (string, string, func(int) []string) {
				connections++
				id := string(rune('a' + connections))
				return id, "", func(int) []string { return g.received[id] }
			},
			Fail: func(id string, kind error, times int) {
				g.failures[id] = append(g.failures[id], slices.Repeat([]error{kind}, times)...)
			},
		}
	}
}

func TestPosterFindsBrokenPosters(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if failed := hubtest.PosterFailures(ctx, posterFixture(fakePoster{})); failed != nil {
		t.Fatalf("the intact poster fails %q", failed)
	}
	for name, tt := range map[string]struct {
		poster fakePoster
		failed string // a case that must fail
	}{
		"sent behind a throttled post": {
			fakePoster{sentBehindThrottled: true}, "sends nothing behind a post that stays throttled",
		},
		"a throttled post is overtaken": {
			fakePoster{overtakes: true, retriesNothing: true}, "keeps the order while it retries",
		},
		"no retry":                    {fakePoster{retriesNothing: true}, "retries a throttled post"},
		"stops at the first error":    {fakePoster{stopsAtErrors: true}, "returns an error for each post"},
		"one error for all posts":     {fakePoster{sharesErrors: true}, "returns an error for each post"},
		"results without successes":   {fakePoster{dropsResults: true}, "returns an error for each post"},
		"throttled posts are sent":    {fakePoster{forgetsThrottled: true}, "gives up only posts that stay throttled"},
		"sent at the deadline":        {fakePoster{sentAtDeadline: true}, "returns at the deadline"},
		"large posts are sent":        {fakePoster{acceptsLarge: true}, "reports posts that are too large"},
		"long messages are truncated": {fakePoster{truncates: true}, "reports posts that are too large"},
		"last post first":             {fakePoster{reverses: true}, "delivers in order"},
		"connections do not end":      {fakePoster{keepsConnections: true}, "ends connections"},
		"unknown connections fail":    {fakePoster{refusesToDisconnect: true}, "ends connections"},
		"every failure is gone":       {fakePoster{goneIsAnyOtherFailure: true}, "returns an error for each post"},
	} {
		t.Run(name, func(t *testing.T) {
			failed := hubtest.PosterFailures(ctx, posterFixture(tt.poster))
			if !slices.Contains(failed, tt.failed) {
				t.Errorf("the suite fails %q, want it to fail %q", failed, tt.failed)
			}
		})
	}
}
