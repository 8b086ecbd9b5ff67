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
var leastMet = map[string]float64{
	"410 before $connect answered": 80,
	"access behind the deadline":   3000,
	"add":                          350,
	"change that joins a sweep":    600,
	"answer lower than a push":     150,
	"checkout":                     100,
	"clamped write":                10,
	"client that learned of the end of its session": 900,
	"client that reads nothing":                     50,
	"connection that healing closes":                20,
	"crash of a sweep":                              30,
	"crash of the function":                         300,
	"crowd":                                         1800,
	"crowd of some hundred":                         1,
	"customer who becomes a vendor":                 120,
	"day without an answer":                         60,
	"connection that opens during an erasure":       20,
	"erasure":                                  50,
	"erasure in the middle of a call":          40,
	"erasure that leaves no name":              300,
	"event in the middle of a call":            6000,
	"item of a vendor's list":                  850,
	"item that left a vendor's list":           200,
	"item that changes while it is healed":     25,
	"item that the shop breaks":                400,
	"item that the shop counts":                400,
	"item that the shop jumps":                 400,
	"item that the shop lowers":                400,
	"item that the shop makes":                 300,
	"item that the shop rewrites":              400,
	"late batch":                               400,
	"lost bell":                                800,
	"lost bell that is rung":                   3,
	"merge":                                    130,
	"merge that skips a removed line":          3,
	"message lost in silence":                  10,
	"login during an erasure":                  5,
	"message of an ended connection":           300,
	"negative add":                             170,
	"negative add of an item that is gone":     2,
	"negative add of an item that is sold out": 0.2,
	"negative add of more than there is":       20,
	"negative add that finds no line":          100,
	"new epoch":                                80,
	"overlapping retry":                        30,
	"page of several sweeps":                   50,
	"post of a retry":                          70,
	"post that is not sent in time":            2000,
	"refusal bad_field":                        5,
	"refusal conflict":                         10,
	"refusal gone_version":                     60,
	"refusal no_stock":                         70,
	"refusal old_epoch":                        10,
	"refusal token_expired":                    65,
	"removed cart":                             700,
	"removed item":                             400,
	"repeated add":                             15,
	"repeated checkout":                        5,
	"repeated merge":                           7,
	"repeated negative add":                    7,
	"repeated set":                             8,
	"request for a foreign cart":               300,
	"revocation":                               170,
	"revocation in the middle of a call":       60,
	"second broadcaster":                       80,
	"service that refuses all posts":           3,
	"set":                                      200,
	"several messages to a connection":         1000,
	"shards that split":                        200,
	"sweep of several pages":                   1300,
	"sweep that goes on behind its end":        45,
	"throttled post":                           2000,
	"time that passes in a call":               9000,
	"trimmed record":                           500,
	"unreadable row":                           400,
	"write with an unknown outcome":            20,
}

// meet counts something rare that happened in the run.
func (sim *simulation) meet(what string) { sim.met[what]++ }

// meetAnswer counts how the hub answered a write.
func (sim *simulation) meetAnswer(op wire.Request, ok wire.OK, err error) {
	var refused *hub.Error
	switch {
	case errors.As(err, &refused):
		sim.meet("refusal " + string(refused.Code))
	case errors.Is(err, hub.ErrConflict):
		sim.meet("write that others keep overtaking")
	case err != nil:
		sim.meet("write with an unknown outcome")
	case ok.Duplicate:
		sim.meet("repeated " + kindOf(op))
	default:
		sim.meet(kindOf(op))
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
		c.sim.lost[c.topic(name)], c.missed[c.topic(name)] = true, true
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
	for what, times := range met {
		if _, known := leastMet[what]; !known && times*1000 > int(seeds)*3 {
			t.Errorf("leastMet does not have %q, which was met %d times", what, times)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(leastMet)) {
		least := leastMet[what]
		if want := int(least * float64(seeds) / 1000); met[what] < want {
			t.Errorf("met %q %d times in %d runs, want at least %d", what, met[what], seeds, want)
		}
	}
}
