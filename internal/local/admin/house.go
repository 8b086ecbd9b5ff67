package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// getHealth says that the process runs.
func (a api) getHealth(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

// getReady says whether the house can do its work.
func (a api) getReady(w http.ResponseWriter, r *http.Request) {
	if err := a.House.Ready(r.Context()); err != nil {
		refuse(w, wire.CodeBusy, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "ready"})
}

// postWarp moves the clock of the house forward.
func (a api) postWarp(w http.ResponseWriter, r *http.Request) {
	var request struct {
		By string `json:"by"` // as time.ParseDuration reads it
	}
	if !decodeBody(w, r, &request) {
		return
	}
	by, err := time.ParseDuration(request.By)
	if err == nil {
		err = a.House.Warp(by)
	}
	if err != nil {
		refuse(w, wire.CodeBadField, fmt.Sprintf(`"by": %v`, err))
		return
	}
	reply(w, http.StatusOK, map[string]any{"now": a.House.Now().UTC()})
}
