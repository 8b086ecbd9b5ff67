//go:build planted

package replay_test

import (
	"strings"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// hubFolder has the list of the hub's simulation, which is in a test of package hub.
const hubFolder = "../../hub"

// visible are defects of the list that clients see, and the frame at which a replay of the
// afternoon names each of them.
var visible = []struct{ name, frame string }{
	{"rule 1: a write does not raise the version", "guest-1  frame 2  delta"},
	{"rule 5: the first change of a row is sent, not the last", "guest-1  frame 6  delta"},
	{"rule 6: a young connection that is gone is forgotten", "guest-6  frame 6  delta"},
	{"rule 7: everybody owns every cart", "customer-6  frame 1  snapshot"},
	{"a mark is cleared although the post failed", "guest-6  frame 7  delta"},
	{"heal forgets the items of a vendor's list", "vendor-2  frame 2  delta"},
	{"nobody is notified that a session expired", "customer-1  frame 5  error"},
	{"a new session does not reach the subscriptions", "guest-4  frame 5  delta"},
	{"a resume compares versions, not values", "guest-2  frame 10  snapshot"},
	{"a checkout leaves the floor", "customer-3  frame 21  delta"},
	{"a checkout takes a cart that changed", "customer-3.2  frame 13  ok"},
	{"a clamp is forgotten", "guest-1  frame 15  text"},
	{"a key lives an hour", "customer-3  frame 39  ok"},
	{"a merge leaves the guest's cart", "guest-3.2  frame 1  snapshot"},
	{"an erasure: the cart stays", "customer-8.6  frame 1  snapshot"},
}

// TestReplayFindsDefectsInHub builds the replay with these defects in the hub, and checks that
// the afternoon differs at the right frame with each of them on.
func TestReplayFindsDefectsInHub(t *testing.T) {
	all := planttest.ReadList(t, hubFolder+"/sim_planted_list_test.go")
	var defects []planttest.Defect
	for _, v := range visible {
		d, ok := all[v.name]
		if !ok {
			t.Fatalf("the simulation has no defect %q", v.name)
		}
		defects = append(defects, d)
	}
	binary := planttest.Build(t, hubFolder, defects)
	for _, v := range visible {
		t.Run(v.name, func(t *testing.T) {
			out, err := binary.Run(t, v.name, "^TestAfternoon$")
			if err == nil || !strings.Contains(string(out), " "+v.frame+": ") {
				t.Errorf("got %v, want a difference at %s\n%s", err, v.frame, out)
			}
		})
	}
}
