package gatewaytest_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
)

// The tests of this file are examples of a team's tests, with the functions that
// they test.

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// room has the functions of an API that sends each message to all connections.
type room struct {
	post func(ctx context.Context, connectionID string, data []byte) error

	mu   sync.Mutex
	rows map[string]bool // in AWS, a table
}

func (r *room) connect(_ context.Context, e request) (response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[e.RequestContext.ConnectionID] = true
	return response{StatusCode: 200}, nil
}

func (r *room) disconnect(_ context.Context, e request) (response, error) {
	r.remove(e.RequestContext.ConnectionID)
	return response{StatusCode: 200}, nil
}

func (r *room) message(ctx context.Context, e request) (response, error) {
	for _, id := range r.ids() {
		err := r.post(ctx, id, []byte(e.Body))
		if errors.Is(err, gatewaytest.ErrGone) {
			r.remove(id)
		} else if err != nil {
			return response{}, err
		}
	}
	return response{StatusCode: 200, Body: "sent"}, nil
}

func (r *room) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rows, id)
}

func (r *room) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.rows))
}

// startRoom is the helper of the tests: the API with its functions.
func startRoom(t *testing.T) (*room, *gatewaytest.Server) {
	r := &room{rows: map[string]bool{}}
	s := gatewaytest.Start(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
		"$connect":    {Integration: lambda.NewHandler(r.connect)},
		"$disconnect": {Integration: lambda.NewHandler(r.disconnect)},
		"$default":    {Integration: lambda.NewHandler(r.message), RouteResponse: true},
	}})
	r.post = s.PostToConnection
	return r, s
}

// Two clients and a broadcast. Our own: Close returns after $disconnect.
func TestExampleBroadcast(t *testing.T) {
	r, s := startRoom(t)
	ann, bob := s.Client("", nil), s.Client("", nil)
	ann.Send(map[string]string{"text": "hi"})
	ann.ExpectJSON(`{"text": "hi"}`)
	ann.Expect("sent")
	bob.ExpectJSON(`{"text": "hi"}`)
	ann.Close()
	if got := r.ids(); len(got) != 1 || got[0] != bob.ID() {
		t.Errorf("rows %v, want bob's only", got)
	}
}

// A 410 in the team's own code: its row must go, and no other. Our own: the post
// to bob fails, although bob is connected.
func TestExampleGone(t *testing.T) {
	r, s := startRoom(t)
	ann, bob := s.Client("", nil), s.Client("", nil)
	s.FailNext(bob.ID(), gatewaytest.ErrGone)
	ann.Send("hi")
	ann.Expect("hi")
	ann.Expect("sent")
	if got := r.ids(); len(got) != 1 || got[0] != ann.ID() {
		t.Errorf("rows %v, want ann's only", got)
	}
}

// An authorizer. Our own: a client is refused with the status of the service.
func TestExampleAuthorizer(t *testing.T) {
	authorize := func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (
		events.APIGatewayCustomAuthorizerResponse, error,
	) {
		effect := "Deny"
		if e.Headers["Authorization"] == "token-of-ann" {
			effect = "Allow"
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "ann", Context: map[string]any{"role": "customer"},
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{
					{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{"*"}},
				},
			},
		}, nil
	}
	whoami := func(_ context.Context, e request) (response, error) {
		role, _ := e.RequestContext.Authorizer.(map[string]any)["role"].(string)
		return response{StatusCode: 200, Body: role}, nil
	}
	s := gatewaytest.Start(t, gatewaytest.API{
		Authorizer: &gatewaytest.Authorizer{
			Handler:         lambda.NewHandler(authorize),
			IdentitySources: []string{"route.request.header.Authorization"},
		},
		Routes: map[string]gatewaytest.Route{"$default": {Integration: lambda.NewHandler(whoami), RouteResponse: true}},
	})
	ann := s.Client("", http.Header{"Authorization": {"token-of-ann"}})
	ann.Send("who am I?")
	ann.Expect("customer")
	s.ExpectRefused(403, "", http.Header{"Authorization": {"stolen"}})
	s.ExpectRefused(401, "", nil)
}

// The idle close, in a bubble, where ten minutes are exact and take no time. Our
// own: Start works in a bubble.
func TestExampleIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s := startRoom(t)
		ann := s.Client("", nil)
		start := time.Now()
		ann.Within(time.Hour).ExpectClose(1001)
		if idle := time.Since(start); idle != 10*time.Minute {
			t.Errorf("closed after %v, want 10m", idle)
		}
		if got := r.ids(); len(got) > 0 {
			t.Errorf("rows %v, want none", got)
		}
	})
}
