package handler_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// eventDir holds events as API Gateway sends them.
const eventDir = "../../testdata/events"

// connectedAt is when the connections of those events were made.
var connectedAt = time.UnixMilli(1738923050003).UTC()

// errInside stands for what goes wrong behind the hub. Nobody outside may read it.
var errInside = errors.New("canary-inside: arn of a table, AccessDenied")

// bench is the handlers around a real hub on a memory store, with real
// tokens. It is for one goroutine.
type bench struct {
	t        testing.TB
	store    *faults
	poster   *recorder
	hub      *hub.Hub
	issuer   *issuer.Issuer
	verifier *auth.Verifier
	now      time.Time
	log      bytes.Buffer
	guests   int
	noGuest  error // instead of a guest id
	changes  []hub.Change

	authorize, connect, disconnect, message, broadcast, tickets lambda.Handler
	metrics                                                     *logs.Metrics
	report                                                      *hub.Report // of the last broadcast
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, now: connectedAt.Add(10 * time.Minute), poster: &recorder{}}
	clock := func() time.Time { return b.now }
	b.store = &faults{Store: memstore.New(memstore.Options{
		Epoch: "k3", OnCommit: func(c hub.Change) { b.changes = append(b.changes, c) },
	}), fail: map[string]error{}}
	b.hub = hub.New(b.store, b.poster, clock)
	var err error
	if b.issuer, err = issuer.New("https://cognito.test/pool_1"); err != nil {
		t.Fatal(err)
	}
	b.verifier = b.newVerifier(b.issuer.Client())
	log := b.logger()
	b.metrics = logs.NewMetrics(log, "Test", "function")
	b.connect = lambda.NewHandler(handler.Connect(b.hub, "", b.metrics.Connected, log))
	b.disconnect = lambda.NewHandler(handler.Disconnect(b.hub, b.metrics.Disconnected, log))
	b.broadcast = lambda.NewHandler(handler.Broadcast(
		b.hub, handler.BroadcastOptions{Observe: b.observe, Healed: b.metrics.Healed}, log,
	))
	b.trust(b.verifier)
	return b
}

// logger writes everything that is logged into the bench's log.
func (b *bench) logger() *slog.Logger {
	return logs.New(&b.log, slog.LevelDebug)
}

func (b *bench) observe(ctx context.Context, r hub.Report) {
	b.report = &r
	b.metrics.Broadcast(ctx, r)
}

func (b *bench) newVerifier(client *http.Client) *auth.Verifier {
	b.t.Helper()
	v, err := auth.New(auth.Config{
		Issuer: b.issuer.Issuer(), JWKSURL: b.issuer.JWKSURL(), HTTPClient: client,
		ClientIDs: []string{issuer.ClientID},
		GuestKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		Now:       func() time.Time { return b.now },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// trust makes the handlers check tokens with v.
func (b *bench) trust(v handler.Verifier) {
	newGuestID := func() (string, error) {
		b.guests++
		return fmt.Sprintf("g%d", b.guests), b.noGuest
	}
	b.authorize = lambda.NewHandler(handler.Authorize(
		b.hub, v, handler.AuthorizeOptions{NewGuestID: newGuestID}, b.logger(),
	))
	b.tickets = lambda.NewHandler(handler.Tickets(b.hub, v, rand.Text, b.logger()))
	b.message = lambda.NewHandler(handler.Message(b.hub, v, handler.MessageOptions{Shorthand: true}, b.logger()))
}

// offline is a transport that reaches nobody.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// loseKeys makes the keys of user tokens unreachable.
func (b *bench) loseKeys() { b.trust(b.newVerifier(&http.Client{Transport: offline{}})) }

// faults is a store whose methods fail when told.
type faults struct {
	*memstore.Store
	fail  map[string]error // by method
	topic map[hub.Topic]error
}

func (f *faults) PutConnection(ctx context.Context, c hub.Connection) error {
	return orDo(f.fail["PutConnection"], func() error { return f.Store.PutConnection(ctx, c) })
}

func (f *faults) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := f.fail["Connection"]; err != nil {
		return hub.Connection{}, err
	}
	return f.Store.Connection(ctx, id)
}

func (f *faults) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	return orDo(f.fail["Subscribe"], func() error { return f.Store.Subscribe(ctx, c, topics) })
}

func (f *faults) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) error {
	return orDo(f.fail["Unsubscribe"], func() error { return f.Store.Unsubscribe(ctx, id, topics) })
}

func (f *faults) EndConnection(ctx context.Context, id string, now time.Time) error {
	return orDo(f.fail["EndConnection"], func() error { return f.Store.EndConnection(ctx, id, now) })
}

func (f *faults) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	return orDo(f.fail["Forget"], func() error { return f.Store.Forget(ctx, id, topics...) })
}

func (f *faults) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if err := f.fail["MarkStale"]; err != nil {
		return slices.Repeat([]error{err}, len(missed))
	}
	return f.Store.MarkForRetry(ctx, missed, now)
}

