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

// A month of 30 days.
const (
	monthMinutes = 30 * 24 * 60
	monthSeconds = 60 * monthMinutes
)

// tracedFunctions are those that connections and messages invoke: authorize, connect,
// message, disconnect.
const tracedFunctions = 4

// healing is what a month of the schedule costs: each minute, while nobody is marked, an
// invocation of two requests in a row, which read eight lists of marks and that of sweeps.
// One a minute is always traced.
func healing() float64 {
	const reads = 9
	return monthMinutes / 1e6 * (prices.OfInvocation("broadcast", prices.OwnTime+2*prices.RoundTrip) +
		reads*prices.Read + prices.LogKB + prices.Trace)
}

// lines are the log lines of a scenario, of at most 1 KB: one for each handshake, request
// and end.
func lines(c costtest.Cost, connections int) float64 {
	return float64(c.Messages-c.Posts)/2 + 2*float64(connections)
}

// traces are how many of so many invocations in a month are traced, at most. With few
// invocations each has a second for itself.
func traces(invocations float64) float64 {
	return min(invocations, tracedFunctions*monthSeconds+tracedMessages*invocations)
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
	logged := shopperPages*lines(page, 1) + lines(cart, 2)
	invoked := logged + shopperPages + 2 // a handshake invokes two functions
	perMillion := func(dollars float64) func(float64) float64 {
		return func(shoppers float64) float64 { return shoppers / 1e6 * dollars }
	}
	fixed := func(dollars float64) func(float64) float64 { return func(float64) float64 { return dollars } }
	rows := []struct {
		name string
		cost func(shoppers float64) float64 // dollars a month
	}{
		{fmt.Sprintf("%d pages with 10 badges each", shopperPages), perMillion(shopperPages * page.Dollars)},
		{"a cart: five pages, three hours, an order", perMillion(cart.Dollars)},
		{fmt.Sprintf("%d changes that reach the screen", shopperDeltas),
			perMillion(shopperDeltas * change.Dollars / float64(change.Posts))},
		{fmt.Sprintf("%d minutes of connections", shopperMinutes), perMillion(shopperMinutes * prices.Minute)},
		{"logs, at most", perMillion(logged * prices.LogKB)},
		{"traces, at most", func(shoppers float64) float64 { return traces(shoppers*invoked) / 1e6 * prices.Trace }},
		{fmt.Sprintf("metrics, if all %d have data", len(metrics.Series)), func(shoppers float64) float64 {
			return min(shoppers, 1) * float64(len(metrics.Series)) * prices.Metric
		}},
		{"two secrets, and healing", fixed(2*prices.Secret + healing())},
		{"alarms and the dashboard", fixed(float64(watched)*prices.AlarmMetric + prices.Dashboard)},
	}
	months := []float64{0, 1000, 1_000_000} // shoppers
	var want []string
	row := func(name string, cost func(float64) float64) {
		line := "| " + name + " |"
		for _, shoppers := range months {
			line += fmt.Sprintf(" %.2f |", cost(shoppers))
		}
		want = append(want, line)
	}
	together := func(shoppers float64) (sum float64) {
		for _, r := range rows {
			sum += r.cost(shoppers)
		}
		return sum
	}
	for _, r := range rows {
		row(r.name, r.cost)
	}
	row("**together**", together)
	dynamo := shopperPages*page.DynamoDB + cart.DynamoDB + shopperDeltas*change.DynamoDB/float64(change.Posts)
	want = append(want, fmt.Sprintf("list prices of %s of %s", prices.Region, date(t, prices.AsOf)),
		fmt.Sprintf("%.0f %% of the bill for a million shoppers", 100*dynamo/together(1_000_000)))
	next := of("subscribe: 10 SKUs")
	for _, name := range []string{"page view: 1 SKU", "page view: 10 SKUs", "page view: 50 SKUs"} {
		want = append(want, fmt.Sprintf("$%.0f", of(name).Dollars))
	}
	want = append(want, fmt.Sprintf("$%.0f per million in place of $%.0f", next.Dollars, page.Dollars))
	intro, section, _ := strings.Cut(read(t, "docs/deploy.md"), "\n## Costs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	section = strings.Join(strings.Fields(section), " ")
	for _, line := range want {
		if !strings.Contains(section, line) {
			t.Errorf("docs/deploy.md does not have %q among its costs", line)
		}
	}
	counted := rows[len(rows)-3].cost(1000)
	first := fmt.Sprintf("idle some $%.0f a month, of which $%.0f are alarms and a dashboard. [In use](#costs), "+
		"some $%.0f for metrics, and some $%.0f for a thousand shoppers.", together(0), rows[len(rows)-1].cost(0),
		counted, together(1000)-together(0)-counted)
	if !strings.Contains(strings.Join(strings.Fields(intro), " "), first) {
		t.Errorf("docs/deploy.md does not begin with %q", first)
	}
	idle := fmt.Sprintf("costs [some $%.0f a month](deploy.md#costs)", together(0))
	if !strings.Contains(read(t, "docs/which-api.md"), idle) {
		t.Errorf("docs/which-api.md does not have %q", idle)
	}
}

// TestDocumentedExtras: what docs/deploy.md says of costs outside of the table.
func TestDocumentedExtras(t *testing.T) {
	_, edge := readTemplateFile(t, "edge.yaml")
	rules, _ := edge.resources["WebAcl"].properties["Rules"].([]any)
	doc := strings.Join(strings.Fields(read(t, "docs/deploy.md")), " ")
	for _, want := range []string{
		fmt.Sprintf("traffic to the internet, at $%.2f per GB, tables, at $%.2f per GB and $%.2f for point-in-time recovery",
			prices.OutKB, prices.TableGB, prices.RecoveryGB),
		fmt.Sprintf("costs $%.0f a month, and the secret with its copy $%.2f. A million requests cost $%.2f there and $%.2f "+
			"at CloudFront, which sends a GB for $%.3f", prices.WebACL+float64(len(rules))*prices.WallRule, 2*prices.Secret,
			prices.Wall, prices.Edge, prices.EdgeOutKB),
		fmt.Sprintf("for $%.0f a month and its use", prices.Key),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/deploy.md does not have %q", want)
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
