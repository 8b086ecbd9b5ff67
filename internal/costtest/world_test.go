package costtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/prices"
	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/wire"
)

// world is the hub's functions on tables of an engine, in a bubble. Its clock begins in
// a year in which the engine's TTL deletes nothing.
type world struct {
	t     testing.TB
	meter *meter
	store *dynamostore.Store
	bill  bill
	begun time.Time
	opens int
	bells string // the stream of the table of sweeps

	authorize, connect, disconnect, message, broadcast, rest lambda.Handler
}

var firstDay = time.Date(2099, 3, 1, 12, 0, 0, 0, time.UTC)

// bill is what a scenario costs, beside what the meter counts.
type bill struct {
	depth    int // of all invocations together
	messages int // that API Gateway bills
	posts    int
	dollars  float64 // per million, without DynamoDB
}

// newWorld returns a world without rows.
func newWorld(t testing.TB, endpoint string, o dynamostore.Options) *world {
	bells := "arn:aws:dynamodb:us-east-1:123456789012:table/" + o.SweepTable + "/stream/2099-03-01T00:00:00.000"
	w := &world{t: t, begun: time.Now(), bells: bells}
	w.meter = newMeter(map[string][]string{
		o.HubTable: {"pk", "sk"}, o.InventoryTable: {"sku"}, o.CartTable: {"cart"}, o.SweepTable: {"pk", "sk"},
	})
	client := newClient(endpoint, &http.Client{Transport: w.meter})
	w.store = dynamostore.New(client, o)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := hub.New(w.store, &counter{w}, w.now).WithEnder(&counter{w})
	w.authorize = lambda.NewHandler(handler.Authorize(h, verifier{}, handler.AuthorizeOptions{
		NewGuestID: func() (string, error) { w.opens++; return fmt.Sprintf("%032d", w.opens), nil },
	}, log))
	w.connect = lambda.NewHandler(handler.Connect(h, handler.ConnectOptions{}, log))
	w.disconnect = lambda.NewHandler(handler.Disconnect(h, nil, log))
	w.message = lambda.NewHandler(handler.Message(h, verifier{}, handler.MessageOptions{}, log))
	w.rest = lambda.NewHandler(rest.Lambda(rest.New(h, verifier{}, rest.Options{}, log)))
	crowds := handler.BroadcastOptions{SweepTable: o.SweepTable, Sweeper: h}
	w.broadcast = lambda.NewHandler(handler.Broadcast(h, crowds, log))
	return w
}

func newClient(endpoint string, client *http.Client) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

func (w *world) now() time.Time { return firstDay.Add(time.Since(w.begun)) }

// free does something that is not counted.
func (w *world) free(do func()) {
	before, off := w.bill, w.meter.off
	w.meter.off = true
	do()
	w.bill, w.meter.off = before, off
}

// invoke invokes a function, and bills it.
func (w *world) invoke(function string, h lambda.Handler, event any) []byte {
	w.t.Helper()
	data, err := json.Marshal(event)
	if err != nil {
		w.t.Fatal(err)
	}
	begun, posts := time.Now(), w.bill.posts
	answer, err := h.Invoke(w.t.Context(), data)
	if err != nil {
		w.t.Fatalf("%s: %v", function, err)
	}
	took := time.Since(begun)
	w.bill.depth += int(took / prices.RoundTrip)
	posting := time.Duration(w.bill.posts-posts) * time.Second / prices.PostsPerSecond
	w.bill.dollars += prices.OfInvocation(function, prices.OwnTime+took+posting)
	return answer
}

// pay bills messages to or from clients.
func (w *world) pay(sizes ...int) {
	for _, size := range sizes {
		n := max(1, (size+prices.MessageBytes-1)/prices.MessageBytes)
		w.bill.messages += n
		w.bill.dollars += float64(n) * prices.Message
	}
}

// device is a connection, with the context that API Gateway adds to its events.
type device struct {
	w       *world
	context events.APIGatewayWebsocketProxyRequestContext
}

// open opens a connection, as a new guest if token is "".
func (w *world) open(token string) *device {
	w.t.Helper()
	w.opens++
	d := &device{w: w, context: events.APIGatewayWebsocketProxyRequestContext{
		ConnectionID: fmt.Sprintf("L0SM9cO%08d=", w.opens), ConnectedAt: w.now().UnixMilli(),
		DomainName: "x7k2m9q4t1.execute-api.us-east-1.amazonaws.com", Stage: "v1", RequestID: "JKJaXmPLvHcESHA=",
	}}
	headers := map[string][]string{"Sec-WebSocket-Protocol": {wire.Subprotocol}}
	if token != "" {
		headers["Authorization"] = []string{"Bearer " + token}
	}
	var policy events.APIGatewayCustomAuthorizerResponse
	w.decode(w.invoke("authorize", w.authorize, map[string]any{
		"methodArn": "arn", "multiValueHeaders": headers,
		"requestContext": map[string]any{"identity": map[string]any{"sourceIp": "192.0.2.1"}},
	}), &policy)
	authorizer := map[string]any{"principalId": policy.PrincipalID}
	for name, value := range policy.Context {
		authorizer[name] = value
	}
	d.context.Authorizer = authorizer
	var answer events.APIGatewayProxyResponse
	w.decode(w.invoke("connect", w.connect, d.event("", headers)), &answer)
	if answer.StatusCode != http.StatusOK {
		w.t.Fatalf("$connect answers %d", answer.StatusCode)
	}
	return d
}

