package hubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// TestPoster tests a poster. open returns a fresh one for each case. Retries take
// real time, unless TestPoster runs in a synctest bubble.
func TestPoster(t *testing.T, open func(t *testing.T) PosterFixture) {
	for _, c := range []struct {
		name  string
		check func(t *testing.T, f PosterFixture)
	}{
		{"delivers in order", posterOrder},
		{"returns an error for each post", posterErrors},
		{"retries a throttled post", posterRetries},
		{"gives up only posts that stay throttled", posterGivesUp},
		{"keeps the order while it retries", posterRetryOrder},
		{"reports posts that are too large", posterTooLarge},
		{"returns at the deadline", posterDeadline},
		{"ends connections", posterDisconnect},
		{"accepts an empty list", func(t *testing.T, f PosterFixture) {
			if errs := f.Poster.Post(t.Context(), nil); len(errs) != 0 {
				t.Errorf("got %v, want no errors", errs)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, open(t)) })
	}
}

func posterOrder(t *testing.T, f PosterFixture) {
	one, e1, got1 := f.Connect()
	two, e2, got2 := f.Connect()
	var posts []hub.Post
	var want []string
	for i := range 50 {
		text := fmt.Sprintf(`{"n":%d}`, i)
		want = append(want, text)
		posts = append(posts,
			hub.Post{ConnectionID: one, Endpoint: e1, Data: []byte(text)},
			hub.Post{ConnectionID: two, Endpoint: e2, Data: []byte(text)})
	}
	for i, err := range f.Poster.Post(t.Context(), posts) {
		if err != nil {
			t.Fatalf("post %d: %v", i, err)
		}
	}
	for _, got := range []func(int) []string{got1, got2} {
		if g := got(len(want)); !slices.Equal(g, want) {
			t.Errorf("got %v, want %v", g, want)
		}
	}
}

func posterErrors(t *testing.T, f PosterFixture) {
	good, e1, got := f.Connect()
	gone, e2, _ := f.Connect()
	broken, e3, _ := f.Connect()
	f.Fail(gone, hub.ErrGone, 1)
	f.Fail(broken, errors.New("service"), 100)
	errs := f.Poster.Post(t.Context(), []hub.Post{
		{ConnectionID: gone, Endpoint: e2, Data: []byte("1")},
		{ConnectionID: good, Endpoint: e1, Data: []byte("2")},
		{ConnectionID: broken, Endpoint: e3, Data: []byte("3")},
		{ConnectionID: good, Endpoint: e1, Data: []byte("4")},
	})
	isGone := func(i int) bool { return errors.Is(errs[i], hub.ErrGone) }
	if len(errs) != 4 || !isGone(0) || errs[1] != nil || errs[2] == nil || isGone(2) || errs[3] != nil {
		t.Fatalf("got %v, want gone, nil, another error, nil", errs)
	}
	if g := got(2); !slices.Equal(g, []string{"2", "4"}) {
		t.Errorf("got %v, want 2 and 4", g)
	}
}

func posterRetries(t *testing.T, f PosterFixture) {
	id, endpoint, got := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1)
	errs := f.Poster.Post(t.Context(), []hub.Post{{ConnectionID: id, Endpoint: endpoint, Data: []byte("1")}})
	if errs[0] != nil {
		t.Fatalf("throttled once: got %v, want success", errs[0])
	}
	if g := got(1); !slices.Equal(g, []string{"1"}) {
		t.Errorf("got %v, want one message", g)
	}
}

func posterGivesUp(t *testing.T, f PosterFixture) {
	slow, e1, _ := f.Connect()
	good, e2, got := f.Connect()
	f.Fail(slow, hub.ErrThrottled, 1_000)
	errs := f.Poster.Post(t.Context(), []hub.Post{
		{ConnectionID: slow, Endpoint: e1, Data: []byte("1")},
		{ConnectionID: good, Endpoint: e2, Data: []byte("2")},
	})
	if !errors.Is(errs[0], hub.ErrThrottled) || errs[1] != nil {
		t.Errorf("got %v, want throttled and nil", errs)
	}
	if g := got(1); !slices.Equal(g, []string{"2"}) {
		t.Errorf("the other connection got %v, want 2", g)
	}
}

func posterRetryOrder(t *testing.T, f PosterFixture) {
	id, endpoint, got := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1)
	errs := f.Poster.Post(t.Context(), []hub.Post{
		{ConnectionID: id, Endpoint: endpoint, Data: []byte("1")},
		{ConnectionID: id, Endpoint: endpoint, Data: []byte("2")},
		{ConnectionID: id, Endpoint: endpoint, Data: []byte("3")},
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if g := got(3); !slices.Equal(g, []string{"1", "2", "3"}) {
		t.Errorf("got %v, want 1 2 3", g)
	}
}

func posterTooLarge(t *testing.T, f PosterFixture) {
	id, endpoint, _ := f.Connect()
	errs := f.Poster.Post(t.Context(), []hub.Post{
		{ConnectionID: id, Endpoint: endpoint, Data: []byte(strings.Repeat("x", 128<<10+1))},
		{ConnectionID: id, Endpoint: endpoint, Data: []byte(strings.Repeat("x", wire.MaxMessage))},
	})
	if !errors.Is(errs[0], hub.ErrTooLarge) || errs[1] != nil {
		t.Errorf("got %v, want too large and nil", errs)
	}
}

func posterDeadline(t *testing.T, f PosterFixture) {
	id, endpoint, _ := f.Connect()
	f.Fail(id, hub.ErrThrottled, 1_000)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	errs := f.Poster.Post(ctx, []hub.Post{{ConnectionID: id, Endpoint: endpoint, Data: []byte("1")}})
	if len(errs) != 1 || errs[0] == nil {
		t.Errorf("got %v, want one error", errs)
	}
}

func posterDisconnect(t *testing.T, f PosterFixture) {
	id, endpoint, _ := f.Connect()
	for _, call := range []string{"first", "second"} {
		if err := f.Poster.Disconnect(t.Context(), id, endpoint); err != nil {
			t.Errorf("%s call: %v", call, err)
		}
	}
	errs := f.Poster.Post(t.Context(), []hub.Post{{ConnectionID: id, Endpoint: endpoint, Data: []byte("1")}})
	if !errors.Is(errs[0], hub.ErrGone) {
		t.Errorf("post after Disconnect: got %v, want ErrGone", errs[0])
	}
}
