package handler_test

import (
	"bytes"
	"context"
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
	"github.com/securecart/hub/internal/schematest"
	"github.com/securecart/hub/internal/wire"
)

// eventDir holds events as API Gateway sends them.
const eventDir = "../../testdata/events"

// connectedAt is the time of connection in those events.
var connectedAt = time.UnixMilli(1738923050003).UTC()

// errInside stands for an internal failure. Its text must not reach clients.
var errInside = errors.New("canary-inside: arn of a table, AccessDenied")

// fixture is the handlers around a real hub with a memory store and real tokens. It
// is not safe for concurrent use.
type fixture struct {
	t          testing.TB
	store      *failingStore
	poster     *postRecorder
	hub        *hub.Hub
	issuer     *issuer.Issuer
	verifier   *auth.Verifier
	now        time.Time
	log        bytes.Buffer
	guests     int
	guestIDErr error // returned instead of a guest id
	changes    []hub.Change

	authorize, connect, disconnect, message, broadcast lambda.Handler
	metrics                                            *logs.Metrics
	report                                             *hub.Report // of the last broadcast
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	b := &fixture{t: t, now: connectedAt.Add(10 * time.Minute), poster: &postRecorder{t: t}}
	clock := func() time.Time { return b.now }
	memory := memstore.New("k3")
	memory.Follow(func(c hub.Change) { b.changes = append(b.changes, c) })
	b.store = &failingStore{Store: memory, errs: map[string]error{}}
	b.hub = hub.New(b.store, b.poster, clock).WithCartsFrom(memory.FirstCartVersion)
	var err error
	if b.issuer, err = issuer.New("https://cognito.test/pool_1"); err != nil {
		t.Fatal(err)
	}
	b.verifier = b.newVerifier(b.issuer.Client())
	log := b.logger()
	b.metrics = logs.NewMetrics(log, "Test", "function")
	b.connect = lambda.NewHandler(handler.Connect(b.hub, handler.ConnectOptions{
		OnConnect: b.metrics.Connected, OnRefused: b.metrics.Refused,
	}, log))
	b.disconnect = lambda.NewHandler(handler.Disconnect(b.hub, b.metrics.Disconnected, log))
	b.broadcast = lambda.NewHandler(handler.Broadcast(
		b.hub, handler.BroadcastOptions{OnBatch: b.observe, OnHeal: b.metrics.Healed}, log,
	))
	b.useVerifier(b.verifier)
	return b
}

// logger returns a logger that writes to the log of the fixture.
func (b *fixture) logger() *slog.Logger {
	return logs.New(&b.log, slog.LevelDebug)
}

func (b *fixture) observe(ctx context.Context, r hub.Report) {
	b.report = &r
	b.metrics.Broadcast(ctx, r)
}

func (b *fixture) newVerifier(client *http.Client) *auth.Verifier {
	b.t.Helper()
	v, err := auth.New(auth.Config{
		Issuer: b.issuer.Issuer(), JWKSURL: b.issuer.JWKSURL(), HTTPClient: client,
		ClientIDs:  []string{issuer.ClientID},
		AdminGroup: issuer.AdminGroup, VendorGroup: issuer.VendorGroup,
		GuestKeys:  [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		AddressKey: []byte("an-address-key-an-address-key-32"),
		Now:        func() time.Time { return b.now },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// useVerifier makes handlers that verify tokens with v.
func (b *fixture) useVerifier(v handler.Verifier) {
	newGuestID := func() (string, error) {
		b.guests++
		return fmt.Sprintf("g%d", b.guests), b.guestIDErr
	}
	b.authorize = lambda.NewHandler(handler.Authorize(
		b.hub, v, handler.AuthorizeOptions{
			NewGuestID: newGuestID, OnRefused: b.metrics.Refused, OnDowngraded: b.metrics.Downgraded,
		}, b.logger(),
	))
	b.message = lambda.NewHandler(handler.Message(b.hub, v, handler.MessageOptions{Shorthand: true}, b.logger()))
}

// forgetEpoch lets the hub read the epoch again.
func (b *fixture) forgetEpoch() { b.now = b.now.Add(hub.EpochAge + time.Millisecond) }

// offline is a transport that cannot connect.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// loseKeys makes the keys of user tokens unreachable.
func (b *fixture) loseKeys() { b.useVerifier(b.newVerifier(&http.Client{Transport: offline{}})) }

// failingStore is a store in which methods can fail.
type failingStore struct {
	*memstore.Store
	errs      map[string]error // by method
	topicErrs map[hub.Topic]error
}

func (f *failingStore) PutConnection(ctx context.Context, c hub.Connection) error {
	return firstError(f.errs["PutConnection"], func() error { return f.Store.PutConnection(ctx, c) })
}

func (f *failingStore) Connection(ctx context.Context, id string) (hub.Connection, error) {
	if err := f.errs["Connection"]; err != nil {
		return hub.Connection{}, err
	}
	return f.Store.Connection(ctx, id)
}

func (f *failingStore) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	if err := f.errs["Subscribe"]; err != nil {
		return hub.Connection{}, err
	}
	return f.Store.Subscribe(ctx, c, topics)
}

func (f *failingStore) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (int64, error) {
	if err := f.errs["Unsubscribe"]; err != nil {
		return 0, err
	}
	return f.Store.Unsubscribe(ctx, id, topics)
}

func (f *failingStore) EndConnection(ctx context.Context, id string, now time.Time, spare int) error {
	return firstError(f.errs["EndConnection"], func() error { return f.Store.EndConnection(ctx, id, now, spare) })
}

func (f *failingStore) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	if err := f.errs["ConnectionsOf"]; err != nil {
		return nil, err
	}
	return f.Store.ConnectionsOf(ctx, ids)
}

func (f *failingStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	return firstError(f.errs["Forget"], func() error { return f.Store.Forget(ctx, id, topics...) })
}

func (f *failingStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if err := f.errs["MarkForRetry"]; err != nil {
		return slices.Repeat([]error{err}, len(missed))
	}
	return f.Store.MarkForRetry(ctx, missed, now)
}

func (f *failingStore) MarkOf(ctx context.Context, id string) (hub.RetryMark, error) {
	if err := f.errs["MarkOf"]; err != nil {
		return hub.RetryMark{}, err
	}
	return f.Store.MarkOf(ctx, id)
}

func (f *failingStore) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if err := f.errs["RetryMarks"]; err != nil {
		return nil, "", err
	}
	return f.Store.RetryMarks(ctx, after, limit)
}

func (f *failingStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	return firstError(f.errs["PutCarts"], func() error { return f.Store.PutCarts(ctx, carts, r, sessions...) })
}

func (f *failingStore) PutTicket(ctx context.Context, ticket hub.Ticket) error {
	return firstError(f.errs["PutTicket"], func() error { return f.Store.PutTicket(ctx, ticket) })
}

func (f *failingStore) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	if err := f.errs["TakeTicket"]; err != nil {
		return hub.Ticket{}, err
	}
	return f.Store.TakeTicket(ctx, hash)
}

