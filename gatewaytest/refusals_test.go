package gatewaytest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/gatewaytest"
)

// refusalTests are requests and messages that the gateway refuses, and what the one line
// of its log about it says.
var refusalTests = map[string]struct {
	api     gatewaytest.API
	path    string // of the handshake; default /v1
	header  http.Header
	message string   // sent after the handshake, which is accepted
	want    []string // parts of the line
}{
	"stage": {path: "/v2", want: []string{`msg="request refused"`, "path=/v2", "connect to /v1"}},
	"domain": {
		api:  gatewaytest.API{Domain: &gatewaytest.Domain{Name: "ws.example.com"}, DisableDefaultEndpoint: true},
		want: []string{`msg="request refused"`, "connect to the domain ws.example.com"},
	},
	"identity source": {
		api: gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: ok200,
			IdentitySources: []string{"route.request.querystring.token"}}},
		want: []string{"refused=UNAUTHORIZED", "no route.request.querystring.token"},
	},
	"policy": {
		api: gatewaytest.API{Authorizer: &gatewaytest.Authorizer{
			Handler: returns(grant("Allow", "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/*/*", `{}`))}},
		want: []string{
			"status=403", "refused=ACCESS_DENIED",
			"does not allow execute-api:Invoke on arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/$connect",
			"it has Allow execute-api:Invoke on arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/*/*",
		},
	},
	"authorizer fails": {
		api:  gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: fails("no table")}},
		want: []string{"level=WARN", "refused=AUTHORIZER_FAILURE", "no table"},
	},
	"authorizer says Unauthorized": {
		api:  gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: fails("Unauthorized")}},
		want: []string{"level=INFO", "status=401", "refused=UNAUTHORIZED"},
	},
	"authorizer without a principal": {
		api:  gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: returns(`{}`)}},
		want: []string{"refused=AUTHORIZER_FAILURE", "the authorizer's response: no principalId"},
	},
	"API key": {
		api: gatewaytest.API{APIKeys: []gatewaytest.APIKey{{ID: "k", Value: "secret"}},
			Routes: map[string]gatewaytest.Route{"$connect": {APIKeyRequired: true}}},
		want: []string{"refused=INVALID_API_KEY", "no known API key in $request.header.x-api-key"},
	},
	"signature": {
		api:  gatewaytest.API{IAM: true, Credentials: []gatewaytest.Credential{longTermKey}},
		want: []string{`msg="handshake refused"`, "status=403", "Missing Authentication Token"},
	},
	"$connect answers 403": {
		api:  api(routes("$connect", returns(`{"statusCode":403,"body":"not you"}`))),
		want: []string{"status=403", "$connect returned this status: not you"},
	},
	"$connect fails": {
		api:  api(routes("$connect", fails("no such table"))),
		want: []string{"level=WARN", "status=502", "refused=INTEGRATION_FAILURE", "no such table"},
	},
	"$connect does not exist": {
		api:  api(routes("$connect", noFunction)),
		want: []string{"status=500", "refused=API_CONFIGURATION_ERROR", "function shop"},
	},
	"subprotocol": {
		api: api(routes("$connect",
			returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\u0001b"}}`))),
		want: []string{"status=502", "the subprotocol of $connect's response cannot be a header value"},
	},
	"no route": {
		message: "x", want: []string{`msg="message refused"`, "status=403", "no route for the message, and no $default"},
	},
	"unbound route": {
		api:     gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {}}},
		message: "x", want: []string{`msg="message refused"`, "routeKey=$default", "the route has no integration"},
	},
	"function fails": {
		api:     api(routes("$default", fails("no such table"))),
		message: "x", want: []string{"level=WARN", `msg="message refused"`, "routeKey=$default", "no such table"},
	},
	"throttled message": {
		api: gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {Integration: takes(0), Throttle: gatewaytest.Throttle{Rate: 0.01}}}},
		message: "xx",
		want:    []string{`msg="message refused"`, "refused=THROTTLED", "the throttle of the route or the account"},
	},
}

// TestRefusalsAreLogged. Our own: each refusal has one line in the log, at level info or
// above, that says why.
func TestRefusalsAreLogged(t *testing.T) {
	for name, tt := range refusalTests {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			synctest.Test(t, func(t *testing.T) {
				tt.api.Log = slog.New(slog.NewTextHandler(&log, nil))
				g := newGateway(t, tt.api)
				if tt.message == "" {
					path := "/v1"
					if tt.path != "" {
						path = tt.path
					}
					handshakeStatus(t, g, path, tt.header)
					return
				}
				c := dial(t, g, "/v1")
				for _, r := range tt.message {
					send(t, c, string(r))
					synctest.Wait()
				}
			})
			wantOneLine(t, log.String(), tt.want)
		})
	}
}

