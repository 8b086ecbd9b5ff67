package memstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

func TestExpire(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := memstore.New(memstore.Options{Epoch: "k1"})
	topic := hub.Topic{Kind: hub.KindSKU, Name: "A"}
	connect := func(id string, at time.Time, recorded bool) {
		c := hub.Connection{ID: id, ConnectedAt: at}
		if recorded {
			if err := s.PutConnection(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Subscribe(t.Context(), c, []hub.Topic{topic}); err != nil {
			t.Fatal(err)
		}
	}
	connect("old", began, true)
	connect("orphan", began, false)
	connect("young", began.Add(time.Minute), true)
	for _, tt := range []struct {
		at   time.Time
		want int
	}{{began.Add(hub.ConnectionLife), 3}, {began.Add(hub.ConnectionLife + 1), 1}} {
		s.Expire(tt.at)
		page, _, err := s.Subscribers(t.Context(), topic, "", 10)
		if err != nil || len(page) != tt.want {
			t.Errorf("at %s: got %d subscribers, %v, want %d", tt.at, len(page), err, tt.want)
		}
	}
	for id, life := range map[string]time.Duration{"over": 0, "good": 1} {
		if err := s.PutTicket(t.Context(), hub.Ticket{Hash: id, Expires: began.Add(life)}); err != nil {
			t.Fatal(err)
		}
	}
	s.Expire(began)
	if _, err := s.TakeTicket(t.Context(), "over"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("a ticket that is over: got %v, want it gone", err)
	}
	if _, err := s.TakeTicket(t.Context(), "good"); err != nil {
		t.Errorf("a ticket that is good: %v", err)
	}
	if all := s.Connections(); len(all) != 1 || all[0].ID != "young" {
		t.Errorf("got %v, want the young one", all)
	}
}
