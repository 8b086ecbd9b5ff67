package hub_test

import (
	"context"
	"fmt"

	"github.com/securecart/hub/internal/hub"
)

// In few runs some hundred guests watch one item, and the store has pages as large as they
// really are. What a crowd does together is simulated, too: all of it misses a change
// while the service refuses every post.

const (
	crowdOneIn = 200 // runs
	leastCrowd = 110 // more than the pages of a hundred that the hub reads
	mostCrowd  = 400

	crowdSKU = "S0"

	smallPage = 2 // rows, in the other runs
)

// addCrowd adds the watchers of an item.
func (sim *simulation) addCrowd() {
	sim.named = len(sim.clients)
	for i := range leastCrowd + sim.rng.IntN(mostCrowd-leastCrowd) {
		name := fmt.Sprintf("crowd-%03d", i) // none begins another
		c := newClient(sim, name, hub.Principal{User: hub.GuestUserPrefix + name, Role: hub.RoleGuest})
		c.watches, c.crowded = true, true
		c.openPage()
		sim.clients = append(sim.clients, c)
	}
	sim.meet("crowd of some hundred")
}

// crowded reports whether there is a crowd.
func (sim *simulation) crowded() bool { return sim.named > 0 }

// anyClient picks a client, often one that is not of the crowd.
func (sim *simulation) anyClient() *client {
	if sim.crowded() && sim.rng.IntN(2) == 0 {
		return sim.clients[sim.rng.IntN(sim.named)]
	}
	return sim.clients[sim.rng.IntN(len(sim.clients))]
}

// pageSize returns how many rows a page of a list has: few, so that there are several
// pages, and what the hub asks for in the runs with a crowd.
func (sim *simulation) pageSize(limit int) int {
	if sim.crowded() {
		return limit
	}
	return min(limit, smallPage)
}

// gather lets the crowd subscribe, without faults.
func (sim *simulation) gather() {
	if !sim.crowded() {
		return
	}
	for _, c := range sim.clients[sim.named:] {
		c.connect()
		c.subscribe()
		for len(c.socket.inbox) > 0 {
			c.receive(c.socket)
		}
	}
	sim.advance(hub.YoungConnection)
}

// failService lets the service refuse every post for some minutes, while a watched item
// changes and the hub heals.
func (sim *simulation) failService(ctx context.Context) {
	for _, c := range sim.clients[sim.named:] {
		c.arrive()
	}
	sim.meet("service that refuses all posts")
	sim.refusing = true
	sim.changeItem(ctx, crowdSKU)
	sim.healForLong(ctx)
	sim.refusing = false
}
