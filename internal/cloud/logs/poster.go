package logs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/securecart/hub/internal/hub"
)

// maxPostLines is how many failed posts of one call are logged: if all fail, a few say why.
const maxPostLines = 10

// Poster returns a poster that logs the posts of p that fail. Connections that are gone
// and posts that stay throttled are left out: they are normal, and metrics count them.
func Poster(p hub.Poster, log *slog.Logger) hub.Poster { return loggedPoster{p, log} }

type loggedPoster struct {
	hub.Poster
	log *slog.Logger
}

// Post implements [hub.Poster].
func (p loggedPoster) Post(ctx context.Context, posts []hub.Post) []error {
	errs := p.Poster.Post(ctx, posts)
	left := maxPostLines
	for i, err := range errs {
		if err == nil || errors.Is(err, hub.ErrGone) || errors.Is(err, hub.ErrThrottled) || left == 0 {
			continue
		}
		left--
		p.log.WarnContext(ctx, "post failed", "connection", posts[i].ConnectionID, "error", err)
	}
	return errs
}
