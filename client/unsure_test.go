package client

import (
	"testing"

	"github.com/securecart/hub/internal/wire"
)

// TestUnsureOfOneVersion: a push and an answer have one version and two values, and nobody
// knows which one is newer. The client asks again, and takes what it gets then.
func TestUnsureOfOneVersion(t *testing.T) {
	s := newStore()
	apply := func(a wire.Answer, asked *moment) effect {
		m := decode(wire.Encode(a))
		return s.apply(&m, asked)
	}
	badges := func(a wire.State, rev string) map[string]wire.Value {
		return map[string]wire.Value{
			"sku:A": wire.Badge{Version: 3, State: a, Rev: rev}, "sku:B": wire.Badge{Version: 3, State: "low"},
		}
	}
	topics := []string{"sku:A", "sku:B"}
	apply(wire.Delta{Epoch: "k1", Topics: map[string]wire.Value{"sku:A": wire.Badge{Version: 2, State: "in"}}}, nil)
	asked := s.moment(topics)
	apply(wire.Delta{Epoch: "k1", Topics: badges("in", "7")}, nil)
	answer := wire.Snapshot{Epoch: "k1", Topics: badges("out", "")}
	if gaps := apply(answer, asked).gaps; len(gaps) != 1 || !gaps["sku:A"] {
		t.Errorf("asks again for %v, want sku:A; sku:B is the same", gaps)
	}
	if gaps := apply(answer, s.moment(topics)).gaps; len(gaps) != 0 {
		t.Errorf("asks for ever: %v", gaps)
	}
	if got := s.values["sku:A"].badge; got == nil || got.State != "out" {
		t.Errorf("got %+v", got)
	}
}