func (f *faults) RetryMarks(ctx context.Context, limit int) ([]hub.RetryMark, error) {
	if err := f.fail["Stale"]; err != nil {
		return nil, err
	}
	return f.Store.RetryMarks(ctx, limit)
}

func (f *faults) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	return orDo(f.fail["PutCarts"], func() error { return f.Store.PutCarts(ctx, carts, r) })
}

func (f *faults) PutTicket(ctx context.Context, ticket hub.Ticket) error {
	return orDo(f.fail["PutTicket"], func() error { return f.Store.PutTicket(ctx, ticket) })
}

func (f *faults) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	if err := f.fail["TakeTicket"]; err != nil {
		return hub.Ticket{}, err
	}
	return f.Store.TakeTicket(ctx, hash)
}

func (f *faults) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if err := f.fail["Owner"]; err != nil {
		return hub.Holder{}, err
	}
	return f.Store.Holder(ctx, id, after, limit)
}

func (f *faults) Revoke(ctx context.Context, owner string, at time.Time) error {
	return orDo(f.fail["Revoke"], func() error { return f.Store.Revoke(ctx, owner, at) })
}

func (f *faults) Epoch(ctx context.Context) (string, error) {
	if err := f.fail["Epoch"]; err != nil {
		return "", err
	}
	return f.Store.Epoch(ctx)
}

func (f *faults) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := f.fail["Items"]; err != nil {
		return nil, err
	}
	return f.Store.Items(ctx, skus)
}

func (f *faults) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := f.fail["Cart"]; err != nil {
		return hub.Cart{}, err
	}
	return f.Store.Cart(ctx, id)
}