// wantOneLine checks that a log has one line, with these parts.
func wantOneLine(t *testing.T, log string, parts []string) {
	t.Helper()
	if strings.Count(log, "\n") != 1 {
		t.Errorf("the log has not one line:\n%s", log)
	}
	for _, part := range parts {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %q:\n%s", part, log)
		}
	}
}

// TestRefusedRequestsAreLogged. Our own: so have requests that are no event, among them
// handshakes that RFC 6455 does not allow (section 4.2.1).
func TestRefusedRequestsAreLogged(t *testing.T) {
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	const version = "Sec-WebSocket-Version: 13\r\n"
	unknown := "/v1/@connections/L0SM9cOFvHcCIhw="
	for name, tt := range map[string]struct {
		request string // without the host and the empty line
		status  string
		want    []string
	}{
		"plain GET":     {"GET /v1 HTTP/1.1\r\n", "426", []string{"the request does not ask for a WebSocket"}},
		"method":        {"PUT /v1 HTTP/1.1\r\n", "403", []string{"a handshake has the method GET"}},
		"HTTP/1.0":      {"GET /v1 HTTP/1.0\r\n" + upgrade + version + key, "400", []string{"needs HTTP/1.1 or newer"}},
		"version":       {"GET /v1 HTTP/1.1\r\n" + upgrade + key, "426", []string{"Sec-WebSocket-Version must be 13"}},
		"key":           {"GET /v1 HTTP/1.1\r\n" + upgrade + version, "400", []string{"Sec-WebSocket-Key"}},
		"another path":  {"POST /v1/connections HTTP/1.1\r\n", "403", []string{"post to /v1/@connections/ID"}},
		"manage method": {"PUT " + unknown + " HTTP/1.1\r\n", "403", []string{"GET, POST and DELETE"}},
		"gone":          {"POST " + unknown + " HTTP/1.1\r\n", "410", []string{`msg="post refused"`, "GoneException"}},
		"get":           {"GET " + unknown + " HTTP/1.1\r\n", "410", []string{`msg="request refused"`, "GoneException"}},
		"delete":        {"DELETE " + unknown + " HTTP/1.1\r\n", "410", []string{`msg="request refused"`, "GoneException"}},
	} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			g := newGateway(t, gatewaytest.API{Log: slog.New(slog.NewTextHandler(&log, nil))})
			status := rawStatus(t, strings.TrimPrefix(serve(t, g), "http://"), tt.request)
			if status != tt.status {
				t.Errorf("got status %s, want %s", status, tt.status)
			}
			wantOneLine(t, log.String(), tt.want)
		})
	}
}

// rawStatus sends the head of a request as it is and returns the status of the response.
func rawStatus(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request+"Host: "+addr+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) < 2 {
		t.Fatalf("got %q, %v", line, err)
	}
	return fields[1]
}

// TestPostInsideConnectIsLogged. Our own: that is the first mistake of many.
func TestPostInsideConnectIsLogged(t *testing.T) {
	var log syncBuffer
	var g *gatewaytest.Gateway
	g = newGateway(t, gatewaytest.API{Log: slog.New(slog.NewTextHandler(&log, nil)),
		Routes: routes("$connect", function(func(ctx0 context.Context, raw []byte) ([]byte, error) {
			_ = g.PostToConnection(ctx0, fmt.Sprint(lookup(t, raw, "requestContext", "connectionId")), []byte("hi"))
			return ok200(ctx0, raw)
		}))})
	dial(t, g, "/v1")
	wantOneLine(t, log.String(), []string{`msg="post refused"`, "the connection opens when $connect has answered"})
}

// TestEventsAreLogged. Our own: at level debug each event, answer and post has one line.
func TestEventsAreLogged(t *testing.T) {
	var log syncBuffer
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{
			Routes: routes("$connect", ok200, "$default", twoWay(echo), "$disconnect", ok200),
			Log:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		receive(t, c)
		if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("y")); err != nil {
			t.Fatal(err)
		}
		receive(t, c)
	})
	for line, want := range map[string]int{
		"msg=event ": 3, "msg=answer ": 3, "msg=open ": 1, "msg=close ": 1, "msg=post ": 1,
		"routeKey=$connect": 2, "routeKey=$default": 2, "routeKey=$disconnect": 2,
	} {
		if got := strings.Count(log.String(), line); got != want {
			t.Errorf("%d lines with %q, want %d:\n%s", got, line, want, log.String())
		}
	}
}
