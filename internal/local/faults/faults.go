// Package faults reads the names of faults that people type: in the flag -faults and
// in the admin API. gatewaytest.Faults says what each fault does.
package faults

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// Mix has some of each fault that a hub and its clients must survive. [Parse] reads it.
const Mix = "throttle=20,slow=50,lose-disconnect=5,drop=500"

// DefaultSlowBy is how long a slow post waits. Our own choice: long enough to see.
const DefaultSlowBy = 200 * time.Millisecond

// MaxSlowBy is the longest time that a slow post may wait: as long as API Gateway waits for an
// integration (Quotas for WebSocket APIs, "Integration timeout": 29 seconds).
const MaxSlowBy = 29 * time.Second

// rates are the fields of f by the names of their faults. A rate of n makes the fault
// happen once in n times.
func rates(f *gatewaytest.Faults) map[string]*int {
	return map[string]*int{
		"gone":            &f.GoneEvery,
		"throttle":        &f.ThrottleEvery,
		"too-large":       &f.TooLargeEvery,
		"error":           &f.ErrorEvery,
		"slow":            &f.SlowEvery,
		"lose-disconnect": &f.LoseDisconnectEvery,
		"drop":            &f.DropEvery,
		"stall":           &f.StallEvery,
		"late":            &f.LateEvery,
	}
}

// Names are the names of all faults, sorted.
func Names() []string { return slices.Sorted(maps.Keys(rates(new(gatewaytest.Faults)))) }

// Parse reads "NAME=N,NAME=N": each named fault happens once in N times.
func Parse(text string) (*gatewaytest.Faults, error) {
	every := map[string]int{}
	for part := range strings.SplitSeq(text, ",") {
		name, n, _ := strings.Cut(part, "=")
		count, err := strconv.Atoi(n)
		if err != nil && slices.Contains(Names(), name) {
			return nil, errCount(name)
		}
		every[name] = count
	}
	return FromRates(every)
}

// FromRates makes each named fault happen once in as many times as the map says. With an
// empty map no fault happens.
func FromRates(every map[string]int) (*gatewaytest.Faults, error) {
	f := &gatewaytest.Faults{SlowBy: DefaultSlowBy}
	known := rates(f)
	for _, name := range slices.Sorted(maps.Keys(every)) {
		rate, ok := known[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("unknown fault %q; the faults are %s", name, strings.Join(Names(), ", "))
		case every[name] < 1:
			return nil, errCount(name)
		}
		*rate = every[name]
	}
	return f, nil
}

// Rates returns the faults of f that happen, by name: the reverse of [FromRates].
func Rates(f gatewaytest.Faults) map[string]int {
	set := map[string]int{}
	for name, every := range rates(&f) {
		if *every > 0 {
			set[name] = *every
		}
	}
	return set
}

func errCount(name string) error { return fmt.Errorf("%s=N needs a number above zero", name) }
