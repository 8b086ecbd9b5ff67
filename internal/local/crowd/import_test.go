package crowd_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// TestImport changes a thousand SKUs at once, each with some viewers, and a hot item
// right after them. A second later other items and a cart begin to change, twice a second.
func TestImport(t *testing.T) {
	for _, viewers := range []int{12, 13, 40} {
		synctest.Test(t, func(t *testing.T) {
			const imported, watchers = 1_000, 5_000
			w := newWorld(t, defaultRates(t))
			defer w.end()
			var skus, hot, others, carts ages
			for i := range imported {
				w.follow(fmt.Sprintf("i%04d-", i), viewers, sku(fmt.Sprint("I", i)), &skus)
				w.stock(fmt.Sprint("I", i), 1, 5)
			}
			w.follow("h", watchers, sku("HOT"), &hot)
			w.stock("HOT", 1, 5)
			w.stock("BULK", 1_000_000, 5)
			for i := range 4 { // in both shards of the inventory
				w.follow(fmt.Sprintf("n%d-", i), 10, sku(fmt.Sprint("N", i)), &others)
				w.stock(fmt.Sprint("N", i), 1, 5)
			}
			w.follow("u00000-", 2, hub.Topic{Kind: hub.KindCart, Name: "u~00000"}, &carts)
			w.start()
			w.wait(2 * time.Minute)
			w.gateway.mu.Lock()
			skus, hot, others, carts = ages{}, ages{}, ages{}, ages{}
			w.gateway.mu.Unlock()
			for i := range imported {
				w.stock(fmt.Sprint("I", i), 2, 5)
			}
			w.stock("HOT", 0, 5)
			w.wait(time.Second)
			for n := range 120 {
				for i := range 4 {
					w.stock(fmt.Sprint("N", i), 2+n%3, 5)
				}
				w.addToCart(0, "BULK")
				w.wait(time.Second / 2)
			}
			w.wait(time.Minute)
			w.end()
			w.report(fmt.Sprintf("import of %d SKUs with %d viewers each", imported, viewers), &hot, &others)
			t.Logf("  imported: %v\n  carts: %v", &skus, &carts)
			for what, neighbours := range map[string]*ages{"item": &others, "cart": &carts} {
				if last := neighbours.quantile(1); last > 2*time.Second {
					t.Errorf("a change of another %s waited %v, want 2s at most", what, last)
				}
			}
			posts := imported*viewers + watchers
			most := 2*time.Second + time.Duration(posts)*time.Second*4/3/time.Duration(w.rates.sweep)
			if last := max(skus.quantile(1), hot.quantile(1)); last > most {
				t.Errorf("the last viewer of %d waited %v, want %v at most", posts, last, most)
			}
		})
	}
}
