package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// page is a client that follows the rules of docs/protocol.md over whichever door it uses.
type page struct {
	s         *switching
	name      string
	principal hub.Principal
	token     []string // the header
	socket    string   // its connection, "": it uses HTTP
	inbox     []letter
	shown     map[string]view     // by topic
	lines     map[string]float64  // of the cart
	taken     map[string]int      // how often a topic changed
	tags      map[string]string   // by path
	pending   []message           // writes without an answer, with the door of the last try
	answered  map[string]answered // by key
	doors     map[string]string   // of the last try, by key
	keys      int
}

// letter is a message on its way to a page.
type letter struct {
	pushed bool
	read   func()
}

type view struct {
	version float64
	text    string
}

type answered struct {
	m       message
	version any
}

func (s *switching) newPage(name string, p hub.Principal) *page {
	user, role := p.User, strings.TrimSpace(string(p.Role)+" "+p.Vendor)
	if p.Role == hub.RoleGuest {
		user = strings.TrimPrefix(user, "guest:")
	}
	if p.Role == hub.RoleCustomer {
		role = ""
	}
	if s.defect == "bob has the token of vera" && name == "bob" {
		user, role = "vera", "vendor acme"
	}
	return &page{
		s: s, name: name, principal: p, token: as(s.f.token(user, role)),
		shown: map[string]view{}, lines: map[string]float64{}, taken: map[string]int{}, tags: map[string]string{},
		answered: map[string]answered{}, doors: map[string]string{},
	}
}

// sees reports whether the page may see the exact stock of a SKU.
func (p *page) sees(sku string) bool { return p.principal.Vendor != "" && sku == switchSKUs[0] }

// inspect judges every byte that is for the page: stock in the shape that it may see, and
// no cart but its own.
func (p *page) inspect(text string) {
	if !strings.HasPrefix(text, "{") {
		p.s.problem("%s got %s", p.name, text)
		return
	}
	for _, other := range p.s.pages {
		if other.principal.User != p.principal.User && strings.Contains(text, "OF-"+other.mark()) {
			p.s.problem("%s got what is %s's: %s", p.name, other.name, text)
		}
	}
	topics, _ := decode(p.s.f.t, text)["topics"].(map[string]any)
	for topic, value := range topics {
		sku, isSKU := strings.CutPrefix(topic, "sku:")
		if !isSKU {
			continue
		}
		exact := p.sees(sku)
		badge := value.(map[string]any)
		at := fmt.Sprint(sku, "@", badge["version"], " ", exact)
		if !p.s.items[at][valueText(badge)] {
			p.s.problem("%s got %s of %s at version %v", p.name, valueText(badge), sku, badge["version"])
		}
		if exact {
			p.s.met["exact stock"]++
		}
	}
}

// mark is in the SKUs that only this user has in a cart.
func (p *page) mark() string { return strings.NewReplacer(":", "").Replace(p.principal.User) }

// valueText is the text of a badge in a message.
func valueText(badge map[string]any) string {
	if q, ok := badge["quantity"].(float64); ok {
		n := int(q)
		return badgeText(fmt.Sprint(badge["state"]), &n)
	}
	return badgeText(fmt.Sprint(badge["state"]), nil)
}

// readOne reads a letter.
func (p *page) readOne(i int) {
	l := p.inbox[i]
	p.inbox = slices.Delete(p.inbox, i, i+1)
	l.read()
}

func (p *page) readAll() {
	for len(p.inbox) > 0 {
		p.readOne(0)
	}
}

// switchDoor drops the socket, or opens one.
func (p *page) switchDoor() {
	s := p.s
	if p.socket != "" {
		delete(s.sockets, p.socket)
		p.inbox = slices.DeleteFunc(p.inbox, func(l letter) bool {
			if l.pushed {
				s.met["lost push"]++
			}
			return l.pushed
		})
		p.socket = ""
		return
	}
	s.opened++
	p.socket = fmt.Sprint("c", s.opened, "=")
	if err := s.f.hub.Connect(context.Background(), hub.Connection{
		ID: p.socket, Endpoint: "hub.test/v1", ConnectedAt: s.f.now, Principal: p.principal,
	}); err != nil {
		s.problem("connect: %v", err)
	}
	s.sockets[p.socket] = p
	p.ask()
}

