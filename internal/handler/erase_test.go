package handler_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// TestEraseEvent checks the event with which the shop erases a user: what the store and
// the log know afterwards, and that a failure reaches the shop.
func TestEraseEvent(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 9)
	token := b.token(issuer.Claims{User: "mark-ann"})
	for _, user := range []string{"mark-ann", "guest:g1"} {
		header := tokenHeader(token)
		if user != "mark-ann" {
			header = nil
		}
		c := b.open("mark-"+strings.TrimPrefix(user, "mark-"), header)
		c.wantAnswer("sub cart", "snapshot")
		c.wantAnswer("add MUG 1 key=mark-key", "ok")
		b.log.Reset()
		for i := range 2 {
			if _, err := b.broadcast.Invoke(invocation(t.Context()), []byte(`{"erase":"`+user+`"}`)); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				c.wantError("add MUG 1", wire.CodeDenied) // it was under way, and is counted
			}
		}
		stored, log := hubtest.Texts(b.store.Store), b.log.String()
		for _, text := range []string{"mark-", "g~g1", "guest:g1"} {
			if strings.Contains(stored, text) || strings.Contains(log, text) {
				t.Errorf("%s: %q is left in the store or in the log:\n%s\n%s", user, text, stored, log)
			}
		}
		if !strings.Contains(log, `"msg":"erased"`) || !strings.Contains(log, `"ended":1`) {
			t.Errorf("%s: got log %s, want that one connection was ended", user, log)
		}
	}
	if again := b.open("again", tokenHeader(token)); again.wantAnswer("hello", "hello").Notice != wire.CodeTokenExpired {
		t.Error("the token from before is accepted")
	}
	b.store.errs["EndConnection"] = errInside
	_, err := b.broadcast.Invoke(invocation(t.Context()), []byte(`{"erase":"mark-ann"}`))
	if !errors.Is(err, errInside) {
		t.Errorf("got %v, want the failure", err)
	}
	b.wantKnownLines()
}
