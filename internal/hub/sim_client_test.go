package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// client is a browser or a phone. It keeps the highest version of each topic,
// resumes after an interruption, and subscribes again if its cart has a gap.
type client struct {
	sim        *simulation
	name       string
	principal  hub.Principal
	socket     *socket // nil: not connected
	pageTopics []string

	subscribing bool // a subscribe has no answer yet
	subscribed  bool // the last subscribe on the socket has its answer
	newSession  bool // the session changed, so versions no longer count
	expired     bool // it knows that its session has expired
	epoch       string
	shown       map[string]shown
	lines       map[string]wire.Line // of the cart

	pending      *wire.Request // a write without an answer
	writing      bool          // it was sent
	keys         int
	gapVersion   int64 // the cart's version that revealed a gap
	ackedVersion int64 // the cart's version in the latest answer to a write
}

// shown is what the screen shows of one topic.
type shown struct {
	version int64
	text    string
}

// message is any message of the server with state.
type message struct {
	Type   string
	Epoch  string
	Topics map[string]struct {
		From     *int64
		Version  int64
		State    wire.State
		Quantity *int
		Until    string
		Lines    map[string]*wire.Line
	}
}

func newClient(sim *simulation, name string, p hub.Principal) *client {
	c := &client{sim: sim, name: name, principal: p, shown: map[string]shown{}, lines: map[string]wire.Line{}}
	c.openPage()
	return c
}

// openPage picks what the page shows.
func (c *client) openPage() {
	c.pageTopics = []string{"cart"}
	if c.principal.Vendor != "" {
		c.pageTopics = []string{"vendor:" + c.principal.Vendor}
	}
	for i := range skuCount {
		if c.sim.rng.IntN(2) == 0 {
			c.pageTopics = append(c.pageTopics, fmt.Sprint("sku:S", i))
		}
	}
}

// connect opens a connection. A change may happen while $connect runs.
func (c *client) connect() {
	sim := c.sim
	if c.principal.Role != hub.RoleGuest {
		c.principal.Expires = sim.now.Add(time.Duration(1+sim.rng.IntN(20)) * time.Minute)
	}
	c.principal.Issued = sim.now
	sim.opened++
	s := &socket{id: fmt.Sprintf("c%03d=", sim.opened), client: c, handshake: c.principal, session: c.principal,
		connected: sim.now}
	sim.sockets[s.id] = s
	c.socket, c.subscribing, c.subscribed, c.writing, c.newSession, c.expired = s, false, false, false, true, false
	sim.trace("%s connects %s", c.name, s.id)
	if sim.subscribedInConnect {
		_ = sim.mem.PutConnection(context.Background(), c.caller(s))
		_ = sim.mem.Subscribe(context.Background(), c.caller(s), c.topics())
		sim.interrupt()
	}
	if err := sim.hub.Connect(context.Background(), c.caller(s)); err != nil {
		sim.trace("refused")
		c.socket = nil
		return
	}
	s.open = c.socket == s
}

func (c *client) caller(s *socket) hub.Connection {
	return hub.Connection{ID: s.id, Principal: s.handshake, ConnectedAt: s.connected}
}

func (c *client) topics() []hub.Topic {
	var topics []hub.Topic
	for _, name := range c.pageTopics {
		if name == "cart" {
			topics = append(topics, hub.Topic{Kind: hub.KindCart, Name: c.principal.CartID()})
			continue
		}
		t, _ := hub.ParseTopic(name)
		topics = append(topics, t)
	}
	return topics
}

