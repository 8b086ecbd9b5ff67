// Package eventheaders reads headers and query parameters in several events.
package eventheaders

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

type (
	request  = events.APIGatewayWebsocketProxyRequest
	response = events.APIGatewayProxyResponse
)

var ok = response{StatusCode: 200}

// A message by its name.
func onMessage(_ context.Context, e request) (response, error) {
	if e.Headers["Authorization"] == "" { // want `MESSAGE events have no Headers`
		return response{StatusCode: 401}, nil
	}
	return ok, nil
}

// A message by its body.
func say(_ context.Context, e request) (response, error) {
	return response{StatusCode: 200, Body: e.QueryStringParameters["room"] + e.Body}, nil // want `MESSAGE events have no QueryStringParameters`
}

func userOf(e request) string {
	for name, values := range e.MultiValueHeaders { // want `MESSAGE events have no MultiValueHeaders`
		if strings.EqualFold(name, "x-user") {
			return values[0]
		}
	}
	return ""
}

// By a function between.
func all(_ context.Context, e request) (response, error) {
	switch route := e.RequestContext.RouteKey; route {
	case "$connect":
		_ = e.Headers["Origin"]
	case "$disconnect":
		_ = e.MultiValueQueryStringParameters["room"] // want `DISCONNECT events have no MultiValueQueryStringParameters`
		_ = e.Headers["X-Forwarded-For"]
	default:
		_ = e.Headers["Origin"] // want `MESSAGE events have no Headers`
		_ = userOf(e)
	}
	return ok, nil
}

// By the type of the event.
func byType(_ context.Context, e *request) (response, error) {
	if e.RequestContext.EventType == "MESSAGE" {
		_ = e.MultiValueQueryStringParameters // want `MESSAGE events have no MultiValueQueryStringParameters`
	}
	return ok, nil
}

// onConnect is where they are.
func onConnect(_ context.Context, e request) (response, error) {
	_ = headerOf(e)
	return response{StatusCode: 200 + len(e.QueryStringParameters)}, nil
}

func headerOf(e request) string { return e.Headers["X-Room"] }

// anyEvent may be for $connect: nobody knows.
func anyEvent(_ context.Context, e request) (response, error) {
	_ = e.Headers["Origin"]
	return ok, nil
}

// versions is no map of routes.
var versions = map[string]func(context.Context, request) (response, error){"v1": onConnect, "v2": onConnect}

// log is for all events, and says so.
func log(_ context.Context, e request) (response, error) {
	if e.RequestContext.RouteKey == "$connect" {
		_ = e.Headers["User-Agent"]
	}
	return response{StatusCode: len(e.Body)}, nil
}

// httpMessage is a handler of an HTTP API.
func httpMessage(_ context.Context, e events.APIGatewayProxyRequest) (response, error) {
	return response{StatusCode: 200, Body: e.Headers["Host"] + e.Body}, nil
}

// fake makes an event, and reads nothing.
func fake() request {
	e := request{Headers: map[string]string{"Host": "x"}}
	e.QueryStringParameters = map[string]string{"a": "b"}
	return e
}
