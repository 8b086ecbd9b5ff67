package house_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/house"
)

// TestReadiness: without its tables the house is not ready. The log says so once, with
// what to do, even if nothing calls /readyz.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		rows := newFakeTables()
		h := newHouse(t, house.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Rows: house.Rows{Tables: rows}})
		defer closeHouse(t, h)
		wantReady := func(want int) {
			t.Helper()
			if got, answer := admin(t, h, "GET", "/readyz", ""); got != want {
				t.Errorf("got %d %s, want %d", got, answer, want)
			}
		}
		wantLog := func(lost, restored int) {
			t.Helper()
			text := log.String()
			gotLost, gotRestored := strings.Count(text, "-create-tables"), strings.Count(text, "can be used again")
			if gotLost != lost || gotRestored != restored {
				t.Errorf("the log says %d times that the tables are lost and %d times that they are back, want %d and %d:\n%s",
					gotLost, gotRestored, lost, restored, text)
			}
		}
		wantReady(http.StatusOK)
		rows.unreachable.Store(true)
		wantReady(http.StatusServiceUnavailable)
		wantReady(http.StatusServiceUnavailable)
		wantLog(1, 0)
		rows.unreachable.Store(false)
		time.Sleep(time.Minute)
		wantLog(1, 1)
		rows.unreachable.Store(true)
		time.Sleep(time.Minute)
		wantLog(2, 1)
	})
}
