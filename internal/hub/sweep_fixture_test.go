package hub_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// always lets a sweep go on until nothing is left.
func always() bool { return true }

// crowd returns a testHub with watchers of A, w00 to w<n-1>, and a hub of it that serves few
// of them at once.
func crowd(t *testing.T, n, postsPerSecond int) (*testHub, *hub.Hub) {
	th := newTestHub(t)
	for _, sku := range []string{"A", "B", "C", "X"} {
		th.stock(sku, 100)
	}
	th.changes = nil
	for i := range n {
		th.connect(fmt.Sprintf("w%02d", i), guest, "sku:A")
	}
	return th, th.WithPostsPerSecond(postsPerSecond)
}

// broadcastWith broadcasts everything committed since the last call, numbered as in a
// stream.
func (th *testHub) broadcastWith(h *hub.Hub) hub.Report {
	th.t.Helper()
	report, err := h.Broadcast(th.t.Context(), th.numbered())
	if err != nil {
		th.t.Fatal(err)
	}
	return report
}

// numbered returns everything committed since the last call, with sequence numbers.
func (th *testHub) numbered() []hub.Change {
	changes := th.changes
	th.changes, th.sent = nil, nil
	for i := range changes {
		version := int64(0)
		if changes[i].NewItem != nil {
			version = changes[i].NewItem.Version
		}
		changes[i].Sequence = strconv.FormatInt(100+version, 10)
	}
	return changes
}

func (th *testHub) sweep(h *hub.Hub, more func() bool) hub.SweepReport {
	th.t.Helper()
	report, err := h.Sweep(th.t.Context(), more)
	if err != nil {
		th.t.Fatal(err)
	}
	return report
}

// posted returns who was posted to, in order.
func (th *testHub) posted() []string {
	var ids []string
	for _, p := range th.sent {
		ids = append(ids, p.ConnectionID)
	}
	return ids
}
