package hub_test

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
)

const simEvents = 60

// eventInCall is what nested meets.
const eventInCall = "event in the middle of a call"

// event makes one random thing happen.
func (sim *simulation) event() {
	ctx := context.Background()
	c := sim.anyClient()
	if sim.crowded() && sim.nesting == 0 && sim.rng.IntN(12) == 0 {
		sim.failService(ctx)
		return
	}
	switch n := sim.rng.IntN(100); {
	case n < 12:
		sim.changeStock(ctx)
	case n < 15:
		sim.writeUncounted(ctx, fmt.Sprint("W", sim.rng.IntN(wildCount)))
	case n < 32:
		if sim.sweeps != nil && sim.rng.IntN(3) == 0 {
			sim.sweeps.step(ctx)
		} else {
			sim.stepAny(ctx)
		}
	case n < 52:
		if c.socket != nil && c.socket.open && len(c.socket.inbox) > 0 {
			c.receive(c.socket)
		}
	case n < 62:
		if c.socket == nil {
			c.connect()
		} else if c.socket.open && !c.subscribing && c.due() {
			c.subscribe()
		}
	case n < 66:
		if c.canList() && sim.rng.IntN(2) == 0 {
			c.getList()
		} else if c.socket != nil && c.socket.open && !c.subscribing {
			c.openPage()
			c.subscribe()
		}
	case n < 74:
		if c.pending == nil && c.canWrite() {
			c.chooseWrite()
		}
	case n < 82:
		if c.pending != nil && !c.writing && c.socket != nil && c.socket.open {
			c.write()
		}
	case n < 85:
		if c.socket != nil && c.socket.open {
			sim.drop(c.socket)
		}
	case n < 87:
		sim.disconnected(ctx)
	case n < 88:
		sim.removeCart(ctx, c.principal.CartID())
	case n < 91:
		if sim.rng.IntN(4) == 0 {
			c.stopReading(ctx)
		}
		_, _ = sim.heal(ctx)
		sim.ringSweeps(ctx)
	case n < 93:
		if c.socket != nil && c.socket.open && c.principal.Role != hub.RoleGuest {
			c.renew()
		}
	case n < 95 && len(sim.deliveries) > 0:
		// Deliver an old batch again, long after newer ones.
		sim.meet("late batch")
		_, _ = invoker{sim}.Invoke(ctx, sim.deliveries[sim.rng.IntN(len(sim.deliveries))])
	case n < 96 && sim.epochs == 1 && sim.rng.IntN(3) == 0:
		sim.beginEpoch()
	case n < 96 && sim.rng.IntN(3) == 0:
		sim.meet("erasure")
		sim.erase(c.principal)
	case n < 96:
		sim.revoke(c.principal.User)
	case n < 98:
		sim.advance(time.Duration(sim.rng.IntN(40)) * time.Second)
	case sim.rng.IntN(3) > 0:
		sim.advance(time.Duration(sim.rng.IntN(180)) * time.Minute)
	case sim.rng.IntN(3) == 0:
		sim.broadcasters[sim.rng.IntN(len(sim.broadcasters))].split()
	default:
		sim.passDay()
	}
}

// interrupt may let other events happen in the middle of a call: often one, seldom
// several.
func (sim *simulation) interrupt() { sim.interruptOneIn(10) }

func (sim *simulation) interruptOneIn(n int) {
	if sim.nesting >= 2 || !sim.chance(n) {
		return
	}
	for more := true; more; more = sim.rng.IntN(3) == 0 {
		sim.nested(sim.event)
	}
}

// nested runs an event in the middle of a call. A crash that is due in the function
// outside does not happen in the event: it would end what other clients do.
func (sim *simulation) nested(event func()) {
	sim.meet(eventInCall)
	crash, requesting, healing, began := sim.crash, sim.requesting, sim.healing, sim.began
	sim.crash, sim.requesting, sim.healing, sim.began = noCrash, false, nil, sim.now
	sim.nesting++
	event()
	sim.nesting--
	sim.crash, sim.requesting, sim.healing, sim.began = crash, requesting, healing, began
}

// request runs a request of a client, which must not push anything.
func (sim *simulation) request(do func()) {
	requesting := sim.requesting
	sim.requesting = true
	do()
	sim.requesting = requesting
}

// later does something when no call runs.
func (sim *simulation) later(do func()) { sim.afterCall = append(sim.afterCall, do) }

// endCall does what waited for the end of a call.
func (sim *simulation) endCall() {
	for len(sim.afterCall) > 0 {
		do := sim.afterCall[0]
		sim.afterCall = sim.afterCall[1:]
		do()
	}
	sim.began = sim.now
}

