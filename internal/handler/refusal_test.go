package handler_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// wantRefusal checks the log of one handshake: one line with the reason, which names
// the connection, the request and the address, and one count of a metric by reason.
func (b *fixture) wantRefusal(metric string, reason handler.Refusal) {
	b.t.Helper()
	var lines, counts []map[string]any
	for text := range strings.Lines(b.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			b.t.Fatalf("%v: %s", err, text)
		}
		switch {
		case line["_aws"] != nil:
			counts = append(counts, line)
		default:
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 || lines[0]["reason"] != string(reason) {
		b.t.Fatalf("got lines %v, want one with the reason %s", lines, reason)
	}
	for _, key := range []string{"connection", "gatewayRequest", "address"} {
		if text, _ := lines[0][key].(string); text == "" || strings.Contains(text, "192.0.2") {
			b.t.Errorf("got %s %v, want one: %v", key, lines[0][key], lines[0])
		}
	}
	if len(counts) != 1 || counts[0][metric] != 1.0 || counts[0]["Reason"] != string(reason) {
		b.t.Errorf("got metrics %v, want %s by %s", counts, metric, reason)
	}
}

// refused is a handshake that is refused, by the authorizer or by $connect.
type refused struct {
	name    string
	reason  handler.Refusal
	prepare func(b *fixture) (h lambda.Handler, event []byte)
	status  int // of $connect; 0: the authorizer denies it
}

// handshake returns a handshake with these headers and parameters.
func handshake(headers, query map[string]string) func(*fixture) (lambda.Handler, []byte) {
	return func(b *fixture) (lambda.Handler, []byte) { return b.authorize, handshakeEvent(b.t, headers, query) }
}

// knownConnect is connect.json of an authorized guest with an address.
func knownConnect(b *fixture, offer string) []byte {
	return storedEvent(b.t, "connect", func(e map[string]any) {
		object(e, "requestContext")["authorizer"] = map[string]any{
			"principalId": "guest:g1", "role": "guest", "address": "hash-of-home",
		}
		if offer != "" {
			object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []string{offer}
		}
	})
}

// secondConnect returns a handler of $connect with limits. The guest of knownConnect has
// a connection already.
func (b *fixture) secondConnect(limits string) lambda.Handler {
	b.t.Helper()
	l, err := hub.ParseLimits(limits)
	if err != nil {
		b.t.Fatal(err)
	}
	h := b.hub.WithLimits(l)
	c := hub.Connection{ID: "other", Principal: hub.Principal{User: "guest:g1", Role: hub.RoleGuest}}
	c.ConnectedAt, c.ClientHash = b.now, "hash-of-home"
	if err := h.Connect(b.t.Context(), c); err != nil {
		b.t.Fatal(err)
	}
	return lambda.NewHandler(handler.Connect(h, handler.ConnectOptions{OnRefused: b.metrics.Refused}, b.logger()))
}

// refusedHandshakes has a handshake for each reason.
var refusedHandshakes = []refused{
	{"no edge", handler.RefusedEdge, func(b *fixture) (lambda.Handler, []byte) {
		o := handler.AuthorizeOptions{EdgeSecrets: []string{strings.Repeat("s", 40)}, OnRefused: b.metrics.Refused}
		return lambda.NewHandler(handler.Authorize(b.hub, b.verifier, o, b.logger())), handshakeEvent(b.t, nil, nil)
	}, 0},
	{"a foreign page", handler.RefusedOrigin, handshake(map[string]string{"Origin": "https://evil.example"}, nil), 0},
	{"a token in the URL", handler.RefusedURLToken, handshake(nil, map[string]string{"token": "x"}), 0},
	{"no token", handler.RefusedNoToken, handshake(nil, map[string]string{"auth": "required"}), 0},
	{"a revoked session", handler.RefusedRevoked, func(b *fixture) (lambda.Handler, []byte) {
		token := b.token(issuer.Claims{User: "ann"})
		b.revoke("ann")
		return handshake(tokenHeader(token), map[string]string{"auth": "required"})(b)
	}, 0},
	{"a forged token", handler.RefusedToken, handshake(tokenHeader("x"), map[string]string{"auth": "required"}), 0},
	{"an expired token", handler.RefusedExpired, func(b *fixture) (lambda.Handler, []byte) {
		return handshake(tokenHeader(b.expiredUser("ann")), map[string]string{"auth": "required"})(b)
	}, 0},
	{"a used ticket", handler.RefusedTicket, func(b *fixture) (lambda.Handler, []byte) {
		ticket := b.ticket("ann")
		b.mustAuthorize(nil, withTicket(ticket))
		return handshake(nil, map[string]string{"auth": "required", "ticket": ticket})(b)
	}, 0},
	{"tickets that cannot be read", handler.RefusedUnchecked, func(b *fixture) (lambda.Handler, []byte) {
		b.store.errs["TakeTicket"] = errInside
		return handshake(nil, map[string]string{"auth": "required", "ticket": strings.Repeat("A", 26)})(b)
	}, 0},
	{"another subprotocol", handler.RefusedSubprotocol, func(b *fixture) (lambda.Handler, []byte) {
		return b.connect, knownConnect(b, "chat")
	}, http.StatusBadRequest},
	{"two versions", handler.RefusedVersion, func(b *fixture) (lambda.Handler, []byte) {
		return b.connect, versionEvent(b.t, "securecart.v1", "", "2")
	}, http.StatusBadRequest},
	{"an unknown version", handler.RefusedVersion, func(b *fixture) (lambda.Handler, []byte) {
		return b.connect, versionEvent(b.t, "", "", "2")
	}, http.StatusNotFound},
	{"too many connections", handler.RefusedConnections, func(b *fixture) (lambda.Handler, []byte) {
		return b.secondConnect("user=1"), knownConnect(b, "")
	}, http.StatusTooManyRequests},
	{"too many messages and handshakes", handler.RefusedConnections, func(b *fixture) (lambda.Handler, []byte) {
		return b.secondConnect("guest=1"), knownConnect(b, "")
	}, http.StatusTooManyRequests},
	{"a store that fails", handler.RefusedInternal, func(b *fixture) (lambda.Handler, []byte) {
		b.store.errs["PutConnection"] = errInside
		return b.connect, knownConnect(b, "")
	}, http.StatusInternalServerError},
	{"a store that is throttled", handler.RefusedInternal, func(b *fixture) (lambda.Handler, []byte) {
		b.store.errs["PutConnection"] = hub.ErrThrottled
		return b.connect, knownConnect(b, "")
	}, http.StatusTooManyRequests},
}

// TestRefusals checks that each refusal is an answer and no error of its function, and
// that operators see its reason, and whose it was without who that is.
func TestRefusals(t *testing.T) {
	var seen []handler.Refusal
	for _, tt := range refusedHandshakes {
		seen = append(seen, tt.reason)
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			h, event := tt.prepare(b)
			b.log.Reset()
			out, err := h.Invoke(invocation(t.Context()), event)
			var got struct {
				StatusCode     int
				PolicyDocument struct{ Statement []struct{ Effect string } }
			}
			if err := errors.Join(err, json.Unmarshal(out, &got)); err != nil {
				t.Fatalf("got error %v, want an answer", err)
			}
			denied := len(got.PolicyDocument.Statement) == 1 && got.PolicyDocument.Statement[0].Effect == "Deny"
			if got.StatusCode != tt.status || denied != (tt.status == 0) {
				t.Errorf("got %s, want status %d, or a policy that denies", out, tt.status)
			}
			b.wantRefusal("HandshakesRefused", tt.reason)
			b.wantKnownLines()
		})
	}
	for _, reason := range handler.Refusals {
		if !slices.Contains(seen, reason) {
			t.Errorf("no handshake is refused for %s", reason)
		}
	}
}

