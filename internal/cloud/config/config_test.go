package config

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// validEnv returns an environment in which every setting is valid.
func validEnv() map[string]string {
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	return map[string]string{
		"HUB_TABLE": "hub", "INVENTORY_TABLE": "inventory", "CART_TABLE": "carts", "SWEEP_TABLE": "sweeps",
		"CALLBACK_URL": "https://api.example/v1/", "TOKEN_ISSUER": "https://issuer.example/pool",
		"TOKEN_JWKS_URL": "https://issuer.example/pool/.well-known/jwks.json", "TOKEN_CLIENTS": "web, app",
		"GUEST_KEYS": key + "," + key, "ADDRESS_KEY": key, "ADMIN_GROUP": "admins", "VENDOR_GROUP": "vendors",
		"LIMITS": "user=5", "SHORTHAND": "true",
		"ALLOWED_ORIGINS": "https://shop.example, http://localhost:5173", "EDGE_SECRETS": strings.Repeat("s", 32) + ",-",
		"POSTS_PER_SECOND": "100", "SWEEP_POSTS_PER_SECOND": "8000", "METRICS_NAMESPACE": "Shop/Hub",
		"INVENTORY_ATTRIBUTES": "sku=productId,version=rev", "CART_ATTRIBUTES": "cart=basket",
		"DEPRECATIONS": "v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2",
	}
}

func TestLoad(t *testing.T) {
	env := validEnv()
	for _, f := range Functions {
		if _, err := Load(f, func(name string) string { return env[name] }); err != nil {
			t.Error(err)
		}
	}
	s, err := Load(Broadcast, func(name string) string { return env[name] })
	if err != nil || s.CallbackURL != "https://api.example/v1" || s.PostsPerSecond != 100 || s.TokenIssuer != "" ||
		s.MetricsNamespace != "Shop/Hub" || s.SweepPostsPerSecond != 8000 || s.SweepTable != "sweeps" {
		t.Errorf("broadcast: got %+v, %v", s, err)
	}
	for _, f := range []Function{Authorize, Rest} { // both log the hash of a client's address
		if s, err := Load(f, func(name string) string { return env[name] }); err != nil || len(s.AddressKey) == 0 {
			t.Errorf("%s: no address key, %v", f, err)
		}
	}
	s, err = Load(Message, func(name string) string { return env[name] })
	if err != nil || !slices.Equal(s.TokenClients, []string{"web", "app"}) || len(s.GuestKeys) != 2 || !s.Shorthand ||
		s.PostsPerSecond == 100 || s.CallbackURL == "" || len(s.MessageOptions().Versions) != 1 {
		t.Errorf("message: got %d clients, %d keys, %v", len(s.TokenClients), len(s.GuestKeys), err)
	}
}

func TestLoadLayout(t *testing.T) {
	env := validEnv()
	s, err := Load(Broadcast, func(name string) string { return env[name] })
	if err != nil || s.Layout.Inventory.Attribute("sku") != "productId" || s.Layout.Cart.Attribute("cart") != "basket" {
		t.Errorf("got %v, %v", s.Layout, err)
	}
	env["CART_ATTRIBUTES"] = "cart=productId"
	if _, err := Load(Broadcast, func(name string) string { return env[name] }); err == nil ||
		!strings.Contains(err.Error(), "productId") {
		t.Errorf("keys of one name: got %v", err)
	}
}

func TestLoadListsMissingSettings(t *testing.T) {
	for _, f := range Functions {
		_, err := Load(f, func(string) string { return "" })
		for _, s := range Table {
			named := err != nil && strings.Contains(err.Error(), s.Name+" is missing")
			if want := s.Required && s.UsedBy(f); named != want {
				t.Errorf("%s: %s named %t, want %t: %v", f, s.Name, named, want, err)
			}
		}
	}
}

// TestIssuerIsWhole: without an issuer a hub has guests only. Half of one is refused:
// without clients, it would accept the tokens of other apps.
func TestIssuerIsWhole(t *testing.T) {
	names := []string{"TOKEN_ISSUER", "TOKEN_JWKS_URL", "TOKEN_CLIENTS"}
	for set := range 1 << len(names) {
		env := validEnv()
		for i, name := range names {
			if set>>i&1 == 0 {
				env[name] = ""
			}
		}
		_, err := Load(Authorize, func(name string) string { return env[name] })
		if whole := set == 0 || set == 1<<len(names)-1; (err == nil) != whole {
			t.Errorf("%03b of %v: got %v", set, names, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"CALLBACK_URL": "api.example/v1", "TOKEN_JWKS_URL": "ftp://x", "TOKEN_CLIENTS": "a,,b",
		"GUEST_KEYS": "c2hvcnQ=", "ADDRESS_KEY": "c2hvcnQ=", "SHORTHAND": "perhaps",
		"POSTS_PER_SECOND": "-1", "EXPECTED_CONNECTIONS": "0",
		"METRICS_NAMESPACE": "AWS/Lambda", "CUSTOMER_CART_DAYS": "36501",
		"INVENTORY_ATTRIBUTES": "sku=a,sku=b", "CART_ATTRIBUTES": "lines=version",
		"DEPRECATIONS": "v1: deprecated 2027-01-01, sunset 2027-07-02, successor v2, link https://shop.example/v2",
	} {
		t.Run(name, func(t *testing.T) {
			env := validEnv()
			env[name] = value
			refused := 0
			for _, f := range Functions {
				_, err := Load(f, func(name string) string { return env[name] })
				if err == nil {
					continue
				}
				refused++
				if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), value) {
					t.Errorf("got %v, want the name and not the value", err)
				}
			}
			if refused == 0 {
				t.Error("no function refused it")
			}
		})
	}
}
