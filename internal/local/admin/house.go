package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// getHealth says that the process runs.
func getHealth(w http.ResponseWriter, _ *http.Request) {
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

// getAlarms evaluates the alarms.
func (a api) getAlarms(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"alarms": a.Alarms()})
}

// postWarp moves the clock of the house forward.
func (a core) postWarp(w http.ResponseWriter, r *http.Request) {
	var request struct {
		By string `json:"by"` // as time.ParseDuration reads it, or days: "184d"
	}
	if !decodeBody(w, r, &request) {
		return
	}
	by, err := parseTime(request.By)
	if err == nil {
		err = a.Clock.Warp(by)
	}
	if err != nil {
		refuse(w, wire.CodeBadField, fmt.Sprintf(`"by": %v`, err))
		return
	}
	reply(w, http.StatusOK, map[string]any{"now": a.Clock.Now().UTC()})
}

func (a core) getWarp(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"now": a.Clock.Now().UTC(), "aheadMs": a.Clock.Ahead().Milliseconds()})
}

// parseTime reads a duration, or a number of days.
func parseTime(text string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 16); err == nil {
			return time.Duration(days) * 24 * time.Hour, nil
		}
	}
	return time.ParseDuration(text)
}