// TestDowngradedHandshakes checks that operators see forged tokens and used tickets of
// clients that go on as guests.
func TestDowngradedHandshakes(t *testing.T) {
	for _, tt := range refusedHandshakes {
		downgrades := slices.Contains([]handler.Refusal{
			handler.RefusedToken, handler.RefusedExpired, handler.RefusedTicket, handler.RefusedUnchecked,
		}, tt.reason)
		if !downgrades {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			h, event := tt.prepare(b)
			b.log.Reset()
			var e map[string]any
			if err := json.Unmarshal(event, &e); err != nil {
				t.Fatal(err)
			}
			delete(object(e, "queryStringParameters"), "auth")
			event, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			got, err := call[policy](t, h, event)
			if err != nil || got.Context["role"] != string(hub.RoleGuest) || got.Context["notice"] == "" {
				t.Errorf("got %+v, %v, want a guest with a notice", got, err)
			}
			b.wantRefusal("HandshakesDowngraded", tt.reason)
		})
	}
}

// TestBypassedEdgeForgesNoAddress checks that the address of a client that bypasses
// the edge is the one that the gateway saw.
func TestBypassedEdgeForgesNoAddress(t *testing.T) {
	b := newFixture(t)
	o := handler.AuthorizeOptions{EdgeSecrets: []string{strings.Repeat("s", 40)}}
	authorize := lambda.NewHandler(handler.Authorize(b.hub, b.verifier, o, b.logger()))
	addresses := map[any]bool{}
	for _, forged := range []string{"198.51.100.1, 192.0.2.1", "198.51.100.2, 192.0.2.1"} {
		b.log.Reset()
		event := handshakeEvent(t, map[string]string{"X-Forwarded-For": forged}, nil)
		if _, err := call[policy](t, authorize, event); err != nil {
			t.Fatal(err)
		}
		addresses[b.logged("handshake refused: it bypasses the edge")[0]["address"]] = true
	}
	if len(addresses) != 1 {
		t.Errorf("got addresses %v for one client, want one", addresses)
	}
}

// TestForwardedAddressNeedsAnEdge checks that without an edge, a client cannot choose the
// address that it is counted for.
func TestForwardedAddressNeedsAnEdge(t *testing.T) {
	b := newFixture(t)
	want := b.mustAuthorize(nil, nil).Context["address"]
	got := b.mustAuthorize(map[string]string{"X-Forwarded-For": "198.51.100.1"}, nil).Context["address"]
	if got != want || want == "" {
		t.Errorf("got address %v, want that of the gateway, %v", got, want)
	}
}

// TestLinesNameTheConnection checks that each line about a connection has
// the keyed hash of the address too.
func TestLinesNameTheConnection(t *testing.T) {
	b := newFixture(t)
	c := b.open(lastID, nil)
	b.store.errs["Items"] = errInside
	c.wantError("get sku:MUG", wire.CodeInternal)
	wantStatus(t, b.disconnect, storedEvent(t, "disconnect", c.setContext), http.StatusOK)
	address := b.mustAuthorize(nil, nil).Context["address"]
	for _, message := range []string{"connected", "message", "disconnected"} {
		records := b.logged(message)
		if len(records) != 1 || records[0]["connection"] != lastID || records[0]["address"] != address {
			t.Errorf("%s: got %v, want one line of %s from %v", message, records, lastID, address)
		}
	}
}
