// Package lostbody returns bodies where no client gets them. template.yaml beside
// this folder has a route response for ask, and none for say and tell.
package lostbody

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

func respond(status int, body string) response { return response{StatusCode: status, Body: body} }

func onConnect(context.Context, request) (response, error) {
	return response{StatusCode: 200, Body: "Connected."}, nil // want `no client gets this body: the response of \$connect`
}

func connectWithVariable(_ context.Context, e request) (*response, error) {
	resp := &response{StatusCode: 200}
	resp.Body = fmt.Sprint("hello ", e.RequestContext.ConnectionID) // want `no client gets this body`
	return resp, nil
}

func connectWithHelper(context.Context, request) (response, error) {
	return respond(403, "not you"), nil // want `no client gets this body`
}

func onDisconnect(context.Context, request) (response, error) {
	return response{Body: "bye", StatusCode: 200}, nil // want `the response of \$disconnect is ignored`
}

func all(_ context.Context, e request) (response, error) {
	switch e.RequestContext.RouteKey {
	case "$connect":
		return respond(200, "Connected."), nil // want `no client gets this body`
	case "say", "tell":
		return response{StatusCode: 200, Body: "Data sent."}, nil // want `the route has no route response`
	case "ask":
		return response{StatusCode: 200, Body: "42"}, nil
	case "say2":
		return respond(200, "not in the template"), nil
	}
	return response{StatusCode: 200}, nil
}

func connectWithout(context.Context, request) (response, error) {
	return response{StatusCode: 200, Headers: map[string]string{"Sec-WebSocket-Protocol": "v1"}}, nil
}

func connectEmpty(context.Context, request) (response, error) { return respond(200, ""), nil }

// message may be behind ask as well as say: the template does not tell.
func onMessage(_ context.Context, e request) (response, error) { return respond(200, e.Body), nil }

// nobody knows which events it gets.
func anyEvent(context.Context, request) (response, error) { return respond(200, "x"), nil }
