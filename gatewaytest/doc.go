// Package gatewaytest imitates an Amazon API Gateway WebSocket API, for tests
// of Lambda handlers and for development without an AWS account.
//
// A test starts an API with its functions, which are lambda.Handler values, the
// same that lambda.Start runs in AWS, and connects clients:
//
//	func TestEcho(t *testing.T) {
//		s := gatewaytest.Start(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
//			"$default": {Integration: lambda.NewHandler(echo), RouteResponse: true},
//		}})
//		ann := s.Client("?user=ann", nil)
//		ann.Send("hello")
//		ann.Expect("hello")
//	}
//
// [Start] ends the server and its clients with the test. What goes wrong in the
// gateway is in the test's log. The package gatewaytest/template makes the API
// of a SAM or CloudFormation template. The file example_start_test.go has tests
// to copy: a broadcast, a connection that is gone, an authorizer, an idle close.
//
// A [Gateway] does in process what the service does between a client and a
// Lambda function. It holds the connections, calls the authorizer and $connect
// before it accepts a handshake, chooses the route of each message, invokes the
// function behind it with the event that the service would send, writes error
// frames byte for byte, closes connections that are idle for ten minutes or
// older than two hours, and accepts posts to @connections.
//
// Without a test, create a gateway with [New] and serve it like any
// http.Handler, on a loopback address, for browsers, wscat and curl:
//
//	wscat -c ws://127.0.0.1:8080/v1
//	curl -d hello http://127.0.0.1:8080/v1/@connections/L0SM9cOFvHcCIhw=
//
// Or connect in memory with [Gateway.Dial].
//
// A function that posts to connections calls [Gateway.PostToConnection], or
// uses an SDK client whose endpoint is the served URL with the stage, such as
// http://127.0.0.1:8080/v1 ([Server.ManagementURL]). The AWS SDKs for Go and
// JavaScript and the AWS CLI are tested against this package.
//
// # Time
//
// In a testing/synctest bubble ten minutes pass at once, and the idle close is
// exact to the nanosecond:
//
//	synctest.Test(t, func(t *testing.T) {
//		s := gatewaytest.Start(t, gatewaytest.API{}) // inside the bubble
//		s.Client("", nil).Within(time.Hour).ExpectClose(1001)
//	})
//
// Where there is no bubble, [Gateway.Warp] moves the gateway's clock forward.
//
// # Features
//
// Besides a function, a route may have a web server, an AWS service or a mock as
// its backend ([Route] lists the integration types), with mapping templates for requests
// and responses ([Mapping]), models that validate messages, and an API key. The
// API may have an authorizer or IAM authorization, throttles ([Throttle]), a
// custom domain ([Domain]), an access log ([AccessLog]), and signed requests to
// @connections ([Credential]). [Gateway.Stats] has the counters of CloudWatch
// ([Metrics]).
//
// # Faults
//
// A real API has connections that are gone, throttled posts, lost $disconnect
// events and broken sockets. [Faults] causes these, one in every N, so that a
// failing run can be repeated. [Gateway.FailNext] fails the next post to one
// connection, [Gateway.Cut] and [Gateway.Stall] break one connection, and
// [Gateway.CloseConnection] closes one as a failing or restarting service does.
// [Rough] has the faults for a suite of tests. By default there are none.
//
// # Guarantees
//
// Order: no message is handled before $connect has returned. Posts to a
// connection arrive in the order of the calls, and the posts of a function
// before its own response. Messages of one connection are handled concurrently,
// like Lambda invocations, unless Assumptions.SerialMessages is set.
// $disconnect runs once, after the connection is closed. It may overtake
// messages that are still being handled; their posts fail with [ErrGone].
//
// Blocking: a post never waits for the client. Up to API.SendBuffer bytes are
// queued for a slow client. Then posts fail with [ErrLimitExceeded], and
// responses to the client's own messages are dropped and counted. A client that
// reads nothing for one to two idle timeouts is disconnected. Of the messages
// of one connection at most four run concurrently, so one flooding client
// cannot starve the others.
//
// Memory: an idle connection costs one goroutine and a small read buffer. A
// writer runs only while there is something to write. A client that compresses
// its messages (RFC 7692) costs the data that its later messages may refer to,
// at most 32 KB; a client that only offers compression costs nothing. A posted
// slice is shared by all connections that it is posted to and not copied, so
// the caller must not change it. It is compressed once for all of them.
//
// Failures: a function that panics or ends its goroutine counts as one that
// returns an error. The gateway itself does not panic.
//
// Shutdown: [Gateway.Close] waits for everything that the gateway has started:
// connections, their $disconnect, and functions that exceeded their timeout. It
// takes at most ten seconds, and returns an error if a function ignores its
// context. [Gateway.Shutdown] cancels functions sooner. The end of a [Server]
// waits for functions only.
//
// # Differences from AWS
//
// Statements about the service have numbers, G-…, which comments and tests
// refer to. Most are documented by AWS or were captured from the service. The
// rest are assumptions, which [Assumptions] overrides. docs/gateway.md in the
// repository lists them all, with the tests that check them. The known
// differences are:
//
//   - Connections use plain HTTP and ws://, unless the server around the
//     gateway has TLS.
//   - Requests to @connections need no signature unless API.Credentials is
//     set.
//   - Templates have no #macro, and JSONPaths no filters, slices and functions,
//     see [Mapping]. There are no VPC links.
//   - An AWS service behind a route must run somewhere, see [Service]. No role
//     is assumed, and nothing checks what it allows.
//   - Nothing is throttled by rate unless a throttle is set.
//   - Each message is compressed by itself, and only from 256 bytes. It is not
//     known what the service does.
//   - Policy conditions are not evaluated: an Allow with a condition never
//     applies, a Deny with one always does.
//   - Behind net/http, header names in events have Go's letter case, except
//     for the WebSocket headers. [PreserveHeaderCase] restores the client's.
//   - At most four messages of one connection run concurrently. Lambda would
//     start more.
//   - Timeouts are exact. The service checks them every few seconds.
//   - requestContext.domainName has the port of the local server, if there is
//     one.
package gatewaytest
