package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

var errBroken = errors.New("sick")

func isBroken(id string) bool { return strings.HasPrefix(id, "sick") }

// sickness is a store in which one call fails for connections that are called
// sick, or for the SKU that only they watch.
type partlyFailing struct {
	hub.Store
	call string
}

func (s partlyFailing) fails(call, id string) error {
	if s.call == call && isBroken(id) {
		return errBroken
	}
	return nil
}

func (s partlyFailing) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := s.fails("Connection", id); err != nil {
		return hub.Connection{}, err
	}
	return s.Store.Connection(ctx, id)
}

func (s partlyFailing) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if s.call == "Items" && slices.Contains(skus, "SICK") {
		return nil, errBroken
	}
	return s.Store.Items(ctx, skus)
}

func (s partlyFailing) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	return errors.Join(s.fails("Forget", id), s.Store.Forget(ctx, id, topics...)) // done, and not known
}

func (s partlyFailing) ClearRetryMark(ctx context.Context, m hub.RetryMark) error {
	if err := s.fails("ClearStale", m.ConnectionID); err != nil {
		return err
	}
	return s.Store.ClearRetryMark(ctx, m)
}

// TestHealIsHeldUpByNobody: as many marks as are served together can never be
// settled, and came first. Those behind them are served by the same call, and each
// mark counts once.
func TestHealIsHeldUpByNobody(t *testing.T) {
	const sick = 100
	failures := []struct {
		name   string
		call   string // that the store fails
		answer error  // to posts
		hold   error  // to ending the connection
	}{
		{"connection unreadable", "Connection", nil, nil},
		{"state unreadable", "Items", nil, nil},
		{"gone, and not forgotten", "Forget", hub.ErrGone, nil},
		{"closed, and not forgotten", "Forget", hub.ErrTooLarge, nil},
		{"served, and not cleared", "ClearStale", nil, nil},
		{"throttled, and not closed", "", hub.ErrThrottled, hub.ErrThrottled},
		{"forbidden", "", hub.ErrForbidden, hub.ErrForbidden},
	}
	for _, tt := range failures {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestHub(t)
			b.stock("SICK", 9)
			b.stock("A", 9)
			for i := range sick {
				b.connect(fmt.Sprintf("sick%03d", i), guest, "sku:SICK")
			}
			b.connect("well", guest, "sku:A")
			b.postError = func(hub.Post) error { return hub.ErrThrottled }
			b.changes = nil
			b.stock("SICK", 1)
			b.broadcast()
			b.stock("A", 1)
			b.broadcast() // marked last

			b.now = b.now.Add(2 * time.Minute)
			b.postError = func(p hub.Post) error {
				if isBroken(p.ConnectionID) {
					return tt.answer
				}
				return nil
			}
			b.disconnectError = func(string) error { return tt.hold }
			report, err := b.withStore(partlyFailing{b.store, tt.call}).Heal(t.Context())
			if err == nil {
				t.Error("got no error")
			}
			equal(t, "report", report, hub.HealReport{Healed: 1, Left: sick, Failed: sick})
			marks, err := b.store.RetryMarks(t.Context(), 2*sick)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "marks", len(marks), sick)
		})
	}
}
