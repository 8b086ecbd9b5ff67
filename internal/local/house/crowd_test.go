package house_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

// TestCrowd checks that a crowd gets a change by a sweep, that a vendor and a person who
// looks at something else get theirs from the batch, and that Settle waits for all.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{PostsPerSecond: 2})
		defer closeHouse(t, h)
		var crowd []*client
		for range 7 {
			c := dial(t, h, "")
			defer c.close()
			c.send("sub sku:MUG")
			c.read()
			crowd = append(crowd, c)
		}
		other := dial(t, h, "")
		defer other.close()
		other.send("sub sku:TEE-RED-M")
		other.read()
		for _, available := range []string{"3", "2"} {
			setStock(t, h, "MUG", available)
			setStock(t, h, "TEE-RED-M", available)
			settle(t, h)
			for i, c := range crowd {
				if got := c.read(); !strings.Contains(got, fmt.Sprintf(`"state":"low","quantity":%s`, available)) {
					t.Errorf("person %d got %s, want %s left", i, got, available)
				}
			}
			if got := other.read(); !strings.Contains(got, `"sku:TEE-RED-M"`) {
				t.Errorf("got %s, want the other item", got)
			}
		}
		_, metrics := admin(t, h, "GET", "/metrics", "")
		for _, line := range []string{`hub_sweeps_total{result="begun"} 2`, `hub_sweeps_total{result="posts"} 14`} {
			if !strings.Contains(metrics, line) {
				t.Errorf("the metrics do not have %s", line)
			}
		}
	})
}
