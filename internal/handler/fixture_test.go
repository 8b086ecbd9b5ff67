package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/metrics"
	"github.com/securecart/hub/internal/schematest"
)

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
	metrics                                            metrics.Observer
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
