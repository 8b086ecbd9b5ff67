package rules

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/costtest"
	"github.com/securecart/hub/internal/prices"
)

// readCosts returns the golden file of costs.
func readCosts(t *testing.T) costtest.Costs {
	t.Helper()
	all, err := costtest.Read(root + "/internal/costtest/" + costtest.Golden)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d costs, %v", len(all), err)
	}
	return all
}

// TestDocumentedActionCosts compares the table of docs/performance.md with the golden
// file.
func TestDocumentedActionCosts(t *testing.T) {
	costs := readCosts(t)
	_, section, _ := strings.Cut(read(t, "docs/performance.md"), "\n## What an action costs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	row := regexp.MustCompile(`(?m)^\| ([^|]+) \| (?:[0-9][^|]* )?\| ([0-9][^|]*) \|$`)
	lines := row.FindAllStringSubmatch(section, -1)
	if len(lines) < 15 {
		t.Errorf("docs/performance.md has %d costs, want 15 at least", len(lines))
	}
	for _, line := range lines {
		c, ok := costs.Of(line[1])
		if !ok {
			t.Errorf("docs/performance.md: there is no scenario %q", line[1])
			continue
		}
		if want := fmt.Sprintf("%g, %g, %d, %.2f", c.Reads, c.Writes, c.Depth, c.Dollars); line[2] != want {
			t.Errorf("docs/performance.md: %s costs %s, want %s", line[1], line[2], want)
		}
	}
}

// TestDocumentedPageCosts compares what docs/deploy.md says of page views with the
// golden file.
func TestDocumentedPageCosts(t *testing.T) {
	costs := readCosts(t)
	ten, _ := costs.Of("page view: 10 SKUs")
	fifty, _ := costs.Of("page view: 50 SKUs")
	want := fmt.Sprintf("with 10 badges cost $%.0f with Lambda and DynamoDB, with 50 badges $%.0f;",
		ten.Dollars, fifty.Dollars)
	if doc := strings.Join(strings.Fields(read(t, "docs/deploy.md")), " "); !strings.Contains(doc, want) {
		t.Errorf("docs/deploy.md does not have %q", want)
	}
}

// TestLimitsOfCosts holds what was achieved: how many requests of an action wait for each
// other, and the units of a page of badges.
func TestLimitsOfCosts(t *testing.T) {
	costs := readCosts(t)
	for name, most := range map[string]costtest.Cost{
		"hello":                              {Depth: 1, Reads: 1, Writes: 1},
		"subscribe: 1 SKU":                   {Depth: 5, Reads: 2, Writes: 4},
		"subscribe: 50 SKUs":                 {Depth: 5, Reads: 60, Writes: 54},
		"get: 1 SKU":                         {Depth: 3, Reads: 2, Writes: 2},
		"add: a guest, with a key":           {Depth: 3, Reads: 4, Writes: 8},
		"add: a cart of 3 lines, with a key": {Depth: 3, Reads: 4, Writes: 5},
		"disconnect: 50 SKUs":                {Depth: 8, Reads: 26, Writes: 2},
	} {
		c, ok := costs.Of(name)
		if !ok || c.Depth > most.Depth || c.Reads > most.Reads || c.Writes > most.Writes {
			t.Errorf("%s: got %+v, want at most %+v", name, c, most)
		}
	}
}

// TestDocumentedCostsOfDoors computes the prices in docs/which-api.md.
func TestDocumentedCostsOfDoors(t *testing.T) {
	costs := readCosts(t)
	dollars := func(scenario string) float64 {
		c, ok := costs.Of(scenario)
		if !ok {
			t.Errorf("there is no scenario %q", scenario)
		}
		return c.Dollars
	}
	doc := strings.Join(strings.Fields(read(t, "docs/which-api.md")), " ")
	var wants []string
	for _, skus := range []string{"1 SKU", "10 SKUs", "50 SKUs"} {
		var n float64
		_, _ = fmt.Sscan(skus, &n)
		query := costtest.Cents(prices.Query + n/2*prices.Read) // half a unit for each row
		wants = append(wants, fmt.Sprintf("| %s, once | %.2f | %.2f | %.2f | %.2f |", skus, dollars("page view: "+skus),
			dollars("over HTTP: "+skus), prices.Edge+prices.Wall, query))
	}
	requests := dollars("page view: 10 SKUs") / dollars("over HTTP: 10 SKUs")
	wants = append(wants,
		fmt.Sprintf("List prices of %s of %s,", prices.Region, date(t, prices.AsOf)),
		fmt.Sprintf("who watch | %.2f |", dollars("stock: 100 watch")/100),
		fmt.Sprintf("a minute longer | %.2f |", prices.Minute),
		fmt.Sprintf("gets a SKU for %.2f.", dollars("get: 1 SKU")),
		fmt.Sprintf("as much as %.1f requests over HTTP", requests),
		fmt.Sprintf("every five seconds is dearer after %.0f s", requests*5),
		fmt.Sprintf("$%.2f for a million, $%.2f for a million viewers that get it, $%.2f for a million minutes",
			prices.Query, prices.Update, prices.Subscribed))
	for _, want := range wants {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/which-api.md does not have %q", want)
		}
	}
}
