package admin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// maxUser is the longest name of a user in bytes: that of "sub" in a token (OpenID Connect
// Core section 2).
const maxUser = 255

// checkUser fails if no session can have such a user: a token's "sub" or "guest:ID".
func checkUser(user string) error {
	id := strings.TrimPrefix(user, hub.GuestUserPrefix)
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if id == "" || len(user) > maxUser || strings.ContainsFunc(user, unfit) {
		return fmt.Errorf("%q is not a user: a user has 1 to %d printable ASCII characters without spaces",
			wire.Clip(user), maxUser)
	}
	return nil
}

// checkTokenUser is checkUser for tokens, which guests and machines do not have.
func checkTokenUser(user string) error {
	if user == "" {
		return errors.New(`"user" is missing`)
	}
	for _, prefix := range []string{hub.GuestUserPrefix, hub.MachineUserPrefix} {
		if strings.HasPrefix(user, prefix) {
			return fmt.Errorf(`"user": the hub names others %s…`, prefix)
		}
	}
	return checkUser(user)
}
