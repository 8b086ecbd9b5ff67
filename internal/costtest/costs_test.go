package costtest_test

import (
	"cmp"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/costtest"
	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/prices"
)

var update = flag.Bool("update", false, "write testdata/costs.golden")

// TestCosts compares what each scenario costs with the golden file.
func TestCosts(t *testing.T) {
	endpoint, stop, err := dynamotest.Start("../..", os.Getenv)
	switch {
	case dynamotest.MaySkip(err, os.Getenv):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	defer stop()
	var got costtest.Costs
	for _, s := range scenarios {
		got = append(got, measure(t, endpoint, s))
	}
	if t.Failed() {
		return
	}
	if *update {
		if err := os.WriteFile(costtest.Golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := costtest.Read(costtest.Golden)
	if err != nil {
		t.Fatal(err)
	}
	for i, cost := range got {
		switch {
		case i >= len(want):
			t.Errorf("new:  %s", cost)
		case cost != want[i]:
			t.Errorf("was:  %s\n      now: %s", want[i], cost)
		}
	}
	if len(want) > len(got) {
		t.Errorf("the golden file has %d scenarios that do not exist", len(want)-len(got))
	}
	if t.Failed() {
		t.Log("if this is meant, run go test ./internal/costtest -update, and read the diff")
	}
}

// measure runs a scenario in a bubble, on tables of its own.
func measure(t *testing.T, endpoint string, s scenario) (cost costtest.Cost) {
	t.Helper()
	prefix := rand.Text() + "-"
	o := dynamostore.Options{
		HubTable: prefix + "hub", SweepTable: prefix + "sweeps",
		InventoryTable: prefix + "inventory", CartTable: prefix + "cart",
	}
	if err := dynamostore.CreateTables(t.Context(), newClient(endpoint, http.DefaultClient), o); err != nil {
		t.Fatal(err)
	}
	t.Run(s.name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, endpoint, o)
			var d *device
			w.free(func() {
				if s.prepare != nil {
					d = s.prepare(w)
				}
				w.open("").send(`{"action":"hello"}`) // the environment knows the epoch
			})
			s.run(w, d)
			cost = w.cost(s.name)
			for _, wrong := range w.meter.wrong {
				t.Error(wrong)
			}
		})
	})
	return cost
}

// cost returns what was counted.
func (w *world) cost(name string) costtest.Cost {
	var requests []string
	for _, op := range sortedKeys(w.meter.counts) {
		requests = append(requests, fmt.Sprintf("%s %d", op, w.meter.counts[op]))
	}
	dynamo := w.meter.reads*prices.Read + w.meter.writes*prices.Write
	return costtest.Cost{
		Name: name, Reads: w.meter.reads, Writes: w.meter.writes, Depth: w.bill.depth,
		Messages: w.bill.messages, Posts: w.bill.posts, DynamoDB: costtest.Cents(dynamo),
		Dollars: costtest.Cents(dynamo + w.bill.dollars), Requests: cmp.Or(strings.Join(requests, ", "), "none"),
	}
}

func (w *world) epoch() (name string) {
	w.free(func() {
		epoch, err := w.store.Epoch(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		name = epoch.Name
	})
	return name
}
