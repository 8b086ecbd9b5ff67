// Package costtest measures what the hub costs: the requests to DynamoDB of each
// action, their read and write units, how many of them wait for each other, and the
// price. The figures are in testdata/costs.golden. A change that costs more is red
// until that file is written again:
//
//	go test ./internal/costtest -update
package costtest

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Golden is the golden file, from this folder.
const Golden = "testdata/costs.golden"

// Cost is what a scenario costs.
type Cost struct {
	Name     string
	Reads    float64 // read units
	Writes   float64 // write units
	Depth    int     // requests to DynamoDB that wait for each other
	Messages int     // that API Gateway bills, posts among them
	Posts    int
	DynamoDB float64 // dollars per million
	Dollars  float64 // all of it, per million
	Requests string  // by operation
}

// Cents rounds dollars to cents.
func Cents(dollars float64) float64 { return math.Round(dollars*100) / 100 }

const (
	header = "scenario                                |  read | write | depth | messages | posts | DynamoDB" +
		" |  $ per M | requests"
	line = "%-39s | %5g | %5g | %5d | %8d | %5d | %8.2f | %8.2f | %s"
)

func (c Cost) String() string {
	return fmt.Sprintf(line, c.Name, c.Reads, c.Writes, c.Depth, c.Messages, c.Posts, c.DynamoDB, c.Dollars, c.Requests)
}

// Costs are the lines of the golden file.
type Costs []Cost

func (all Costs) String() string {
	var text strings.Builder
	fmt.Fprintln(&text, header)
	for _, c := range all {
		fmt.Fprintln(&text, c)
	}
	return text.String()
}

// Of returns the cost of a scenario.
func (all Costs) Of(name string) (Cost, bool) {
	for _, c := range all {
		if c.Name == name {
			return c, true
		}
	}
	return Cost{}, false
}

// Read reads a golden file.
func Read(file string) (Costs, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all Costs
	for i, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if i == 0 {
			continue
		}
		cells := strings.Split(text, "|")
		if len(cells) != 9 {
			return nil, fmt.Errorf("%s:%d: %d columns, want 9", file, i+1, len(cells))
		}
		c := Cost{Name: strings.TrimSpace(cells[0]), Requests: strings.TrimSpace(cells[8])}
		numbers := make([]float64, 7)
		for j := range numbers {
			if numbers[j], err = strconv.ParseFloat(strings.TrimSpace(cells[j+1]), 64); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
			}
		}
		c.Reads, c.Writes, c.DynamoDB, c.Dollars = numbers[0], numbers[1], numbers[5], numbers[6]
		c.Depth, c.Messages, c.Posts = int(numbers[2]), int(numbers[3]), int(numbers[4])
		all = append(all, c)
	}
	return all, nil
}
