package house_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/local/house"
)

// TestCost: a visit of five minutes has the price of its messages, minutes and actions.
func TestCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		ann := dial(t, h, token(t, h, "ann"))
		ann.send(`{"action":"subscribe","topics":["sku:MUG"]}`)
		ann.read()
		setStock(t, h, "MUG", "2")
		ann.read()
		time.Sleep(5 * time.Minute)
		ann.close()
		synctest.Wait()

		status, answer := admin(t, h, http.MethodGet, "/admin/cost", "")
		var r cost.Report
		if err := json.Unmarshal([]byte(answer), &r); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s: %v", status, answer, err)
		}
		units := map[string]float64{}
		for _, l := range r.Lines {
			units[l.What] = l.Units
		}
		for what, want := range map[string]float64{
			"messages of up to 32 KB, in and out": 3, // subscribe, its answer, a delta
			"invocations of functions":            4, // $connect, message, broadcast, $disconnect
			"write units of DynamoDB":             3 + 4 + 2,
			"read units of DynamoDB":              2 + 2 + 3.03 + 1.5,
		} {
			if got := units[what]; got < want-1e-9 || got > want+1e-9 {
				t.Errorf("%s: %g, want %g", what, got, want)
			}
		}
		if got := units["minutes of connections"]; got < 5 || got > 5.1 {
			t.Errorf("%g minutes", got)
		}
		if len(r.Connections) != 1 || r.Connections[0].User != "ann" || r.Connections[0].Messages != 3 {
			t.Errorf("connections: %+v", r.Connections)
		}
		if len(r.Topics) != 1 || r.Topics[0].Topic != "sku:MUG" || r.Topics[0].Messages != 2 {
			t.Errorf("topics: %+v", r.Topics)
		}
	})
}
