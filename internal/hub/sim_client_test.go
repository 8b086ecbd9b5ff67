package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// client is a browser or a phone. It keeps the highest version of each topic, except
// where a rev or an answer says otherwise, resumes after an interruption, and
// subscribes again if its cart has a gap.
type client struct {
	sim        *simulation
	name       string
	principal  hub.Principal
	socket     *socket // nil: not connected
	pageTopics []string
	watches    bool // it writes nothing, and lists nothing
	crowded    bool // it shows one item, as many others do
	promoted   bool // it becomes a vendor when it renews its session, until it connects again

	subscribing bool     // a subscribe has no answer yet
	subscribed  bool     // the last subscribe on the socket has its answer
	denied      bool     // that answer denied a SKU, so the client is not subscribed to it
	unsure      []string // SKUs of which an answer had another value than a push since its request, and no higher version
	reviewing   bool     // the session changed, so the same version may have another shape
	newSession  bool     // the session changed, so versions no longer count
	expired     bool     // it knows that its session has expired
	epoch       string
	pastEpochs  map[string]bool
	sessions    int                // how often the session of this connection changed
	listing     bool               // a get of the vendor's list has no answer yet
	listed      bool               // the items of the vendor's list have been read in this session
	missed      map[hub.Topic]bool // of messages and records that were lost during this connection
	shown       map[string]shown
	revs        map[string]string    // of each topic, the highest that was seen
	taken       map[string]int       // how often the value of a topic changed
	lines       map[string]wire.Line // of the cart

	pending      *wire.Request // a write without an answer
	writing      bool          // it was sent
	keys         int
	gapVersion   int64 // the cart's version that revealed a gap
	ackedVersion int64 // the cart's version in the latest answer to a write
}

// shown is what the screen shows of one topic.
type shown struct {
	version  int64
	text     string
	state    wire.State
	quantity *int
}

// message is any message of the server with state.
type message struct {
	Type   string
	Epoch  string
	Topics map[string]value
}

// value is the value of a topic in a message.
type value struct {
	From     *int64
	Version  int64
	State    wire.State
	Quantity *int
	Until    string
	Lines    map[string]*wire.Line
	Rev      string

	answer bool // it is of an answer
	proven bool // of an answer: the version counts even if it is not higher
}

func newClient(sim *simulation, name string, p hub.Principal) *client {
	c := &client{sim: sim, name: name, principal: p, lines: map[string]wire.Line{}, pastEpochs: map[string]bool{},
		shown: map[string]shown{}, revs: map[string]string{}, taken: map[string]int{}}
	c.openPage()
	return c
}

// openPage picks what the page shows.
func (c *client) openPage() {
	c.pageTopics, c.unsure = []string{"cart"}, nil
	if c.crowded {
		c.pageTopics = []string{"sku:" + crowdSKU}
		return
	}
	if c.listsItems() {
		c.pageTopics = []string{"vendor:" + c.principal.Vendor}
	}
	for i := range skuCount {
		if c.sim.rng.IntN(2) == 0 {
			c.pageTopics = append(c.pageTopics, fmt.Sprint("sku:S", i))
		}
	}
	for i := range wildCount {
		if c.sim.rng.IntN(2) == 0 {
			c.pageTopics = append(c.pageTopics, fmt.Sprint("sku:W", i))
		}
	}
}

