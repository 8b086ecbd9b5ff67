package handler_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/local/issuer"
)

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// wantGuest checks that a policy is for a new guest, with a notice or "".
func wantGuest(t testing.TB, got policy, user, notice string) {
	t.Helper()
	context := map[string]any{"role": "guest"}
	if notice != "" {
		context["notice"] = notice
	}
	if got.PrincipalID != user || !reflect.DeepEqual(got.Context, context) {
		t.Errorf("got %s with %v, want %s with %v", got.PrincipalID, got.Context, user, context)
	}
}

func TestAuthorizeFindsToken(t *testing.T) {
	b := newFixture(t)
	ann, bob := b.token(issuer.Claims{User: "ann"}), b.token(issuer.Claims{User: "bob"})
	for _, tt := range []struct {
		name    string
		headers map[string]string
	}{
		{"after our subprotocol", map[string]string{"Sec-WebSocket-Protocol": "securecart.v1, bearer." + ann}},
		{"before our subprotocol", map[string]string{"Sec-WebSocket-Protocol": "bearer." + ann + ", securecart.v1"}},
		{"without blanks", map[string]string{"Sec-WebSocket-Protocol": "securecart.v1,bearer." + ann}},
		{"alone", map[string]string{"Sec-WebSocket-Protocol": "bearer." + ann}},
		{"in a header in lower case", map[string]string{"sec-websocket-protocol": "securecart.v1, bearer." + ann}},
		{"in Authorization", map[string]string{"Authorization": "Bearer " + ann}},
		{"in Authorization, without a scheme", map[string]string{"Authorization": ann}},
		{"in authorization", map[string]string{"authorization": "bearer " + ann}},
		{"in a subprotocol in capitals", map[string]string{"Sec-WebSocket-Protocol": "securecart.v1, BEARER." + ann}},
		{
			"in both, the subprotocol counts",
			map[string]string{"Sec-WebSocket-Protocol": "bearer." + ann, "Authorization": "Bearer " + bob},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.authorizeContext(tt.headers, nil)
			want := map[string]any{"role": "customer", "expires": millis(b.now.Add(issuer.DefaultTTL).Truncate(time.Second))}
			if got.PrincipalID != "ann" || !reflect.DeepEqual(got.Context, want) {
				t.Errorf("got %s with %v, want ann with %v", got.PrincipalID, got.Context, want)
			}
		})
	}
}

func TestAuthorizeRoles(t *testing.T) {
	b := newFixture(t)
	expires := millis(b.now.Add(issuer.DefaultTTL).Truncate(time.Second))
	for _, tt := range []struct {
		name, token, user string
		want              map[string]any
	}{
		{"customer", b.token(issuer.Claims{User: "ann"}), "ann", map[string]any{"role": "customer", "expires": expires}},
		{
			"vendor", b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"}), "vera",
			map[string]any{"role": "vendor", "vendor": "acme", "expires": expires},
		},
		{
			"admin", b.token(issuer.Claims{User: "root", Role: "admin"}), "root",
			map[string]any{"role": "admin", "expires": expires},
		},
		{
			"returning guest", b.guestToken("9f2c"), "guest:9f2c",
			map[string]any{"role": "guest", "expires": millis(b.now.Add(auth.DefaultGuestTTL).Truncate(time.Second))},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.authorizeContext(tokenHeader(tt.token), nil)
			if got.PrincipalID != tt.user || !reflect.DeepEqual(got.Context, tt.want) {
				t.Errorf("got %s with %v, want %s with %v", got.PrincipalID, got.Context, tt.user, tt.want)
			}
		})
	}
}

func TestAuthorizeGuests(t *testing.T) {
	for _, tt := range []struct {
		name           string
		headers, query map[string]string
	}{
		{"no header", nil, nil},
		{"only our subprotocol", map[string]string{"Sec-WebSocket-Protocol": "securecart.v1"}, nil},
		{"a bearer without a token", map[string]string{"Authorization": "Bearer "}, nil},
		{"a subprotocol without a token", map[string]string{"Sec-WebSocket-Protocol": "securecart.v1, bearer."}, nil},
		{"auth optional", nil, map[string]string{"auth": "optional"}},
		{"auth empty", nil, map[string]string{"auth": ""}},
		{"auth in capitals", nil, map[string]string{"auth": "Required"}},
		{"auth under another name", nil, map[string]string{"Auth": "required"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			wantGuest(t, b.authorizeContext(tt.headers, tt.query), "guest:g1", "")
			wantGuest(t, b.authorizeContext(tt.headers, tt.query), "guest:g2", "")
		})
	}
}

