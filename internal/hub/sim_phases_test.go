package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// run runs the simulation and returns its problems.
func (sim *simulation) run() []string {
	ctx := context.Background()
	sim.fillStore(ctx)
	for range simEvents {
		sim.event()
		sim.endCall()
	}
	sim.sweeps.letJoin()
	for range 3 {
		sim.stepAll(ctx) // with faults: no later change makes up for what they lose
	}
	_, _ = sim.heal(ctx) // the same, for marks
	sim.sweeps.letJoin()
	sim.endCall()
	sim.rest(ctx)
	sim.checkScreens(ctx, func(t hub.Topic) bool { return sim.counted(t) && !sim.removedCarts[t.Name] && !sim.lost[t] })
	sim.checkListed(ctx)
	sim.resumeAll(ctx)
	sim.checkScreens(ctx, func(hub.Topic) bool { return true })
	sim.makeReadable(ctx)
	sim.resumeAll(ctx)
	sim.checkScreens(ctx, func(hub.Topic) bool { return true })
	sim.writeInCalm(ctx)
	sim.checkScreens(ctx, func(t hub.Topic) bool { return !sim.lost[t] })
	sim.checkListed(ctx)
	sim.endSessions(ctx)
	sim.eraseOne()
	return sim.problems
}

// fillStore fills the inventory and some carts, and sets the marks that cannot be healed, without
// faults.
func (sim *simulation) fillStore(ctx context.Context) {
	sim.faults = false
	many := 1_000_000
	_, err := sim.hub.PutStock(ctx, countedSKU, hub.StockChange{Available: &many})
	err = errors.Join(err, sim.stockAll(ctx, many))
	for i := range stuckCount {
		stuck := stuckConnection(fmt.Sprint(stuckPrefix, i), sim.now)
		mark := hub.Undelivered{ConnectionID: stuck.ID, Topics: stuck.Topics}
		err = errors.Join(err, sim.mem.MarkForRetry(ctx, []hub.Undelivered{mark}, sim.now)[0])
	}
	for _, c := range sim.clients {
		if c.canWrite() && sim.rng.IntN(2) == 0 {
			caller := c.caller(&socket{id: "before " + c.name, handshake: c.principal, connected: sim.now})
			_, countedErr := sim.hub.Add(ctx, caller, wire.Request{SKU: countedSKU, Quantity: 1})
			_, addErr := sim.hub.Add(ctx, caller, wire.Request{SKU: sim.anySKU(), Quantity: 4})
			err = errors.Join(err, countedErr, addErr)
			sim.adds++
			if sim.rng.IntN(4) == 0 { // the cart may have a removed line, which a merge skips
				_, takeErr := sim.hub.Add(ctx, caller, wire.Request{SKU: countedSKU, Quantity: -1})
				err = errors.Join(err, takeErr)
				sim.adds--
			}
			err = errors.Join(err, sim.hub.Disconnect(ctx, caller.ID))
		}
	}
	if err = errors.Join(err, sim.stockAll(ctx, 0)); err != nil { // sold out
		sim.problem("fill the store: %v", err)
	}
	sim.gather()
	sim.faults = true
}

// stockAll sets the stock of all items but the counted one.
func (sim *simulation) stockAll(ctx context.Context, available int) (err error) {
	vendor := "acme"
	for i := range skuCount + wildCount {
		sku := fmt.Sprint("S", i)
		if i >= skuCount {
			sku = fmt.Sprint("W", i-skuCount)
		}
		_, putErr := sim.hub.PutStock(ctx, sku, hub.StockChange{Available: &available, Vendor: &vendor})
		err = errors.Join(err, putErr)
	}
	return err
}

// stuckConnection returns a connection whose mark can never be healed: its cart cannot be
// read.
func stuckConnection(id string, now time.Time) hub.Connection {
	p := hub.Principal{User: id, Role: hub.RoleCustomer}
	return hub.Connection{
		ID: id, Principal: p, ConnectedAt: now, Topics: []hub.Topic{{Kind: hub.KindCart, Name: p.CartID()}},
	}
}