// connect opens a connection. A change may happen while $connect runs.
func (c *client) connect() {
	sim := c.sim
	if c.principal.Role != hub.RoleGuest {
		c.principal.Expires = sim.now.Add(time.Duration(1+sim.rng.IntN(20)) * time.Minute)
	}
	c.principal.Issued = sim.now.Truncate(time.Second) // tokens have whole seconds
	if c.promoted {
		c.principal.Role, c.principal.Vendor = hub.RoleCustomer, ""
	}
	sim.opened++
	s := &socket{id: fmt.Sprintf("c%03d=", sim.opened), client: c, handshake: c.principal, session: c.principal,
		connected: sim.now}
	sim.sockets[s.id] = s
	c.socket, c.subscribing, c.subscribed, c.writing = s, false, false, false
	c.newSession, c.expired = c.newSession || c.expired, false
	c.missed, c.sessions, c.listing, c.listed = map[hub.Topic]bool{}, 0, false, false
	for name := range c.shown {
		if !slices.Contains(c.pageTopics, name) {
			delete(c.shown, name) // items of the vendor's list are read anew
			c.taken[name]++
		}
	}
	sim.trace("%s connects %s", c.name, s.id)
	if sim.subscribedInConnect {
		_ = sim.mem.PutConnection(context.Background(), c.caller(s))
		_, _ = sim.mem.Subscribe(context.Background(), c.caller(s), c.topics())
		sim.interrupt()
	}
	var err error
	sim.request(func() { err = sim.environment().Connect(sim.invoke(), c.caller(s)) })
	if err != nil {
		sim.trace("refused")
		c.socket, s.refused = nil, true
		return
	}
	s.open = c.socket == s
	epoch, _ := sim.environment().Epoch(context.Background()) // from hello, the first message, which cannot be late
	delete(c.pastEpochs, epoch)
	c.enter(epoch)
}

func (c *client) caller(s *socket) hub.Connection {
	return hub.Connection{ID: s.id, Principal: s.handshake, ConnectedAt: s.connected}
}

// message returns the invocation and the hub that get the client's next message, and the
// connection as it was when the message was admitted.
func (c *client) message(s *socket) (context.Context, *hub.Hub, hub.Connection) {
	ctx, h := c.sim.invoke(), c.sim.environment()
	caller, err := h.Admit(ctx, c.caller(s), 1)
	if err != nil {
		c.sim.problem("%s is not admitted: %v", c.name, err)
	}
	return ctx, h, caller
}

func (c *client) topics() []hub.Topic {
	var topics []hub.Topic
	for _, name := range c.pageTopics {
		topics = append(topics, c.topic(name))
	}
	return topics
}

// due reports whether the client has something to subscribe to.
func (c *client) due() bool { return !c.subscribed || c.unsure != nil }

// subscribe subscribes to everything on the page, with the versions that it has. If it
// has done so, it subscribes again to what it is unsure of.
func (c *client) subscribe() {
	s, sim := c.socket, c.sim
	names, part := c.pageTopics, c.subscribed && c.unsure != nil
	if part {
		names = c.unsure
	}
	c.subscribing, c.subscribed, c.unsure = true, false, nil
	r := wire.Request{Action: wire.ActionSubscribe, Epoch: c.epoch, Only: sim.rng.IntN(2) == 0 && !part}
	if c.newSession {
		r.Epoch = ""
	}
	c.newSession = false
	for _, name := range names {
		shown, known := c.shown[name]
		topic := wire.Topic{Name: name, Version: shown.version}
		if known && strings.HasPrefix(name, "sku:") && !sim.resumedByVersion {
			topic.Shown = &wire.Badge{Version: shown.version, State: shown.state, Quantity: shown.quantity}
		}
		r.Topics = append(r.Topics, topic)
	}
	if sim.rng.IntN(10) == 0 && c.principal.User != "alice" {
		r.Topics = append(r.Topics, wire.Topic{Name: "cart:u~alice"}) // somebody else's: must be refused
		sim.meet("request for a foreign cart")
	}
	acked, taken, epoch, sessions := c.ackedVersion, maps.Clone(c.taken), c.epoch, c.sessions
	text, _ := r.MarshalJSON()
	sim.trace("%s sends %s", c.name, text)
	var snapshot wire.Snapshot
	var err error
	sim.request(func() {
		ctx, h, caller := c.message(s)
		if sim.subscribedInConnect {
			snapshot, err = h.Get(ctx, caller, r)
		} else {
			snapshot, err = h.Subscribe(ctx, caller, r)
		}
	})
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
		c.subscribed, c.denied = true, part && c.denied
		for _, name := range slices.Sorted(maps.Keys(snapshot.Refused)) {
			code := snapshot.Refused[name]
			c.expired = c.expired || code == wire.CodeTokenExpired
			if code == wire.CodeDenied && strings.HasPrefix(name, "sku:") {
				c.denied = true
				c.show(name, shown{text: string(wire.StateOut), state: wire.StateOut}) // there is no such product
			}
		}
		if cart, ok := snapshot.Topics["cart"].(wire.Cart); ok && cart.Version < acked &&
			!sim.removedCarts[c.principal.CartID()] {
			sim.problem("%s wrote version %d and then got version %d", c.name, acked, cart.Version)
		}
		if c.epoch == epoch {
			delete(c.pastEpochs, snapshot.Epoch) // the answer is newer than what began the client's epoch
		}
		c.reviewing = r.Epoch == ""
		current := c.read(data, func(name string) bool {
			return c.taken[name] == taken[name]
		})
		c.reviewing = false
		whole := !part || c.epoch == r.Epoch // a new epoch voids the other topics
		// A gap that was noticed meanwhile may be newer than the answer.
		c.subscribed = current && whole && c.sessions == sessions && c.shown["cart"].version >= c.gapVersion
	}})
}