func TestAuthorizeBadToken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		token  func(b *fixture) string
		notice string
	}{
		{"expired", func(b *fixture) string { return b.expiredUser("ann") }, "token_expired"},
		{"expired guest", func(b *fixture) string { return b.expiredGuest("9f2c") }, "token_expired"},
		{"garbage", func(*fixture) string { return "garbage" }, "token_bad"},
		{"garbage of a guest", func(*fixture) string { return "guest.e30.e30.e30" }, "token_bad"},
		{"cut short", func(b *fixture) string { return b.token(issuer.Claims{User: "ann"})[:80] }, "token_bad"},
		{"of another issuer", func(*fixture) string { return newFixture(t).token(issuer.Claims{User: "ann"}) }, "token_bad"},
		{
			"of a user with the name of a guest", func(b *fixture) string { return b.token(issuer.Claims{User: "guest:9f2c"}) },
			"token_bad",
		},
		{
			"no keys to check it with", func(b *fixture) string { b.loseKeys(); return b.token(issuer.Claims{User: "ann"}) },
			"busy",
		},
	} {
		for place, header := range map[string]func(token string) map[string]string{
			"subprotocol": tokenHeader,
			"Authorization": func(token string) map[string]string {
				return map[string]string{"Authorization": "Bearer " + token}
			},
		} {
			t.Run(tt.name+" in "+place, func(t *testing.T) {
				b := newFixture(t)
				wantGuest(t, b.authorizeContext(header(tt.token(b)), nil), "guest:g1", tt.notice)
			})
		}
	}
}

// TestAuthorizeMalformedHeader: a client that sends a header which holds no token as the
// hub reads it learns that.
func TestAuthorizeMalformedHeader(t *testing.T) {
	for name, authorization := range map[string]func(b *fixture) string{
		"another scheme":        func(*fixture) string { return "Basic YW5uOmFubg==" },
		"a scheme of a library": func(b *fixture) string { return "JWT " + b.token(issuer.Claims{User: "ann"}) },
		"two tokens": func(b *fixture) string {
			token := b.token(issuer.Claims{User: "ann"})
			return "Bearer " + token + " " + token
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t)
			headers := map[string]string{"Authorization": authorization(b)}
			wantRefused(t, b, handshakeEvent(t, headers, map[string]string{"auth": "required"}), handler.RefusedToken)
			wantGuest(t, b.authorizeContext(headers, nil), "guest:g1", "token_bad")
			if log := b.log.String(); strings.Contains(log, "YW5u") {
				t.Errorf("got the log %s, want none of the header", log)
			}
		})
	}
}

// wantRefused checks that a handshake is refused: with a policy, which is no error of
// the function (G-AUTH-13), and for that reason.
func wantRefused(t testing.TB, b *fixture, event []byte, reason handler.Refusal) {
	t.Helper()
	b.log.Reset()
	got, err := call[policy](t, b.authorize, event)
	if err != nil || len(got.PolicyDocument.Statement) != 1 || got.PolicyDocument.Statement[0].Effect != "Deny" ||
		got.PrincipalID != "refused" || len(got.Context) != 0 {
		t.Errorf("got %+v, error %v, want a policy that denies and says nothing else", got, err)
	}
	if b.guests != 0 {
		t.Errorf("a refused handshake created a guest")
	}
	b.wantRefusal("HandshakesRefused", reason)
}

