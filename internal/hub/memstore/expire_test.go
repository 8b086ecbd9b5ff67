package memstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

func TestExpire(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := memstore.New("k1")
	topic := hub.Topic{Kind: hub.KindSKU, Name: "A"}
	connect := func(id string, connectedAt time.Time, recorded bool) {
		c := hub.Connection{ID: id, ConnectedAt: connectedAt}
		if recorded {
			if err := s.PutConnection(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Subscribe(t.Context(), c, []hub.Topic{topic}); err != nil {
			t.Fatal(err)
		}
	}
	connect("old", start, true)
	connect("orphan", start, false)
	connect("young", start.Add(time.Minute), true)
	for _, tt := range []struct {
		now  time.Time
		want int
	}{{start.Add(hub.ConnectionLife), 3}, {start.Add(hub.ConnectionLife + 1), 1}} {
		if err := s.Expire(tt.now); err != nil {
			t.Fatal(err)
		}
		page, _, err := s.Subscribers(t.Context(), topic, "", 10)
		if err != nil || len(page) != tt.want {
			t.Errorf("at %s: got %d subscribers, %v, want %d", tt.now, len(page), err, tt.want)
		}
	}
	for id, life := range map[string]time.Duration{"expired": 0, "valid": 1} {
		if err := s.PutTicket(t.Context(), hub.Ticket{Hash: id, Expires: start.Add(life)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Expire(start); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeTicket(t.Context(), "expired"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("expired ticket: got %v, want ErrGone", err)
	}
	if _, err := s.TakeTicket(t.Context(), "valid"); err != nil {
		t.Errorf("valid ticket: %v", err)
	}
	if all := s.Connections(); len(all) != 1 || all[0].ID != "young" {
		t.Errorf("got connections %v, want only the young one", all)
	}
}
