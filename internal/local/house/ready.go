package house

import (
	"context"
	"net/http"
	"time"
)

// How often the tables are looked at, and how long that may take.
const (
	checkEvery  = 5 * time.Second
	checkWithin = 2 * time.Second
)

// serveReady serves GET /readyz: whether the house can do its work.
func (h *House) serveReady(w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.ready.Load():
		refuse(w, http.StatusServiceUnavailable, "busy", "shutting down")
	case !h.usable(r.Context()):
		refuse(w, http.StatusServiceUnavailable, "busy", "the tables cannot be used; the log says why")
	default:
		reply(w, http.StatusOK, map[string]string{"status": "ready"})
	}
}

// watch looks at the tables until ctx ends, so that the log tells when they are lost
// though nobody asks.
func (h *House) watch(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.usable(ctx)
		}
	}
}

// usable reports whether the tables can be used. It logs when that changes.
func (h *House) usable(ctx context.Context) bool {
	if h.opts.Tables == nil {
		return true
	}
	within, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	err := h.opts.Tables.Check(within)
	if ctx.Err() != nil {
		return false // who asked has gone
	}
	switch changed := h.lost.Swap(err != nil) != (err != nil); {
	case changed && err != nil:
		h.opts.Log.Error("the tables cannot be used: start the DynamoDB again; if its tables are gone or new, start localhub again too, with -create-tables", "error", err)
	case changed:
		h.opts.Log.Info("the tables can be used again")
	}
	return err == nil
}
