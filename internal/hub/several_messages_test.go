package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// TestEveryMessageOfAConnectionCounts: what a connection gets may take several
// messages. If any one of them fails, the connection is marked for all its rows, and
// healed; if it is gone, it is removed.
func TestEveryMessageOfAConnectionCounts(t *testing.T) {
	const skus = 700 // three messages for a client of the vendor
	name := func(i int) string { return fmt.Sprintf("%s%03d", strings.Repeat("n", 60), i) }
	change := func(th *testHub, available int) {
		for i := range skus {
			th.vendorStock(name(i), "acme", available)
		}
	}
	// broadcast returns the hub after a batch in which one of the seller's messages
	// failed, and the number of those messages.
	broadcast := func(t *testing.T, failing int, kind error) (*testHub, hub.Report, int) {
		th := newTestHub(t)
		change(th, 100)
		th.connect("seller", acme, "vendor:acme")
		th.connect("other", guest, "sku:"+name(0))
		th.changes = nil
		change(th, 3)
		posts := 0
		th.postError = func(p hub.Post) error {
			if p.ConnectionID != "seller" {
				return nil
			}
			if posts++; posts-1 == failing {
				return kind
			}
			return nil
		}
		report := th.broadcast()
		th.postError = nil
		return th, report, posts
	}
	_, intact, messages := broadcast(t, -1, nil)
	if messages < 3 || intact.Posts != 2 || intact.Marked != 0 {
		t.Fatalf("%d messages, report %+v, want three or more for one connection, none marked", messages, intact)
	}
	for failing := range messages {
		t.Run(fmt.Sprint("message ", failing, " is throttled"), func(t *testing.T) {
			th, report, _ := broadcast(t, failing, hub.ErrThrottled)
			if report.Marked != 1 || report.Posts != 1 || report.Failed != 0 {
				t.Errorf("got report %+v, want one connection marked and one served", report)
			}
			marks, _, err := th.store.RetryMarks(t.Context(), "", 10)
			if err != nil || len(marks) != 1 || marks[0].ConnectionID != "seller" || len(marks[0].Topics) != skus {
				t.Fatalf("got %d marks, %v, want one of the seller for all %d rows", len(marks), err, skus)
			}
			th.sent = nil
			if healed, _, err := th.Heal(t.Context(), ""); err != nil || healed.Healed != 1 {
				t.Fatalf("got %+v, %v, want one healed", healed, err)
			}
			all := strings.Join(th.got()["seller"], "")
			for i := range skus {
				if !strings.Contains(all, `"sku:`+name(i)+`":{"version":2,"state":"low","quantity":3}`) {
					t.Fatalf("the seller did not get SKU %d again", i)
				}
			}
		})
		t.Run(fmt.Sprint("message ", failing, " finds the connection gone"), func(t *testing.T) {
			th, report, _ := broadcast(t, failing, hub.ErrGone)
			if report.Gone != 1 || report.Marked != 0 || report.Posts != 1 {
				t.Errorf("got report %+v, want one connection gone and one served", report)
			}
			if _, err := th.store.Connection(t.Context(), "seller"); err == nil {
				t.Error("the connection is still recorded")
			}
		})
		t.Run(fmt.Sprint("message ", failing, " of a healing is throttled"), func(t *testing.T) {
			th, _, _ := broadcast(t, 0, hub.ErrThrottled)
			posts := 0
			th.postError = func(hub.Post) error {
				if posts++; posts-1 == failing {
					return hub.ErrThrottled
				}
				return nil
			}
			if healed, _, err := th.Heal(t.Context(), ""); err != nil || healed.Healed != 0 || healed.Kept != 1 {
				t.Errorf("got %+v, %v, want the mark kept", healed, err)
			}
			if marks, _, err := th.store.RetryMarks(t.Context(), "", 10); err != nil || len(marks) != 1 {
				t.Errorf("got %d marks, %v, want one", len(marks), err)
			}
		})
	}
}

// TestHealingCountsMessagesOfEachConnection: connections with several messages are
// healed together, and a failure belongs to the connection whose message failed.
func TestHealingCountsMessagesOfEachConnection(t *testing.T) {
	const skus = 700
	for _, failing := range []string{"a", "b", "c"} {
		t.Run(failing, func(t *testing.T) {
			th := newTestHub(t)
			name := func(i int) string { return fmt.Sprintf("%s%03d", strings.Repeat("n", 60), i) }
			for i := range skus {
				th.vendorStock(name(i), "acme", 100)
			}
			th.connect("a", acme, "vendor:acme")
			th.connect("b", guest, "sku:"+name(0))
			th.connect("c", acme, "vendor:acme")
			th.changes = nil
			for i := range skus {
				th.vendorStock(name(i), "acme", 3)
			}
			th.postError = func(hub.Post) error { return hub.ErrThrottled }
			if report := th.broadcast(); report.Marked != 3 {
				t.Fatalf("got report %+v, want three marked", report)
			}
			last := map[string]int{"a": 2, "b": 0, "c": 2} // the index of its last message
			posts := map[string]int{}
			th.postError = func(p hub.Post) error {
				n := posts[p.ConnectionID]
				posts[p.ConnectionID]++
				if p.ConnectionID == failing && n == last[failing] {
					return hub.ErrThrottled
				}
				return nil
			}
			report, _, err := th.Heal(t.Context(), "")
			if err != nil || report.Healed != 2 || report.Kept != 1 {
				t.Errorf("got %+v, %v, want two healed and one kept", report, err)
			}
			marks, _, err := th.store.RetryMarks(t.Context(), "", 10)
			if err != nil || len(marks) != 1 || marks[0].ConnectionID != failing {
				t.Errorf("got marks %+v, %v, want that of %s", marks, err, failing)
			}
		})
	}
}