func (f *failingStore) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	if err := f.errs["Holder"]; err != nil {
		return hub.Holder{}, err
	}
	return f.Store.Holder(ctx, id, after, limit)
}

func (f *failingStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if err := f.errs["Revocation"]; err != nil {
		return time.Time{}, err
	}
	return f.Store.Revocation(ctx, holder)
}

func (f *failingStore) Revoke(ctx context.Context, owner string, at time.Time) error {
	return firstError(f.errs["Revoke"], func() error { return f.Store.Revoke(ctx, owner, at) })
}

func (f *failingStore) Epoch(ctx context.Context) (hub.Epoch, error) {
	if err := f.errs["Epoch"]; err != nil {
		return hub.Epoch{}, err
	}
	return f.Store.Epoch(ctx)
}

func (f *failingStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if err := f.errs["Items"]; err != nil {
		return nil, err
	}
	return f.Store.Items(ctx, skus)
}

func (f *failingStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	if err := f.errs["Cart"]; err != nil {
		return hub.Cart{}, err
	}
	return f.Store.Cart(ctx, id)
}

func (f *failingStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := f.topicErrs[t]; err != nil {
		return nil, "", err
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

// firstError returns err or, if it is nil, the result of do.
func firstError(err error, do func() error) error {
	if err != nil {
		return err
	}
	return do()
}

// postRecorder is a poster that records its posts.
type postRecorder struct {
	t      testing.TB
	answer func(hub.Post) error // nil: all are accepted
	sent   []string             // "connection message", in order
}

func (r *postRecorder) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, p := range posts {
		if err := schematest.CheckAnswer(p.Data); err != nil {
			r.t.Errorf("posted %s: %v", p.Data, err)
		}
		if r.answer != nil {
			errs[i] = r.answer(p)
		}
		if errs[i] == nil {
			r.sent = append(r.sent, p.ConnectionID+" "+string(p.Data))
		}
	}
	return errs
}

func (r *postRecorder) Disconnect(context.Context, string, string) error { return nil }

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

// row returns the stored connection.
func (b *fixture) row(id string) hub.Connection {
	b.t.Helper()
	c, err := b.store.Store.Connection(b.t.Context(), id)
	if err != nil {
		b.t.Fatalf("row of %s: %v", id, err)
	}
	return c
}

// wantNoRow checks that a connection is not stored.
func (b *fixture) wantNoRow(id string) {
	b.t.Helper()
	if c, err := b.store.Store.Connection(b.t.Context(), id); !errors.Is(err, hub.ErrGone) {
		b.t.Errorf("row of %s: got %+v, %v, want none", id, c, err)
	}
}

// cart returns the stored cart.
func (b *fixture) cart(id string) hub.Cart {
	b.t.Helper()
	c, err := b.store.Store.Cart(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// stock sets the stock of a SKU.
func (b *fixture) stock(sku string, available int) {
	b.t.Helper()
	if _, err := b.hub.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available}); err != nil {
		b.t.Fatal(err)
	}
}

// revoke ends the sessions of a user, as the shop does.
func (b *fixture) revoke(user string) {
	b.t.Helper()
	if _, err := b.broadcast.Invoke(invocation(b.t.Context()), fmt.Appendf(nil, `{"revoke":%q}`, user)); err != nil {
		b.t.Fatal(err)
	}
}

// token signs a user token at the time of the fixture.
func (b *fixture) token(c issuer.Claims) string {
	b.t.Helper()
	c.Now = b.now
	token, _, err := b.issuer.Token(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// guestToken signs a guest token that lasts 30 days from now.
func (b *fixture) guestToken(id string) string {
	b.t.Helper()
	token, _, err := b.verifier.SignGuest(id)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// expired signs a token with a clock so far in the past that the token has expired
// now.
func (b *fixture) expired(life time.Duration, sign func() string) string {
	b.t.Helper()
	now := b.now
	b.now = now.Add(-life - time.Hour)
	token := sign()
	b.now = now
	return token
}

func (b *fixture) expiredUser(user string) string {
	b.t.Helper()
	return b.expired(issuer.DefaultTTL, func() string { return b.token(issuer.Claims{User: user}) })
}

func (b *fixture) expiredGuest(id string) string {
	b.t.Helper()
	return b.expired(auth.DefaultGuestTTL, func() string { return b.guestToken(id) })
}

// logged returns the records of the log with that message.
func (b *fixture) logged(message string) []map[string]any {
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
