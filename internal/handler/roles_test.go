package handler_test

import (
	"context"
	"testing"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// roleVerifier accepts each token as a user with the token as its role.
type roleVerifier struct{ handler.Verifier }

func (roleVerifier) Verify(_ context.Context, token string) (hub.Principal, error) {
	return hub.Principal{User: "ann", Role: hub.Role(token)}, nil
}

// TestUnknownRolesAreRefused: a verifier may know roles that the table of rights does
// not have. A handshake with one of them is a guest's, and hello says why.
func TestUnknownRolesAreRefused(t *testing.T) {
	for role, known := range map[string]bool{
		"guest": true, "customer": true, "vendor": true, "admin": true, "boss": false, "Admin": false, "root": false,
	} {
		b := newFixture(t)
		b.useVerifier(roleVerifier{b.verifier})
		p := b.mustAuthorize(tokenHeader(role), nil)
		wantUser, wantRole, wantNotice := "ann", any(role), any(nil)
		if !known {
			wantUser, wantRole, wantNotice = "guest:g1", "guest", string(wire.CodeTokenBad)
		}
		if p.PrincipalID != wantUser || p.Context["role"] != wantRole || p.Context["notice"] != wantNotice {
			t.Errorf("role %s: got %s with %v, want %s, role %v, notice %v", role, p.PrincipalID, p.Context, wantUser,
				wantRole, wantNotice)
		}
	}
}
