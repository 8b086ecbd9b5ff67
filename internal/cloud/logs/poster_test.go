package logs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/hub"
)

// failing is a poster whose posts fail in turn with these errors.
type failing struct {
	hub.Poster
	errs []error
}

func (f failing) Post(_ context.Context, posts []hub.Post) []error {
	all := make([]error, len(posts))
	for i := range all {
		all[i] = f.errs[i%len(f.errs)]
	}
	return all
}

// TestPosterLogsFailures: a line for each post that fails unexpectedly, ten at most.
func TestPosterLogsFailures(t *testing.T) {
	refused := errors.New("post to c: 500")
	for _, tt := range []struct {
		name  string
		posts int
		errs  []error
		want  []string // connections
	}{
		{"normal", 4, []error{nil, hub.ErrGone, fmt.Errorf("post: %w", hub.ErrThrottled)}, nil},
		{"one fails", 3, []error{nil, refused, hub.ErrGone}, []string{"c1"}},
		{"all fail", 1000, []error{refused}, []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			p := logs.Poster(failing{errs: tt.errs}, logs.New(&out, slog.LevelInfo))
			posts := make([]hub.Post, tt.posts)
			for i := range posts {
				posts[i].ConnectionID = fmt.Sprintf("c%d", i)
			}
			errs := p.Post(invocation(t, ""), posts)
			for i, err := range errs {
				if want := tt.errs[i%len(tt.errs)]; err != want {
					t.Errorf("post %d: got %v, want %v", i, err, want)
				}
			}
			var got []string
			for _, line := range lines(t, &out) {
				got = append(got, line["connection"].(string))
				if line["error"] != refused.Error() || line["msg"] != "post failed" || line["requestId"] != "r-1" {
					t.Errorf("got %v", line)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) || len(errs) != tt.posts {
				t.Errorf("got lines for %v, want %v", got, tt.want)
			}
		})
	}
}
