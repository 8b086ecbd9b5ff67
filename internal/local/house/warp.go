package house

import (
	"fmt"
	"net/http"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// maxWarp is the most that the clock moves at once. Our own choice: 30 days.
const maxWarp = 30 * 24 * time.Hour

// now is the clock of the house: that of its gateway.
func (h *House) now() time.Time { return h.gateway.Now() }

// Warp moves the clock of the whole house forward: connections, tokens and rows
// become older at once. Bootstraps have clocks of their own, so a house with Build
// refuses.
func (h *House) Warp(by time.Duration) error {
	switch {
	case h.opts.Build != "":
		return fmt.Errorf("bootstraps have clocks of their own")
	case by <= 0 || by > maxWarp:
		return fmt.Errorf("%s: the clock moves forward, and at most %s at once", by, maxWarp)
	}
	h.gateway.Warp(by)
	h.memory.Expire(h.now())
	return nil
}

// warp serves POST /admin/warp.
func (h *House) warp(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		By string `json:"by"` // as time.ParseDuration reads it
	}
	if !decodeBody(w, r, &asked) {
		return
	}
	by, err := time.ParseDuration(asked.By)
	if err == nil {
		err = h.Warp(by)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, string(wire.CodeBadField), fmt.Sprintf(`"by": %v`, err))
		return
	}
	reply(w, http.StatusOK, map[string]any{"now": h.now().UTC()})
}
