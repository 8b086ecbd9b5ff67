package gatewaytest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

var update = flag.Bool("update", false, "rewrite the events under testdata/events")

const goldenDir = "../testdata/events"

// volatile are the values that differ from run to run. Their format is compared.
var volatile = []struct {
	pattern *regexp.Regexp
	put     string
}{
	{regexp.MustCompile(`"[A-Za-z0-9_-]{14}[AEIMQUYcgkosw048]="`), `"ID"`},
	{regexp.MustCompile(`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`), "TRACE"},
}

// withoutIDs replaces the ids and times of an event.
func withoutIDs(raw []byte) string {
	for _, v := range volatile {
		raw = v.pattern.ReplaceAll(raw, []byte(v.put))
	}
	return string(raw)
}

// golden compares an event with a file, byte for byte except for blanks and
// ids, so that order, presence and types of the keys count.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join(goldenDir, name)
	if *update {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, got, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if g, w := withoutIDs(got), withoutIDs(compactFile(t, file)); g != w {
		t.Errorf("%s:\n got %s\nwant %s", name, g, w)
	}
}

// TestEvents opens, uses and closes a connection, without and with an
// authorizer and stage variables, and compares all events with the golden
// files.
func TestEvents(t *testing.T) {
	life := func(t *testing.T, api gatewaytest.API, path string, header http.Header) map[string][]byte {
		got := make(map[string][]byte)
		synctest.Test(t, func(t *testing.T) {
			var connect, cart, fallback, disconnect recorder
			api.Stage, api.ID = "prod", "x7k2m9q4t1"
			api.Routes = routes("$connect", &connect, "cart", &cart, "$default", &fallback, "$disconnect", &disconnect)
			g := newGateway(t, api)
			time.Sleep(time.Until(time.Date(2025, time.February, 7, 10, 10, 50, 3e6, time.UTC)))
			c, _, err := g.DialRaw(t.Context(), path, header)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			time.Sleep(22*time.Second + 345*time.Millisecond)
			raw := &rawClient{Conn: c}
			raw.mustWrite(t, text("{\r\n\t\"action\": \"cart\",\r\n\t\"note\": \"<5 € & more>\"\r\n}"))
			synctest.Wait()
			time.Sleep(time.Second)
			raw.mustWrite(t, text("hello"))
			synctest.Wait()
			time.Sleep(time.Minute)
			raw.mustWrite(t, closeFrame(1001, ""))
			_, _ = c.Read(make([]byte, 10))
			synctest.Wait()
			got["connect"], got["message"], got["default"], got["disconnect"] =
				connect.one(t), cart.one(t), fallback.one(t), disconnect.one(t)
		})
		return got
	}

	t.Run("G-EVENT-1 -2 -3 -4 -7 -8 -10 -12 -16 plain", func(t *testing.T) {
		got := life(t, gatewaytest.API{}, "/prod", http.Header{"User-Agent": nil})
		golden(t, "connect.json", got["connect"])
		golden(t, "message.json", got["message"])
		golden(t, "message-default.json", got["default"])
		golden(t, "disconnect.json", got["disconnect"])
	})
	t.Run("G-AUTH-8 -9 -10 -18 G-STAGEVAR-3 with everything", func(t *testing.T) {
		authorizer := &recorder{next: returns(grant("Allow", "*", `{"role":"admin","cart":17}`))}
		got := life(t, gatewaytest.API{
			DomainName:     "ws.securecart.example",
			StageVariables: map[string]string{"table": "carts-prod"},
			Authorizer:     &gatewaytest.Authorizer{Handler: authorizer},
		}, "/prod?token=a%20b&lang=de&lang=en", http.Header{
			"User-Agent":             {"shop/1.0 (test)"},
			"Origin":                 {"https://shop.example"},
			"Sec-WebSocket-Protocol": {"securecart.v1"},
			"x-tenant":               {"one", "two"},
		})
		golden(t, "authorizer.json", authorizer.one(t))
		golden(t, "connect-authorized.json", got["connect"])
		golden(t, "message-authorized.json", got["message"])
		golden(t, "disconnect-authorized.json", got["disconnect"])
	})
	t.Run("G-AUTH-8 authorizer without stage variables", func(t *testing.T) {
		authorizer := &recorder{next: returns(grant("Allow", "*", `{}`))}
		life(t, gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: authorizer}}, "/prod",
			http.Header{"User-Agent": {"shop/1.0"}})
		golden(t, "authorizer-plain.json", authorizer.one(t))
	})
}

// TestGoldensReadByLambda. Our own: the structs of aws-lambda-go can decode
// what the gateway writes.
func TestGoldensReadByLambda(t *testing.T) {
	for _, name := range []string{"connect.json", "message.json", "disconnect.json", "connect-authorized.json"} {
		raw, err := os.ReadFile(filepath.Join(goldenDir, name))
		if err != nil {
			t.Fatal(err)
		}
		var e events.APIGatewayWebsocketProxyRequest
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.RequestContext.ConnectionID == "" || e.RequestContext.Stage != "prod" || e.RequestContext.RequestTimeEpoch == 0 {
			t.Errorf("%s: decoded as %+v", name, e.RequestContext)
		}
	}
}

