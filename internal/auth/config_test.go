package auth_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
)

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*auth.Config){
		"empty answer":         func(c *auth.Config) { *c = auth.Config{} },
		"issuer without keys":  func(c *auth.Config) { c.JWKSURL = "" },
		"keys without issuer":  func(c *auth.Config) { c.Issuer = "" },
		"keys from a file":     func(c *auth.Config) { c.JWKSURL = "file:///etc/keys" },
		"keys from nowhere":    func(c *auth.Config) { c.JWKSURL = "https://" },
		"keys from a bad URL":  func(c *auth.Config) { c.JWKSURL = "https://a b/" },
		"empty client":         func(c *auth.Config) { c.ClientIDs = []string{"web", ""} },
		"short guest key":      func(c *auth.Config) { c.GuestKeys = [][]byte{guestKey, guestKey[:31]} },
		"short address key":    func(c *auth.Config) { c.AddressKey = guestKey[:31] },
		"one group":            func(c *auth.Config) { c.AdminGroup = c.VendorGroup },
		"negative guest time":  func(c *auth.Config) { c.GuestTTL = -time.Second },
		"negative leeway":      func(c *auth.Config) { c.Leeway = -time.Second },
		"empty guest key only": func(c *auth.Config) { c.GuestKeys = [][]byte{{}} },
	} {
		t.Run(name, func(t *testing.T) {
			c := config(&jwks{})
			change(&c)
			if _, err := auth.New(c); err == nil {
				t.Error("New gave no error")
			}
		})
	}
}
