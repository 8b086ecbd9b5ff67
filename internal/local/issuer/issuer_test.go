package issuer_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
)

const address = "https://cognito.test/pool_1"

func newIssuer(t testing.TB) *issuer.Issuer {
	t.Helper()
	i, err := issuer.New(address)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func newVerifier(t testing.TB, i *issuer.Issuer) *auth.Verifier {
	t.Helper()
	v, err := auth.New(auth.Config{
		Issuer: i.Issuer(), JWKSURL: i.JWKSURL(), HTTPClient: i.Client(),
		ClientIDs: []string{issuer.ClientID}, AdminGroup: issuer.AdminGroup, VendorGroup: issuer.VendorGroup,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNewRefusesAddresses(t *testing.T) {
	for _, bad := range []string{"", "cognito", "ftp://cognito.test", "https://", "https://cognito.test/", "://",
		"http://a b/"} {
		if _, err := issuer.New(bad); err == nil {
			t.Errorf("New(%q) returned no error", bad)
		}
	}
}

func TestTokensAreAcceptedByAuth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t)
		v := newVerifier(t, i)
		for name, tt := range map[string]struct {
			claims issuer.Claims
			want   hub.Principal
		}{
			"customer": {issuer.Claims{User: "ann"}, hub.Principal{User: "ann", Role: hub.RoleCustomer}},
			"vendor": {
				issuer.Claims{User: "bob", Role: "vendor", Vendor: "acme"},
				hub.Principal{User: "bob", Role: hub.RoleVendor, Vendor: "acme"},
			},
			"admin": {
				issuer.Claims{User: "eve", Role: "admin", TTL: time.Minute}, hub.Principal{User: "eve", Role: hub.RoleAdmin},
			},
		} {
			token, expires, err := i.Token(tt.claims)
			if err != nil {
				t.Fatal(err)
			}
			ttl := tt.claims.TTL
			if ttl == 0 {
				ttl = issuer.DefaultTTL
			}
			if want := time.Now().Add(ttl); !expires.Equal(want) {
				t.Errorf("%s: expires %v, want %v", name, expires, want)
			}
			got, err := v.Verify(t.Context(), token)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !got.Expires.Equal(expires) {
				t.Errorf("%s: principal expires %v, want %v", name, got.Expires, expires)
			}
			if !got.Issued.Equal(time.Now()) {
				t.Errorf("%s: principal issued %v, want now", name, got.Issued)
			}
			got.Issued, got.Expires = time.Time{}, time.Time{}
			if got != tt.want {
				t.Errorf("%s: principal %+v, want %+v", name, got, tt.want)
			}
		}
	})
}

func TestExpiresMatchesTheToken(t *testing.T) {
	i := newIssuer(t)
	now := time.Date(2030, 1, 2, 3, 4, 5, 600, time.UTC)
	token, expires, err := i.Token(issuer.Claims{User: "ann", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := auth.New(auth.Config{
		Issuer: i.Issuer(), JWKSURL: i.JWKSURL(), HTTPClient: i.Client(),
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2030, 1, 2, 4, 4, 5, 0, time.UTC)
	if !expires.Equal(want) || !p.Expires.Equal(want) {
		t.Errorf("Token returned %v and auth %v, want %v", expires, p.Expires, want)
	}
}

func TestExpiredToken(t *testing.T) {
	i := newIssuer(t)
	token, _, err := i.Token(issuer.Claims{User: "ann", TTL: -time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newVerifier(t, i).Verify(t.Context(), token); !errors.Is(err, auth.ErrExpired) {
		t.Errorf("got %v, want %v", err, auth.ErrExpired)
	}
}

func TestRotateKeepsThePreviousKey(t *testing.T) {
	i := newIssuer(t)
	first, _, err := i.Token(issuer.Claims{User: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	for n, valid := range []bool{true, true, false} {
		// A new verifier has no keys yet.
		_, err := newVerifier(t, i).Verify(t.Context(), first)
		if got := err == nil; got != valid {
			t.Errorf("after %d rotations: %v, want valid: %t", n, err, valid)
		}
		if err := i.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDocuments(t *testing.T) {
	i := newIssuer(t)
	get := func(method, path string) (int, string) {
		w := httptest.NewRecorder()
		i.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w.Code, w.Body.String()
	}
	for _, prefix := range []string{"/pool_1", ""} {
		code, body := get("GET", prefix+"/.well-known/openid-configuration")
		var doc struct {
			Issuer string
			Keys   string `json:"jwks_uri"`
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil || code != 200 {
			t.Fatalf("configuration: %d %v", code, err)
		}
		if doc.Issuer != address || doc.Keys != i.JWKSURL() {
			t.Errorf("configuration %+v, want %s and %s", doc, address, i.JWKSURL())
		}
		code, body = get("GET", prefix+"/.well-known/jwks.json")
		var set struct{ Keys []map[string]string }
		if err := json.Unmarshal([]byte(body), &set); err != nil || code != 200 || len(set.Keys) != 1 {
			t.Fatalf("keys: %d %v %s", code, err, body)
		}
		if _, private := set.Keys[0]["d"]; private {
			t.Error("the JWKS has the private key")
		}
	}
	if code, _ := get("GET", "/other"); code != 404 {
		t.Errorf("another path: %d, want 404", code)
	}
	if code, _ := get("POST", "/.well-known/jwks.json"); code != 405 {
		t.Errorf("POST: %d, want 405", code)
	}
}

func TestClientReachesOnlyTheIssuer(t *testing.T) {
	i := newIssuer(t)
	resp, err := i.Client().Get(i.JWKSURL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "ES256") {
		t.Errorf("keys: %d %v %s", resp.StatusCode, err, body)
	}
	if resp, err := i.Client().Get("https://elsewhere.test/"); err == nil {
		resp.Body.Close()
		t.Error("the client reached another host")
	}
}
