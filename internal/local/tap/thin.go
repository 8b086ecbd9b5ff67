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
	for of = 1; of <= maxThinning; of *= 2 {
		kept = sample(batch, of)
		if fitting(kept, a) == len(kept) {
			return kept, of
		}
	}
	if of = maxThinning; len(kept) == len(batch) {
		of = 1 // nothing is alike
	}
	return kept[:max(1, fitting(kept, a))], of
}

// fitting returns how many of the first events fit.
func fitting(batch []events.Event, a allowance) int {
	bytes := 0
	for i := range batch {
		if bytes += size(&batch[i]); bytes > a.bytes || i >= a.events {
			return i
		}
	}
	return len(batch)
}

// size is about how many bytes an event has as JSON.
func size(e *events.Event) int {
	const names = 220 // of members, ids and numbers
	return names + e.TextBytes() + strings.Count(e.Text, `"`) + 12*len(e.Cause)
}

// message is what equal messages to many connections have in common.
type message struct {
	kind    events.Type
	topic   string
	version uint64
	text    string
}

// sample keeps the first, the last and 1 in so many of equal messages, and everything that
// is not a message to a client or is an error.
func sample(batch []events.Event, of int) []events.Event {
	if of == 1 {
		return batch
	}
	total := map[message]int{}
	for i := range batch {
		if m, ok := messageOf(&batch[i]); ok {
			total[m]++
		}
	}
	seen := make(map[message]int, len(total))
	kept := make([]events.Event, 0, len(batch)/of+len(total))
	for i := range batch {
		if m, ok := messageOf(&batch[i]); ok {
			n := seen[m]
			seen[m]++
			if n%of != 0 && n != total[m]-1 {
				continue
			}
		}
		kept = append(kept, batch[i])
	}
	return kept
}

// messageOf returns what a message to a client has in common with others.
func messageOf(e *events.Event) (m message, ok bool) {
	if e.Type != events.Post && e.Type != events.Out || e.Code != "" {
		return m, false
	}
	return message{e.Type, e.Topic, e.Version, e.Text}, true
}
