package auth_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/wire"

	"github.com/securecart/hub/internal/hub"
)

// goodToken is a token and its principal.
type goodToken struct {
	token string
	want  hub.Principal
}

// Groups that grant a role.
var (
	admins  = []string{"securecart-admin"}
	vendors = []string{"securecart-vendor"}
)

// goodTokens returns tokens that must be accepted, by name.
func goodTokens() map[string]goodToken {
	ends := now.Add(time.Hour)
	customer := hub.Principal{User: "user-1", Role: "customer", Expires: ends}
	return map[string]goodToken{
		"ES256":          {user(claims()), customer},
		"RS256":          {sign(rsHeader, claims(), rsaKey()), customer},
		"typ and x5t":    {sign(`{"typ":"at+jwt","alg":"ES256","x5t":"abc","kid":"ec"}`, claims(), ecKey()), customer},
		"another client": {user(claims("client_id", "app")), customer},
		"groups of another app": {
			user(claims("cognito:groups", []string{"guest", "admin", "vendor", "Securecart-Admin"}, "vendor", "acme")), customer,
		},
		"no groups": {user(claims("cognito:groups", []string{})), customer},
		// The claim "role" is another app's too.
		"a role that no setting names": {user(claims("role", "admin")), customer},
		"a role of another type":       {user(claims("role", []string{"admin"})), customer},
		// Cognito writes it for resource servers
		"with an aud":    {user(claims("aud", []string{"https://api.example"})), customer},
		"unknown claims": {user(claims("scope", "openid", "device_key", "x", "x", map[string]any{"y": []int{1}})), customer},
		"no vendor":      {user(claims("vendor", "acme")), customer}, // ignored for a customer
		"vendor": {
			user(claims("cognito:groups", vendors, "vendor", "acme")),
			hub.Principal{User: "user-1", Role: "vendor", Vendor: "acme", Expires: ends},
		},
		"vendor with a space": {
			user(claims("cognito:groups", vendors, "vendor", "Töpferei & Söhne")),
			hub.Principal{User: "user-1", Role: "vendor", Vendor: "Töpferei & Söhne", Expires: ends},
		},
		"vendor of 128 bytes": {
			user(claims("cognito:groups", vendors, "vendor", strings.Repeat("é", 64))),
			hub.Principal{User: "user-1", Role: "vendor", Vendor: strings.Repeat("é", 64), Expires: ends},
		},
		"admin": {
			user(claims("cognito:groups", admins, "vendor", "acme")),
			hub.Principal{User: "user-1", Role: "admin", Expires: ends},
		},
		"admin and vendor": {
			user(claims("cognito:groups", slices.Concat([]string{"x"}, vendors, admins))),
			hub.Principal{User: "user-1", Role: "admin", Expires: ends},
		},
		"longest sub": {
			user(claims("sub", strings.Repeat("~", 255))),
			hub.Principal{User: strings.Repeat("~", 255), Role: "customer", Expires: ends},
		},
		"within leeway": {
			user(claims("exp", now.Unix()-60)),
			hub.Principal{User: "user-1", Role: "customer", Expires: now.Add(-time.Minute)},
		},
		"valid soon": {user(claims("nbf", now.Unix()+60, "iat", now.Unix()+60)), customer},
		"fraction":   {user(claims("exp", float64(now.Unix()+3600)+0.5)), customer},
		"guest":      {guest(guestClaims()), hub.Principal{User: "guest:9f2c", Role: "guest", Expires: ends}},
		"guest, old key": {
			"guest." + sign(hsHeader, guestClaims(), oldGuestKey),
			hub.Principal{User: "guest:9f2c", Role: "guest", Expires: ends},
		},
		"guest with role": {
			guest(guestClaims("role", "admin")), hub.Principal{User: "guest:9f2c", Role: "guest", Expires: ends},
		},
	}
}