// subscribe subscribes to everything on the page, with the versions that it has.
func (c *client) subscribe() {
	s, sim := c.socket, c.sim
	c.subscribing, c.subscribed = true, false
	r := wire.Request{Action: wire.ActionSubscribe, Epoch: c.epoch, Only: sim.rng.IntN(2) == 0}
	if c.newSession {
		r.Epoch = ""
	}
	c.newSession = false
	for _, name := range c.pageTopics {
		r.Topics = append(r.Topics, wire.Topic{Name: name, Version: c.shown[name].version})
	}
	acked := c.ackedVersion
	sim.trace("%s subscribes %v", c.name, r.Topics)
	var snapshot wire.Snapshot
	var err error
	if sim.subscribedInConnect {
		snapshot, err = sim.hub.Get(context.Background(), c.caller(s), r)
	} else {
		snapshot, err = sim.hub.Subscribe(context.Background(), c.caller(s), r)
	}
	if !s.open {
		return
	}
	data := wire.Encode(snapshot)
	if err == nil {
		c.inspect(s, data)
	}
	s.inbox = append(s.inbox, inboxMessage{answer: func() {
		c.subscribing = false
		if err != nil {
			c.newSession = c.newSession || r.Epoch == ""
			return
		}
		c.subscribed = true
		for _, code := range snapshot.Refused {
			c.expired = c.expired || code == wire.CodeTokenExpired
		}
		if cart, ok := snapshot.Topics["cart"].(wire.Cart); ok && cart.Version < acked {
			sim.problem("%s wrote version %d and then got version %d", c.name, acked, cart.Version)
		}
		c.read(data)
		// A gap that was noticed meanwhile may be newer than the answer.
		c.subscribed = c.shown["cart"].version >= c.gapVersion
	}})
}

// renew sends a new token of the same user.
func (c *client) renew() {
	s := c.socket
	s.session.Issued, s.session.Expires = c.sim.now, c.sim.now.Add(time.Hour)
	err := c.sim.hub.Renew(context.Background(), c.caller(s), s.session)
	c.sim.trace("%s renews: %v", c.name, err)
	if err == nil {
		c.principal.Expires = s.session.Expires
		c.newSession, c.subscribed, c.expired = true, false, false
	}
}

// chooseWrite picks a write to the cart.
func (c *client) chooseWrite() {
	sim := c.sim
	c.keys++
	op := wire.Request{Key: fmt.Sprint(c.name, ".", c.keys)}
	switch n := sim.rng.IntN(9); {
	case n < 4:
		op.Action, op.SKU, op.Quantity = wire.ActionAdd, countedSKU, 1
		sim.adds++
	case n == 8:
		op.Action = wire.ActionCheckout
		if sim.rng.IntN(2) == 0 {
			version := c.shown["cart"].version
			op.Version = &version
		}
	case n < 6 || c.principal.Role == hub.RoleGuest:
		op.Action = wire.ActionSet
		op.Lines = []wire.LineChange{{SKU: fmt.Sprint("S", sim.rng.IntN(skuCount)), Quantity: sim.rng.IntN(4)}}
		if sim.rng.IntN(2) == 0 {
			version := c.shown["cart"].version
			op.Version = &version
		}
	default:
		op.Action, op.From, op.Policy = wire.ActionMerge, "guest", wire.PolicySum
	}
	sim.trace("%s begins %s %s", c.name, op.Action, op.Key)
	c.pending = &op
}

// write sends the pending write, again if necessary, with the same key.
func (c *client) write() {
	s, sim, op := c.socket, c.sim, *c.pending
	c.writing = true
	outer := sim.writer
	sim.writer = c
	var ok wire.OK
	var err error
	ctx := context.Background()
	switch op.Action {
	case wire.ActionAdd:
		ok, err = sim.hub.Add(ctx, c.caller(s), op)
	case wire.ActionSet:
		before := sim.newest["badge:"+op.Lines[0].SKU]
		ok, err = sim.hub.Set(ctx, c.caller(s), op)
		sim.judgeSet(c, op, before, ok, err)
	case wire.ActionMerge:
		ok, err = sim.hub.Merge(ctx, c.caller(s), hub.Principal{User: "guest:g1", Role: hub.RoleGuest, Issued: sim.now}, op)
	case wire.ActionCheckout:
		ok, err = sim.hub.Checkout(ctx, c.caller(s), op)
	}
	sim.writer = outer
	sim.trace("%s writes %s: %d %v", c.name, op.Key, ok.Version, err)
	sim.judgeRefusal(c, op, err)
	sim.judgeEffect(c, op, ok, err)
	if !s.open {
		return
	}
	s.inbox = append(s.inbox, inboxMessage{answer: func() {
		c.writing = false
		if err == nil && op.Action == wire.ActionCheckout {
			sim.ordered[op.Key] = ok.Ordered[countedSKU]
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
			c.apply("cart", false, ok.Version, "", &ok.From, ok.Lines)
		case errors.As(err, &refused) && refused.Code == wire.CodeBadField && op.SKU != "":
			sim.problem("%s: %s was refused: %v", c.name, op.Key, err)
		case errors.As(err, &refused) && op.SKU != countedSKU &&
			pending && refused.Code != wire.CodeBusy && refused.Code != wire.CodeTokenExpired:
			c.pending = nil // conflict, no stock: the person chooses again
		}
	}})
}

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

