package handler_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// versionEvent is connect.json of an authorized guest that names versions.
func versionEvent(t testing.TB, offer, header, query string) []byte {
	t.Helper()
	return storedEvent(t, "connect", func(e map[string]any) {
		object(e, "requestContext")["authorizer"] = map[string]any{
			"principalId": "guest:g1", "role": "guest", "address": "hash-of-home",
		}
		if offer != "" {
			object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []string{offer}
		}
		if header != "" {
			object(e, "multiValueHeaders")["x-api-version"] = []string{header}
		}
		if query != "" {
			e["multiValueQueryStringParameters"] = map[string]any{"version": []string{query}}
		}
	})
}

func TestConnectVersion(t *testing.T) {
	for _, tt := range []struct {
		name, offer, header, query string
		status                     int
	}{
		{"in the query", "", "", "1", http.StatusOK},
		{"in a header", "", "1", "", http.StatusOK},
		{"in all", "securecart.v1, bearer.x", "1", "1", http.StatusOK},
		{"a client of two versions", "securecart.v2, securecart.v1", "", "", http.StatusOK},
		{"a client of two versions that chose", "securecart.v2, securecart.v1", "", "1", http.StatusOK},
		{"offer and query", "securecart.v1", "", "2", http.StatusBadRequest},
		{"offer and header", "securecart.v1", "2", "", http.StatusBadRequest},
		{"header and query", "", "1", "2", http.StatusBadRequest},
		{"unknown offer", "securecart.v2", "", "", http.StatusNotFound},
		{"unknown query", "", "", "2", http.StatusNotFound},
		{"unknown in all", "securecart.v2", "2", "2", http.StatusNotFound},
		{"the query is ours, the offer is not", "chat", "", "1", http.StatusBadRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			got := wantStatus(t, b.connect, versionEvent(t, tt.offer, tt.header, tt.query), tt.status)
			if tt.status != http.StatusOK {
				b.wantNoRow(lastID)
				return
			}
			want := ""
			if tt.offer != "" {
				want = wire.Subprotocol
			}
			if echo := got.Headers["Sec-WebSocket-Protocol"]; echo != want || b.row(lastID).Protocol != want {
				t.Errorf("got subprotocol %q, want %q", echo, want)
			}
		})
	}
}

// TestRetiredVersion follows v1 on sockets from the announcement of its end until after it.
func TestRetiredVersion(t *testing.T) {
	const bye = `{"type":"bye","code":"gone_version","retry":false,"after":0}`
	register, err := versions.Parse(
		"v1: deprecated 2027-01-01, sunset 2027-07-05, successor v2, link https://shop.example/v2")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := register.Of(versions.V1)
	announcement := wire.Deprecation{
		Deprecated: "2027-01-01", Sunset: "2027-07-05", Successor: "v2", Link: "https://shop.example/v2",
	}
	for _, tt := range []struct {
		name          string
		now           time.Time
		counted, over bool
	}{
		{"announced", d.Deprecated.Add(-1), false, false},
		{"deprecated", d.Deprecated, true, false},
		{"the last moment", d.Sunset.Add(-1), true, false},
		{"over", d.Sunset, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			b.now = tt.now
			b.connect = lambda.NewHandler(handler.Connect(b.hub, handler.ConnectOptions{
				OnConnect: b.metrics.Connected, Versions: versions.Watch{Register: register, OnDeprecated: b.metrics.Deprecated},
			}, b.logger()))
			b.message = lambda.NewHandler(handler.Message(b.hub, b.verifier, handler.MessageOptions{
				Shorthand: true, Versions: register,
			}, b.logger()))
			b.log.Reset()
			got := wantStatus(t, b.connect, versionEvent(t, wire.Subprotocol, "", ""), http.StatusOK)
			if got.Headers["Sec-WebSocket-Protocol"] != wire.Subprotocol {
				t.Errorf("got headers %v, want the subprotocol", got.Headers)
			}
			if counted := strings.Contains(b.log.String(), `"Deprecated":1`); counted != tt.counted {
				t.Errorf("counted %t, want %t: %s", counted, tt.counted, &b.log)
			}
			if connected := strings.Contains(b.log.String(), `"Connects":1`); connected == tt.over {
				t.Errorf("counted as connected %t, want %t", connected, !tt.over)
			}
			b.wantKnownLines()
			c := &testConn{b: b, id: lastID, authorizer: map[string]any{"principalId": "guest:g1", "role": "guest"}}
			if tt.over {
				b.wantNoRow(lastID)
				for _, message := range []string{`{"action":"hello"}`, "sub sku:MUG", "rubbish"} {
					if got := c.sendRaw(message); got != bye {
						t.Errorf("%s: got %s, want %s", message, got, bye)
					}
				}
				b.wantNoRow(lastID)
				return
			}
			hello := c.wantAnswer(`{"action":"hello"}`, "hello")
			if hello.Deprecation == nil || *hello.Deprecation != announcement {
				t.Errorf("got %v, want %v", hello.Deprecation, announcement)
			}
		})
	}
}