func TestAuthorizeRequired(t *testing.T) {
	required := map[string]string{"auth": "required"}
	for _, tt := range []struct {
		name    string
		headers func(b *fixture) map[string]string
		want    handler.Refusal
	}{
		{"no token", func(*fixture) map[string]string { return nil }, handler.RefusedNoToken},
		{"empty token", func(*fixture) map[string]string { return tokenHeader("") }, handler.RefusedNoToken},
		{"garbage", func(*fixture) map[string]string { return tokenHeader("garbage") }, handler.RefusedToken},
		{
			"expired", func(b *fixture) map[string]string { return tokenHeader(b.expiredUser("ann")) },
			handler.RefusedExpired,
		},
		{"no keys", func(b *fixture) map[string]string {
			b.loseKeys()
			return tokenHeader(b.token(issuer.Claims{User: "ann"}))
		}, handler.RefusedUnchecked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			wantRefused(t, b, handshakeEvent(t, tt.headers(b), required), tt.want)
		})
	}
	t.Run("a good token", func(t *testing.T) {
		b := newFixture(t)
		if got := b.authorizeContext(tokenHeader(b.token(issuer.Claims{User: "ann"})), required); got.PrincipalID != "ann" {
			t.Errorf("got %s, want ann", got.PrincipalID)
		}
	})
	t.Run("a guest's token", func(t *testing.T) {
		b := newFixture(t)
		if got := b.authorizeContext(tokenHeader(b.guestToken("9f2c")), required); got.PrincipalID != "guest:9f2c" {
			t.Errorf("got %s, want guest:9f2c", got.PrincipalID)
		}
	})
}

// TestAuthorizeRequiredRevoked checks that a revoked session counts as none.
// Without auth=required it still opens a connection, for badges.
func TestAuthorizeRequiredRevoked(t *testing.T) {
	b := newFixture(t)
	ann, ticket, guest := b.token(issuer.Claims{User: "ann"}), b.ticket("ann"), b.guestToken("9f2c")
	b.revoke("ann")
	b.revoke("guest:9f2c")
	required := map[string]string{"auth": "required"}
	wantRefused(t, b, handshakeEvent(t, tokenHeader(ann), required), handler.RefusedRevoked)
	wantRefused(t, b, handshakeEvent(t, tokenHeader(guest), required), handler.RefusedRevoked)
	wantRefused(t, b, handshakeEvent(t, nil, map[string]string{"auth": "required", "ticket": ticket}),
		handler.RefusedRevoked)
	if got := b.authorizeContext(tokenHeader(ann), nil); got.PrincipalID != "ann" {
		t.Errorf("got %s, want ann", got.PrincipalID)
	}
	b.now = b.now.Add(time.Second)
	fresh := b.token(issuer.Claims{User: "ann"})
	if got := b.authorizeContext(tokenHeader(fresh), required); got.PrincipalID != "ann" {
		t.Errorf("with a newer token: got %s, want ann", got.PrincipalID)
	}
	b.store.errs["Revocation"] = errInside
	_, err := call[policy](t, b.authorize, handshakeEvent(t, tokenHeader(fresh), required))
	if !errors.Is(err, errInside) {
		t.Errorf("got %v, want an internal failure", err)
	}
	b.wantKnownLines()
}

func TestAuthorizeTokenInURL(t *testing.T) {
	for _, name := range []string{"token", "access_token", "id_token", "jwt", "authorization", "bearer", "Token"} {
		for _, value := range []string{"", "secret"} {
			t.Run(name+"="+value, func(t *testing.T) {
				b := newFixture(t)
				wantRefused(t, b, handshakeEvent(t, nil, map[string]string{name: value}), handler.RefusedURLToken)
			})
		}
		t.Run(name+" with a good token", func(t *testing.T) {
			b := newFixture(t)
			token := b.token(issuer.Claims{User: "ann"})
			wantRefused(t, b, handshakeEvent(t, tokenHeader(token), map[string]string{name: token}), handler.RefusedURLToken)
		})
	}
	const jws, jwe = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "eyJjdHkiOiJKV1QifQ.a.b.c.d" // Cognito's refresh tokens are JWE
	for name, query := range map[string]map[string]string{
		"a JWS under any name":             {"x": jws},
		"a JWE under any name":             {"x": jwe},
		"a JWE that is encrypted directly": {"x": "eyJjdHkiOiJKV1QifQ..b.c.d"},
		"a JWS without its payload":        {"x": "eyJhbGciOiJFUzI1NiJ9..c2ln"},
		"a JWS whose header has blanks":    {"x": "eyAiYWxnIjoiRVMyNTYifQ.e30.c2ln"},
		"a JWS whose header has lines":     {"x": "ewogImFsZyI6IkVTMjU2In0.e30.c2ln"},
		"a guest's token under any name":   {"x": "guest." + jws},
		"as a name":                        {jws: ""},
		"of a guest, as a name":            {"guest." + jws: ""},
		"as in a header":                   {"x": "Bearer " + jws},
		"as in a header, encoded":          {"x": "Bearer%20" + jws},
		"as in the subprotocol":            {"x": "bearer." + jws},
		"an unsecured JWS":                 {"x": "eyJhbGciOiJub25lIn0.e30."},
		"inside a text":                    {"x": `{"token":"` + jws + `"}`},
		"in the place of a ticket":         {"ticket": jws},
		"Access-Token":                     {"Access-Token": "secret"},
		"refreshToken":                     {"refreshToken": "secret"},
		"bearer.opaque":                    {"x": "bearer.opaque"},
		"Bearer opaque":                    {"x": "Bearer opaque"},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, newFixture(t), handshakeEvent(t, nil, query), handler.RefusedURLToken)
		})
	}
	t.Run("no token", func(t *testing.T) {
		b := newFixture(t)
		b.authorizeContext(
			nil,
			map[string]string{
				"v": "1.2.3", "ref": "guest.book", "page": "eyewear.summer.html", "key": "eyJust.one", "bearers": "3",
				"tokens": "2",
			},
		)
	})
	t.Run("as API Gateway sends it", func(t *testing.T) {
		wantRefused(t, newFixture(t), storedEvent(t, "authorizer", nil), handler.RefusedURLToken)
	})
}