func (f *faults) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := f.topic[t]; err != nil {
		return nil, "", err
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

// orDo is the error, if there is one, and what do returns otherwise.
func orDo(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

// recorder is a poster that keeps what it was given.
type recorder struct {
	answer func(hub.Post) error // nil: all are accepted
	sent   []string             // "connection message", in order
}

func (r *recorder) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, p := range posts {
		if r.answer != nil {
			errs[i] = r.answer(p)
		}
		if errs[i] == nil {
			r.sent = append(r.sent, p.ConnectionID+" "+string(p.Data))
		}
	}
	return errs
}

func (r *recorder) Disconnect(context.Context, string, string) error { return nil }

// stored is an event of eventDir, changed.
func stored(t testing.TB, name string, change func(event map[string]any)) []byte {
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

// in is an object inside of an event; it is made if it is not there.
func in(event map[string]any, name string) map[string]any {
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

// invocation is the context that the runtime client gives to a handler.
func invocation(ctx context.Context) context.Context {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	//lint:ignore SA1029 the runtime client uses a plain string
	return context.WithValue(ctx, "x-amzn-trace-id", "Root="+traceID+";Parent=53995c3f42cd8ad8;Sampled=1")
}

// call gives an event to a handler, as JSON, and reads its answer.
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

// handshake is an event for the authorizer with these headers and parameters.
func handshake(t testing.TB, headers, query map[string]string) []byte {
	t.Helper()
	return stored(t, "authorizer-plain", func(e map[string]any) {
		for name, value := range headers {
			in(e, "headers")[name] = value
			in(e, "multiValueHeaders")[name] = []string{value}
		}
		for name, value := range query {
			in(e, "queryStringParameters")[name] = value
			in(e, "multiValueQueryStringParameters")[name] = []string{value}
		}
	})
}

type policy = events.APIGatewayCustomAuthorizerResponse

// identity lets a handshake pass that has to, and returns who it is. The two other
// things that a context has are in TestAuthorizeTellsIssueAndAddress.
func (b *bench) identity(headers, query map[string]string) policy {
	p := b.allowed(headers, query)
	delete(p.Context, "address")
	delete(p.Context, "issued")
	return p
}

// allowed lets a handshake pass that has to.
func (b *bench) allowed(headers, query map[string]string) policy {
	b.t.Helper()
	p, err := call[policy](b.t, b.authorize, handshake(b.t, headers, query))
	if err != nil {
		b.t.Fatalf("authorize: %v, want it allowed", err)
	}
	return p
}

// offering is the header of a client that has a token.
func offering(token string) map[string]string {
	return map[string]string{"Sec-WebSocket-Protocol": wire.Subprotocol + ", bearer." + token}
}

// conn is a connection: what API Gateway remembers of it.
type conn struct {
	b          *bench
	id         string
	authorizer map[string]any
}

// open connects: the authorizer's answer goes to $connect, as in the service.
func (b *bench) open(id string, headers map[string]string) *conn {
	b.t.Helper()
	p := b.allowed(headers, nil)
	c := &conn{b: b, id: id, authorizer: map[string]any{"principalId": p.PrincipalID}}
	maps.Copy(c.authorizer, p.Context)
	response, err := call[events.APIGatewayProxyResponse](b.t, b.connect, stored(b.t, "connect", func(e map[string]any) {
		c.mark(e)
		in(in(e, "requestContext"), "authorizer")["integrationLatency"] = 12
		for name, value := range headers {
			in(e, "headers")[name] = value
			in(e, "multiValueHeaders")[name] = []string{value}
		}
	}))
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("connect %s: got %d, %v, want 200", id, response.StatusCode, err)
	}
	return c
}

// mark makes an event one of this connection.
func (c *conn) mark(event map[string]any) {
	r := in(event, "requestContext")
	r["connectionId"] = c.id
	r["authorizer"] = maps.Clone(c.authorizer)
}

// raw sends a message and returns the answer's text.
func (c *conn) raw(text string) string {
	c.b.t.Helper()
	response, err := call[events.APIGatewayProxyResponse](c.b.t, c.b.message, stored(c.b.t, "message", func(
		e map[string]any,
	) {
		c.mark(e)
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
	return response.Body
}

// answer is any message of the server.
type answer struct {
	Type         string
	ID           json.RawMessage
	Key          string
	Code         wire.Code
	Message      string
	Retry        bool
	ConnectionID string
	Epoch        string
	User         string
	Role         string
	Vendor       string
	Expires      int64
	Notice       wire.Code
	GuestToken   string
	Topics       map[string]json.RawMessage
	Refused      map[string]wire.Code
	From         int64
	Version      int64
	Lines        map[string]*wire.Line
	Limits       wire.Limits
	Usage        []string
}

// say sends a message and reads the answer, which is one JSON object.
func (c *conn) say(text string) answer {
	c.b.t.Helper()
	body := c.raw(text)
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Type == "" {
		c.b.t.Fatalf("%s: got %s, %v, want one JSON object with a type", text, body, err)
	}
	return a
}

// refused sends a message that has to be answered with an error of that code.
func (c *conn) refused(text string, want wire.Code) answer {
	c.b.t.Helper()
	a := c.say(text)
	if a.Type != "error" || a.Code != want {
		c.b.t.Errorf("%s: got %s %s (%s), want error %s", text, a.Type, a.Code, a.Message, want)
	}
	return a
}

// taken sends a message that has to be answered with that type.
func (c *conn) taken(text, want string) answer {
	c.b.t.Helper()
	a := c.say(text)
	if a.Type != want {
		c.b.t.Fatalf("%s: got %s %s (%s), want %s", text, a.Type, a.Code, a.Message, want)
	}
	return a
}

// row is what the store has of a connection.
func (b *bench) row(id string) hub.Connection {
	b.t.Helper()
	c, err := b.store.Store.Connection(b.t.Context(), id)
	if err != nil {
		b.t.Fatalf("row of %s: %v", id, err)
	}
	return c
}

// wantNoRow: nothing is recorded of a connection.
func (b *bench) wantNoRow(id string) {
	b.t.Helper()
	if c, err := b.store.Store.Connection(b.t.Context(), id); !errors.Is(err, hub.ErrGone) {
		b.t.Errorf("row of %s: got %+v, %v, want none", id, c, err)
	}
}

// cart is what the store has of a cart.
func (b *bench) cart(id string) hub.Cart {
	b.t.Helper()
	c, err := b.store.Store.Cart(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// stock sets a figure.
func (b *bench) stock(sku string, available int) {
	b.t.Helper()
	if _, err := b.hub.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available}); err != nil {
		b.t.Fatal(err)
	}
}

// revoke takes back what a user was given so far, as the shop does.
func (b *bench) revoke(user string) {
	b.t.Helper()
	if _, err := b.broadcast.Invoke(invocation(b.t.Context()), fmt.Appendf(nil, `{"revoke":%q}`, user)); err != nil {
		b.t.Fatal(err)
	}
}

// token signs a user token. Its time is the bench's.
func (b *bench) token(c issuer.Claims) string {
	b.t.Helper()
	c.Now = b.now
	token, _, err := b.issuer.Token(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// guestToken signs a guest token that lasts 30 days from now.
func (b *bench) guestToken(id string) string {
	b.t.Helper()
	token, _, err := b.verifier.SignGuest(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// expired makes a token with sign and lets more than its life pass. The clock
// stays where it was.
func (b *bench) expired(life time.Duration, sign func() string) string {
	b.t.Helper()
	now := b.now
	b.now = now.Add(-life - time.Hour)
	token := sign()
	b.now = now
	return token
}

func (b *bench) expiredUser(user string) string {
	b.t.Helper()
	return b.expired(issuer.DefaultTTL, func() string { return b.token(issuer.Claims{User: user}) })
}

func (b *bench) expiredGuest(id string) string {
	b.t.Helper()
	return b.expired(auth.DefaultGuestTTL, func() string { return b.guestToken(id) })
}

// logged are the records of the log so far that have the message.
func (b *bench) logged(message string) []map[string]any {
	b.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(b.log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			b.t.Fatalf("log: %v: %s", err, line)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}
