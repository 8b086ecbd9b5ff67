package recording

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth/bearer"
)

// observed returns the event of what a gateway did. Connections that were open before the
// recording began are left out.
func (s *session) observed(o *gatewaytest.Observation) (Event, bool) {
	if o.Kind == gatewaytest.ObservedOpen {
		return s.opened(o), true
	}
	conn := s.names.conns[o.ConnectionID]
	if conn == "" {
		return Event{}, false
	}
	e := Event{Conn: conn}
	switch o.Kind {
	case gatewaytest.ObservedIn:
		e.Type, e.Text = In, s.names.in(string(o.Payload), s.people[conn])
	case gatewaytest.ObservedOut:
		e.Type, e.Text = Out, s.names.out(string(o.Payload), s.people[conn])
	case gatewaytest.ObservedClose:
		e.Type, e.By, e.Code = Close, string(o.Closed), o.Status
	}
	return e, true
}

// nobody is the role of a client that was refused before anybody knew who it is.
const nobody = "nobody"

// opened returns the event of a handshake. Of its headers and its query it has what the hub
// reads, and no token: with a ticket, a replay sends a token in a header.
func (s *session) opened(o *gatewaytest.Observation) Event {
	p := Person{User: contextText(o, "principalId"), Role: contextText(o, "role"), Vendor: contextText(o, "vendor")}
	e := Event{Type: Open, Status: o.Status, Role: p.Role, Vendor: p.Vendor, Query: query(o)}
	token := ""
	for _, word := range words(o.Headers["Sec-Websocket-Protocol"]) {
		if t, ok := strings.CutPrefix(word, "bearer."); ok {
			token = cmp.Or(token, t)
		} else {
			e.Subprotocols = append(e.Subprotocols, plain(word))
		}
	}
	if token == "" {
		token = headerToken(o)
		e.InHeader = token != ""
	}
	if p.User == "" {
		p = Person{User: nobody, Role: nobody}
	}
	e.User = s.names.user(p.User, p.Role)
	switch {
	case token != "":
		e.Token = s.names.token(token)
	case o.Query["ticket"] != nil && p.Role != nobody:
		e.Token, e.InHeader = s.names.ticket(p), true
	}
	e.Conn = s.names.connection(o.ConnectionID, e.User)
	s.people[e.Conn] = p
	return e
}

// words returns the words of a header, in one line or in several.
func words(lines []string) []string {
	var all []string
	for word := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		all = append(all, strings.TrimSpace(word))
	}
	return slices.DeleteFunc(all, func(word string) bool { return word == "" })
}

// headerToken returns the token of the header Authorization. A malformed header is a bad one.
func headerToken(o *gatewaytest.Observation) string {
	token, err := bearer.Token(o.Headers.Values("Authorization")...)
	if err != nil {
		return BadToken
	}
	return token
}

// query returns what the hub reads of the URL's query, without a ticket. A version in a header
// is one in the query.
func query(o *gatewaytest.Observation) string {
	kept := url.Values{}
	for _, name := range []string{"version", "auth"} {
		for _, value := range o.Query[name] {
			kept.Add(name, plain(value))
		}
	}
	if version := o.Headers.Get("X-Api-Version"); version != "" && kept["version"] == nil {
		kept.Set("version", plain(version))
	}
	return kept.Encode()
}

// plainWord matches the words that a handshake may have.
var plainWord = regexp.MustCompile(`^(?:securecart\.v[0-9]{1,4}|v?[0-9]{1,4}|required)$`)

// plain returns a word of a handshake, or "other" in the place of one that may be anything.
func plain(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "other"
}

// contextText returns a text of the authorizer's context.
func contextText(o *gatewaytest.Observation, key string) string {
	text, _ := o.Authorizer[key].(string)
	if decoded, err := url.PathUnescape(text); err == nil && key == "vendor" {
		return decoded
	}
	return text
}

// ticket returns the stand-in of a token for somebody who came with a ticket.
func (n *names) ticket(p Person) string {
	name := n.next("token")
	n.seen(Event{Type: Token, Token: name, User: n.user(p.User, p.Role), Role: p.Role, Vendor: p.Vendor})
	return name
}
