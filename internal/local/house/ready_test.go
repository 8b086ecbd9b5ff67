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

// TestReadiness: without its tables the house is not ready, and the log says once
// what to do, whether somebody asks or not.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log output
		rows := newTables()
		h := newHouse(t, house.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Rows: house.Rows{Tables: rows}})
		defer closeHouse(t, h)
		ask := func(want int) {
			t.Helper()
			if got, answer := admin(t, h, "GET", "/readyz", ""); got != want {
				t.Errorf("got %d %s, want %d", got, answer, want)
			}
		}
		told := func(lost, again int) {
			t.Helper()
			text := log.String()
			if l, a := strings.Count(text, "-create-tables"), strings.Count(text, "can be used again"); l != lost || a != again {
				t.Errorf("got %d lines about the loss and %d about its end, want %d and %d:\n%s", l, a, lost, again, text)
			}
		}
		ask(http.StatusOK)
		rows.lost.Store(true)
		ask(http.StatusServiceUnavailable)
		ask(http.StatusServiceUnavailable)
		told(1, 0)
		rows.lost.Store(false)
		time.Sleep(time.Minute)
		told(1, 1)
		rows.lost.Store(true)
		time.Sleep(time.Minute)
		told(2, 1)
	})
}