// ask asks for everything on the page: it subscribes, or polls. The answer may be late.
func (p *page) ask() {
	if p.socket != "" {
		topics := message{"cart": p.shown["cart"].version}
		for _, sku := range switchSKUs {
			topics["sku:"+sku] = p.shown["sku:"+sku].version
		}
		p.await(p.overSocket(message{"action": "subscribe", "epoch": "k3", "topics": topics}))
		return
	}
	p.poll("/v1/stock?sku=" + strings.Join(switchSKUs, "&sku="))
	p.poll("/v1/cart")
}

// poll asks for a path, unless it is as it was.
func (p *page) poll(path string) {
	headers := p.token
	if tag := p.tags[path]; tag != "" {
		headers = append([]string{"If-None-Match", tag}, headers...)
	}
	w := p.s.f.call("GET", path, "", headers...)
	switch w.Code {
	case http.StatusNotModified:
		p.s.met["unchanged poll"]++
		return
	case http.StatusOK:
		p.inspect(w.Body.String())
		m, tag := decode(p.s.f.t, w.Body.String()), w.Header().Get("ETag")
		if p.s.defect == "unchanged is taken for nothing" {
			p.tags[path] = tag // although the answer may never be read
		}
		p.await(m, func() { p.tags[path] = tag })
	default:
		p.s.problem("%s: GET %s: %d %s", p.name, path, w.Code, w.Body)
	}
}

// await puts an answer on its way. It may be late, or lost.
func (p *page) await(m message, then ...func()) {
	if p.s.chance(8) {
		p.s.met["lost answer"]++
		return
	}
	if m["type"] != "snapshot" {
		p.s.problem("%s got %v", p.name, m)
		return
	}
	taken := maps.Clone(p.taken)
	p.inbox = append(p.inbox, letter{read: func() {
		if !maps.Equal(taken, p.taken) {
			p.s.met["late answer"]++
		}
		for _, do := range then {
			do()
		}
		p.apply(m, func(topic string) bool { return taken[topic] == p.taken[topic] })
	}})
}

// overSocket sends a message, and returns the answer.
func (p *page) overSocket(m message) message {
	text, err := json.Marshal(m)
	if err != nil {
		p.s.f.t.Error(err)
	}
	send := handler.Message(p.s.f.hub, p.s.f.verifier, handler.MessageOptions{}, slog.New(slog.DiscardHandler))
	got, err := send(context.Background(), events.APIGatewayWebsocketProxyRequest{
		Body: string(text),
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			ConnectionID: p.socket, DomainName: "hub.test", Stage: "v1", ConnectedAt: p.s.f.now.UnixMilli(),
			Authorizer: map[string]any{
				"principalId": p.principal.User, "role": string(p.principal.Role), "vendor": p.principal.Vendor,
			},
		},
	})
	if err != nil {
		p.s.problem("%s: %s: %v", p.name, text, err)
	}
	p.inspect(got.Body)
	return decode(p.s.f.t, got.Body)
}

// apply takes what counts of a message. answers reports, for an answer, whether nothing
// was taken for a topic since the request; nil: the message was pushed.
func (p *page) apply(m message, answers func(topic string) bool) {
	topics, _ := m["topics"].(map[string]any)
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		value := topics[topic].(map[string]any)
		if topic == "cart" {
			p.applyCart(value, answers != nil && answers(topic))
			continue
		}
		before, known := p.shown[topic]
		version := value["version"].(float64)
		proven := answers != nil && (answers(topic) || p.s.defect == "answers are applied whatever came since")
		if !known || proven || version > before.version {
			p.show(topic, view{version, valueText(value)})
		}
	}
}

func (p *page) applyCart(cart map[string]any, proven bool) {
	before, known := p.shown["cart"]
	version := cart["version"].(float64)
	if known && !proven && version <= before.version {
		return
	}
	from, partial := cart["from"].(float64)
	if partial && from > 0 && from > before.version {
		p.s.met["gap"]++
		p.ask()
		return
	}
	if !partial || from == 0 {
		clear(p.lines)
	}
	lines, _ := cart["lines"].(map[string]any)
	for sku, line := range lines {
		l, _ := line.(map[string]any)
		if q, _ := l["quantity"].(float64); q > 0 {
			p.lines[sku] = q
		} else {
			delete(p.lines, sku)
		}
	}
	p.show("cart", view{version, fmt.Sprint(p.lines)})
}

// show judges that a screen moves forward only.
func (p *page) show(topic string, v view) {
	if before := p.shown[topic]; v.version < before.version {
		p.s.problem("%s: %s went from %v back to %v", p.name, topic, before, v)
	}
	p.shown[topic] = v
	p.taken[topic]++
}
