package auth

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

const (
	// maxSubject is the longest "sub", in bytes (OpenID Connect Core section 2).
	maxSubject = 255
	// maxDate is the last second of the year 9999, the last one in RFC 3339. Later
	// dates could overflow.
	maxDate = 253_402_300_799
)

// claims are the claims that the hub reads.
type claims struct {
	jwt.Claims
	TokenUse string   `json:"token_use"`
	ClientID string   `json:"client_id"`
	Groups   []string `json:"cognito:groups"`
	Vendor   string   `json:"vendor"`
}

// parseClaims reads a payload whose signature is valid. The json package of go-jose
// compares names exactly and refuses repeated names; decoding into any makes it check
// nested objects too.
func parseClaims(payload []byte) (*claims, error) {
	if !utf8.Valid(payload) {
		return nil, invalid("claims are not UTF-8")
	}
	var all map[string]any
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, invalid("claims are not one JSON object, or a name occurs twice")
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		date, ok := all[name]
		if !ok {
			continue
		}
		seconds, ok := date.(float64)
		if !ok || seconds < 0 || seconds > maxDate {
			return nil, invalid("%s is not a date", name)
		}
	}
	c := new(claims)
	if err := json.Unmarshal(payload, c); err != nil {
		return nil, invalid("a claim has the wrong type")
	}
	return c, nil
}

// checkTime compares the dates with now. It refuses a token without an expiry: such
// a token would be valid forever.
func (c *claims) checkTime(now time.Time, leeway time.Duration) error {
	if c.Expiry == nil {
		return invalid("no exp")
	}
	err := c.ValidateWithLeeway(jwt.Expected{Time: now}, leeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return ErrExpired
	case err != nil:
		return invalid("not valid yet, or issued in the future")
	}
	return nil
}

// user returns the principal of a user token. The claims are those of a Cognito
// access token
// (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html).
func (v *Verifier) user(c *claims) (hub.Principal, error) {
	if c.TokenUse != "access" {
		return hub.Principal{}, invalid("token_use is not access")
	}
	if len(v.config.ClientIDs) > 0 && !slices.Contains(v.config.ClientIDs, c.ClientID) {
		return hub.Principal{}, invalid("client_id is not an allowed one")
	}
	if c.Subject == "" || len(c.Subject) > maxSubject {
		return hub.Principal{}, invalid("sub has %d bytes, want 1 to %d", len(c.Subject), maxSubject)
	}
	for i := range len(c.Subject) {
		if b := c.Subject[i]; b <= ' ' || b > '~' {
			return hub.Principal{}, invalid("sub is not printable ASCII without spaces")
		}
	}
	if strings.HasPrefix(c.Subject, hub.GuestUserPrefix) {
		return hub.Principal{}, invalid("sub looks like a guest's")
	}
	if strings.HasPrefix(c.Subject, hub.MachineUserPrefix) {
		return hub.Principal{}, invalid("sub looks like a machine's")
	}
	role := v.role(c.Groups)
	p := hub.Principal{User: c.Subject, Role: role}
	if role == hub.RoleVendor {
		if !wire.IsName(c.Vendor) {
			return hub.Principal{}, invalid("a vendor needs a vendor claim: %s", wire.NameRule)
		}
		p.Vendor = c.Vendor
	}
	return p, nil
}

// role returns the highest role that the groups of a user grant, else customer. Only
// the groups of the settings grant one: a user pool may serve other apps, which have
// groups of their own. A user token never makes a guest.
func (v *Verifier) role(groups []string) hub.Role {
	isIn := func(group string) bool { return group != "" && slices.Contains(groups, group) }
	switch {
	case isIn(v.config.AdminGroup):
		return hub.RoleAdmin
	case isIn(v.config.VendorGroup):
		return hub.RoleVendor
	}
	return hub.RoleCustomer
}
