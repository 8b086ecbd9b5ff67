// Package gatewaytest is an Amazon API Gateway WebSocket API as an
// http.Handler, for tests of Lambda handlers and for development without an
// account.
//
// What the real service does between a browser and a function, the Gateway
// does in process: it holds the sockets, asks the authorizer and $connect
// before it answers a handshake, chooses the route of each message, invokes the
// function behind it with an event as the service writes it, sends error frames
// to the byte, closes idle connections after ten minutes and old ones after two
// hours, and accepts posts on @connections. The functions are lambda.Handler
// values, the very ones that lambda.Start is given in AWS.
//
//	handler := lambda.NewHandler(func(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
//		return events.APIGatewayProxyResponse{StatusCode: 200, Body: "you said " + e.Body}, nil
//	})
//	gateway, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
//		"$default": {Integration: handler, RouteResponse: true},
//	}})
//
// With a gateway in hand there are two ways to reach it. Serve it like any
// http.Handler, with httptest.NewServer or http.ListenAndServe on a loopback
// address, and use browsers, wscat and curl:
//
//	wscat -c ws://127.0.0.1:8080/v1
//	curl -d hello http://127.0.0.1:8080/v1/@connections/L0SM9cOFvHcCIhw=
//
// Or connect in memory with [Gateway.Dial], which also works inside a
// testing/synctest bubble: there ten minutes pass in no time, and the idle
// close comes to the nanosecond.
//
//	synctest.Test(t, func(t *testing.T) {
//		gateway, _ := gatewaytest.New(gatewaytest.API{})
//		defer gateway.Close() // inside the bubble, like New and Dial
//		client, _, _ := gateway.Dial(t.Context(), "/v1", nil)
//		_, _, err := client.Read(t.Context())
//		// now ten minutes are over, and err is close 1001 "Going away"
//	})
//
// A function that posts may use [Gateway.PostToConnection] and its companions
// directly, or an SDK client whose endpoint is the served URL with the stage:
// http://127.0.0.1:8080/v1. The AWS SDKs for Go and JavaScript and the AWS CLI
// are part of this package's judges.
//
// # What a stage may have
//
// Beside functions, a route may have a web server behind it or answer by itself
// ([Route] lists the integration types), with templates on the way in and out
// ([Mapping]), models that messages have to obey, and an API key. The API may
// have an authorizer or IAM authorisation, throttles ([Throttle]), a custom
// domain ([Domain]), an access log ([AccessLog]), and signed requests to
// @connections ([Credential]). [Gateway.Stats] counts what CloudWatch would
// ([Metrics]).
//
// # Misbehaviour on purpose
//
// A hub has to live with connections that are gone, throttled posts, lost
// $disconnect events and sockets that break. [Faults] brings these about, one
// in N and counted, so that a failing run can be repeated;
// [Gateway.FailNext] does so for one post, [Gateway.Cut] and [Gateway.Stall] for
// one connection, and [Gateway.CloseConnection] ends one as a failing or
// restarting service does. By default a gateway is calm. [Gateway.Warp] lets hours
// pass at once where there is no bubble.
//
// # Guarantees
//
// Order: no message is handled before $connect has answered. Posts to one
// connection that are made one after the other arrive in that order, and a
// function's posts before its answer. Messages of one connection run side by
// side, like Lambda invocations, unless Assumptions.SerialMessages is set. $disconnect
// runs once, after the connection is closed, and may overtake messages that are
// still being handled; their posts are gone.
//
// Blocking: a post never waits for the client. What the network does not take
// yet is queued up to API.SendBuffer bytes; then posts are throttled, and
// answers to the client's own messages are dropped and counted. A client that
// takes nothing for one to two idle time-outs is cut. Of one connection's messages
// four run at once and the others wait, so that a flood from it leaves the
// processors to others too.
//
// Memory: an idle connection costs one goroutine and a small read buffer; a
// writer runs only while something is to be written. A client that compresses
// its messages (RFC 7692) costs what its later ones may refer to, up to 32 KB;
// one that only could costs nothing. A posted slice is shared by all connections
// it is posted to and not copied, so it must not be changed after the call; it is
// compressed once for all of them.
//
// Failure: a function that panics, or ends its goroutine, has failed like one
// that returns an error. The gateway itself does not panic.
//
// End: Close waits for everything the gateway has started: connections, their
// $disconnect, functions that overran their time-out. It takes no longer than
// ten seconds, and says so if a function ignores its context.
//
// # Where it differs from AWS
//
// Statements about the service have numbers, G-…, which comments and tests name;
// most are documented by AWS or were captured from the service. [Assumptions]
// overrides those that are not. docs/gateway.md lists them all, with the tests
// that hold them. Known differences:
//
//   - plain HTTP and ws:// instead of TLS only, unless the server around it has TLS
//   - requests to @connections need no signature unless API.Credentials are set
//   - templates know references and no directives, see [Mapping]; integrations
//     with services of AWS and VPC links do not exist
//   - nothing is throttled by rate unless a throttle is set
//   - each message is compressed by itself, and those under 256 bytes are not;
//     what the service does is not known
//   - conditions in a policy are not evaluated: an Allow with a
//     condition never holds, a Deny with one always does
//   - behind net/http, header names in events have Go's letter case, except for
//     those of WebSocket itself; [PreserveHeaderCase] restores the client's
//   - of one connection's messages four run at once; Lambda would start more
//   - timers are exact, where the service sweeps every few seconds
//   - requestContext.domainName has the port of the local server, if any
package gatewaytest
