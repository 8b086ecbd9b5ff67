package crowd_test

import (
	"encoding/json"
	"fmt"
	"time"
)

// entry is what a message says of one topic.
type entry struct {
	topic   string
	version int64
}

func parse(data []byte) []entry {
	var delta struct {
		Type   string
		Topics map[string]struct{ Version int64 }
	}
	if err := json.Unmarshal(data, &delta); err != nil || delta.Type != "delta" {
		return nil
	}
	var entries []entry
	for name, value := range delta.Topics {
		entries = append(entries, entry{name, value.Version})
	}
	return entries
}

// visible is a change that screens show.
type visible struct {
	version int64
	at      time.Time // of the commit
}

// topic is one item or cart, with how long its changes took to reach screens.
type topic struct {
	name    string // as messages name it
	changes []visible
	ages    *ages
	older   int // versions that came after a newer one
}

// shown notes that a screen went from one version to another.
func (t *topic) shown(from, to int64, now time.Time) {
	for i := len(t.changes) - 1; i >= 0 && t.changes[i].version > from; i-- {
		if t.changes[i].version <= to {
			t.ages.add(now.Sub(t.changes[i].at))
		}
	}
}

// newest returns the last visible version, 0 if there is none.
func (t *topic) newest() int64 {
	if len(t.changes) == 0 {
		return 0
	}
	return t.changes[len(t.changes)-1].version
}

// ages counts durations in steps of 10 ms.
type ages struct {
	counts []int
	n      int
}

const ageStep = 10 * time.Millisecond

func (a *ages) add(d time.Duration) {
	i := int(d / ageStep)
	for len(a.counts) <= i {
		a.counts = append(a.counts, 0)
	}
	a.counts[i]++
	a.n++
}

func (a *ages) String() string {
	return fmt.Sprintf("%d changes on screens, p50 %v, p99 %v, last %v",
		a.n, a.quantile(.5), a.quantile(.99), a.quantile(1))
}

// quantile returns the age that a part of all do not exceed. 1 is the longest.
func (a *ages) quantile(part float64) time.Duration {
	left := int(part * float64(a.n))
	for i, n := range a.counts {
		if left -= n; left <= 0 && n > 0 {
			return time.Duration(i+1) * ageStep
		}
	}
	return 0
}
