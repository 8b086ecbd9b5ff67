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

// client is a browser or a phone: it keeps the highest version of each key,
// resumes after an interruption, and asks again where a cart has a gap.
type client struct {
	w         *world
	name      string
	principal hub.Principal
	socket    *socket // nil: not connected
	want      []string

	asking     bool // a subscribe is under way
	subscribed bool // the socket's last subscribe was answered
	fresh      bool // the authority changed: versions count no more
	over       bool // it was told that its authority is over
	epoch      string
	shown      map[string]shown
	lines      map[string]wire.Line // of the cart

	op      *wire.Request // a write that was not answered yet
	writing bool          // it is under way
	keys    int
	missed  int64 // the cart's version that a gap was noticed with
	acked   int64 // the cart's version that a write was acknowledged with
}

// shown is what the screen shows of one key.
type shown struct {
	version int64
	text    string
}

// message is any message of the server that carries state.
type message struct {
	Type   string
	Epoch  string
	Topics map[string]struct {
		From     *int64
		Version  int64
		State    wire.State
		Quantity *int
		Lines    map[string]*wire.Line
	}
}

func newClient(w *world, name string, p hub.Principal) *client {
	c := &client{w: w, name: name, principal: p, shown: map[string]shown{}, lines: map[string]wire.Line{}}
	c.navigate()
	return c
}

// navigate picks what the page shows.
func (c *client) navigate() {
	c.want = []string{"cart"}
	if c.principal.Vendor != "" {
		c.want = []string{"vendor:" + c.principal.Vendor}
	}
	for i := range skuCount {
		if c.w.rng.IntN(2) == 0 {
			c.want = append(c.want, fmt.Sprint("sku:S", i))
		}
	}
}

// connect opens a connection; a change may come while $connect runs.
func (c *client) connect() {
	w := c.w
	if c.principal.Role != hub.RoleGuest {
		c.principal.Expires = w.now.Add(time.Duration(1+w.rng.IntN(20)) * time.Minute)
	}
	c.principal.Issued = w.now
	w.opened++
	s := &socket{id: fmt.Sprintf("c%03d=", w.opened), owner: c, handshake: c.principal, truth: c.principal, connected: w.now}
	w.sockets[s.id] = s
	c.socket, c.asking, c.subscribed, c.writing, c.fresh, c.over = s, false, false, false, true, false
	w.trace("%s connects %s", c.name, s.id)
	if w.subscribedInConnect {
		_ = w.mem.PutConnection(context.Background(), c.caller(s))
		_ = w.mem.Subscribe(context.Background(), c.caller(s), c.topics())
		w.interrupt()
	}
	if err := w.hub.Connect(context.Background(), c.caller(s)); err != nil {
		w.trace("refused")
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
	for _, name := range c.want {
		if name == "cart" {
			topics = append(topics, hub.Topic{Kind: hub.KindCart, Name: c.principal.CartID()})
			continue
		}
		t, _ := hub.ParseTopic(name)
		topics = append(topics, t)
	}
	return topics
}

// subscribe asks for everything the page shows, with the versions it has.
func (c *client) subscribe() {
	s, w := c.socket, c.w
	c.asking, c.subscribed = true, false
	r := wire.Request{Action: wire.ActionSubscribe, Epoch: c.epoch, Only: w.rng.IntN(2) == 0}
	if c.fresh {
		r.Epoch = ""
	}
	c.fresh = false
	for _, name := range c.want {
		r.Topics = append(r.Topics, wire.Topic{Name: name, Version: c.shown[name].version})
	}
	acked := c.acked
	w.trace("%s subscribes %v", c.name, r.Topics)
	var snapshot wire.Snapshot
	var err error
	if w.subscribedInConnect {
		snapshot, err = w.hub.Get(context.Background(), c.caller(s), r)
	} else {
		snapshot, err = w.hub.Subscribe(context.Background(), c.caller(s), r)
	}
	if !s.open {
		return
	}
	data := wire.Encode(snapshot)
	if err == nil {
		c.inspect(s, data)
	}
	s.inbox = append(s.inbox, frame{answer: func() {
		c.asking = false
		if err != nil {
			c.fresh = c.fresh || r.Epoch == ""
			return
		}
		c.subscribed = true
		for _, code := range snapshot.Refused {
			c.over = c.over || code == wire.CodeTokenExpired
		}
		if cart, ok := snapshot.Topics["cart"].(wire.Cart); ok && cart.Version < acked {
			w.problem("%s wrote version %d and was then answered with %d", c.name, acked, cart.Version)
		}
		c.read(data)
		// A gap that was noticed while the answer was on its way may be newer.
		c.subscribed = c.shown["cart"].version >= c.missed
	}})
}

// renew takes a new token of the same user.
func (c *client) renew() {
	s := c.socket
	s.truth.Issued, s.truth.Expires = c.w.now, c.w.now.Add(time.Hour)
	err := c.w.hub.Renew(context.Background(), c.caller(s), s.truth)
	c.w.trace("%s renews: %v", c.name, err)
	if err == nil {
		c.principal.Expires = s.truth.Expires
		c.fresh, c.subscribed, c.over = true, false, false
	}
}

// begin decides on a write to the cart.
func (c *client) begin() {
	w := c.w
	c.keys++
	op := wire.Request{Key: fmt.Sprint(c.name, ".", c.keys)}
	switch n := w.rng.IntN(8); {
	case n < 4:
		op.Action, op.SKU, op.Quantity = wire.ActionAdd, countedSKU, 1
		w.adds++
	case n < 6 || c.principal.Role == hub.RoleGuest:
		op.Action = wire.ActionSet
		op.Lines = []wire.Wish{{SKU: fmt.Sprint("S", w.rng.IntN(skuCount)), Quantity: w.rng.IntN(4)}}
		if w.rng.IntN(2) == 0 {
			op.Version = c.shown["cart"].version
		}
	default:
		op.Action, op.From, op.Policy = wire.ActionMerge, "guest", wire.PolicySum
	}
	w.trace("%s begins %s %s", c.name, op.Action, op.Key)
	c.op = &op
}

// write sends the write, again if need be, with the same key.
func (c *client) write() {
	s, w, op := c.socket, c.w, *c.op
	c.writing = true
	var ok wire.OK
	var err error
	ctx := context.Background()
	switch op.Action {
	case wire.ActionAdd:
		ok, err = w.hub.Add(ctx, c.caller(s), op)
	case wire.ActionSet:
		ok, err = w.hub.Set(ctx, c.caller(s), op)
	case wire.ActionMerge:
		ok, err = w.hub.Merge(ctx, c.caller(s), hub.Principal{User: "guest:g1", Role: hub.RoleGuest, Issued: w.now}, op)
	}
	w.trace("%s writes %s: %d %v", c.name, op.Key, ok.Version, err)
	if !s.open {
		return
	}
	s.inbox = append(s.inbox, frame{answer: func() {
		c.writing = false
		var refused *hub.Error
		c.over = c.over || errors.As(err, &refused) && refused.Code == wire.CodeTokenExpired
		switch {
		case err == nil:
			c.op = nil
			c.acked = max(c.acked, ok.Version)
			c.apply("cart", false, ok.Version, "", &ok.From, ok.Lines)
		case errors.As(err, &refused) && refused.Code == wire.CodeBadField && op.SKU != "":
			w.problem("%s: %s was refused: %v", c.name, op.Key, err)
		case errors.As(err, &refused) && op.SKU != countedSKU && refused.Code != wire.CodeBusy && refused.Code != wire.CodeTokenExpired:
			c.op = nil // conflict, no stock: the person decides anew
		}
	}})
}

// receive takes one frame off the wire.
func (c *client) receive(s *socket) {
	i := c.w.rng.IntN(len(s.inbox))
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
		c.w.problem("%s got %s", c.name, data)
		return
	}
	if m.Type == "error" {
		c.w.trace("%s is told that its authority is over", c.name)
		c.over = true
		return
	}
	c.epoch = m.Epoch
	for _, name := range slices.Sorted(maps.Keys(m.Topics)) {
		v := m.Topics[name]
		if _, known := c.shown[name]; c.w.earlyDeltasDropped && m.Type == "delta" && !known {
			continue
		}
		text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity})
		c.apply(name, m.Type == "snapshot", v.Version, text, v.From, v.Lines)
	}
}

