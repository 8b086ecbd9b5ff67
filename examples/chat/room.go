package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/gatewaytest"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

// room is the state of the chat. In AWS it is a DynamoDB table.
type room struct {
	post func(ctx context.Context, connectionID string, data []byte) error

	mu      sync.Mutex
	members map[string]string // connection id -> name
}

// join serves the action "join": it names the connection and announces it to the others.
func (r *room) join(ctx context.Context, e request) (response, error) {
	var message struct{ Name string }
	if err := json.Unmarshal([]byte(e.Body), &message); err != nil || message.Name == "" {
		return response{StatusCode: 400, Body: "join needs a name"}, nil
	}
	id := e.RequestContext.ConnectionID
	r.mu.Lock()
	r.members[id] = message.Name
	r.mu.Unlock()
	return response{StatusCode: 200, Body: "welcome " + message.Name}, r.postToOthers(ctx, id, message.Name+" joined")
}

// say serves the action "say": it posts the text to the other members.
func (r *room) say(ctx context.Context, e request) (response, error) {
	var message struct{ Text string }
	id := e.RequestContext.ConnectionID
	r.mu.Lock()
	name, ok := r.members[id]
	r.mu.Unlock()
	if err := json.Unmarshal([]byte(e.Body), &message); err != nil || !ok {
		return response{StatusCode: 400, Body: "join first, then say a text"}, nil
	}
	return response{StatusCode: 200, Body: "sent"}, r.postToOthers(ctx, id, name+": "+message.Text)
}

// disconnect serves $disconnect.
func (r *room) disconnect(ctx context.Context, e request) (response, error) {
	id := e.RequestContext.ConnectionID
	if name, ok := r.forget(id); ok {
		return response{StatusCode: 200}, r.postToOthers(ctx, id, name+" left")
	}
	return response{StatusCode: 200}, nil
}

func (r *room) forget(id string) (name string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, ok = r.members[id]
	delete(r.members, id)
	return name, ok
}

// postToOthers posts to all members except one. It forgets those that are gone, and only
// those; other errors fail the function, so that its alarm sees them.
func (r *room) postToOthers(ctx context.Context, except, text string) error {
	r.mu.Lock()
	receivers := slices.Sorted(maps.Keys(r.members))
	r.mu.Unlock()
	var errs []error
	for _, id := range receivers {
		if id == except {
			continue
		}
		switch err := r.post(ctx, id, []byte(text)); {
		case errors.Is(err, gatewaytest.ErrGone):
			r.forget(id)
		case err != nil:
			errs = append(errs, fmt.Errorf("post to %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}
