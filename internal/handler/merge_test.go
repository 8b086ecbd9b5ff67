package handler_test

import (
	"testing"

	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

func TestMerge(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 40)
	guest := b.open("g", tokenHeader(b.guestToken("9f2c")))
	guest.wantAnswer("add MUG 2", "ok")
	c := b.openAs("c1", "ann")
	c.wantAnswer("add MUG 3", "ok")
	got := c.wantAnswer("merge "+b.guestToken("9f2c")+" sum key=login-1 id=7", "ok")
	if string(got.ID) != "7" || got.Key != "login-1" || got.Version != 2 || got.Lines["MUG"] == nil ||
		got.Lines["MUG"].Quantity != 5 {
		t.Errorf("got %+v, want five MUG in version 2, id 7, key login-1", got)
	}
	if ann, theirs := b.cart("u~ann").Lines["MUG"].Quantity, b.cart("g~9f2c").Lines["MUG"].Quantity; ann != 5 ||
		theirs != 0 {
		t.Errorf("got %d MUG in ann's cart and %d in the guest's, want 5 and none", ann, theirs)
	}
}

func TestMergeRefusesTokens(t *testing.T) {
	for _, tt := range []struct {
		name  string
		guest bool // the caller is a guest
		token func(b *fixture) string
		want  wire.Code
	}{
		{"a user's", false, func(b *fixture) string { return b.token(issuer.Claims{User: "bob"}) }, wire.CodeBadField},
		{
			"the caller's own", false, func(b *fixture) string { return b.token(issuer.Claims{User: "ann"}) },
			wire.CodeBadField,
		},
		{"the guest's own", true, func(b *fixture) string { return b.guestToken("9f2c") }, wire.CodeBadField},
		{"expired", false, func(b *fixture) string { return b.expiredGuest("9f2c") }, wire.CodeTokenExpired},
		{"garbage", false, func(*fixture) string { return "guest.e30.e30.e30" }, wire.CodeTokenBad},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			b.stock("MUG", 40)
			other := b.open("g", tokenHeader(b.guestToken("9f2c")))
			other.wantAnswer("add MUG 2", "ok")
			c := other
			if !tt.guest {
				c = b.openAs("c1", "ann")
			}
			got := c.wantError(`{"action":"merge","id":7,"key":"login-1","from":"`+tt.token(b)+`"}`, tt.want)
			if string(got.ID) != "7" || got.Key != "login-1" {
				t.Errorf("got id %s, key %q, want 7, login-1", got.ID, got.Key)
			}
			if ann, theirs := b.cart("u~ann"), b.cart("g~9f2c"); ann.Version != 0 || theirs.Version != 1 {
				t.Errorf("got carts at %d and %d, want 0 and 1: nothing merged", ann.Version, theirs.Version)
			}
		})
	}
}