func TestEventDetails(t *testing.T) {
	one := func(t *testing.T, path string, header http.Header) []byte {
		t.Helper()
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		c, _, err := g.DialRaw(t.Context(), path, header)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return connect.one(t)
	}

	t.Run("G-EVENT-1 -3 no nulls, no body", func(t *testing.T) {
		e := one(t, "/v1", nil)
		if bytes.Contains(e, []byte("null")) || hasKey(t, e, "body") {
			t.Errorf("got %s", e)
		}
	})
	t.Run("G-EVENT-11 requestTimeEpoch of CONNECT is connectedAt, however long the authorizer takes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var connect recorder
			g := newGateway(t, gatewaytest.API{
				Authorizer: &gatewaytest.Authorizer{Handler: function(func(ctx context.Context, raw []byte) ([]byte, error) {
					time.Sleep(time.Second)
					return returns(grant("Allow", "*", `{}`))(ctx, raw)
				})},
				Routes: routes("$connect", &connect),
			})
			dial(t, g, "/v1")
			e := connect.one(t)
			connectedAt, requestTime := lookup(t, e, "requestContext", "connectedAt"),
				lookup(t, e, "requestContext", "requestTimeEpoch")
			if connectedAt != requestTime {
				t.Errorf("connectedAt %v, requestTimeEpoch %v", connectedAt, requestTime)
			}
		})
	})
	t.Run("G-EVENT-18 invoked and waited for, with an empty client context", func(t *testing.T) {
		var got *lambdacontext.LambdaContext
		g := newGateway(t, api(routes("$connect", function(func(ctx context.Context, raw []byte) ([]byte, error) {
			got, _ = lambdacontext.FromContext(ctx)
			return ok200(ctx, raw)
		}))))
		dial(t, g, "/v1") // $connect has returned
		if got == nil || got.AwsRequestID == "" || got.ClientContext.Client.InstallationID != "" ||
			len(got.ClientContext.Custom) != 0 || len(got.ClientContext.Env) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("G-HANDSHAKE-16 no query, no keys", func(t *testing.T) {
		e := one(t, "/v1", nil)
		if hasKey(t, e, "queryStringParameters") || hasKey(t, e, "multiValueQueryStringParameters") {
			t.Errorf("got %s", e)
		}
	})
	t.Run("G-EVENT-9 G-HANDSHAKE-16 the last value, and all", func(t *testing.T) {
		e := one(t, "/v1?a=1&b=%2F+x&a=2&c", http.Header{"X-Many": {"p", "q"}})
		for _, tt := range []struct {
			path []string
			want string
		}{
			{[]string{"queryStringParameters", "a"}, `"2"`},
			{[]string{"queryStringParameters", "b"}, `"/ x"`},
			{[]string{"queryStringParameters", "c"}, `""`},
			{[]string{"multiValueQueryStringParameters", "a"}, `["1","2"]`},
			{[]string{"headers", "X-Many"}, `"q"`},
			{[]string{"multiValueHeaders", "X-Many"}, `["p","q"]`},
		} {
			if got, _ := json.Marshal(lookup(t, e, tt.path...)); string(got) != tt.want {
				t.Errorf("%v: got %s, want %s", tt.path, got, tt.want)
			}
		}
	})
	t.Run("G-EVENT-9 one header in two spellings", func(t *testing.T) {
		e := one(t, "/v1", http.Header{"x-many": {"p"}, "X-MANY": {"q"}})
		got, _ := json.Marshal(lookup(t, e, "multiValueHeaders"))
		if n := strings.Count(strings.ToLower(string(got)), "x-many"); n != 1 {
			t.Errorf("%d keys in %s", n, got)
		}
	})
	t.Run("G-EVENT-7 clients cannot set the gateway's headers", func(t *testing.T) {
		e := one(t, "/v1", http.Header{"X-Forwarded-Proto": {"gopher"}, "x-forwarded-port": {"70"},
			"X-Forwarded-For": {"198.51.100.7"}})
		for name, want := range map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443",
			"X-Forwarded-For": "198.51.100.7, 192.0.2.1"} {
			if got := lookup(t, e, "headers", name); got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		if got := lookup(t, e, "requestContext", "identity", "sourceIp"); got != "192.0.2.1" {
			t.Errorf("sourceIp %v", got)
		}
	})
	t.Run("G-EVENT-7 headers in the client's letter case", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: g}
		served := make(chan struct{})
		go func() { defer close(served); _ = s.Serve(gatewaytest.PreserveHeaderCase(l)) }()
		defer func() { _ = s.Close(); <-served }()
		// The headers of an earlier request on the same connection must not be used.
		lines := rawLines(t, "http://"+l.Addr().String(), "GET /v1/@connections/x HTTP/1.1\r\nHost: x\r\nx-other: 1\r\n\r\n"+
			"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		if len(lines) == 0 {
			t.Fatal("no response")
		}
		c, _, err := websocket.Dial(t.Context(), "ws://"+l.Addr().String()+"/v1", &websocket.DialOptions{
			HTTPHeader: http.Header{"x-tenant": {"one"}, "X-SHOP": {"two"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		var e []byte
		for _, event := range connect.all() {
			if hasKey(t, event, "headers", "x-other") {
				t.Errorf("headers of the other request: %s", event)
			}
			e = event
		}
		if lookup(t, e, "headers", "x-tenant") != "one" || lookup(t, e, "headers", "X-SHOP") != "two" {
			t.Errorf("headers %v", lookup(t, e, "headers"))
		}
	})
	t.Run("G-EVENT-7 WebSocket headers keep their spelling without PreserveHeaderCase", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		rawResponse(t, g, "/v1", "")
		if lookup(t, connect.one(t), "headers", "Sec-WebSocket-Key") == nil {
			t.Errorf("headers %v", lookup(t, connect.one(t), "headers"))
		}
	})
	t.Run("G-EVENT-13 domainName is the host the client used", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		c, _, err := g.Dial(t.Context(), "/v1", &websocket.DialOptions{Host: "ws.securecart.example"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if got := lookup(t, connect.one(t), "requestContext", "domainName"); got != "ws.securecart.example" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("G-EVENT-15 the body is unchanged", func(t *testing.T) {
		var message recorder
		g := newGateway(t, api(routes("$default",
			gatewaytest.Route{Integration: &recorder{next: recordAndEcho(&message)}, RouteResponse: true})))
		c := dial(t, g, "/v1")
		const body = "\t{ \"a\" : 1 }\r\n \u2028 <&> \x00 "
		send(t, c, body)
		if got := receive(t, c); got != body {
			t.Errorf("echo %q", got)
		}
		if got := lookup(t, message.one(t), "body"); got != body {
			t.Errorf("got %q, want %q", got, body)
		}
		if !hasKey(t, message.one(t), "isBase64Encoded") || lookup(t, message.one(t), "isBase64Encoded") != false {
			t.Error("isBase64Encoded is not false")
		}
	})
	t.Run("G-EVENT-19 an empty message has no body", func(t *testing.T) {
		var message recorder
		g := newGateway(t, api(routes("$default",
			gatewaytest.Route{Integration: &recorder{next: recordAndEcho(&message)}, RouteResponse: true})))
		c := dial(t, g, "/v1")
		send(t, c, "")
		receive(t, c)
		if hasKey(t, message.one(t), "body") {
			t.Errorf("the event has the body %q, want none", lookup(t, message.one(t), "body"))
		}
	})
}

// recordAndEcho records events and echoes messages.
func recordAndEcho(r *recorder) function {
	r.next = echo
	return r.Invoke
}

func TestIDs(t *testing.T) {
	shape := regexp.MustCompile(`^[A-Za-z0-9_-]{14}[AEIMQUYcgkosw048]=$`)
	var message recorder
	message.next = echo
	g := newGateway(t, api(routes("$default", gatewaytest.Route{Integration: &message, RouteResponse: true})))
	c := dial(t, g, "/v1")
	const messages = 200
	for range messages {
		send(t, c, "x")
		receive(t, c)
	}
	bytesOf := func(id string) []byte {
		b, err := base64.URLEncoding.DecodeString(id)
		if err != nil || !shape.MatchString(id) || len(b) != 11 {
			t.Fatalf("G-EVENT-6: id %q is malformed", id)
		}
		return b
	}
	seen := make(map[string]bool)
	var last string
	for _, e := range message.all() {
		get := func(key string) string { return lookup(t, e, "requestContext", key).(string) }
		connection, id, request := bytesOf(get("connectionId")), bytesOf(get("messageId")), bytesOf(get("requestId"))
		if connection[8] != 2 || !bytes.Equal(connection[8:], id[8:]) {
			t.Fatalf("G-EVENT-6: connection id % x and message id % x have different suffixes", connection, id)
		}
		if request[8] != 5 {
			t.Fatalf("G-EVENT-6: request id % x does not end in 05 .. ..", request)
		}
		if get("requestId") != get("extendedRequestId") {
			t.Fatal("G-EVENT-5: requestId and extendedRequestId differ")
		}
		if lead := string(id[:4]); lead < last {
			t.Fatal("G-EVENT-6: the leading bytes decreased")
		} else {
			last = lead
		}
		for _, one := range []string{get("messageId"), get("requestId")} {
			if seen[one] {
				t.Fatalf("id %s is not unique", one)
			}
			seen[one] = true
		}
	}
	if strings.Contains(g.Connections()[0].ConnectionID, "+") {
		t.Error("no id needed the URL-safe alphabet")
	}
}
