// Package connectpost posts in $connect, to its own connection and to others.
package connectpost

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

var client *api.Client

func welcome(ctx context.Context, id string) error {
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id, Data: []byte("welcome")})
	return err
}

func greet(ctx context.Context, id string) error { return welcome(ctx, id) }

func others(context.Context, string) []string { return nil }

// The direct post.
func onConnect(ctx context.Context, e request) (response, error) {
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ // want `posts to its own connection in \$connect`
		ConnectionId: aws.String(e.RequestContext.ConnectionID),
		Data:         []byte("welcome"),
	})
	return response{StatusCode: 200}, err
}

// A function between, and a variable.
func handleConnect(ctx context.Context, e request) (response, error) {
	id := e.RequestContext.ConnectionID
	if err := greet(ctx, id); err != nil { // want `posts to its own connection`
		return response{StatusCode: 500}, nil
	}
	return response{StatusCode: 200}, nil
}

// The input is built before.
func connectWithInput(ctx context.Context, e *request) (*response, error) {
	in := &api.PostToConnectionInput{Data: []byte("x")}
	in.ConnectionId = aws.String(e.RequestContext.ConnectionID)
	_, err := client.PostToConnection(ctx, in) // want `posts to its own connection`
	return &response{StatusCode: 200}, err
}

// One function for all events.
func all(ctx context.Context, e request) (response, error) {
	switch e.RequestContext.RouteKey {
	case "$connect":
		return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID) // want `posts to its own connection`
	case "$disconnect":
		return response{StatusCode: 200}, nil
	default:
		return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID)
	}
}

// The type of the event, in a variable.
func byType(ctx context.Context, e request) (response, error) {
	eventType := e.RequestContext.EventType
	if eventType == "CONNECT" && e.RequestContext.Stage != "" {
		go func() {
			_ = welcome(ctx, e.RequestContext.ConnectionID) // want `posts to its own connection`
		}()
	} else if eventType == "MESSAGE" {
		_ = welcome(ctx, e.RequestContext.ConnectionID)
	}
	return response{StatusCode: 200}, nil
}

// All but $connect has left.
func leavesEarly(ctx context.Context, e request) (response, error) {
	if e.RequestContext.EventType != "CONNECT" {
		return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID)
	}
	return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID) // want `posts to its own connection`
}

// $connect has left: else, and a negated condition.
func connectLeaves(ctx context.Context, e request) (response, error) {
	if e.RequestContext.EventType == "MESSAGE" {
	} else {
		return response{StatusCode: 200}, nil
	}
	if !(e.RequestContext.RouteKey != "$connect") {
		panic("never")
	}
	return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID)
}

// What is known where a condition fails, and where it is negated.
func conditions(ctx context.Context, e request) (response, error) {
	route, id := e.RequestContext.RouteKey, e.RequestContext.ConnectionID
	if route != "$connect" || id == "" {
		_ = welcome(ctx, id)
	} else {
		_ = welcome(ctx, id) // want `posts to its own connection`
	}
	if !(route != "$connect") {
		_ = welcome(ctx, id) // want `posts to its own connection`
	}
	for range 2 {
		if route != "$connect" && e.RequestContext.EventType != "CONNECT" {
			continue
		} else if id == "" {
			break
		}
		_ = welcome(ctx, id) // want `posts to its own connection`
	}
	if route != "$connect" && id != "" {
		return response{StatusCode: 200}, nil
	}
	return response{StatusCode: 200}, welcome(ctx, id) // some other route without an id is possible
}

// Handlers in a map, one of them a literal.
var handlers = map[string]func(context.Context, request) (response, error){
	"$connect": func(ctx context.Context, e request) (response, error) {
		return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID) // want `posts to its own connection`
	},
	"hello": hello,
}

// hello is a message: this is the right way.
func hello(ctx context.Context, e request) (response, error) {
	return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID)
}

// connectAnnounces posts to the others, which is allowed.
func connectAnnounces(ctx context.Context, e request) (response, error) {
	for _, id := range others(ctx, e.RequestContext.ConnectionID) {
		if err := welcome(ctx, id); err != nil {
			return response{StatusCode: 500}, nil
		}
	}
	return response{StatusCode: 200}, nil
}

// connectNames says the id to another connection.
func connectNames(ctx context.Context, e request) (response, error) {
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{
		ConnectionId: aws.String("L0SM9cOFvHcCIhw="),
		Data:         []byte("new: " + e.RequestContext.ConnectionID),
	})
	return response{StatusCode: 200}, err
}

// onDisconnect is another route.
func onDisconnect(ctx context.Context, e request) (response, error) {
	return response{StatusCode: 200}, welcome(ctx, e.RequestContext.ConnectionID)
}

// notifyConnected is called by another function, for a message.
func handleConnectionInfo(ctx context.Context, e request) (response, error) {
	return response{StatusCode: 200}, greet(ctx, e.RequestContext.ConnectionID)
}
