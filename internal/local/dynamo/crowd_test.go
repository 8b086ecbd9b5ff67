package dynamo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
)

// TestCrowdOnTables runs the house with the functions' executables and a crowd: the row of
// the sweep, its stream and its mapping are those of AWS. In the end every client
// shows the newest state, and no row of a sweep is left.
func TestCrowdOnTables(t *testing.T) {
	load := load{clients: 16, users: 4, skus: 1, watched: 1}
	var output functionOutput
	h := openHouse(t, house.Options{
		PostsPerSecond: 5, Functions: house.Functions{BootstrapDir: bootstraps(t), Output: &output},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h.setStock(ctx, "S0", 50)
	h.setStock(ctx, "P0", 1_000)
	clients := h.connectClients(ctx, load)
	if t.Failed() {
		t.FailNow()
	}
	for available := range 6 {
		h.setStock(ctx, "S0", available)
	}
	h.setStock(ctx, "S0", 3)
	h.checkClients(ctx, load, clients)
	for sweeps, ended := 1, false; sweeps > 0 || !ended; { // the function ends its sweep after its posts
		left, err := h.tables.Sweeps(ctx)
		if err != nil {
			t.Fatalf("%v; sweeps are left or none ended:\n%s", err, output.String())
		}
		sweeps, ended = len(left), strings.Contains(output.String(), `"SweepsEnded":1`)
	}
	for _, c := range clients {
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	}
}
