package tap

import (
	"strings"

	"github.com/securecart/hub/internal/local/events"
)

// maxThinning is the most that equal messages are thinned: 1 in so many is kept.
const maxThinning = 1024

// allowance is how much may be sent now.
type allowance struct{ events, bytes int }

// thin returns what of a batch may be sent, and of how many equal messages 1 was kept. If
// even the strongest thinning is not enough, it returns the part that fits.
func thin(batch []events.Event, a allowance) (kept []events.Event, of int) {
	s := newSampler(batch)
	var places []int
	for of = 1; of <= maxThinning; of *= 2 {
		places = s.sample(of)
		if s.fitting(places, a) == len(places) {
			return s.at(places), of
		}
	}
	if of = maxThinning; len(places) == len(batch) {
		of = 1 // nothing is alike
	}
	return s.at(places[:max(1, s.fitting(places, a))]), of
}

// sampler knows which messages of a batch are equal. It looks at each text once.
type sampler struct {
	batch  []events.Event
	sizes  []int // by place in the batch
	groups []int // by place: the number of the event's equal messages; -1: it is not one of them
	totals []int // by group
}

// message is what equal messages to many connections have in common.
type message struct {
	kind    events.Type
	topic   string
	version uint64
	text    string
}

func newSampler(batch []events.Event) *sampler {
	s := &sampler{batch: batch, sizes: make([]int, len(batch)), groups: make([]int, len(batch))}
	numbers := map[message]int{}
	for i := range batch {
		e := &batch[i]
		s.sizes[i], s.groups[i] = size(e), -1
		if e.Type != events.Post && e.Type != events.Out || e.Code != "" {
			continue // not a message to a client, or an error
		}
		m := message{e.Type, e.Topic, e.Version, e.Text}
		n, ok := numbers[m]
		if !ok {
			n = len(s.totals)
			numbers[m] = n
			s.totals = append(s.totals, 0)
		}
		s.groups[i] = n
		s.totals[n]++
	}
	return s
}

// sample returns the places of the first, the last and 1 in so many of equal messages, and of
// everything else.
func (s *sampler) sample(of int) []int {
	seen := make([]int, len(s.totals))
	places := make([]int, 0, len(s.batch))
	for i, group := range s.groups {
		if group >= 0 {
			n := seen[group]
			seen[group]++
			if n%of != 0 && n != s.totals[group]-1 {
				continue
			}
		}
		places = append(places, i)
	}
	return places
}

// fitting returns how many of the first events fit.
func (s *sampler) fitting(places []int, a allowance) int {
	bytes := 0
	for n, i := range places {
		if bytes += s.sizes[i]; bytes > a.bytes || n >= a.events {
			return n
		}
	}
	return len(places)
}

func (s *sampler) at(places []int) []events.Event {
	kept := make([]events.Event, len(places))
	for n, i := range places {
		kept[n] = s.batch[i]
	}
	return kept
}

// size is about how many bytes an event has as JSON.
func size(e *events.Event) int {
	const names = 220 // of members, ids and numbers
	return names + e.TextBytes() + strings.Count(e.Text, `"`) + 12*len(e.Cause)
}
