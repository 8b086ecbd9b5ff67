package crowd_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestTwoCrowdsThatLeave changes two items with many watchers every few seconds, while their
// watchers leave: half of them with a $disconnect, the others without a word.
func TestTwoCrowdsThatLeave(t *testing.T) {
	const (
		watchers  = 6_000 // of each item
		seconds   = 60
		perSecond = 50 // who leave, of each item
		every     = 15 // seconds between two changes
	)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, defaultRates(t))
		defer w.end()
		var first, second, others ages
		w.follow("a", watchers, sku("A"), &first)
		w.follow("b", watchers, sku("B"), &second)
		w.follow("n", 10, sku("N"), &others)
		for _, name := range []string{"A", "B", "N"} {
			w.stock(name, 1, 5)
		}
		w.start()
		w.wait(2 * time.Minute)
		w.gateway.mu.Lock()
		first, second, others = ages{}, ages{}, ages{}
		w.gateway.mu.Unlock()
		for n := range seconds {
			if n%every == 0 {
				w.stock("A", 2+n%2, 5)
				w.stock("B", 2+n%2, 5)
			}
			w.stock("N", 2+n%2, 5)
			for i := n * perSecond; i < (n+1)*perSecond; i++ {
				// Ids are in order of the sweeps, and those who leave are everywhere.
				id := fmt.Sprintf("%07d", i*7%watchers)
				w.leave("a"+id, i%2 == 0)
				w.leave("b"+id, i%2 == 0)
			}
			w.wait(time.Second)
		}
		w.wait(time.Minute)
		w.end()
		w.report(fmt.Sprintf("two crowds of %d, of which %d leave", watchers, seconds*perSecond), &first, &others)
		t.Logf("  the second crowd: %v", &second)
		most := 2*time.Second + 2*watchers*time.Second*4/3/time.Duration(w.rates.sweep)
		for name, crowd := range map[string]*ages{"first": &first, "second": &second} {
			if last := crowd.quantile(1); last > most {
				t.Errorf("the last of the %s crowd waited %v, want %v at most", name, last, most)
			}
		}
		if last := others.quantile(1); last > 2*time.Second {
			t.Errorf("a change of another item waited %v, want 2s at most", last)
		}
	})
}

// leave closes a connection. The hub hears of it, or only a post does.
func (w *world) leave(id string, announced bool) {
	w.gateway.mu.Lock()
	w.gateway.screens[id].closed = true
	w.gateway.mu.Unlock()
	if announced {
		if err := w.shop.Disconnect(w.t.Context(), id); err != nil {
			w.t.Error(err)
		}
	}
}
