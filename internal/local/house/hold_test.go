package house_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

// TestHoldStream holds changes back, lets them go on, and delivers a batch again.
func TestHoldStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		post := func(body string, want int) {
			t.Helper()
			if status, answer := admin(t, h, http.MethodPost, "/admin/stream", body); status != want {
				t.Errorf("%s: got %d %s, want %d", body, status, answer, want)
			}
		}
		held := func() bool {
			t.Helper()
			var s struct{ StreamHeld bool }
			getJSON(t, h, "/admin/situation", &s)
			var stream struct{ Held bool }
			getJSON(t, h, "/admin/stream", &stream)
			return s.StreamHeld && stream.Held
		}
		c := dial(t, h, "")
		defer c.close()
		c.send("sub MUG")
		c.read()
		post(`{"hold":true}`, http.StatusNoContent)
		admin(t, h, http.MethodPut, "/admin/stock/MUG", `{"available":3}`)
		admin(t, h, http.MethodPut, "/admin/stock/MUG", `{"available":2}`)
		if got := latestEvents(t, h, "last=1&type=record"); len(got) != 1 || got[0].Version != 3 {
			t.Errorf("got the records %+v", got)
		}
		if got := latestEvents(t, h, "last=5&type=post"); len(got) != 0 || !held() {
			t.Errorf("got the posts %+v, held %t", got, held())
		}
		if status, _ := admin(t, h, http.MethodDelete, "/admin/users/alice", ""); status != http.StatusConflict {
			t.Errorf("an erasure while changes are held: got %d, want 409", status)
		}
		post(`{"hold":false}`, http.StatusNoContent)
		if got := c.read(); !strings.Contains(got, `"version":3`) || held() {
			t.Errorf("got %s, want both changes in one delta", got)
		}
		batch := latestEvents(t, h, "last=1&type=batch")[0]
		post(fmt.Sprintf(`{"again":%d}`, batch.ID), http.StatusNoContent)
		settle(t, h)
		again := latestEvents(t, h, "last=1&type=batch")[0]
		if again.ID == batch.ID || again.Count != batch.Count || !slices.Equal(again.Cause, batch.Cause) {
			t.Errorf("got %+v, want the batch %+v again", again, batch)
		}
		if status, _ := admin(t, h, http.MethodDelete, "/admin/users/alice", ""); status != http.StatusNoContent {
			t.Errorf("an erasure: got %d", status)
		}
		post(fmt.Sprintf(`{"again":%d}`, batch.ID), http.StatusNotFound) // it might have had a cart
		post(`{"again":99999}`, http.StatusNotFound)
		post(`{}`, http.StatusBadRequest)
		post(`{"hold":true,"again":1}`, http.StatusBadRequest)
	})
}