// renew sends a new token of the same user.
func (c *client) renew() {
	s := c.socket
	s.session.Issued, s.session.Expires = c.sim.now.Truncate(time.Second), c.sim.now.Add(time.Hour)
	if c.promoted {
		s.session.Role, s.session.Vendor = hub.RoleVendor, "acme"
	}
	var err error
	c.sim.request(func() {
		ctx, h, caller := c.message(s)
		err = h.Renew(ctx, caller, s.session)
	})
	c.sim.trace("%s renews: %v", c.name, err)
	c.expired = c.expired || err != nil // until it succeeds
	if err == nil {
		c.principal.Expires = s.session.Expires
		if c.promoted && c.principal.Vendor == "" {
			c.principal.Role, c.principal.Vendor = s.session.Role, s.session.Vendor
			c.sim.meet("customer who becomes a vendor")
		}
		c.newSession, c.subscribed, c.expired = true, false, false
		c.sessions++
		c.listed = false
	}
}

// canList reports whether the client may read its list now.
func (c *client) canList() bool {
	return c.listsItems() && c.socket != nil && c.socket.open && c.subscribed && !c.listing && !c.listed
}

// getList reads the items of the vendor's list, which is subscribed to. The hub pushes
// their changes.
func (c *client) getList() {
	s, sim := c.socket, c.sim
	c.listing = true
	r := wire.Request{Action: wire.ActionGet}
	for i := range skuCount {
		r.Topics = append(r.Topics, wire.Topic{Name: fmt.Sprint("sku:S", i)})
	}
	taken, sessions := maps.Clone(c.taken), c.sessions
	var snapshot wire.Snapshot
	var err error
	sim.request(func() {
		ctx, h, caller := c.message(s)
		snapshot, err = h.Get(ctx, caller, r)
	})
	sim.trace("%s reads its list: %v", c.name, err)
	if !s.open {
		return
	}
	data := wire.Encode(snapshot)
	if err == nil {
		c.inspect(s, data)
	}
	s.inbox = append(s.inbox, inboxMessage{answer: func() {
		c.listing = false
		if err != nil || c.sessions != sessions {
			return
		}
		c.reviewing = true
		c.unsure = nil
		c.listed = c.read(data, func(name string) bool { return c.taken[name] == taken[name] }) && c.unsure == nil
		c.reviewing = false
	}})
}

// receive handles one message of the inbox.
func (c *client) receive(s *socket) {
	i := 0
	if !c.sim.inOrder {
		i = c.sim.rng.IntN(len(s.inbox))
	}
	f := s.inbox[i]
	s.inbox = slices.Delete(s.inbox, i, i+1)
	if f.answer != nil {
		f.answer()
		return
	}
	c.read(f.data, nil)
}

