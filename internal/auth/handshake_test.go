package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/wire"
)

// newGateway returns a gateway with the real handlers of the authorizer, of
// $connect and of messages.
func newGateway(t testing.TB, v *auth.Verifier) *gatewaytest.Gateway {
	t.Helper()
	return newMixedGateway(t, v, v)
}

// newMixedGateway is newGateway in the middle of a deployment: the authorizer and the
// function of messages have verifiers of their own.
func newMixedGateway(t testing.TB, authorizer, message *auth.Verifier) *gatewaytest.Gateway {
	t.Helper()
	limits := hub.DefaultLimits()
	limits.Messages = nil // one user opens many connections here, in one moment
	h := hub.New(memstore.New("k1"), nil, func() time.Time { return now }).WithLimits(limits)
	log := slog.New(slog.DiscardHandler)
	guests := 0
	newGuestID := func() (string, error) { guests++; return fmt.Sprint("new-", guests), nil }
	gw, err := gatewaytest.New(gatewaytest.API{
		Authorizer: &gatewaytest.Authorizer{
			Handler: lambda.NewHandler(handler.Authorize(h, authorizer, handler.AuthorizeOptions{NewGuestID: newGuestID}, log)),
		},
		Routes: map[string]gatewaytest.Route{
			"$connect": {Integration: lambda.NewHandler(handler.Connect(h, handler.ConnectOptions{}, log))},
			"$default": {
				Integration: lambda.NewHandler(handler.Message(h, message, handler.MessageOptions{}, log)), RouteResponse: true,
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gw.Close(); err != nil {
			t.Error(err)
		}
	})
	return gw
}

// withProtocol and withHeader are the two places for a token in a handshake.
func withProtocol(token string) *websocket.DialOptions {
	return &websocket.DialOptions{Subprotocols: []string{"securecart.v1", "bearer." + token}}
}

func withHeader(token string) *websocket.DialOptions {
	return &websocket.DialOptions{
		Subprotocols: []string{"securecart.v1"}, HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	}
}

var tokenPlaces = map[string]func(token string) *websocket.DialOptions{
	"subprotocol": withProtocol, "Authorization": withHeader,
}

// dial makes a handshake. conn is nil if it was refused.
func dial(
	t testing.TB, gw *gatewaytest.Gateway, path string, with *websocket.DialOptions,
) (conn *websocket.Conn, status int) {
	t.Helper()
	conn, resp, err := gw.Dial(context.Background(), path, with)
	if resp == nil || err != nil && resp.StatusCode == http.StatusSwitchingProtocols {
		t.Fatal(err)
	}
	if err == nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
		if got := conn.Subprotocol(); got != "securecart.v1" {
			t.Errorf("agreed on %q, want securecart.v1 alone", got)
		}
	}
	return conn, resp.StatusCode
}

// helloAnswer has the fields of an answer to hello.
type helloAnswer struct {
	Type, User, Role, Vendor, Notice, Code string
	Expires                                int64
}

// sendHello sends hello, with a token or "".
func sendHello(t testing.TB, conn *websocket.Conn, token string) (answer helloAnswer) {
	t.Helper()
	askHello(t, conn, token, &answer)
	return answer
}

// askHello sends hello and decodes the answer.
func askHello(t testing.TB, conn *websocket.Conn, token string, answer any) {
	t.Helper()
	message := map[string]string{"action": "hello"}
	if token != "" {
		message["token"] = token
	}
	if err := conn.Write(context.Background(), websocket.MessageText, must(json.Marshal(message))); err != nil {
		t.Fatal(err)
	}
	_, data, err := conn.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		t.Fatal(err)
	}
}

