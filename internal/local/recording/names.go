package recording

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"github.com/securecart/hub/internal/local/jsonedit"
	"github.com/securecart/hub/internal/redact"
	"github.com/securecart/hub/internal/wire"
)

// Person is who a token or a connection is of.
type Person struct{ User, Role, Vendor string }

// names are the stand-ins of one recording.
type names struct {
	verify func(token string) (Person, bool)
	cartID func(user, role string) string
	seen   func(Event) // gets each token that is new

	counts map[string]int               // of stand-ins, by kind
	users  map[string]string            // stand-in, by user
	carts  map[string]string            // user's stand-in, by the id of the cart
	conns  map[string]string            // stand-in, by connection id
	epochs map[string]string            // stand-in, by epoch
	tokens map[[sha256.Size]byte]string // stand-in, by hash: a recorder keeps no token
	others map[[sha256.Size]byte]int    // numbers of names that the protocol does not have, by hash
}

func newNames(verify func(string) (Person, bool), cartID func(user, role string) string, seen func(Event)) *names {
	return &names{
		verify: verify, cartID: cartID, seen: seen, counts: map[string]int{},
		users: map[string]string{}, carts: map[string]string{}, conns: map[string]string{},
		epochs: map[string]string{}, tokens: map[[sha256.Size]byte]string{},
		others: map[[sha256.Size]byte]int{},
	}
}

// next returns the next stand-in of a kind: "customer-2".
func (n *names) next(kind string) string {
	n.counts[kind]++
	return fmt.Sprintf("%s-%d", kind, n.counts[kind])
}

// standIn returns the stand-in for a name, a new one if there is none.
func (n *names) standIn(all map[string]string, name, kind string) string {
	if all[name] == "" {
		all[name] = n.next(kind)
	}
	return all[name]
}

// user returns the stand-in of a user.
func (n *names) user(user, role string) string {
	name := n.standIn(n.users, user, role)
	n.carts[n.cartID(user, role)] = name
	return name
}

// token returns the stand-in of a token.
func (n *names) token(token string) string {
	sum := sha256.Sum256([]byte(token))
	if name := n.tokens[sum]; name != "" {
		return name
	}
	p, ok := n.verify(token)
	if !ok {
		return BadToken
	}
	name := n.next("token")
	n.tokens[sum] = name
	n.seen(Event{Type: Token, Token: name, User: n.user(p.User, p.Role), Role: p.Role, Vendor: p.Vendor})
	return name
}

// connection gives a new connection of a user a stand-in: "customer-1", then "customer-1.2".
func (n *names) connection(id, user string) string {
	n.counts[user]++
	if n.conns[id] = user; n.counts[user] > 1 {
		n.conns[id] = fmt.Sprintf("%s.%d", user, n.counts[user])
	}
	return n.conns[id]
}

// topic returns a topic with the stand-in of its cart's owner. Of a cart that nobody was
// seen to own, only the form of the id tells who that is.
func (n *names) topic(topic string) string {
	id, ok := strings.CutPrefix(topic, "cart:")
	if !ok {
		return topic
	}
	if n.carts[id] == "" {
		n.carts[id] = n.next("customer")
	}
	return "cart:" + n.carts[id]
}

// text replaces what has the form of a token in a text of any form. Random texts stay: a replay
// needs SKUs of any form.
func (n *names) text(text string) string {
	return redact.Tokens(text, func(secret string) string {
		if strings.Count(secret, ".") < 2 {
			return BadToken
		}
		return n.token(secret)
	})
}

// in returns a message that a client sends, with stand-ins.
func (n *names) in(text string, person Person) string {
	renamed, ok := jsonedit.Rewrite(text, func(p jsonedit.Part) (string, bool) {
		if masked, ok := n.sent(p); ok {
			return masked, true
		}
		return n.part(p, person)
	})
	switch {
	case len(text) > wire.MaxMessage, !ok && !wire.IsTyped([]byte(text)):
		return blurred(text)
	case ok:
		return renamed
	}
	return n.typedLine(n.text(n.typed(text, person)))
}

// out returns a message that a client gets, with stand-ins.
func (n *names) out(text string, person Person) string {
	if renamed, ok := jsonedit.Rewrite(text, func(p jsonedit.Part) (string, bool) { return n.part(p, person) }); ok {
		return renamed
	}
	return n.inWords(n.text(n.typed(text, person)))
}

// part returns the stand-in of a part of a message.
func (n *names) part(p jsonedit.Part, person Person) (string, bool) {
	if p.Number != "" {
		return "", false
	}
	other := p.Text
	switch key := p.Key(); {
	case p.Name && len(p.Path) == 1 && (p.Path[0] == "topics" || p.Path[0] == "refused"),
		!p.Name && len(p.Path) == 1 && (key == "topics" || key == "topic"):
		other = n.anyTopic(p.Text)
	case p.Name || len(p.Path) != 1:
	case key == "message":
		other = n.quoting(p.Text)
	case key == "token" || key == "guestToken" || key == "from":
		other = n.token(p.Text)
	case key == "epoch":
		other = n.standIn(n.epochs, p.Text, "epoch")
	case key == "user":
		other = n.user(p.Text, roleOf(p.Text, person.Role))
	case key == "connectionId" && n.conns[p.Text] != "":
		other = n.conns[p.Text]
	}
	if other == p.Text {
		other = n.text(n.topic(other))
	}
	return other, other != p.Text
}

// roleOf is the role of a user in a message to somebody of a role.
func roleOf(user, role string) string {
	switch {
	case strings.HasPrefix(user, "guest:"):
		return "guest"
	case role == "guest":
		return "customer" // it has just signed in
	}
	return role
}

var (
	tokenOption = regexp.MustCompile(`\b(token=)("(?:[^"\\]|\\.)*"|\S+)`)
	mergeFrom   = regexp.MustCompile(`(?i)^(\s*merge\s+)(\S+)`)
	epochOption = regexp.MustCompile(`\b(epoch=)(\S+)`)
	cartTopic   = regexp.MustCompile(`\bcart:[A-Za-z0-9._~-]+`)
)

// typed returns a line that somebody typed, or an answer in words, with stand-ins.
func (n *names) typed(line string, person Person) string {
	second := func(re *regexp.Regexp, text string, replace func(string) string) string {
		return re.ReplaceAllStringFunc(text, func(m string) string {
			parts := re.FindStringSubmatch(m)
			return parts[1] + replace(parts[2])
		})
	}
	token := func(t string) string { return n.token(strings.Trim(t, `"`)) }
	line = second(tokenOption, line, token)
	line = second(mergeFrom, line, token)
	line = second(epochOption, line, func(e string) string { return n.standIn(n.epochs, e, "epoch") })
	line = cartTopic.ReplaceAllStringFunc(line, n.topic)
	if strings.HasPrefix(line, "you are ") { // the answer to "who" in words
		line = n.who(line)
	}
	return line
}

// who replaces the names in the answer to hello in words.
func (n *names) who(answer string) string {
	for _, all := range []map[string]string{n.users, n.conns, n.epochs} {
		for name, other := range all {
			for _, form := range []string{"you are %s,", "connection %s,", "epoch %s\n"} {
				answer = strings.ReplaceAll(answer+"\n", fmt.Sprintf(form, name), fmt.Sprintf(form, other))
				answer = strings.TrimSuffix(answer, "\n")
			}
		}
	}
	return answer
}
