package hub_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// leastMet is how often 1000 runs of the simulation must meet a thing. A simulation
// that no longer meets it would pass whatever the hub does then. The numbers are a
// third of what was measured, or less.
var leastMet = map[string]int{}

// meet counts something rare that happened in the run.
func (sim *simulation) meet(what string) { sim.met[what]++ }

// meetAnswer counts how the hub answered a write.
func (sim *simulation) meetAnswer(op wire.Request, ok wire.OK, err error) {
	var refused *hub.Error
	switch {
	case errors.Is(err, hub.ErrConflict):
		sim.meet("conflict")
	case errors.As(err, &refused):
		sim.meet("refusal " + string(refused.Code))
	case err != nil:
		sim.meet("write with an unknown outcome")
	case ok.Duplicate:
		sim.meet("repeated " + string(op.Action))
	default:
		sim.meet(string(op.Action))
		if len(ok.Clamped) > 0 {
			sim.meet("clamped write")
		}
	}
}

// lose loses a delta on its way to the client and remembers its topics: their screens
// are right only after the client subscribed again. Other messages are not lost.
func (c *client) lose(data []byte) bool {
	var m message
	if err := json.Unmarshal(data, &m); err != nil || len(m.Topics) == 0 {
		return false
	}
	for name := range m.Topics {
		c.sim.lost[c.topic(name)] = true
	}
	c.sim.trace("%s loses %s", c.name, data)
	return true
}

// checkMet checks that the runs met enough of everything.
func checkMet(t *testing.T, seeds uint64, met map[string]int) {
	t.Helper()
	t.Logf("met %v", met)
	if seeds < 1000 {
		return // too few for a judgement
	}
	for _, what := range slices.Sorted(maps.Keys(leastMet)) {
		least := leastMet[what]
		if want := least * int(seeds) / 1000; met[what] < want {
			t.Errorf("met %q %d times in %d runs, want at least %d", what, met[what], seeds, want)
		}
	}
}
