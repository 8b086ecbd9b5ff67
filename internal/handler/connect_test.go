package handler_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
)

type response = events.APIGatewayProxyResponse

// wantStatus checks the status of an answer that has nothing else.
func wantStatus(t testing.TB, h lambda.Handler, event []byte, want int) response {
	t.Helper()
	got, err := call[response](t, h, event)
	if err != nil || got.StatusCode != want || got.Body != "" {
		t.Errorf("got %d %q, %v, want %d and no body", got.StatusCode, got.Body, err, want)
	}
	return got
}

// lastID is the connection of connect.json and of disconnect.json, authorizedID
// that of connect-authorized.json.
var lastID, authorizedID = idIn("connect"), idIn("connect-authorized")

// idIn returns the connection of an event.
func idIn(name string) string {
	var e struct {
		RequestContext struct{ ConnectionID string }
	}
	data, err := os.ReadFile(filepath.Join(eventDir, name+".json"))
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		panic(err)
	}
	return e.RequestContext.ConnectionID
}

// connectEvent is connect.json of an authorized guest that offers subprotocols.
func connectEvent(t testing.TB, offer string) []byte {
	t.Helper()
	return storedEvent(t, "connect", func(e map[string]any) {
		object(e, "requestContext")["authorizer"] = map[string]any{
			"principalId": "guest:g1", "role": "guest", "integrationLatency": 7,
		}
		if offer != "" {
			object(e, "headers")["Sec-WebSocket-Protocol"] = offer
			object(e, "multiValueHeaders")["Sec-WebSocket-Protocol"] = []string{offer}
		}
	})
}

