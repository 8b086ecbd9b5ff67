package hub_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// TestMergeComparesTimes: the guest's line counts if the guest changed it after the
// caller removed it. In the same millisecond the removal counts: a line that comes
// back is worse than one that must be added again.
func TestMergeComparesTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		guestAfter time.Duration // after the removal
		want       string
	}{
		"the guest a millisecond before": {-time.Millisecond, "v2 []"},
		"at the same time":               {0, "v2 []"},
		"the guest a millisecond after":  {time.Millisecond, "v3 [A=1]"},
	} {
		t.Run(name, func(t *testing.T) {
			th := newStockedHub(t)
			c, g := th.connect("c1", alice), th.connect("g1", guest)
			th.add(c, "A", 1, "")
			removed := th.now.Add(time.Second)
			th.now = removed
			th.set(c, "A", 0)
			th.now = removed.Add(tt.guestAfter)
			th.add(g, "A", 1, "")
			th.now = removed.Add(time.Minute)
			if _, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
				t.Fatal(err)
			}
			equal(t, "cart", th.cart(alice), tt.want)
			equal(t, "the guest's cart", th.cart(guest), "v2 []")
		})
	}
}