func TestGoodTokens(t *testing.T) {
	for name, tt := range goodTokens() {
		t.Run(name, func(t *testing.T) {
			got, err := newVerifier(t, config(&jwks{})).Verify(t.Context(), tt.token)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Expires.Equal(tt.want.Expires) {
				t.Errorf("expires %v, want %v", got.Expires, tt.want.Expires)
			}
			got.Expires = tt.want.Expires
			if issued := now.Add(-10 * time.Second); !got.Issued.Equal(issued) && name != "valid soon" {
				t.Errorf("issued %v, want %v", got.Issued, issued)
			}
			got.Issued = time.Time{}
			if got != tt.want {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// cut replaces one of the three parts of a token.
func cut(token string, part int, by string) string {
	parts := strings.Split(token, ".")
	parts[part] = by
	return strings.Join(parts, ".")
}

// respelled returns a token whose signature has another spelling in base64 for the
// same bytes.
func respelled(token string) string {
	// 64 bytes leave four unused bits in the last of their 86 digits.
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, token[len(token)-1])
	return token[:len(token)-1] + string(digits[last+1])
}

// badToken is a token and the reason to refuse it.
type badToken struct {
	token string
	want  error
}

// hostileTokens returns tokens that must be refused, by what is wrong with them.
func hostileTokens() map[string]badToken {
	good := user(claims())
	b64 := base64.RawURLEncoding.EncodeToString
	public := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	embedded := string(must(json.Marshal(jose.JSONWebKey{Key: otherKey().Public(), KeyID: "ec"})))
	bad := func(token string) badToken { return badToken{token, auth.ErrInvalid} }
	expired := func(token string) badToken { return badToken{token, auth.ErrExpired} }
	return map[string]badToken{
		// Shape.
		"empty":                      bad(""),
		"one word":                   bad("token"),
		"two parts":                  bad(good[:strings.LastIndex(good, ".")]),
		"four parts":                 bad(good + ".e30"),
		"five parts, encrypted":      bad(good + ".e30.e30"),
		"dots only":                  bad(".."),
		"empty signature":            bad(cut(good, 2, "")),
		"empty payload":              bad(cut(good, 1, "")),
		"empty header":               bad(cut(good, 0, "")),
		"padding":                    bad(good + "=="),
		"space before":               bad(" " + good),
		"newline at the end":         bad(good + "\n"),
		"newline inside":             bad(good[:9] + "\n" + good[9:]),
		"carriage return inside":     bad(good[:9] + "\r" + good[9:]),
		"NUL":                        bad(good + "\x00"),
		"standard base64":            bad(cut(good, 2, base64.StdEncoding.EncodeToString([]byte("\xfb\xff\xfe")))),
		"another spelling":           bad(respelled(good)),
		"with a scheme":              bad("Bearer " + good),
		"too long":                   bad(user(claims("pad", strings.Repeat("x", wire.MaxToken)))),
		"much too long":              bad(strings.Repeat("a.", 1<<20)),
		"JSON serialization":         bad(`{"payload":"e30","signatures":[]}`),
		"header is not JSON":         bad(cut(good, 0, b64([]byte("alg=ES256")))),
		"header is an array":         bad(sign(`["ES256"]`, claims(), ecKey())),
		"guest prefix alone":         bad("guest."),
		"guest prefix twice":         bad("guest." + guest(guestClaims())),
		"guest prefix in capitals":   bad("Guest." + sign(hsHeader, guestClaims(), guestKey)),
		"user token as guest":        bad("guest." + good),
		"guest token without prefix": bad(sign(hsHeader, guestClaims(), guestKey)),

		// Algorithms and headers.
		"alg none":              bad(cut(sign(`{"alg":"none","kid":"ec"}`, claims(), nil), 2, "AA")),
		"alg none, no sig":      bad(cut(sign(`{"alg":"none","kid":"ec"}`, claims(), nil), 2, "")),
		"alg NoNe":              bad(sign(`{"alg":"NoNe","kid":"ec"}`, claims(), nil)),
		"alg missing":           bad(sign(`{"kid":"ec"}`, claims(), ecKey())),
		"alg null":              bad(sign(`{"alg":null,"kid":"ec"}`, claims(), ecKey())),
		"alg in lower case":     bad(sign(`{"alg":"es256","kid":"ec"}`, claims(), ecKey())),
		"alg twice":             bad(sign(`{"alg":"none","alg":"ES256","kid":"ec"}`, claims(), ecKey())),
		"HS256 with public key": bad(sign(`{"alg":"HS256","kid":"rsa"}`, claims(), public)),
		"HS256 with guest key":  bad(sign(`{"alg":"HS256","kid":"ec"}`, claims(), guestKey)),
		"PS256":                 bad(sign(`{"alg":"PS256","kid":"rsa"}`, claims(), rsaKey())),
		"RS512":                 bad(sign(`{"alg":"RS512","kid":"rsa"}`, claims(), rsaKey())),
		"RS256 with EC key":     bad(sign(`{"alg":"RS256","kid":"ec"}`, claims(), ecKey())),
		"ES256 with RSA key":    bad(sign(`{"alg":"ES256","kid":"rsa"}`, claims(), rsaKey())),
		"kid of another key":    bad(sign(`{"alg":"ES256","kid":"rsa"}`, claims(), ecKey())),
		"kid unknown":           bad(sign(`{"alg":"ES256","kid":"other"}`, claims(), otherKey())),
		"kid missing":           bad(sign(`{"alg":"ES256"}`, claims(), ecKey())),
		"kid empty":             bad(sign(`{"alg":"ES256","kid":""}`, claims(), ecKey())),
		"kid a number":          bad(sign(`{"alg":"ES256","kid":1}`, claims(), ecKey())),
		"kid a path":            bad(sign(`{"alg":"ES256","kid":"../../dev/null"}`, claims(), ecKey())),
		"crit unknown":          bad(sign(`{"alg":"ES256","kid":"ec","crit":["x"],"x":1}`, claims(), ecKey())),
		"crit b64":              bad(sign(`{"alg":"ES256","kid":"ec","crit":["b64"],"b64":true}`, claims(), ecKey())),
		"crit empty":            bad(sign(`{"alg":"ES256","kid":"ec","crit":[]}`, claims(), ecKey())),
		"b64 alone":             bad(sign(`{"alg":"ES256","kid":"ec","b64":true}`, claims(), ecKey())),
		"contains its own key":  bad(sign(`{"alg":"ES256","kid":"ec","jwk":`+embedded+`}`, claims(), otherKey())),
		"names its own key set": bad(sign(`{"alg":"ES256","kid":"ec","jku":"https://evil.test"}`, claims(), otherKey())),
		"contains a certificate": bad(sign(
			`{"alg":"ES256","kid":"ec","x5c":["`+base64.StdEncoding.EncodeToString(public)+`"]}`, claims(), otherKey(),
		)),
		"names a certificate": bad(sign(
			`{"alg":"ES256","kid":"ec","x5u":"https://evil.test/cert.pem"}`, claims(), otherKey(),
		)),
		"ES256 with P-384":  bad(sign(esHeader, claims(), p384Key())),
		"ES384":             bad(sign(`{"alg":"ES384","kid":"p384"}`, claims(), p384Key())),
		"EdDSA":             bad(sign(`{"alg":"EdDSA","kid":"ec"}`, claims(), ecKey())),
		"crit b64 false":    bad(sign(`{"alg":"ES256","kid":"ec","crit":["b64"],"b64":false}`, claims(), ecKey())),
		"b64 false alone":   bad(sign(`{"alg":"ES256","kid":"ec","b64":false}`, claims(), ecKey())),
		"kid in capitals":   bad(sign(`{"alg":"ES256","kid":"EC"}`, claims(), ecKey())),
		"kid twice":         bad(sign(`{"alg":"ES256","kid":"other","kid":"ec"}`, claims(), ecKey())),
		"kid with a quote":  bad(sign(`{"alg":"ES256","kid":"ec' OR '1'='1"}`, claims(), ecKey())),
		"kid with NUL":      bad(sign(`{"alg":"ES256","kid":"ec\u0000"}`, claims(), ecKey())),
		"kid of a kilobyte": bad(sign(`{"alg":"ES256","kid":"`+strings.Repeat("k", 1<<10)+`"}`, claims(), ecKey())),

		// Signatures.
		"signed by another":   bad(sign(esHeader, claims(), otherKey())),
		"payload exchanged":   bad(cut(good, 1, b64([]byte(claims("role", "admin"))))),
		"header exchanged":    bad(cut(good, 0, b64([]byte(`{"alg":"ES256","kid":"ec","typ":"JWT"}`)))),
		"signature of zeros":  bad(cut(good, 2, b64(make([]byte, 64)))),
		"signature too short": bad(cut(good, 2, b64(make([]byte, 63)))),
		"signature too long":  bad(cut(good, 2, b64(make([]byte, 65)))),
		"guest key unknown": bad(
			"guest." + sign(hsHeader, guestClaims(), []byte("some other key of more than 32 bytes")),
		),
		"guest key empty":        bad("guest." + sign(hsHeader, guestClaims(), []byte{})),
		"guest with ES256":       bad("guest." + sign(esHeader, guestClaims(), ecKey())),
		"guest, alg none":        bad("guest." + cut(sign(`{"alg":"none"}`, guestClaims(), nil), 2, "AA")),
		"guest with HS512":       bad("guest." + sign(`{"alg":"HS512"}`, guestClaims(), guestKey)),
		"guest with crit":        bad("guest." + sign(`{"alg":"HS256","crit":["x"],"x":1}`, guestClaims(), guestKey)),
		"guest mac cut to half":  bad(guest(guestClaims())[:len(guest(guestClaims()))-22]),
		"guest signed by issuer": bad("guest." + sign(rsHeader, guestClaims("iss", issuerURL), rsaKey())),

		// Claims of users.
		"payload not an object":  bad(user(`"claims"`)),
		"payload null":           bad(user(`null`)),
		"payload cut off":        bad(user(`{"iss":`)),
		"payload two objects":    bad(user(claims() + `{}`)),
		"payload not UTF-8":      bad(user(strings.Replace(claims("x", "y"), `"y"`, "\"\xff\"", 1))),
		"sub twice":              bad(user(strings.Replace(claims(), "{", `{"sub":"root",`, 1))),
		"sub twice, escaped":     bad(user(strings.Replace(claims(), "{", `{"s\u0075b":"root",`, 1))),
		"exp twice":              bad(user(strings.Replace(claims(), "{", `{"exp":1,`, 1))),
		"unread claim twice":     bad(user(strings.Replace(claims(), "{", `{"x":1,"x":1,`, 1))),
		"nested claim twice":     bad(user(strings.Replace(claims(), "{", `{"x":{"y":1,"y":1},`, 1))),
		"iss in capitals":        bad(user(claims("iss", nil, "ISS", issuerURL))),
		"iss of another":         bad(user(claims("iss", "https://cognito.test/pool_2"))),
		"iss with a slash":       bad(user(claims("iss", issuerURL+"/"))),
		"iss missing":            bad(user(claims("iss", nil))),
		"iss in two cases":       bad(user(claims("iss", "https://evil.test", "ISS", issuerURL))),
		"iss of guests":          bad(user(claims("iss", "securecart:guest"))),
		"id token":               bad(user(claims("token_use", "id"))),
		"token_use missing":      bad(user(claims("token_use", nil))),
		"client unknown":         bad(user(claims("client_id", "intranet"))),
		"client missing":         bad(user(claims("client_id", nil))),
		"client as audience":     bad(user(claims("client_id", nil, "aud", client))),
		"client a list":          bad(user(claims("client_id", []string{client}))),
		"sub missing":            bad(user(claims("sub", nil))),
		"sub empty":              bad(user(claims("sub", ""))),
		"sub a number":           bad(user(claims("sub", 1))),
		"sub too long":           bad(user(claims("sub", strings.Repeat("u", 256)))),
		"sub with a newline":     bad(user(claims("sub", "user\n1"))),
		"sub with a space":       bad(user(claims("sub", "user 1"))),
		"sub with NUL":           bad(user(claims("sub", "user\x00"))),
		"sub with DEL":           bad(user(claims("sub", "user\x7f"))),
		"sub right to left":      bad(user(claims("sub", "user\u202e1"))),
		"sub of a guest":         bad(user(claims("sub", "guest:9f2c"))),
		"sub of a machine":       bad(user(claims("sub", "machine:a1b2c3"))),
		"groups a string":        bad(user(claims("cognito:groups", "admin"))),
		"vendor missing":         bad(user(claims("cognito:groups", vendors))),
		"vendor empty":           bad(user(claims("cognito:groups", vendors, "vendor", ""))),
		"vendor not a name":      bad(user(claims("cognito:groups", vendors, "vendor", " acme"))),
		"vendor with a newline":  bad(user(claims("cognito:groups", vendors, "vendor", "acme\n"))),
		"vendor too long":        bad(user(claims("cognito:groups", vendors, "vendor", strings.Repeat("v", 129)))),
		"exp missing":            bad(user(claims("exp", nil))),
		"exp null":               bad(user(strings.Replace(claims("exp", nil), "{", `{"exp":null,`, 1))),
		"exp in capitals":        bad(user(claims("exp", nil, "EXP", now.Unix()+3600))),
		"exp a string":           bad(user(claims("exp", fmt.Sprint(now.Unix()+3600)))),
		"exp negative":           bad(user(claims("exp", -1))),
		"exp beyond all time":    bad(user(strings.Replace(claims("exp", nil), "{", `{"exp":1e300,`, 1))),
		"exp beyond floats":      bad(user(strings.Replace(claims("exp", nil), "{", `{"exp":1e999,`, 1))),
		"exp in milliseconds":    bad(user(claims("exp", now.Add(time.Hour).UnixMilli()))),
		"exp true":               bad(user(claims("exp", true))),
		"nbf in the future":      bad(user(claims("nbf", now.Unix()+61))),
		"nbf a string":           bad(user(claims("nbf", "soon"))),
		"iat in the future":      bad(user(claims("iat", now.Unix()+61))),
		"nbf null":               bad(user(strings.Replace(claims(), "{", `{"nbf":null,`, 1))),
		"iat null":               bad(user(strings.Replace(claims("iat", nil), "{", `{"iat":null,`, 1))),
		"expired":                expired(user(claims("exp", now.Unix()-61))),
		"expired in 1970":        expired(user(claims("exp", 0))),
		"expired, bad client":    bad(user(claims("exp", 0, "client_id", "intranet"))),
		"expired, bad signature": bad(sign(esHeader, claims("exp", 0), otherKey())),
		"expired, bad issuer":    bad(user(claims("exp", 0, "iss", "https://evil.test"))),

		// Claims of guests.
		"guest expired":         expired(guest(guestClaims("exp", now.Unix()-61))),
		"guest without exp":     bad(guest(guestClaims("exp", nil))),
		"guest issued tomorrow": bad(guest(guestClaims("nbf", now.Unix()+86400))),
		"guest without id":      bad(guest(guestClaims("sub", nil))),
		"guest with odd id":     bad(guest(guestClaims("sub", "a:b"))),
		"guest with long id":    bad(guest(guestClaims("sub", strings.Repeat("a", 65)))),
		"guest, no issuer":      bad(guest(guestClaims("iss", nil))),
		"guest, user's issuer":  bad(guest(claims())),
		"guest id twice":        bad(guest(strings.Replace(guestClaims(), "{", `{"sub":"a",`, 1))),
	}
}

func TestHostileTokens(t *testing.T) {
	v := newVerifier(t, config(&jwks{}))
	for name, tt := range hostileTokens() {
		t.Run(name, func(t *testing.T) {
			got, err := v.Verify(t.Context(), tt.token)
			if got != (hub.Principal{}) {
				t.Errorf("got the principal %+v with an error", got)
			}
			for _, kind := range []error{auth.ErrInvalid, auth.ErrExpired, auth.ErrUnavailable} {
				if errors.Is(err, kind) != (kind == tt.want) {
					t.Errorf("got error %v, want only %v", err, tt.want)
				}
			}
		})
	}
}

// TestErrorsDoNotQuote checks that errors contain no part of a token.
func TestErrorsDoNotQuote(t *testing.T) {
	v := newVerifier(t, config(&jwks{}))
	const mark = "xyzzy"
	for _, token := range []string{
		mark,
		mark + ".e30." + mark,
		sign(`{"alg":"`+mark+`"}`, claims(), ecKey()),
		sign(`{"alg":"ES256","kid":"`+mark+`"}`, claims(), ecKey()),
		user(claims("iss", mark)),
		user(claims("sub", mark+"\n")),
		user(claims("cognito:groups", mark)),
		user(claims("cognito:groups", vendors, "vendor", mark+"\n")),
		user(claims("client_id", mark)),
		user(strings.Replace(claims(), "{", `{"`+mark+`":1,"`+mark+`":1,`, 1)),
		user(claims("exp", mark)),
	} {
		_, err := v.Verify(t.Context(), token)
		if err == nil || strings.Contains(err.Error(), mark) {
			t.Errorf("error %v, want one without %q", err, mark)
		}
	}
}

func TestAnyClientInDevelopment(t *testing.T) {
	c := config(&jwks{})
	c.ClientIDs = nil
	v := newVerifier(t, c)
	for _, payload := range []string{claims("client_id", "anything"), claims("client_id", nil)} {
		if _, err := v.Verify(t.Context(), user(payload)); err != nil {
			t.Errorf("any client: %v", err)
		}
	}
}

func TestLeewayIsASetting(t *testing.T) {
	c := config(&jwks{})
	c.Leeway = 5 * time.Second
	v := newVerifier(t, c)
	for late, want := range map[int64]error{5: nil, 6: auth.ErrExpired} {
		_, err := v.Verify(t.Context(), user(claims("exp", now.Unix()-late)))
		if !errors.Is(err, want) {
			t.Errorf("%d s late: %v, want %v", late, err, want)
		}
	}
}

func TestKindsThatAreNotConfigured(t *testing.T) {
	c := config(&jwks{})
	c.GuestKeys = nil
	if _, err := newVerifier(t, c).Verify(t.Context(), guest(guestClaims())); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("guest without guest keys: %v, want %v", err, auth.ErrInvalid)
	}
	c = auth.Config{GuestKeys: [][]byte{guestKey}, Now: c.Now}
	v := newVerifier(t, c)
	if _, err := v.Verify(t.Context(), user(claims())); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("user without an issuer: %v, want %v", err, auth.ErrInvalid)
	}
	if _, err := v.Verify(t.Context(), guest(guestClaims())); err != nil {
		t.Errorf("guest without an issuer: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, tt := range hostileTokens() {
		if len(tt.token) < 2*wire.MaxToken {
			f.Add(tt.token)
		}
	}
	f.Add(user(claims()))
	f.Add(guest(guestClaims()))
	v := newVerifier(f, config(&jwks{}))
	roles := []string{"guest", "customer", "vendor", "admin"}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := v.Verify(t.Context(), token)
		switch {
		case err != nil:
			if !errors.Is(err, auth.ErrInvalid) && !errors.Is(err, auth.ErrExpired) {
				t.Errorf("error of no kind: %v", err)
			}
		case p.User == "" || p.Expires.IsZero() || !slices.Contains(roles, string(p.Role)):
			t.Errorf("accepted as %+v", p)
		case strings.HasPrefix(token, auth.GuestTokenPrefix) != (p.Role == "guest"):
			t.Errorf("role %s from %q", p.Role, token)
		}
	})
}

// TestRolesNeedASetting: without the names of groups nobody has a role above customer.
func TestRolesNeedASetting(t *testing.T) {
	c := config(&jwks{})
	c.AdminGroup, c.VendorGroup = "", ""
	v := newVerifier(t, c)
	groups := slices.Concat(admins, vendors, []string{"", "admin", "vendor"})
	p, err := v.Verify(t.Context(), user(claims("cognito:groups", groups, "vendor", "acme")))
	if err != nil || p.Role != hub.RoleCustomer || p.Vendor != "" {
		t.Errorf("got %+v, %v, want a customer", p, err)
	}
}