// receive handles one message of the inbox.
func (c *client) receive(s *socket) {
	i := c.sim.rng.IntN(len(s.inbox))
	f := s.inbox[i]
	s.inbox = slices.Delete(s.inbox, i, i+1)
	if f.answer != nil {
		f.answer()
		return
	}
	c.read(f.data)
}

// read applies a snapshot or a delta.
func (c *client) read(data []byte) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		c.sim.problem("%s got %s", c.name, data)
		return
	}
	if m.Type == "error" {
		c.sim.trace("%s learns that its session has expired", c.name)
		c.expired = true
		return
	}
	c.epoch = m.Epoch
	for _, name := range slices.Sorted(maps.Keys(m.Topics)) {
		v := m.Topics[name]
		if _, known := c.shown[name]; c.sim.earlyDeltasDropped && m.Type == "delta" && !known {
			continue
		}
		text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity, Until: v.Until})
		c.apply(name, m.Type == "snapshot", v.Version, text, v.From, v.Lines)
	}
}

// apply keeps the highest version of a topic.
func (c *client) apply(name string, answer bool, version int64, text string, from *int64, lines map[string]*wire.Line) {
	prev, known := c.shown[name]
	// After a change of session, the answer to a subscribe may have the same version
	// in another shape.
	if known && (version < prev.version || version == prev.version && !answer) && !c.sim.everyMessageApplied {
		return
	}
	if name == "cart" && from != nil && (*from > prev.version || !known) {
		c.sim.trace("%s misses cart %d to %d", c.name, prev.version, *from)
		c.gapVersion = max(c.gapVersion, version)
		c.subscribed = false // subscribe again
		return
	}
	if version < prev.version {
		c.sim.problem("%s: %s went from version %d back to %d", c.name, name, prev.version, version)
	}
	if name == "cart" {
		if from == nil {
			c.lines = map[string]wire.Line{}
		}
		for sku, l := range lines {
			if l == nil {
				delete(c.lines, sku)
			} else {
				c.lines[sku] = *l
			}
		}
		data, _ := json.Marshal(c.lines)
		text = string(data)
	}
	c.sim.trace("%s shows %s %d %s", c.name, name, version, text)
	c.shown[name] = shown{version, text}
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
	active := s.session.Active(sim.now)
	for name, v := range m.Topics {
		kind, sku, _ := strings.Cut(name, ":")
		at := fmt.Sprint(":", sku, "@", v.Version)
		switch {
		case kind == "vendor" && active && s.session.Vendor == sku:
		case name == "cart" && active:
			sim.inspectCart(c, s.session.CartID(), v.Version, v.From == nil, v.Lines)
		case kind == "sku":
			text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity, Until: v.Until})
			switch exact := sim.history["exact"+at]; {
			case text == sim.history["badge"+at]:
			case text == exact && active && s.session.Vendor == "acme":
			default:
				sim.problem("sent to %s: %s version %d is %q, committed was %q, %q", c.name, name, v.Version, text,
					sim.history["badge"+at], exact)
			}
		default:
			sim.problem("sent to %s, who may not see it: %s", c.name, name)
		}
	}
}

func (sim *simulation) inspectCart(c *client, id string, version int64, whole bool, lines map[string]*wire.Line) {
	text, known := sim.history[fmt.Sprint("cart:", id, "@", version)]
	var committed map[string]*wire.Line
	if known {
		_ = json.Unmarshal([]byte(text), &committed)
	}
	if !known && version > 0 || whole && len(lines) != len(committed) {
		sim.problem("sent to %s: cart %s version %d was never committed like that", c.name, id, version)
	}
	for sku, l := range lines {
		if line := committed[sku]; (l == nil) != (line == nil) || l != nil && *l != *line {
			sim.problem("sent to %s: cart %s version %d: %s is %v, committed was %v", c.name, id, version, sku, l, line)
		}
	}
}
