package gatewaytest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

type chainKey struct{}

// observer keeps each observation with those that led to it, as "in → invoke → answer".
type observer struct {
	mu     sync.Mutex
	chains []string
}

func (o *observer) observe(ctx context.Context, seen gatewaytest.Observation) context.Context {
	what := string(seen.Kind)
	switch {
	case seen.IsAuthorizer:
		what += " authorizer"
	case seen.RouteKey != "":
		what += " " + seen.RouteKey
	}
	if seen.Status != 0 {
		what += fmt.Sprint(" ", seen.Status)
	}
	for _, word := range []string{seen.Code, string(seen.Closed), string(seen.Payload)} {
		if word != "" {
			what += " " + word
		}
	}
	if led, ok := ctx.Value(chainKey{}).(string); ok {
		what = led + " → " + what
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chains = append(o.chains, what)
	return context.WithValue(ctx, chainKey{}, what)
}

// take returns what was observed since the last call.
func (o *observer) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	chains := o.chains
	o.chains = nil
	return chains
}

// TestObserve follows each event to those that led to it. Our own: an observer gets each
// event once, with the context of what led to it.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		var gateway *gatewaytest.Gateway
		ok := lambda.NewHandler(func(context.Context, events.APIGatewayWebsocketProxyRequest) (
			events.APIGatewayProxyResponse, error) {
			return events.APIGatewayProxyResponse{StatusCode: 200}, nil
		})
		posts := lambda.NewHandler(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (
			events.APIGatewayProxyResponse, error) {
			if err := gateway.PostToConnection(ctx, e.RequestContext.ConnectionID, []byte("pushed")); err != nil {
				return events.APIGatewayProxyResponse{}, err
			}
			return events.APIGatewayProxyResponse{StatusCode: 200, Body: "done"}, nil
		})
		gateway = newGateway(t, gatewaytest.API{Observe: o.observe, Routes: map[string]gatewaytest.Route{
			"$connect": {Integration: ok}, "$disconnect": {Integration: ok},
			"post": {Integration: posts, RouteResponse: true},
		}})
		client, _, err := gateway.Dial(t.Context(), "/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		check := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			got := o.take()
			slices.Sort(got) // the writer runs beside the function
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
			}
		}
		const opened = "invoke $connect → answer $connect 200"
		check("a handshake", "invoke $connect", opened, opened+" → open 101")

		send := func(text string) {
			t.Helper()
			if err := client.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		read := func(want string) {
			t.Helper()
			if _, got, err := client.Read(t.Context()); err != nil || want != "" && string(got) != want {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		}
		const message = `{"action":"post"}`
		const in, invoked = "in " + message, "in " + message + " → invoke post"
		send(message)
		read("pushed")
		read("done")
		check("a message",
			in, invoked,
			invoked+" → post 200 pushed", invoked+" → post 200 pushed → out pushed",
			invoked+" → answer post 200 done", invoked+" → answer post 200 done → out done")

		id := gateway.Connections()[0].ConnectionID
		gateway.FailNext(id, gatewaytest.ErrLimitExceeded)
		by := context.WithValue(t.Context(), chainKey{}, "test")
		if err := gateway.PostToConnection(by, id, []byte("no")); !errors.Is(err, gatewaytest.ErrLimitExceeded) {
			t.Fatal(err)
		}
		check("a fault", "test → fault Next", "test → fault Next → post 429 LimitExceededException no")

		if err := gateway.DeleteConnection(by, id); err != nil {
			t.Fatal(err)
		}
		_, _, _ = client.Read(t.Context()) // the close
		const closed = "test → close 1000 gateway"
		check("an end", closed, closed+" → invoke $disconnect",
			closed+" → invoke $disconnect → answer $disconnect 200")
	})
}

// TestObserveRefusals observes what the gateway refuses without an integration. Our own: an
// observer gets refusals and faults too.
func TestObserveRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		denied := lambda.NewHandler(func(context.Context, any) (any, error) { return nil, errors.New("Unauthorized") })
		refuses := newGateway(t, gatewaytest.API{Observe: o.observe, Authorizer: &gatewaytest.Authorizer{Handler: denied}})
		if _, _, err := refuses.Dial(t.Context(), "/v1", nil); err == nil {
			t.Fatal("the handshake was accepted")
		}
		const asked = "invoke authorizer → answer authorizer 401 UNAUTHORIZED"
		wantRefused := []string{"invoke authorizer", asked, asked + " → open 401 UNAUTHORIZED"}
		if got := o.take(); !slices.Equal(got, wantRefused) {
			t.Errorf("got %q, want %q", got, wantRefused)
		}

		gateway := newGateway(t, gatewaytest.API{Observe: o.observe, Faults: &gatewaytest.Faults{DropEvery: 2}})
		client, _, err := gateway.Dial(t.Context(), "/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseNow()
		for range 2 {
			if err := client.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		got := o.take()
		if len(got) != 6 || !strings.HasPrefix(got[2], "in x → answer $default 403 RESOURCE_NOT_FOUND {") {
			t.Fatalf("got %q, want 6 observations with the answer to a message without a route", got)
		}
		want := []string{"open 101", "in x", "in x", "in x → fault Drop", "in x → fault Drop → close 1006"}
		if got := slices.Delete(got, 2, 3); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		set, hits := gateway.Faults()
		if set.DropEvery != 2 || hits.DropEvery != 1 || hits.LateEvery != 0 {
			t.Errorf("got faults %+v, hits %+v", set, hits)
		}
	})
}
