package hubtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// PosterFixture is a poster under test and its gateway.
type PosterFixture struct {
	Poster hub.Poster

	// Connect opens a connection. received waits until n messages have arrived and
	// returns them all.
	Connect func() (id, endpoint string, received func(n int) []string)

	// Fail makes the next posts to a connection fail with a kind: hub.ErrThrottled,
	// hub.ErrGone, or any other error for a failure of the service.
	Fail func(id string, kind error, times int)
}

// posterCases are the promises of a poster, by name. A check returns an error that
// says what the poster promises and what it did.
var posterCases = []struct {
	name  string
	check func(context.Context, PosterFixture) error
}{
	{"delivers in order", posterOrder},
	{"returns an error for each post", posterErrors},
	{"retries a throttled post", posterRetries},
	{"gives up only posts that stay throttled", posterGivesUp},
	{"sends nothing behind a post that stays throttled", posterHoldsBack},
	{"keeps the order while it retries", posterRetryOrder},
	{"reports posts that are too large", posterTooLarge},
	{"returns at the deadline", posterDeadline},
	{"ends connections", posterDisconnect},
	{"accepts an empty list", posterEmpty},
}

// TestPoster tests a poster. open returns a fresh one for each case. Retries take
// real time, unless TestPoster runs in a synctest bubble.
func TestPoster(t *testing.T, open func(t *testing.T) PosterFixture) {
	for _, c := range posterCases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// PosterFailures runs the cases of [TestPoster] outside a test and returns the names
// of those that fail.
func PosterFailures(ctx context.Context, open func() PosterFixture) []string {
	var failed []string
	for _, c := range posterCases {
		if c.check(ctx, open()) != nil {
			failed = append(failed, c.name)
		}
	}
	return failed
}

// postTo returns a post to a connection.
func postTo(id, endpoint, text string) hub.Post {
	return hub.Post{ConnectionID: id, Endpoint: endpoint, Data: []byte(text)}
}

// post sends posts and returns an error unless there is one result for each.
func post(ctx context.Context, f PosterFixture, posts ...hub.Post) ([]error, error) {
	errs := f.Poster.Post(ctx, posts)
	if len(errs) != len(posts) {
		return nil, fmt.Errorf("got %d results for %d posts: %v", len(errs), len(posts), errs)
	}
	return errs, nil
}

func posterOrder(ctx context.Context, f PosterFixture) error {
	one, e1, got1 := f.Connect()
	two, e2, got2 := f.Connect()
	var posts []hub.Post
	var want []string
	for i := range 50 {
		text := fmt.Sprintf(`{"n":%d}`, i)
		want = append(want, text)
		posts = append(posts, postTo(one, e1, text), postTo(two, e2, text))
	}
	errs, err := post(ctx, f, posts...)
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	return errors.Join(same("messages of one", got1(len(want)), want), same("messages of two", got2(len(want)), want))
}

func posterErrors(ctx context.Context, f PosterFixture) error {
	good, e1, got := f.Connect()
	gone, e2, _ := f.Connect()
	broken, e3, _ := f.Connect()
	f.Fail(gone, hub.ErrGone, 1)
	f.Fail(broken, errors.New("service"), 100)
	errs, err := post(ctx, f, postTo(gone, e2, "1"), postTo(good, e1, "2"), postTo(broken, e3, "3"), postTo(good, e1, "4"))
	if err != nil {
		return err
	}
	isGone := func(i int) bool { return errors.Is(errs[i], hub.ErrGone) }
	if !isGone(0) || errs[1] != nil || errs[2] == nil || isGone(2) || errs[3] != nil {
		return fmt.Errorf("got %v, want gone, nil, another error, nil", errs)
	}
	return same("messages of the good connection", got(2), []string{"2", "4"})
}

func posterRetries(ctx context.Context, f PosterFixture) error {
	id, endpoint, got := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1)
	errs, err := post(ctx, f, postTo(id, endpoint, "1"))
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("throttled once: %w", err)
	}
	return same("messages", got(1), []string{"1"})
}

func posterGivesUp(ctx context.Context, f PosterFixture) error {
	slow, e1, _ := f.Connect()
	good, e2, got := f.Connect()
	f.Fail(slow, hub.ErrThrottled, 1_000)
	errs, err := post(ctx, f, postTo(slow, e1, "1"), postTo(good, e2, "2"))
	if err != nil {
		return err
	}
	if !errors.Is(errs[0], hub.ErrThrottled) || errs[1] != nil {
		return fmt.Errorf("got %v, want throttled and nil", errs)
	}
	return same("messages of the other connection", got(1), []string{"2"})
}

// posterHoldsBack: what waits behind a throttled post was not sent, and Post says so
// of each. The hub marks a connection for all of them.
func posterHoldsBack(ctx context.Context, f PosterFixture) error {
	slow, e1, _ := f.Connect()
	good, e2, got := f.Connect()
	f.Fail(slow, hub.ErrThrottled, 1_000)
	errs, err := post(ctx, f,
		postTo(slow, e1, "1"), postTo(good, e2, "2"), postTo(slow, e1, "3"), postTo(good, e2, "4"), postTo(slow, e1, "5"))
	if err != nil {
		return err
	}
	for _, i := range []int{0, 2, 4} {
		if !errors.Is(errs[i], hub.ErrThrottled) {
			return fmt.Errorf("got %v, want each post to the throttled connection to be throttled", errs)
		}
	}
	return errors.Join(errs[1], errs[3], same("messages of the other connection", got(2), []string{"2", "4"}))
}

func posterRetryOrder(ctx context.Context, f PosterFixture) error {
	id, endpoint, got := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1)
	errs, err := post(ctx, f, postTo(id, endpoint, "1"), postTo(id, endpoint, "2"), postTo(id, endpoint, "3"))
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	return same("messages", got(3), []string{"1", "2", "3"})
}

func posterTooLarge(ctx context.Context, f PosterFixture) error {
	id, endpoint, got := f.Connect()
	largest := strings.Repeat("x", wire.MaxMessage)
	errs, err := post(ctx, f, postTo(id, endpoint, strings.Repeat("x", 128<<10+1)), postTo(id, endpoint, largest))
	if err != nil {
		return err
	}
	if !errors.Is(errs[0], hub.ErrTooLarge) || errs[1] != nil {
		return fmt.Errorf("got %v, want too large and nil", errs)
	}
	if messages := got(1); len(messages) != 1 || messages[0] != largest {
		return fmt.Errorf("got %d messages, want the largest that a client may get", len(messages))
	}
	return nil
}

func posterDeadline(ctx context.Context, f PosterFixture) error {
	id, endpoint, _ := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1_000)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	errs, err := post(ctx, f, postTo(id, endpoint, "1"), postTo(id, endpoint, "2"))
	if err != nil {
		return err
	}
	if errs[0] == nil || errs[1] == nil {
		return fmt.Errorf("got %v, want an error for each post", errs)
	}
	return nil
}

func posterDisconnect(ctx context.Context, f PosterFixture) error {
	id, endpoint, _ := f.Connect()
	for _, call := range []string{"first", "second"} {
		if err := f.Poster.Disconnect(ctx, id, endpoint); err != nil {
			return fmt.Errorf("%s call: %w", call, err)
		}
	}
	errs, err := post(ctx, f, postTo(id, endpoint, "1"))
	if err != nil {
		return err
	}
	return isKind("post after Disconnect", errs[0], hub.ErrGone)
}

func posterEmpty(ctx context.Context, f PosterFixture) error {
	_, err := post(ctx, f)
	return err
}
