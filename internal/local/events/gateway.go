package events

import (
	"bytes"
	"context"
	"sync"

	"github.com/securecart/hub/gatewaytest"
)

// Gateway adds what a gateway does to a Log: [Gateway.Observe] is its API.Observe.
type Gateway struct {
	Log      *Log
	In, Out  func(text []byte) Frame        // read messages of clients, and to clients
	Function func(route string) string      // the function of a route; "" is the authorizer's
	Cart     func(user, role string) string // the topic of somebody's cart; nil: there are no carts

	people sync.Map // person, by connection id

	mu     sync.Mutex
	posted []byte // the last message to a client, and its frame: one post goes to many
	frame  *Frame
}

// person is who is behind a connection.
type person struct{ user, role string }

// Person returns the user and role of an open connection.
func (g *Gateway) Person(connectionID string) (user, role string) {
	p, _ := g.people.Load(connectionID)
	who, _ := p.(person)
	return who.user, who.role
}

// Observe adds an event and returns the context for what comes of it.
func (g *Gateway) Observe(ctx context.Context, o gatewaytest.Observation) context.Context {
	var sent *Frame // to a client
	e := Event{Type: Type(o.Kind), Conn: o.ConnectionID, Status: o.Status, Code: o.Code,
		Route: o.RouteKey, Took: o.Took.Microseconds()}
	e.User, e.Role = g.Person(o.ConnectionID)
	switch o.Kind {
	case gatewaytest.ObservedOpen:
		g.open(&e, o)
	case gatewaytest.ObservedIn:
		e.Dir = DirIn
		f := g.In(o.Payload)
		g.read(&e, &f, len(o.Payload))
	case gatewaytest.ObservedInvoke:
		e.Function = g.function(o)
	case gatewaytest.ObservedAnswer:
		e.Function = g.function(o)
		sent = g.outgoing(o.Payload)
		g.read(&e, sent, len(o.Payload))
	case gatewaytest.ObservedPost:
		sent = g.outgoing(o.Payload)
		g.read(&e, sent, len(o.Payload))
	case gatewaytest.ObservedOut:
		e.Dir = DirOut
		if sent = frameOf(ctx); sent == nil {
			sent = g.outgoing(o.Payload)
		}
		g.read(&e, sent, len(o.Payload))
	case gatewaytest.ObservedClose:
		e.Dir = map[gatewaytest.ClosedBy]string{
			gatewaytest.ClosedByClient: DirIn, gatewaytest.ClosedByGateway: DirOut,
		}[o.Closed]
		defer g.people.Delete(o.ConnectionID)
	case gatewaytest.ObservedFault:
		e.Code, e.Note = "", "fault "+faultNames[o.Code]
	}
	id := g.Log.Add(ctx, e)
	if o.Kind == gatewaytest.ObservedOut {
		return ctx // nothing comes of it
	}
	return &causeContext{Context: ctx, ids: []uint64{id}, frame: sent}
}

// Forget removes a user from the log: what events of the user, of the user's cart and of
// requests that name either say. What is still handed to the network of a forgotten post is
// forgotten too. Later events of the user's connections name nobody.
func (g *Gateway) Forget(user string) {
	g.people.Range(func(id, who any) bool {
		if who.(person).user == user {
			g.people.Delete(id)
		}
		return true
	})
	g.Log.forget(newMentions(user, g.Cart(user, "customer"), g.Cart(user, "guest")).in)
}

// faultNames are the names of faults as people type them, see package faults.
var faultNames = map[string]string{
	"Gone": "gone", "Throttle": "throttle", "TooLarge": "too-large", "Error": "error", "Slow": "slow",
	"LoseDisconnect": "lose-disconnect", "Drop": "drop", "Stall": "stall", "Late": "late", "Next": "next post",
}

// WithTicket is the note of a handshake with the hub that has a ticket in its URL.
const WithTicket = "with a ticket"

// open adds who opened a connection.
func (g *Gateway) open(e *Event, o gatewaytest.Observation) {
	e.Address = o.SourceIP
	if g.Cart != nil && o.Query.Has("ticket") {
		e.Note = WithTicket
	}
	e.User, _ = o.Authorizer["principalId"].(string)
	e.Role, _ = o.Authorizer["role"].(string)
	if o.Code == "" {
		g.people.Store(o.ConnectionID, person{e.User, e.Role})
	}
}

// function returns the name of the function that an Invoke or an Answer is of.
func (g *Gateway) function(o gatewaytest.Observation) string {
	if o.RouteKey == "" && !o.IsAuthorizer {
		return "" // refused without a route
	}
	return g.Function(o.RouteKey)
}

// read adds what a message says.
func (g *Gateway) read(e *Event, f *Frame, size int) {
	e.Text, e.Bytes, e.Topic, e.Version = f.Text, size, f.Topic, f.Version
	if e.Code == "" {
		e.Code = f.Code
	}
	if f.User != "" && e.Type == Answer { // a sign-in on an open connection
		e.User, e.Role = f.User, f.Role
		g.people.Store(e.Conn, person{f.User, f.Role})
	}
	if e.Topic == "cart" && g.Cart != nil {
		e.Topic = g.Cart(e.User, e.Role)
	}
}

// outgoing reads a message to a client. Whoever posts it may not change it, so it is known as
// long as it is the last one: from a function over HTTP each post has a copy.
func (g *Gateway) outgoing(text []byte) *Frame {
	if len(text) == 0 {
		return &Frame{}
	}
	g.mu.Lock()
	known := bytes.Equal(g.posted, text)
	f := g.frame
	g.mu.Unlock()
	if known {
		return f
	}
	read := g.Out(text)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.posted, g.frame = text, &read
	return &read
}
