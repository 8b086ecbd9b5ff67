package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/costtest"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/metrics"
	"github.com/securecart/hub/internal/prices"
)

// What a shopper does in a month, for the costs in docs/deploy.md.
const (
	shopperPages  = 20 // with 10 badges each
	shopperDeltas = 50 // changes that reach the screen

	// Of its connections: one for each page, and the three hours of the cart afternoon.
	shopperMinutes = shopperPages + 3*60
)

// monthMinutes is a month of 30 days.
const monthMinutes = 30 * 24 * 60

// healing is what a month of the schedule costs: each minute, while nobody is marked, an
// invocation of two requests in a row, which read eight lists of marks and that of sweeps.
func healing() float64 {
	const reads = 9
	return monthMinutes / 1e6 * (prices.OfInvocation("broadcast", prices.OwnTime+2*prices.RoundTrip) +
		reads*prices.Read + prices.LogKB + tracedMessages*prices.Trace)
}

// observing is what logs and traces of a million scenarios cost. Each handshake, request
// and end has a line of at most 1 KB, and its functions are traced: two at a handshake.
func observing(c costtest.Cost, connections int) float64 {
	requests := float64(c.Messages-c.Posts)/2 + 2*float64(connections)
	return requests*prices.LogKB + (requests+float64(connections))*tracedMessages*prices.Trace
}

// TestDocumentedMonth computes what docs/deploy.md says that a month costs, from the
// golden file and the list prices.
func TestDocumentedMonth(t *testing.T) {
	costs := readCosts(t)
	of := func(name string) costtest.Cost {
		c, ok := costs.Of(name)
		if !ok {
			t.Errorf("there is no scenario %q", name)
		}
		return c
	}
	page, cart, change := of("page view: 10 SKUs"), of("cart afternoon"), of("stock: 100 watch")
	watched := 0
	for _, a := range alarms.List {
		watched += len(a.Metrics())
	}
	rows := []struct {
		name       string
		fixed      float64 // dollars a month
		perMillion float64 // shoppers
		busy       bool    // only while there are shoppers
	}{
		{fmt.Sprintf("%d pages with 10 badges each", shopperPages), 0, shopperPages * page.Dollars, true},
		{"a cart: five pages, three hours, an order", 0, cart.Dollars, true},
		{fmt.Sprintf("%d changes that reach the screen", shopperDeltas), 0,
			shopperDeltas * change.Dollars / float64(change.Posts), true},
		{fmt.Sprintf("%d minutes of connections", shopperMinutes), 0, shopperMinutes * prices.Minute, true},
		{"logs and traces, at most", 0, shopperPages*observing(page, 1) + observing(cart, 2), true},
		{fmt.Sprintf("metrics, if all %d have data", len(metrics.Series)), float64(len(metrics.Series)) * prices.Metric, 0,
			true},
		{"two secrets, and healing", 2*prices.Secret + healing(), 0, false},
		{"alarms and the dashboard", float64(watched)*prices.AlarmMetric + prices.Dashboard, 0, false},
	}
	var sums [3]float64
	var want []string
	for _, r := range rows {
		idle := r.fixed
		if r.busy {
			idle = 0
		}
		cells := []float64{idle, r.fixed + r.perMillion/1000, r.fixed + r.perMillion}
		for i, c := range cells {
			sums[i] += c
		}
		want = append(want, fmt.Sprintf("| %s | %.2f | %.2f | %.2f |", r.name, cells[0], cells[1], cells[2]))
	}
	want = append(want, fmt.Sprintf("| **together** | %.2f | %.2f | %.2f |", sums[0], sums[1], sums[2]),
		fmt.Sprintf("list prices of %s of %s", prices.Region, date(t, prices.AsOf)))
	next := of("subscribe: 10 SKUs")
	for _, name := range []string{"page view: 1 SKU", "page view: 10 SKUs", "page view: 50 SKUs"} {
		want = append(want, fmt.Sprintf("$%.0f", of(name).Dollars))
	}
	want = append(want, fmt.Sprintf("$%.0f per million in place of $%.0f", next.Dollars, page.Dollars))
	_, section, _ := strings.Cut(read(t, "docs/deploy.md"), "\n## Costs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	section = strings.Join(strings.Fields(section), " ")
	for _, line := range want {
		if !strings.Contains(section, line) {
			t.Errorf("docs/deploy.md does not have %q among its costs", line)
		}
	}
}

// date returns a day as documents write it.
func date(t *testing.T, day string) string {
	t.Helper()
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return d.Format("2 January 2006")
}
