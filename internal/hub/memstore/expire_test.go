package memstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// TestExpireRemovesRows: expired carts, receipts and revocations leave the store and its
// journal, although nobody writes, and the journal keeps no byte of them. Others stay.
func TestExpireRemovesRows(t *testing.T) {
	ctx := t.Context()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const fresh, old = "fresh", "old"
	for name, tt := range map[string]struct {
		life time.Duration
		put  func(s *memstore.Store, id string, at time.Time) error
		has  func(s *memstore.Store, id string) bool
	}{
		"receipt": {hub.ReceiptLife, func(s *memstore.Store, id string, at time.Time) error {
			return s.PutCarts(ctx, nil, &hub.Receipt{CartID: "u~ann", Key: id, At: at})
		}, func(s *memstore.Store, id string) bool {
			_, err := s.Receipt(ctx, "u~ann", id)
			return err == nil
		}},
		"revocation": {hub.RevocationLife, func(s *memstore.Store, id string, at time.Time) error {
			return s.Revoke(ctx, id, at)
		}, func(s *memstore.Store, id string) bool {
			until, _ := s.Revocation(ctx, id)
			return !until.IsZero()
		}},
		"cart": {-1, func(s *memstore.Store, id string, at time.Time) error {
			return s.PutCarts(ctx, []hub.CartWrite{{Cart: hub.Cart{ID: id, Version: 1, Expires: at}}}, nil)
		}, func(s *memstore.Store, id string) bool {
			cart, _ := s.Cart(ctx, id)
			return cart.Version > 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newDiskJournal()
			s := openStore(t, j)
			if err := errors.Join(tt.put(s, old, start), tt.put(s, fresh, start.Add(time.Second))); err != nil {
				t.Fatal(err)
			}
			for _, expires := range []bool{false, true} {
				j.writes = nil
				now := start.Add(tt.life)
				if expires {
					now = now.Add(1)
				}
				if err := s.Expire(now); err != nil {
					t.Fatal(err)
				}
				for _, s := range []*memstore.Store{s, openStore(t, j)} {
					if !tt.has(s, fresh) || tt.has(s, old) == expires {
						t.Errorf("after %s: has the old row: %t, the fresh one: %t", now.Sub(start), tt.has(s, old), tt.has(s, fresh))
					}
				}
				if wiped := len(j.writes) == 1 && j.writes[0].Wipe; wiped != expires || !expires && len(j.writes) > 0 {
					t.Errorf("after %s: the journal wrote %v, want to wipe: %t", now.Sub(start), j.writes, expires)
				}
			}
		})
	}
}

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
		if _, err := s.Subscribe(t.Context(), c, []hub.Topic{topic}); errors.Is(err, hub.ErrGone) == recorded {
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