// rest ends the faults and runs until nothing is left to do. A client that is
// connected and subscribed sends nothing: the hub must push what it missed.
func (sim *simulation) rest(ctx context.Context) {
	sim.trace("faults end")
	sim.faults = false
	leastRounds := 5
	if sim.inOrder {
		leastRounds = 2 // little happened since it was at rest
	}
	for round := range 60 {
		for _, c := range sim.clients {
			switch {
			case c.socket == nil:
				c.connect()
			case !c.subscribing && c.promoted && c.principal.Vendor == "" && sim.rng.IntN(4) == 0:
				c.renew()
			case !c.subscribing && (c.expired || !c.principal.Active(sim.now.Add(hub.SessionLeeway))):
				c.renew()
			}
			if s := c.socket; s != nil {
				if !c.subscribing && c.due() {
					c.subscribe()
				}
				if c.pending != nil && !c.writing && s.open {
					c.write()
				}
				if c.canList() {
					c.getList()
				}
				for len(s.inbox) > 0 {
					c.receive(s)
				}
			}
		}
		busy := false
		for sim.stepAll(ctx) {
			busy = true
		}
		sim.disconnected(ctx)
		sim.ringSweeps(ctx)
		healed, err := sim.heal(ctx)
		for line := range strings.Lines(fmt.Sprint(err)) {
			if err != nil && !strings.HasPrefix(line, "heal "+stuckPrefix) {
				sim.problem("heal without faults: %s", line)
			}
		}
		listed := !slices.ContainsFunc(sim.clients, func(c *client) bool { return c.listsItems() && !c.listed })
		due := slices.ContainsFunc(sim.clients, func(c *client) bool { return c.due() })
		quiet := !busy && listed && !due && !sim.sweeping(ctx)
		if round >= leastRounds && quiet && healed == (hub.HealReport{Kept: stuckCount, Failed: stuckCount}) {
			return
		}
		sim.throttled = sim.throttled && round < 1
		sim.advance(5 * time.Second)
	}
	sim.problem("the system does not come to rest")
}

// resumeAll lets every client subscribe once more with what it shows, as a keep-alive
// does, and read its list again. From then on messages arrive in order, from one broadcaster.
func (sim *simulation) resumeAll(ctx context.Context) {
	sim.inOrder = true
	sim.broadcasters = sim.broadcasters[:1]
	for _, c := range sim.clients {
		c.subscribed = false // subscribe again
		c.listed = false     // its items may have lost records, and no topic of the page asks for them
	}
	sim.rest(ctx)
	clear(sim.lost)
}

// makeReadable lets the shop make removed items again, and repair what it wrote. A
// client that was denied an item that does not exist is not subscribed to it.
func (sim *simulation) makeReadable(ctx context.Context) {
	for i := range wildCount {
		sku := fmt.Sprint("W", i)
		for {
			items, _ := sim.mem.Items(ctx, []string{sku})
			if items[sku].SKU != "" && !sim.unreadable[sku] {
				break
			}
			sim.writeUncounted(ctx, sku)
		}
	}
	sim.rest(ctx)
}

// writeInCalm lets the second writer work while messages arrive in order. Posts may
// still be throttled, so they are healed.
func (sim *simulation) writeInCalm(ctx context.Context) {
	for range 3 {
		sim.sweeps.letJoin()
		for range 1 + sim.rng.IntN(3) {
			if sim.rng.IntN(8) == 0 {
				sim.broadcasters[0].split()
			}
			sim.writeUncounted(ctx, fmt.Sprint("W", sim.rng.IntN(wildCount)))
		}
		c := sim.anyClient()
		if c.socket != nil && sim.rng.IntN(3) == 0 {
			sim.drop(c.socket)
		}
		if sim.rng.IntN(2) == 0 {
			sim.removeCart(ctx, c.principal.CartID())
		}
		if sim.rng.IntN(2) == 0 {
			sim.changeStock(ctx)
		}
		c = sim.anyClient()
		if c.canWrite() && sim.rng.IntN(2) == 0 {
			c.chooseWrite()
		}
		sim.throttled = sim.rng.IntN(2) == 0
		sim.rest(ctx)
	}
}

// endSessions lets all sessions end without a word, and then changes all items: each
// client must learn of its end.
func (sim *simulation) endSessions(ctx context.Context) {
	sim.throttled = false
	sim.advance(30 * time.Minute)
	for i := range skuCount {
		sku := fmt.Sprint("S", i)
		items, _ := sim.mem.Items(ctx, []string{sku})
		available, tracked := 100, true // a difference that every badge shows
		if badgeText(items[sku].Badge(hub.ShapeBadge)) == string(wire.StateIn) {
			available = 1
		}
		if _, err := sim.hub.PutStock(ctx, sku, hub.StockChange{Available: &available, Tracked: &tracked}); err != nil {
			sim.problem("change the stock: %v", err)
		}
		for sim.stepAll(ctx) {
		}
	}
	for _, c := range sim.clients {
		s := c.socket
		if s == nil || c.principal.Role == hub.RoleGuest || s.session.Active(sim.now) {
			continue
		}
		for len(s.inbox) > 0 {
			c.receive(s)
		}
		watches := slices.ContainsFunc(c.topics(), func(t hub.Topic) bool { return strings.HasPrefix(t.Name, "S") })
		if watches && !c.expired {
			sim.problem("%s does not know that its session has ended", c.name)
		}
		if watches {
			sim.meet("client that learned of the end of its session")
		}
	}
}