// TestAuthorizeAnswer checks that the policy allows one handshake only, and that
// the context is flat with strings only: API Gateway would convert or refuse
// anything else.
func TestAuthorizeAnswer(t *testing.T) {
	b := newFixture(t)
	const arn = "arn:aws:execute-api:eu-central-1:123456789012:x7k2m9q4t1/prod/$connect"
	for name, headers := range map[string]map[string]string{
		"new guest":   nil,
		"with notice": tokenHeader("garbage"),
		"guest":       tokenHeader(b.guestToken("9f2c")),
		"customer":    tokenHeader(b.token(issuer.Claims{User: "ann"})),
		"vendor":      tokenHeader(b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"})),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call[map[string]any](t, b.authorize, handshakeEvent(t, headers, nil))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"Version": "2012-10-17",
				"Statement": []any{map[string]any{
					"Action": []any{"execute-api:Invoke"}, "Effect": "Allow", "Resource": []any{arn},
				}},
			}
			if !reflect.DeepEqual(got["policyDocument"], want) {
				t.Errorf("policy: got %v, want %v", got["policyDocument"], want)
			}
			context, ok := got["context"].(map[string]any)
			if !ok || len(context) == 0 {
				t.Fatalf("context: got %v, want an object", got["context"])
			}
			for key, value := range context {
				if text, ok := value.(string); !ok || text == "" || key == "principalId" {
					t.Errorf("context: got %s = %v, want a string of the authorizer", key, value)
				}
			}
		})
	}
}

func TestAuthorizeWithoutRandomness(t *testing.T) {
	b := newFixture(t)
	b.guestIDErr = errInside
	got, err := call[json.RawMessage](t, b.authorize, handshakeEvent(t, nil, nil))
	if !errors.Is(err, errInside) {
		t.Errorf("got %s, %v, want the error, which is answered with 500", got, err)
	}
	b.wantRefusal("HandshakesRefused", handler.RefusedInternal)
}

// TestAuthorizeTellsIssueAndAddress checks for the time of issue, which revocations
// are compared with, and for the keyed hash of the address, which connections are
// counted by.
func TestAuthorizeTellsIssueAndAddress(t *testing.T) {
	b := newFixture(t)
	user := b.mustAuthorize(tokenHeader(b.token(issuer.Claims{User: "ann"})), nil).Context
	if want := millis(b.now.Truncate(time.Second)); user["issued"] != want {
		t.Errorf("issued %v, want %v", user["issued"], want)
	}
	guest := b.mustAuthorize(nil, nil).Context
	if _, ok := guest["issued"]; ok {
		t.Errorf("a new guest: issued %v, want none", guest["issued"])
	}
	if address, _ := user["address"].(string); address == "" || address != guest["address"] ||
		strings.Contains(address, "192") {
		t.Errorf("address %q of the user, %q of the guest from the same place", user["address"], guest["address"])
	}
}
