package hub_test

import (
	"encoding/json"
	"errors"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// chooseWrite picks a write to the cart.
func (c *client) chooseWrite() {
	sim := c.sim
	c.keys++
	op := wire.Request{Key: c.key(c.keys)}
	switch n := sim.rng.IntN(14); {
	case n < 2:
		op.Action, op.SKU, op.Quantity = wire.ActionAdd, c.anyLine(), -1-sim.rng.IntN(3)
	case n < 6:
		op.Action, op.SKU, op.Quantity = wire.ActionAdd, countedSKU, 1
		sim.adds++
	case n < 8:
		op.Action = wire.ActionCheckout
		if sim.rng.IntN(2) == 0 {
			version := c.shown["cart"].version
			op.Version = &version
		}
	case n < 12 || c.principal.Role == hub.RoleGuest:
		op.Action = wire.ActionSet
		sku := c.anyLine()
		if sku == countedSKU {
			sku = sim.anySKU()
		}
		op.Lines = []wire.LineChange{{SKU: sku, Quantity: sim.rng.IntN(4)}}
		if sim.rng.IntN(2) == 0 {
			version := c.shown["cart"].version
			op.Version, op.Epoch = &version, c.epoch
			c.compete(op.Lines[0].SKU)
		}
	default:
		op.Action, op.From, op.Policy = wire.ActionMerge, "guest", wire.PolicySum
	}
	sim.trace("%s begins %s %s", c.name, op.Action, op.Key)
	c.pending = &op
}

// compete lets another device of the same person choose to change a line too.
func (c *client) compete(sku string) {
	for _, other := range c.sim.clients {
		if other == c || other.principal.User != c.principal.User || other.pending != nil || c.sim.rng.IntN(2) == 0 {
			continue
		}
		other.keys++
		lines := []wire.LineChange{{SKU: sku, Quantity: c.sim.rng.IntN(4)}}
		other.pending = &wire.Request{Action: wire.ActionSet, Key: other.key(other.keys), Lines: lines}
		c.sim.trace("%s competes for %s with %s", other.name, sku, other.pending.Key)
	}
}

// write sends the pending write, again if necessary, with the same key.
func (c *client) write() {
	if c.waitsForErasure() {
		return
	}
	s, sim, op := c.socket, c.sim, *c.pending
	c.writing = true
	outer := sim.writer
	sim.writer = c
	var ok wire.OK
	var err error
	stock, cart := int64(0), sim.newestCart(c.principal.CartID())
	sim.request(func() {
		ctx, h, caller := c.message(s)
		switch op.Action {
		case wire.ActionAdd:
			ok, err = h.Add(ctx, caller, op)
		case wire.ActionSet:
			stock = sim.newest["badge:"+op.Lines[0].SKU]
			ok, err = h.Set(ctx, caller, op)
		case wire.ActionMerge:
			guest := hub.Principal{User: "guest:g1", Role: hub.RoleGuest, Issued: sim.now}
			ok, err = h.Merge(ctx, caller, guest, op)
		case wire.ActionCheckout:
			ok, err = h.Checkout(ctx, caller, op)
		}
	})
	if op.Action == wire.ActionSet {
		sim.judgeSet(c, op, stock, ok, err)
	}
	sim.writer = outer
	sim.trace("%s writes %s: %d %v", c.name, op.Key, ok.Version, err)
	sim.meetAnswer(op, ok, err)
	sim.judgeRefusal(c, op, err)
	sim.judgeEffect(c, op, ok, err)
	sim.judgeBasis(c, op, ok, err)
	sim.judgeConflict(c, op, cart, err)
	sim.judgeAdd(c, op, ok, err)
	if !s.open {
		return
	}
	s.inbox = append(s.inbox, inboxMessage{answer: func() {
		c.writing = false
		if err == nil {
			sim.takeOut(c, op, ok)
		}
		var refused *hub.Error
		c.expired = c.expired || errors.As(err, &refused) && refused.Code == wire.CodeTokenExpired
		pending := c.pending != nil && c.pending.Key == op.Key // false: another answer came first
		switch {
		case err == nil:
			if pending {
				c.pending = nil
			}
			c.ackedVersion = max(c.ackedVersion, ok.Version)
			c.apply("cart", value{Version: ok.Version, From: &ok.From, Lines: ok.Lines})
		case errors.As(err, &refused) && refused.Code == wire.CodeBadField && op.SKU != "":
			sim.problem("%s: %s was refused: %v", c.name, op.Key, err)
		case errors.As(err, &refused) && op.SKU != countedSKU &&
			pending && refused.Code != wire.CodeBusy && refused.Code != wire.CodeTokenExpired:
			c.pending = nil // conflict, no stock: the person chooses again
		}
	}})
}

// giveUp gives up a write whose key may be forgotten: nobody knows whether it was done,
// and the person looks at the cart. The judge knows it.
func (c *client) giveUp() {
	sim, op := c.sim, c.pending
	c.pending, c.writing = nil, false
	answer, done := sim.done[op.Key]
	sim.trace("%s gives up %s: done %t", c.name, op.Key, done)
	switch {
	case done:
		var ok wire.OK
		_ = json.Unmarshal(answer, &ok)
		sim.takeOut(c, *op, ok)
	case op.Action == wire.ActionAdd && !isNegativeAdd(*op):
		sim.adds-- // it was not done
	}
}