func (d *device) event(body string, headers map[string][]string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{RequestContext: d.context, Body: body, MultiValueHeaders: headers}
}

// send sends a message and returns the answer, which must not be an error.
func (d *device) send(format string, args ...any) (answer map[string]any) {
	d.w.t.Helper()
	body := fmt.Sprintf(format, args...)
	var response events.APIGatewayProxyResponse
	d.w.decode(d.w.invoke("message", d.w.message, d.event(body, nil)), &response)
	d.w.decode([]byte(response.Body), &answer)
	if answer["type"] == "error" || answer["refused"] != nil {
		d.w.t.Fatalf("%.200s got %.300s", body, response.Body)
	}
	d.w.pay(len(body), len(response.Body))
	return answer
}

func (d *device) close() {
	d.w.t.Helper()
	d.w.invoke("disconnect", d.w.disconnect, d.event("", nil))
}

// read reads SKUs over HTTP, without a token.
func (w *world) read(skus ...string) {
	w.t.Helper()
	w.bill.dollars += prices.REST
	var answer events.APIGatewayProxyResponse
	w.decode(w.invoke("rest", w.rest, events.APIGatewayProxyRequest{
		HTTPMethod: http.MethodGet, Path: "/v1/stock",
		MultiValueQueryStringParameters: map[string][]string{"sku": skus},
		RequestContext: events.APIGatewayProxyRequestContext{
			Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"},
		},
	}), &answer)
	if answer.StatusCode != http.StatusOK || strings.Contains(answer.Body, "refused") {
		w.t.Fatalf("%d SKUs over HTTP got %d %.300s", len(skus), answer.StatusCode, answer.Body)
	}
}

func (w *world) decode(data []byte, into any) {
	w.t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		w.t.Fatalf("%v: %s", err, data)
	}
}

// stock changes an item without a cost, as the shop does, and then invokes the
// broadcaster with the record.
func (w *world) stock(sku string, from, to int) {
	w.t.Helper()
	image := func(version, available int) map[string]events.DynamoDBAttributeValue {
		number := func(n int64) events.DynamoDBAttributeValue {
			return events.NewNumberAttribute(strconv.FormatInt(n, 10))
		}
		return map[string]events.DynamoDBAttributeValue{
			"sku": events.NewStringAttribute(sku), "version": number(int64(version)), "available": number(int64(available)),
			"lowAt": number(5), "updatedAt": number(w.now().UnixMilli()),
		}
	}
	var event handler.BroadcastEvent
	event.Records = []events.DynamoDBEventRecord{{EventName: "MODIFY", EventSource: "aws:dynamodb"}}
	change := &event.Records[0].Change
	change.Keys = map[string]events.DynamoDBAttributeValue{"sku": events.NewStringAttribute(sku)}
	change.OldImage, change.NewImage, change.SequenceNumber = image(1, from), image(2, to), "300000000000000000142"
	var answer events.DynamoDBEventResponse
	w.decode(w.invoke("broadcast", w.broadcast, event), &answer)
	if len(answer.BatchItemFailures) > 0 {
		w.t.Fatal("the batch failed")
	}
}

// sweep serves the crowds that changes of stock left.
func (w *world) sweep() {
	w.t.Helper()
	w.invoke("broadcast", w.broadcast, handler.BroadcastEvent{DynamoDBEvent: events.DynamoDBEvent{
		Records: []events.DynamoDBEventRecord{{EventName: "INSERT", EventSource: "aws:dynamodb", EventSourceArn: w.bells}},
	}})
}

// skus makes items, and returns their names.
func (w *world) skus(n int) (names []string) {
	w.t.Helper()
	w.free(func() {
		for i := range n {
			names = append(names, fmt.Sprintf("TEE-%05d", i))
			item := hub.Item{SKU: names[i], Version: 1, Available: 100, LowAt: 5, UpdatedAt: w.now()}
			if err := w.store.PutItem(w.t.Context(), item, 0); err != nil && !errors.Is(err, hub.ErrConflict) {
				w.t.Fatal(err)
			}
		}
	})
	return names
}

// counter is a poster that counts posts.
type counter struct{ w *world }

func (p *counter) Post(_ context.Context, posts []hub.Post) []error {
	for _, post := range posts {
		p.w.bill.posts++
		p.w.pay(len(post.Data))
	}
	return make([]error, len(posts))
}

func (p *counter) Disconnect(context.Context, string, string) error {
	return errors.New("no connection floods here")
}

// guestToken begins the tokens of guests.
const guestToken = "guest."

// verifier accepts the name of a user as a token.
type verifier struct{}

func (verifier) Verify(_ context.Context, token string) (hub.Principal, error) {
	p := hub.Principal{User: token, Role: hub.RoleCustomer, Issued: firstDay.Add(-time.Hour)}
	if id, isGuest := strings.CutPrefix(token, guestToken); isGuest {
		p.User, p.Role = hub.GuestUserPrefix+id, hub.RoleGuest
	}
	return p, nil
}

func (verifier) SignGuest(id string) (string, time.Time, error) {
	return guestToken + id, firstDay.Add(30 * 24 * time.Hour), nil
}

func (verifier) HashAddress(string) string { return "K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols" }

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