// read applies a snapshot or a delta. proven reports whether a value of an answer
// counts even if its version is not higher. read reports whether the epoch of the
// message is current.
func (c *client) read(data []byte, proven func(name string) bool) (current bool) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		c.sim.problem("%s got %s", c.name, data)
		return false
	}
	if m.Type == "error" {
		c.sim.trace("%s learns that its session has expired", c.name)
		c.expired = true
		return false
	}
	if !c.enter(m.Epoch) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(m.Topics)) {
		v := m.Topics[name]
		if _, known := c.shown[name]; c.sim.earlyDeltasDropped && m.Type == "delta" && !known {
			continue
		}
		v.answer = proven != nil
		v.proven = v.answer && proven(name) && !c.sim.lowerAnswerIgnored
		c.apply(name, v)
	}
	return true
}

// enter switches to an epoch, unless it has ended. A new epoch voids all values, so
// the client subscribes again.
func (c *client) enter(epoch string) bool {
	if c.pastEpochs[epoch] {
		return false
	}
	if c.epoch != epoch {
		c.sim.trace("%s forgets epoch %s", c.name, c.epoch)
		c.pastEpochs[c.epoch] = true
		for name := range c.shown {
			c.taken[name]++
		}
		clear(c.shown)
		clear(c.lines)
		clear(c.revs)
		c.subscribed, c.listed = false, false
	}
	c.epoch = epoch
	return true
}

// takes reports whether a value replaces the one that is shown.
func (c *client) takes(name string, v value) bool {
	prev, known := c.shown[name]
	if v.Rev != "" && !c.sim.revIgnored {
		newer := hub.NewerRev(v.Rev, c.revs[name])
		if c.sim.revComparedAsText {
			newer = v.Rev > c.revs[name]
		}
		if newer {
			c.revs[name] = v.Rev
		}
		return newer
	}
	sameVersion := v.Version == prev.version
	return !known || v.Version > prev.version || v.proven || c.reviewing && sameVersion || c.sim.everyMessageApplied
}

// apply shows a value, if the client takes it.
func (c *client) apply(name string, v value) {
	prev, known := c.shown[name]
	if !c.takes(name, v) {
		isOther := v.Version < prev.version ||
			v.Version == prev.version && prev.text != badgeText(wire.Badge{State: v.State, Quantity: v.Quantity, Until: v.Until})
		if v.answer && isOther && strings.HasPrefix(name, "sku:") && !c.sim.lowerAnswerNotAsked {
			c.unsure = append(c.unsure, name)
			c.sim.meet("answer lower than a push")
		}
		return
	}
	if v.From != nil && *v.From == 0 {
		v.From = nil // a step from an empty cart is the whole cart
	}
	if name == "cart" && v.From != nil && (*v.From > prev.version || !known) {
		c.sim.trace("%s misses cart %d to %d", c.name, prev.version, *v.From)
		c.gapVersion = max(c.gapVersion, v.Version)
		c.taken[name]++      // an answer on its way may be older
		c.subscribed = false // subscribe again
		return
	}
	topic := c.topic(name)
	removed := (v.proven || v.Rev != "" && v.Version == 0) && c.sim.removedCarts[topic.Name]
	if v.Version < prev.version && c.sim.counted(topic) && !removed {
		c.sim.problem("%s: %s went from version %d back to %d", c.name, name, prev.version, v.Version)
	}
	text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity, Until: v.Until})
	next := shown{v.Version, text, v.State, v.Quantity}
	if name == "cart" {
		if v.proven {
			c.gapVersion = 0
		}
		if v.From == nil {
			c.lines = map[string]wire.Line{}
		}
		for sku, l := range v.Lines {
			if l == nil {
				delete(c.lines, sku)
			} else {
				c.lines[sku] = *l
			}
		}
		data, _ := json.Marshal(c.lines)
		next.text = string(data)
	}
	c.show(name, next)
}

func (c *client) show(name string, s shown) {
	c.sim.trace("%s shows %s %d %s", c.name, name, s.version, s.text)
	c.shown[name] = s
	c.taken[name]++
}

// topic returns a topic as the hub names it.
func (c *client) topic(name string) hub.Topic {
	if name == "cart" {
		return hub.Topic{Kind: hub.KindCart, Name: c.principal.CartID()}
	}
	t, _ := hub.ParseTopic(name)
	return t
}
