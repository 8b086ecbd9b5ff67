package handler_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
)

// newGateway puts the handlers behind an imitation of API Gateway, with an
// authorizer of these settings. They log nothing: the log of the fixture is not
// safe for concurrent use.
func (b *fixture) newGateway(o handler.AuthorizeOptions, domain string) *gatewaytest.Gateway {
	b.t.Helper()
	o.NewGuestID = func() (string, error) { return "g1", nil }
	log := slog.New(slog.DiscardHandler)
	gw, err := gatewaytest.New(gatewaytest.API{
		DomainName: domain,
		Authorizer: &gatewaytest.Authorizer{Handler: lambda.NewHandler(handler.Authorize(b.hub, b.verifier, o, log))},
		Routes: map[string]gatewaytest.Route{
			"$connect":    {Integration: lambda.NewHandler(handler.Connect(b.hub, handler.ConnectOptions{}, log))},
			"$disconnect": {Integration: lambda.NewHandler(handler.Disconnect(b.hub, nil, log))},
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := gw.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return gw
}

// dialStatus makes a handshake with these headers and returns the status of its
// answer.
func dialStatus(t testing.TB, gw *gatewaytest.Gateway, path string, headers http.Header) int {
	t.Helper()
	conn, resp, err := gw.Dial(context.Background(), path, &websocket.DialOptions{HTTPHeader: headers})
	if resp == nil {
		t.Fatal(err)
	}
	if err == nil {
		_ = conn.CloseNow()
	}
	return resp.StatusCode
}
