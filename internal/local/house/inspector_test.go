package house_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/house"
)

func TestInspectorIsServedWithItsOwnPolicy(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	rec := callAdmin(t, h, "GET", "/_hub/", "", "")
	policy := rec.Header().Get("Content-Security-Policy")
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "<title>localhub inspector</title>") {
		t.Errorf("got %d %s, want the page", rec.Code, rec.Body)
	}
	if !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "data:") {
		t.Errorf("got the policy %q, want the page's", policy)
	}
	rec = requestFrom("192.0.2.1:50000", h.Admin(), http.MethodGet, "http://127.0.0.1:8788/_hub/", "")
	if rec.Code != http.StatusForbidden {
		t.Errorf("from another machine: got %d, want 403", rec.Code)
	}
}

// The inspector shows where clients connect to, and when a connection ends by itself.
func TestSituationTellsAboutTheHouse(t *testing.T) {
	h := newHouse(t, house.Options{
		Gateway: house.Gateway{IdleTimeout: 5 * time.Minute, MaxAge: time.Hour},
		Admin:   house.Admin{Version: "v1.2.3", Socket: "ws://127.0.0.1:8787/v1"},
	})
	defer closeHouse(t, h)
	var got struct {
		Version, Socket, Epoch string
		IdleMs, MaxAgeMs       int64
	}
	getJSON(t, h, "/admin/situation", &got)
	if got.Version != "v1.2.3" || got.Socket != "ws://127.0.0.1:8787/v1" || got.Epoch == "" {
		t.Errorf("got %+v, want the version, the URL and an epoch", got)
	}
	if got.IdleMs != 300_000 || got.MaxAgeMs != 3_600_000 {
		t.Errorf("got %+v, want 5 minutes and an hour", got)
	}
}
