package handler_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/metrics"
)

// TestLogKeepsSecrets sends every kind of message with marked tokens and carts,
// makes calls fail, and searches the log for the marks, debug records too.
func TestLogKeepsSecrets(t *testing.T) {
	const canary = "CANARY" // in the name of every SKU that is in a cart
	b := newFixture(t)
	b.store.topicErrs = map[hub.Topic]error{}
	secrets := map[string]string{"a SKU of a cart": canary, "a name": "mark-user-ann", "a key": "k-1"}
	secret := func(name, token string) string {
		secrets[name] = token
		// The signature makes a token; the claims identify a person.
		for i, part := range strings.Split(strings.TrimPrefix(token, auth.GuestTokenPrefix), ".") {
			if i > 0 && len(part) > 8 {
				secrets[fmt.Sprintf("%s, part %d", name, i)] = part
			}
		}
		return token
	}
	user := secret("token", b.token(issuer.Claims{User: "mark-user-ann"}))
	renewed := secret("renewed token", b.token(issuer.Claims{User: "mark-user-ann", TTL: 2 * issuer.DefaultTTL}))
	other := secret("another user's token", b.token(issuer.Claims{User: "bob"}))
	expired := secret("expired token", b.expiredUser("mark-user-ann"))
	guest := secret("guest token", b.guestToken("9f2c"))
	oldGuest := secret("expired guest token", b.expiredGuest("9f2c"))
	garbage := secret("garbage", "garbage.PLANTEDinTheLog."+strings.Repeat("x", 20))

	const mug, tee = canary + "-MUG", canary + "-TEE"
	b.stock(mug, 40)
	b.stock(tee, 0)
	tokens := []string{user, renewed, other, expired, guest, oldGuest, garbage}
	handshakes := func() {
		for _, token := range tokens {
			for _, headers := range []map[string]string{tokenHeader(token), {"Authorization": "Bearer " + token}} {
				for _, query := range []map[string]string{nil, {"auth": "required"}, {"token": token}} {
					// The result does not matter here, only the log.
					_, _ = call[json.RawMessage](t, b.authorize, handshakeEvent(t, headers, query))
				}
			}
		}
	}
	conversation := func(c *testConn) {
		b.now = b.now.Add(hub.MessageWindow) // it is longer than a window allows for one user
		for _, text := range []string{
			"hello", "sub cart sku:" + mug, "add " + mug + " 2 key=k-1", "add " + mug + " 2 key=k-1",
			"add " + mug + " 3 key=k-1",
			"add " + tee, "add " + canary + "-NONE", "set " + mug + " 3 " + tee + " 0", "set " + mug + " 1 v1",
			"set " + mug + " 1 v999",
			"get cart", "get " + canary, "set " + canary, "only cart", "unsub *",
			`{"action":"set","lines":{"` + canary + ` x":1}}`, canary,
		} {
			c.send(text)
		}
		for _, token := range tokens {
			c.send("merge " + token)
			c.send("hello token=" + token)
			c.send("hello token=" + token + " " + token)
			c.send(token)
			c.send(`{"action":"hello","token":"` + token + `!"}`)
		}
		c.send("add " + mug)
		c.send("sub cart")
	}
	handshakes()
	ann, visitor := b.open("ann", tokenHeader(user)), b.open("visitor", tokenHeader(guest))
	conversation(ann)
	conversation(visitor)
	for _, method := range []string{
		"Connection", "PutConnection", "Subscribe", "Unsubscribe", "EndConnection", "Epoch", "Items", "Cart", "PutCarts",
	} {
		b.store.errs = map[string]error{method: errInside}
		conversation(ann)
		for _, event := range [][]byte{
			storedEvent(t, "connect", ann.setContext), storedEvent(t, "disconnect", ann.setContext),
		} {
			handle := b.connect
			if strings.Contains(string(event), "DISCONNECT") {
				handle = b.disconnect
			}
			if _, err := call[response](t, handle, event); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.store.errs = map[string]error{"MarkForRetry": errInside}
	b.store.topicErrs[sku(mug)] = errInside
	b.poster.answer = func(hub.Post) error { return hub.ErrThrottled }
	var carts []json.RawMessage
	for _, r := range b.records(100) {
		if strings.Contains(string(r), `"cart"`) {
			carts = append(carts, r)
		}
	}
	for _, line := range []string{
		`{"N":"1"}`, `{"M":{"quantity":{"N":"1000"},"version":{"N":"1"}}}`, `{"M":{}}`,
	} {
		// Before what fails: behind it, they come again and are logged then.
		carts = slices.Insert(carts, 0, json.RawMessage(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"7",`+
			`"Keys":{"cart":{"S":"u~mark-user-ann"}},`+
			`"NewImage":{"cart":{"S":"u~mark-user-ann"},"version":{"N":"1"},"lines":{"M":{"`+mug+`":`+line+`}}}}}`))
	}
	b.deliver(carts...)
	b.loseKeys()
	handshakes()

	b.wantKnownLines()
	log := b.log.String()
	for _, message := range []string{
		"token or ticket refused: accepted as a guest", "handshake refused: it requires a session",
		"token in the URL refused: send it in the subprotocol list or a header, or use a ticket",
		"connected", "disconnected", "message", "connect", "disconnect", "unreadable record", "broadcast", "metrics",
	} {
		if len(b.logged(message)) == 0 {
			t.Errorf("no record %q in the log: the test does not reach that code", message)
		}
	}
	for name, text := range secrets {
		if index := strings.Index(log, text); index >= 0 {
			start := strings.LastIndex(log[:index], "\n") + 1
			end := index + strings.Index(log[index:], "\n")
			t.Errorf("%s is in the log: %s", name, log[start:end])
		}
	}
}

// wantKnownLines checks that each line has known keys only, and the ids of its
// invocation.
func (b *fixture) wantKnownLines() {
	b.t.Helper()
	known := maps.Clone(logs.Keys)
	for _, s := range metrics.Series {
		known[s.Name] = s.Help
	}
	known["Function"], known["Reason"], known["_aws"] = "a dimension", "a dimension", "the embedded metric format"
	for line := range strings.Lines(b.log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			b.t.Fatalf("%v: %s", err, line)
		}
		for key := range record {
			if known[key] == "" {
				b.t.Errorf("unknown key %q: %s", key, line)
			}
		}
		if record["requestId"] != requestID || record["traceId"] != traceID {
			b.t.Errorf(
				"got request %v and trace %v, want %s and %s: %s", record["requestId"], record["traceId"], requestID, traceID,
				line,
			)
		}
	}
}