// advance advances the clock, but not in the middle of a call: rights are checked
// when a call begins.
func (sim *simulation) advance(d time.Duration) {
	if sim.nesting > 0 {
		return
	}
	sim.now = sim.now.Add(d)
	sim.began = sim.now
	for _, c := range sim.clients {
		if s := c.socket; s != nil && s.open && sim.now.Sub(s.connected) > 2*time.Hour {
			sim.drop(s)
		}
	}
}

// passDay lets more than a day pass: no connection lives that long, and the keys of
// earlier writes are forgotten. A client that has no answer until then gives up.
func (sim *simulation) passDay() {
	if sim.nesting > 0 {
		return
	}
	sim.meet("day without an answer")
	for _, c := range sim.clients {
		if c.pending != nil && !sim.oldKeyRetried {
			c.giveUp()
		}
	}
	sim.lateMessages, sim.deliveries = nil, nil
	sim.advance(hub.ReceiptLife + time.Hour)
}

// revoke revokes the sessions of a user, and repeats that until it succeeds. The rights
// of calls that run may have been checked before, so what they send is judged by the
// old sessions.
func (sim *simulation) revoke(user string) {
	var revoked time.Time
	for {
		revoked = sim.now
		notified, err := sim.hub.Revoke(sim.invoke(), user)
		sim.trace("revoke %s: %d notified, %v", user, notified, err)
		if err == nil {
			break
		}
	}
	sim.meet("revocation")
	if sim.nesting > 0 {
		sim.meet("revocation in the middle of a call")
	}
	sim.later(func() { sim.sessionsEnd(user, revoked) })
}

// sessionsEnd lets the judges know that the sessions of a user have ended.
func (sim *simulation) sessionsEnd(user string, revoked time.Time) {
	for _, s := range sim.sockets {
		if s.session.User == user && !s.session.Issued.After(revoked) {
			s.session.Expires = s.session.Issued.Add(-hub.SessionLeeway)
		}
	}
	sim.advance(time.Second) // tokens have issue times in whole seconds
}

func (sim *simulation) changeStock(ctx context.Context) {
	sim.changeItem(ctx, sim.anySKU())
	if sim.rng.IntN(4) == 0 {
		sim.stepAll(ctx) // it is sent before anything else happens
	}
}

// changeItem changes the stock of an item, or deletes it.
func (sim *simulation) changeItem(ctx context.Context, sku string) {
	var err error
	if sim.rng.IntN(5) == 0 {
		_, err = sim.hub.DeleteStock(ctx, sku)
	} else {
		available, vendor := sim.rng.IntN(9), []string{"acme", "acme", "other"}[sim.rng.IntN(3)]
		c := hub.StockChange{Available: &available, Vendor: &vendor}
		tracked, back := len(sim.written)%8 > 0, len(sim.written)%2 == 0
		date := []string{"", "2026-12-24", "2027-01-06"}[len(sim.written)%3]
		c.Tracked, c.BackOrder, c.BackAt = &tracked, &back, &date
		_, err = sim.hub.PutStock(ctx, sku, c)
	}
	sim.trace("stock of %s: %v", sku, err)
}

// beginEpoch begins a new epoch, as the shop does after it restored a table. Each
// run has one at most: a message of the second may overtake answers of the first.
func (sim *simulation) beginEpoch() {
	sim.epochs++
	begins := sim.now.Add(hub.EpochNotice)
	sim.epoch = hub.Epoch{Name: fmt.Sprint("k", sim.epochs), Previous: sim.epoch.Name, Begins: begins}
	sim.trace("epoch %s will begin", sim.epoch.Name)
	sim.meet("new epoch")
}

// anySKU picks an item, counted or not.
func (sim *simulation) anySKU() string {
	if sim.rng.IntN(8) == 0 {
		return fmt.Sprint("W", sim.rng.IntN(wildCount))
	}
	if sim.crowded() && sim.rng.IntN(2) == 0 {
		return crowdSKU
	}
	return fmt.Sprint("S", sim.rng.IntN(skuCount))
}

func (sim *simulation) disconnected(ctx context.Context) {
	if len(sim.lateMessages) > 0 && sim.rng.IntN(2) == 0 {
		message := sim.lateMessages[0]
		sim.lateMessages = sim.lateMessages[1:]
		message()
		sim.meet("message of an ended connection")
	}
	if len(sim.disconnecting) > 0 {
		id := sim.disconnecting[0]
		sim.disconnecting = sim.disconnecting[1:]
		err := sim.hub.Disconnect(sim.invoke(), id)
		sim.trace("$disconnect %s: %v", id, err)
		if err == nil {
			sim.ended = append(sim.ended, id)
		}
	}
}
