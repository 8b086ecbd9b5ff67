package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// judgeRefusal checks that a write whose key has taken effect is not refused. An
// expired session is refused in any case.
func (sim *simulation) judgeRefusal(c *client, op wire.Request, err error) {
	var refused *hub.Error
	if !errors.As(err, &refused) && !errors.Is(err, hub.ErrConflict) ||
		refused != nil && refused.Code == wire.CodeTokenExpired {
		return
	}
	receipt, readErr := sim.mem.Receipt(context.Background(), c.principal.CartID(), op.Key)
	if readErr == nil && !receipt.Expired(sim.now) {
		sim.problem("%s: %s took effect and was refused: %v", c.name, op.Key, err)
	}
}

// judgeEffect checks that a key has one effect: every ok of a request is the same.
func (sim *simulation) judgeEffect(c *client, op wire.Request, ok wire.OK, err error) {
	if err != nil {
		return
	}
	ok.Duplicate = false
	effect := string(wire.Encode(ok))
	if first, known := sim.effects[op.Key]; known && first != effect {
		sim.problem("%s: %s was %s and then %s", c.name, op.Key, first, effect)
	}
	sim.effects[op.Key] = effect
}

// judgeBasis checks that a write with a version was done only if nothing that it
// concerns had changed after that version.
func (sim *simulation) judgeBasis(c *client, op wire.Request, ok wire.OK, err error) {
	if err != nil || ok.Duplicate || op.Version == nil {
		return
	}
	if op.Action == wire.ActionCheckout {
		if ok.From != *op.Version {
			sim.problem("%s: a checkout of version %d took version %d", c.name, *op.Version, ok.From)
		}
		return
	}
	seen, _ := sim.cartLines(c.principal.CartID(), *op.Version)
	current, _ := sim.cartLines(c.principal.CartID(), ok.From)
	if sku := op.Lines[0].SKU; seen[sku] != current[sku] {
		sim.problem("%s: a set of version %d overwrote %s of version %d", c.name, *op.Version, sku, ok.From)
	}
}

// newestCart returns how many versions of a cart there are.
func (sim *simulation) newestCart(id string) int { return len(sim.versions[id]) }

// judgeConflict checks that a write is refused as a conflict only if what it concerns
// changed after its version. before is the number of versions when the call began.
func (sim *simulation) judgeConflict(c *client, op wire.Request, before int, err error) {
	var refused *hub.Error
	id := c.principal.CartID()
	if !errors.As(err, &refused) || refused.Code != wire.CodeConflict || sim.removedCarts[id] {
		return
	}
	seen, _ := sim.cartLines(id, *op.Version)
	for i, version := range sim.versions[id] {
		switch lines, _ := sim.cartLines(id, version); {
		case version <= *op.Version:
		case op.Action == wire.ActionCheckout && i >= before-1: // the newest when it began, or a later one
			return
		case op.Action == wire.ActionSet && seen[op.Lines[0].SKU] != lines[op.Lines[0].SKU]:
			return
		}
	}
	sim.problem("%s: %s of version %d is a conflict, but nothing changed: %v", c.name, op.Action, *op.Version, err)
}

// inspect checks a message to a connection: its values were committed, and its
// client may see them now.
func (c *client) inspect(s *socket, data []byte) {
	sim := c.sim
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		sim.problem("sent to %s: %s", c.name, data)
		return
	}
	epoch, before := sim.epoch.At(sim.now), sim.epoch.At(sim.began)
	if m.Epoch != epoch && m.Epoch != before && m.Type != "error" {
		sim.problem("sent to %s in epoch %s: epoch %s", c.name, epoch, m.Epoch)
	}
	active := s.session.Active(sim.began)
	for name, v := range m.Topics {
		kind, sku, _ := strings.Cut(name, ":")
		at := fmt.Sprint(":", sku, "@", v.Version)
		switch {
		case kind == "vendor" && active && s.session.Vendor == sku:
		case name == "cart" && active:
			sim.inspectCart(c, s.session.CartID(), v)
		case kind == "sku":
			text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity, Until: v.Until})
			switch exact := sim.history["exact"+at]; {
			case slices.Contains(sim.history["badge"+at], text):
			case slices.Contains(exact, text) && active && s.session.Vendor == "acme":
			default:
				sim.problem("sent to %s: %s version %d is %q, committed was %q, %q", c.name, name, v.Version, text,
					sim.history["badge"+at], exact)
			}
		default:
			sim.problem("sent to %s, who may not see it: %s", c.name, name)
		}
	}
}

func (sim *simulation) inspectCart(c *client, id string, v value) {
	committed, known := sim.cartLines(id, v.Version)
	before, _ := sim.cartLines(id, 0)
	if v.From != nil {
		before, _ = sim.cartLines(id, *v.From)
	}
	if !known && v.Version > 0 {
		sim.problem("sent to %s: cart %s version %d was never committed", c.name, id, v.Version)
	}
	for sku, l := range v.Lines {
		if line, exists := committed[sku]; (l != nil) != exists || l != nil && *l != line {
			sim.problem("sent to %s: cart %s version %d: %s is %v, committed was %v", c.name, id, v.Version, sku, l, line)
		}
	}
	for _, lines := range []map[string]wire.Line{before, committed} {
		for sku := range lines {
			if _, listed := v.Lines[sku]; !listed && before[sku] != committed[sku] {
				sim.problem("sent to %s: cart %s version %d: the step leaves out %s", c.name, id, v.Version, sku)
			}
		}
	}
}

// cartLines returns the lines that a version of a cart had. Version 0 has none.
func (sim *simulation) cartLines(id string, version int64) (lines map[string]wire.Line, known bool) {
	texts, known := sim.history[fmt.Sprint("cart:", id, "@", version)]
	if known {
		_ = json.Unmarshal([]byte(texts[0]), &lines)
	}
	return lines, known
}