func TestConnectRecords(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event func(t testing.TB) []byte
		want  hub.Connection
	}{
		{"guest", func(t testing.TB) []byte { return connectEvent(t, "") }, hub.Connection{
			ID: lastID, Principal: hub.Principal{User: "guest:g1", Role: hub.RoleGuest},
			Endpoint: "x7k2m9q4t1.execute-api.eu-central-1.amazonaws.com/prod", ConnectedAt: connectedAt,
		}},
		{"as API Gateway sends it", func(t testing.TB) []byte {
			return storedEvent(t, "connect-authorized", nil)
		}, hub.Connection{
			ID: authorizedID, Principal: hub.Principal{User: "ann", Role: hub.RoleAdmin},
			Endpoint: "ws.securecart.example/prod", Protocol: "securecart.v1", ConnectedAt: connectedAt,
		}},
		{"every key of the authorizer", func(t testing.TB) []byte {
			return storedEvent(t, "connect", func(e map[string]any) {
				object(e, "requestContext")["authorizer"] = map[string]any{
					"principalId": "vera", "role": "vendor", "vendor": "acme", "expires": "1738926650000", "notice": "token_expired",
				}
			})
		}, hub.Connection{
			ID: lastID, Notice: "token_expired", ConnectedAt: connectedAt,
			Principal: hub.Principal{
				User: "vera", Role: hub.RoleVendor, Vendor: "acme", Expires: time.UnixMilli(1738926650000).UTC(),
			},
			Endpoint: "x7k2m9q4t1.execute-api.eu-central-1.amazonaws.com/prod",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			wantStatus(t, b.connect, tt.event(t), http.StatusOK)
			tt.want.Exact = tt.want.Principal.MaySeeExact()
			if got := b.row(tt.want.ID); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("recorded\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
	t.Run("an endpoint that is a setting", func(t *testing.T) {
		b := newFixture(t)
		connect := lambda.NewHandler(handler.Connect(b.hub, handler.ConnectOptions{Endpoint: "posts.example/v1"}, b.logger()))
		wantStatus(t, connect, connectEvent(t, ""), http.StatusOK)
		if got := b.row(lastID).Endpoint; got != "posts.example/v1" {
			t.Errorf("got endpoint %s, want posts.example/v1", got)
		}
	})
}

func TestConnectSubprotocol(t *testing.T) {
	for _, tt := range []struct {
		name, offer string
		status      int
		echo        string
	}{
		{"none", "", http.StatusOK, ""},
		{"ours", "securecart.v1", http.StatusOK, "securecart.v1"},
		{"the hub's and a token", "securecart.v1, bearer.abc", http.StatusOK, "securecart.v1"},
		{"a token and the hub's", "bearer.abc,securecart.v1", http.StatusOK, "securecart.v1"},
		{"the hub's among others", "chat, securecart.v1 , soap", http.StatusOK, "securecart.v1"},
		{"another", "chat", http.StatusBadRequest, ""},
		{"a later version", "securecart.v2", http.StatusNotFound, ""},
		{"the hub's in capitals", "SECURECART.V1", http.StatusBadRequest, ""},
		{"only a token", "bearer.abc", http.StatusBadRequest, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			got := wantStatus(t, b.connect, connectEvent(t, tt.offer), tt.status)
			if echo := got.Headers["Sec-WebSocket-Protocol"]; echo != tt.echo {
				t.Errorf("got subprotocol %q, want %q", echo, tt.echo)
			}
			if tt.status != http.StatusOK {
				b.wantNoRow(lastID)
			} else if protocol := b.row(lastID).Protocol; protocol != tt.echo {
				t.Errorf("recorded subprotocol %q, want %q", protocol, tt.echo)
			}
		})
	}
}

func TestConnectWithoutAuthorizer(t *testing.T) {
	for _, tt := range []struct {
		name       string
		authorizer any
	}{
		{"none", nil},
		{"empty", map[string]any{}},
		{"without a principal", map[string]any{"role": "admin"}},
		{"principal empty", map[string]any{"principalId": "", "role": "admin"}},
		{"numeric principal", map[string]any{"principalId": 7, "role": "admin"}},
		{"not an object", "ann"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newFixture(t)
			wantStatus(t, b.connect, storedEvent(t, "connect", func(e map[string]any) {
				if tt.authorizer != nil {
					object(e, "requestContext")["authorizer"] = tt.authorizer
				}
			}), http.StatusUnauthorized)
			b.wantNoRow(lastID)
		})
	}
}

func TestConnectStoreFailure(t *testing.T) {
	b := newFixture(t)
	b.store.errs["PutConnection"] = errInside
	wantStatus(t, b.connect, connectEvent(t, ""), http.StatusInternalServerError)
	if records := b.logged("connect"); len(records) != 1 || records[0]["connection"] != lastID ||
		records[0]["level"] != "ERROR" {
		t.Errorf("got log records %v, want one error that names the connection", records)
	}
}

func TestDisconnect(t *testing.T) {
	t.Run("forgets", func(t *testing.T) {
		b := newFixture(t)
		c := b.open(lastID, tokenHeader(b.token(issuer.Claims{User: "ann"})))
		c.wantAnswer(`{"action":"subscribe","topics":["cart"]}`, "snapshot")
		wantStatus(t, b.disconnect, storedEvent(t, "disconnect", nil), http.StatusOK)
		b.wantNoRow(lastID)
		subscribers, _, err := b.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindCart, Name: "u~ann"}, "", 10)
		if err != nil || len(subscribers) != 0 {
			t.Errorf("got subscribers %v, %v, want none", subscribers, err)
		}
	})
	t.Run("only that connection", func(t *testing.T) {
		b := newFixture(t)
		b.open("other", nil)
		wantStatus(t, b.disconnect, storedEvent(t, "disconnect", nil), http.StatusOK)
		b.row("other")
	})
	t.Run("twice", func(t *testing.T) {
		b := newFixture(t)
		b.open(lastID, nil)
		wantStatus(t, b.disconnect, storedEvent(t, "disconnect", nil), http.StatusOK)
		wantStatus(t, b.disconnect, storedEvent(t, "disconnect", nil), http.StatusOK)
	})
	t.Run("of an unknown connection", func(t *testing.T) {
		wantStatus(t, newFixture(t).disconnect, storedEvent(t, "disconnect-authorized", nil), http.StatusOK)
	})
	t.Run("store failure", func(t *testing.T) {
		b := newFixture(t)
		b.store.errs["EndConnection"] = errInside
		wantStatus(t, b.disconnect, storedEvent(t, "disconnect", nil), http.StatusInternalServerError)
		if records := b.logged("disconnect"); len(records) != 1 || records[0]["connection"] != lastID {
			t.Errorf("got log records %v, want one that names the connection", records)
		}
	})
}
