package handler_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/securecart/hub/internal/schematest"
	"github.com/securecart/hub/internal/wire"
)

// eventDir holds events as API Gateway sends them.
const eventDir = "../../testdata/events"

// connectedAt is the time of connection in those events.
var connectedAt = time.UnixMilli(1738923050003).UTC()

// storedEvent returns an event of eventDir after a change.
func storedEvent(t testing.TB, name string, change func(event map[string]any)) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(eventDir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(data, &event); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(event)
	}
	if data, err = json.Marshal(event); err != nil {
		t.Fatal(err)
	}
	return data
}

// object returns an object inside an event. It creates one that is missing.
func object(event map[string]any, name string) map[string]any {
	inside, ok := event[name].(map[string]any)
	if !ok {
		inside = map[string]any{}
		event[name] = inside
	}
	return inside
}

// Ids of every invocation.
const (
	requestID = "c6af9ac6-7b61-11e6-9a41-93e812345678"
	traceID   = "1-5759e988-bd862e3fe1be46a994272793"
)

// invocation adds what the runtime client has in the context of a handler.
func invocation(ctx context.Context) context.Context {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	//lint:ignore SA1029 the runtime client uses a plain string
	return context.WithValue(ctx, "x-amzn-trace-id", "Root="+traceID+";Parent=53995c3f42cd8ad8;Sampled=1")
}

// call invokes a handler with an event in JSON and decodes its answer.
func call[A any](t testing.TB, h lambda.Handler, event []byte) (A, error) {
	t.Helper()
	var answer A
	out, err := h.Invoke(invocation(t.Context()), event)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("the handler answered %s: %v", out, err)
	}
	return answer, nil
}

// handshakeEvent returns an event for the authorizer with these headers and
// parameters.
func handshakeEvent(t testing.TB, headers, query map[string]string) []byte {
	t.Helper()
	return storedEvent(t, "authorizer-plain", func(e map[string]any) {
		for name, value := range headers {
			object(e, "headers")[name] = value
			object(e, "multiValueHeaders")[name] = []string{value}
		}
		for name, value := range query {
			object(e, "queryStringParameters")[name] = value
			object(e, "multiValueQueryStringParameters")[name] = []string{value}
		}
	})
}

type policy = events.APIGatewayCustomAuthorizerResponse

// authorizeContext authorizes a handshake that must be allowed. It drops two keys
// of the context, which TestAuthorizeTellsIssueAndAddress checks.
func (b *fixture) authorizeContext(headers, query map[string]string) policy {
	p := b.mustAuthorize(headers, query)
	delete(p.Context, "address")
	delete(p.Context, "issued")
	return p
}

// mustAuthorize authorizes a handshake that must be allowed.
func (b *fixture) mustAuthorize(headers, query map[string]string) policy {
	b.t.Helper()
	p, err := call[policy](b.t, b.authorize, handshakeEvent(b.t, headers, query))
	if err != nil || p.PolicyDocument.Statement[0].Effect != "Allow" {
		b.t.Fatalf("authorize: got %+v, %v, want it allowed", p.PolicyDocument, err)
	}
	return p
}

// tokenHeader returns the header of a client with a token.
func tokenHeader(token string) map[string]string {
	return map[string]string{"Sec-WebSocket-Protocol": wire.Subprotocol + ", bearer." + token}
}

// testConn is a connection as API Gateway remembers it.
type testConn struct {
	b          *fixture
	id         string
	authorizer map[string]any
}

// open connects: it passes the answer of the authorizer to $connect, as API Gateway
// does.
func (b *fixture) open(id string, headers map[string]string) *testConn {
	b.t.Helper()
	p := b.mustAuthorize(headers, nil)
	c := &testConn{b: b, id: id, authorizer: map[string]any{"principalId": p.PrincipalID}}
	maps.Copy(c.authorizer, p.Context)
	response, err := call[events.APIGatewayProxyResponse](b.t, b.connect, storedEvent(b.t, "connect", func(
		e map[string]any,
	) {
		c.setContext(e)
		object(object(e, "requestContext"), "authorizer")["integrationLatency"] = 12
		for name, value := range headers {
			object(e, "headers")[name] = value
			object(e, "multiValueHeaders")[name] = []string{value}
		}
	}))
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("connect %s: got %d, %v, want 200", id, response.StatusCode, err)
	}
	return c
}

// setContext makes an event one of this connection.
func (c *testConn) setContext(event map[string]any) {
	r := object(event, "requestContext")
	r["connectionId"] = c.id
	r["authorizer"] = maps.Clone(c.authorizer)
}

// sendRaw sends a message and returns the text of the answer.
func (c *testConn) sendRaw(text string) string {
	c.b.t.Helper()
	response, err := call[events.APIGatewayProxyResponse](c.b.t, c.b.message, storedEvent(c.b.t, "message", func(
		e map[string]any,
	) {
		c.setContext(e)
		e["body"] = text
	}))
	if err != nil {
		c.b.t.Fatalf("%s: %v, want an answer", text, err)
	}
	if response.StatusCode != http.StatusOK || response.IsBase64Encoded || len(response.Body) > wire.MaxMessage {
		c.b.t.Errorf(
			"%s: got status %d, base64 %t, %d bytes, want 200, text, at most %d", text, response.StatusCode,
			response.IsBase64Encoded, len(response.Body), wire.MaxMessage,
		)
	}
	if strings.Contains(response.Body, "canary-inside") {
		c.b.t.Errorf("%s: internal text reaches the client: %s", text, response.Body)
	}
	isText := wire.IsTyped([]byte(response.Body)) // after "pretty on"
	if err := schematest.CheckAnswer([]byte(response.Body)); err != nil && !isText {
		c.b.t.Errorf("%s: got %s: %v", text, response.Body, err)
	}
	return response.Body
}

// answer has the fields of all messages of the server.
type answer struct {
	Type            string
	ID              json.RawMessage
	Key             string
	Code            wire.Code
	Message         string
	Retry           bool
	ConnectionID    string
	Epoch           string
	User            string
	Role            string
	Vendor          string
	Expires         int64
	ExpiresIn       *int64
	PingEvery       int
	ReconnectWithin int
	Deprecation     *wire.Deprecation
	Notice          wire.Code
	GuestToken      string
	Topics          map[string]json.RawMessage
	Refused         map[string]wire.Code
	From            int64
	Version         int64
	Lines           map[string]*wire.Line
	Limits          wire.Limits
	Usage           []string
}

// send sends a message and decodes the answer, which is one JSON object.
func (c *testConn) send(text string) answer {
	c.b.t.Helper()
	body := c.sendRaw(text)
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Type == "" {
		c.b.t.Fatalf("%s: got %s, %v, want one JSON object with a type", text, body, err)
	}
	return a
}

// wantError sends a message that must be answered with an error of that code.
func (c *testConn) wantError(text string, want wire.Code) answer {
	c.b.t.Helper()
	a := c.send(text)
	if a.Type != "error" || a.Code != want {
		c.b.t.Errorf("%s: got %s %s (%s), want error %s", text, a.Type, a.Code, a.Message, want)
	}
	return a
}

// wantAnswer sends a message that must be answered with that type.
func (c *testConn) wantAnswer(text, want string) answer {
	c.b.t.Helper()
	a := c.send(text)
	if a.Type != want {
		c.b.t.Fatalf("%s: got %s %s (%s), want %s", text, a.Type, a.Code, a.Message, want)
	}
	return a
}