// apply keeps the highest version of a key.
func (c *client) apply(name string, answer bool, version int64, text string, from *int64, lines map[string]*wire.Line) {
	was, known := c.shown[name]
	// The same version may come in another shape in the answer to a subscribe
	// under a new authority.
	if known && (version < was.version || version == was.version && !answer) && !c.w.everyMessageApplied {
		return
	}
	if name == "cart" && from != nil && (*from > was.version || !known) {
		c.w.trace("%s misses cart %d to %d", c.name, was.version, *from)
		c.missed = max(c.missed, version)
		c.subscribed = false // ask again
		return
	}
	if version < was.version {
		c.w.problem("%s: %s went from version %d back to %d", c.name, name, was.version, version)
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
	c.w.trace("%s shows %s %d %s", c.name, name, version, text)
	c.shown[name] = shown{version, text}
}

// inspect judges what leaves for a connection: it was committed, and its owner
// may see it now.
func (c *client) inspect(s *socket, data []byte) {
	w := c.w
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		w.problem("sent to %s: %s", c.name, data)
		return
	}
	active := s.truth.Active(w.now)
	for name, v := range m.Topics {
		kind, sku, _ := strings.Cut(name, ":")
		at := fmt.Sprint(":", sku, "@", v.Version)
		switch {
		case kind == "vendor" && active && s.truth.Vendor == sku:
		case name == "cart" && active:
			w.inspectCart(c, s.truth.CartID(), v.Version, v.From == nil, v.Lines)
		case kind == "sku":
			text := badgeText(wire.Badge{State: v.State, Quantity: v.Quantity})
			switch exact := w.history["exact"+at]; {
			case text == w.history["badge"+at]:
			case text == exact && active && s.truth.Vendor == "acme":
			default:
				w.problem("sent to %s: %s version %d is %q, committed was %q, %q", c.name, name, v.Version, text, w.history["badge"+at], exact)
			}
		default:
			w.problem("sent to %s, who may not see it: %s", c.name, name)
		}
	}
}

func (w *world) inspectCart(c *client, id string, version int64, whole bool, lines map[string]*wire.Line) {
	text, known := w.history[fmt.Sprint("cart:", id, "@", version)]
	var committed map[string]*wire.Line
	if known {
		_ = json.Unmarshal([]byte(text), &committed)
	}
	if !known && version > 0 || whole && len(lines) != len(committed) {
		w.problem("sent to %s: cart %s version %d was never that", c.name, id, version)
	}
	for sku, l := range lines {
		if was := committed[sku]; (l == nil) != (was == nil) || l != nil && *l != *was {
			w.problem("sent to %s: cart %s version %d: %s is %v, committed was %v", c.name, id, version, sku, l, was)
		}
	}
}