// inMessages matches what the protocol accepts as a token.
var inMessages = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// TestHostileHandshakes sends each hostile token in every place. A page that does
// not require a token continues as a guest with a notice, one that does gets 403,
// and an open connection does not change.
func TestHostileHandshakes(t *testing.T) {
	gw := newGateway(t, newVerifier(t, config(&jwks{})))
	handshakes := 0
	for name, tt := range hostileTokens() {
		t.Run(name, func(t *testing.T) {
			notice := "token_bad"
			if errors.Is(tt.want, auth.ErrExpired) {
				notice = "token_expired"
			}
			if tt.token == "" {
				notice = "" // there was no token
			}
			// A header has no line breaks, is trimmed, and has a maximum length.
			carried := !strings.ContainsAny(tt.token, "\r\n\x00") && strings.TrimSpace(tt.token) == tt.token &&
				len(tt.token) < 1<<16
			for place, in := range tokenPlaces {
				if !carried {
					break
				}
				handshakes++
				conn, status := dial(t, gw, "/v1", in(tt.token))
				if conn == nil {
					t.Fatalf("%s: status %d, want a guest", place, status)
				}
				got := sendHello(t, conn, "")
				if got.Role != "guest" || !strings.HasPrefix(got.User, "guest:new-") || got.Notice != notice {
					t.Errorf("%s: got %+v, want a new guest with the notice %q", place, got, notice)
				}
				conn, status = dial(t, gw, "/v1?auth=required", in(tt.token))
				if conn != nil || status != http.StatusForbidden {
					t.Errorf("%s, required: status %d, want 403", place, status)
				}
			}
			if tt.token == "" || len(tt.token) > wire.MaxToken {
				return
			}
			conn, _ := dial(t, gw, "/v1", withProtocol(""))
			before := sendHello(t, conn, "")
			code := notice
			if !inMessages.MatchString(tt.token) {
				code = "bad_field"
			}
			if got := sendHello(t, conn, tt.token); got.Type != "error" || got.Code != code {
				t.Errorf("hello: got %+v, want the error %s", got, code)
			}
			if after := sendHello(t, conn, ""); after != before {
				t.Errorf("hello: got %+v afterwards, want %+v as before", after, before)
			}
		})
	}
	if handshakes < 120 {
		t.Errorf("%d handshakes, want at least 120", handshakes)
	}
}

// TestGoodHandshakes sends each good token in every place.
func TestGoodHandshakes(t *testing.T) {
	gw := newGateway(t, newVerifier(t, config(&jwks{})))
	tokens := goodTokens()
	if len(tokens) < 20 {
		t.Errorf("%d tokens, want at least 20", len(tokens))
	}
	for name, tt := range tokens {
		t.Run(name, func(t *testing.T) {
			want := helloAnswer{
				Type: "hello", User: tt.want.User, Role: string(tt.want.Role), Vendor: tt.want.Vendor,
				Expires: tt.want.Expires.UnixMilli(),
			}
			for place, in := range tokenPlaces {
				conn, status := dial(t, gw, "/v1?auth=required", in(tt.token))
				if conn == nil {
					t.Fatalf("%s: status %d, want it open", place, status)
				}
				if got := sendHello(t, conn, ""); got != want {
					t.Errorf("%s: got %+v, want %+v", place, got, want)
				}
				if got := sendHello(t, conn, tt.token); got != want {
					t.Errorf("renewed: got %+v, want %+v", got, want)
				}
			}
			if tt.want.Role == hub.RoleGuest {
				return // another guest than the connection's
			}
			conn, _ := dial(t, gw, "/v1", withProtocol(""))
			if got := sendHello(t, conn, tt.token); got != want {
				t.Errorf("login: got %+v, want %+v", got, want)
			}
		})
	}
}

// TestGuestsOnly: a hub without an issuer serves guests. Whoever brings the token of a
// user continues as a guest, or is refused where a token is required.
func TestGuestsOnly(t *testing.T) {
	c := config(&jwks{})
	c.Issuer, c.JWKSURL, c.ClientIDs = "", "", nil
	gw := newGateway(t, newVerifier(t, c))
	conn, _ := dial(t, gw, "/v1", withProtocol(user(claims())))
	if got := sendHello(t, conn, ""); got.Role != "guest" || got.Notice != "token_bad" {
		t.Errorf("got %+v, want a guest with the notice token_bad", got)
	}
	if got := sendHello(t, conn, user(claims())); got.Type != "error" || got.Code != "token_bad" {
		t.Errorf("hello: got %+v, want the error token_bad", got)
	}
	if conn, status := dial(t, gw, "/v1?auth=required", withProtocol(user(claims()))); conn != nil ||
		status != http.StatusForbidden {
		t.Errorf("required: got status %d, want 403", status)
	}
	if conn, _ := dial(t, gw, "/v1?auth=required", withProtocol(guest(guestClaims()))); conn == nil {
		t.Error("a known guest is refused")
	}
}
