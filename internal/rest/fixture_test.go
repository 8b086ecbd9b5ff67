package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/versions"
)

// errInside stands for an internal failure. Its text must not reach clients.
var errInside = errors.New("canary-inside: arn of a table, AccessDenied")

const script = "export const connect = () => 'live';\n"

// fixture is the API around a real hub with a memory store and real tokens.
type fixture struct {
	t        testing.TB
	store    *failingStore
	hub      *hub.Hub
	issuer   *issuer.Issuer
	now      time.Time
	log      bytes.Buffer
	api      http.Handler
	guests   int
	verifier *auth.Verifier
	watch    versions.Watch // of the operators' paths
}

// failingStore is a store in which methods can fail.
type failingStore struct {
	*memstore.Store
	errs      map[string]error // by method
	reads     int              // calls of Items
	beforePut func()           // nil: nothing
}

func (f *failingStore) PutTicket(ctx context.Context, ticket hub.Ticket) error {
	if err := f.errs["PutTicket"]; err != nil {
		return err
	}
	return f.Store.PutTicket(ctx, ticket)
}

func (f *failingStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if err := f.errs["Revocation"]; err != nil {
		return time.Time{}, err
	}
	return f.Store.Revocation(ctx, holder)
}

func (f *failingStore) Revoke(ctx context.Context, holder string, at time.Time) error {
	if err := f.errs["Revoke"]; err != nil {
		return err
	}
	return f.Store.Revoke(ctx, holder, at)
}

func (f *failingStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	f.reads++
	if err := f.errs["Items"]; err != nil {
		return nil, err
	}
	return f.Store.Items(ctx, skus)
}

func (f *failingStore) PutItem(ctx context.Context, item hub.Item, prev int64) error {
	if f.beforePut != nil {
		f.beforePut()
	}
	if err := f.errs["PutItem"]; err != nil {
		return err
	}
	return f.Store.PutItem(ctx, item, prev)
}

func (f *failingStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	if err := f.errs["PutCarts"]; err != nil {
		return err
	}
	if err := f.Store.PutCarts(ctx, carts, receipt, sessions...); err != nil {
		return err
	}
	return f.errs["answer of PutCarts"]
}

func newFixture(t testing.TB) *fixture { return newLimitedFixture(t, "") }

func newLimitedFixture(t testing.TB, limits string) *fixture {
	t.Helper()
	f := &fixture{t: t, now: time.UnixMilli(1_800_000_000_000).UTC()}
	clock := func() time.Time { return f.now }
	memory := memstore.New("k3")
	f.store = &failingStore{Store: memory, errs: map[string]error{}}
	l, err := hub.ParseLimits(limits)
	if err != nil {
		t.Fatal(err)
	}
	f.hub = hub.New(f.store, nil, clock).WithCartsFrom(memory.FirstCartVersion).WithLimits(l)
	if f.issuer, err = issuer.New("https://cognito.test/pool_1"); err != nil {
		t.Fatal(err)
	}
	f.use(f.issuer.Client(), rest.Options{Script: []byte(script)})
	return f
}

// use makes the API with options, and with a client that fetches the issuer's keys.
func (f *fixture) use(client *http.Client, o rest.Options) {
	f.t.Helper()
	var err error
	f.verifier, err = auth.New(auth.Config{
		Issuer: f.issuer.Issuer(), JWKSURL: f.issuer.JWKSURL(), HTTPClient: client,
		ClientIDs: []string{issuer.ClientID}, AdminGroup: issuer.AdminGroup, VendorGroup: issuer.VendorGroup,
		GuestKeys:  [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		AddressKey: []byte("an-address-key-an-address-key-32"),
		Now:        func() time.Time { return f.now },
	})
	if err != nil {
		f.t.Fatal(err)
	}
	o.NewGuestID = func() (string, error) { f.guests++; return fmt.Sprintf("g%d", f.guests), nil }
	f.api = rest.New(f.hub, f.verifier, o, slog.New(slog.NewTextHandler(&f.log, nil)))
}

// token returns a token of a user. A role may have a vendor: "vendor acme".
func (f *fixture) token(user, role string) string {
	f.t.Helper()
	name, vendor, _ := strings.Cut(role, " ")
	if name == "guest" {
		token, _, err := f.verifier.SignGuest(user)
		if err != nil {
			f.t.Fatal(err)
		}
		return token
	}
	token, _, err := f.issuer.Token(issuer.Claims{User: user, Role: hub.Role(name), Vendor: vendor, Now: f.now})
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

func (f *fixture) stock(sku string, available int, vendor string) {
	f.t.Helper()
	if _, err := f.hub.PutStock(context.Background(), sku, hub.StockChange{
		Available: &available, Vendor: &vendor,
	}); err != nil {
		f.t.Fatal(err)
	}
}

// call sends a request. headers are names and values in turn.
func (f *fixture) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "api.shop.test"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "canary") {
		f.t.Errorf("%s %s: got %s, which has internal text", method, path, w.Body)
	}
	return w
}

// as returns the header with a token.
func as(token string) []string { return []string{"Authorization", "Bearer " + token} }

// want fails unless an answer has a status and a body.
func want(t testing.TB, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("\n got %d %s\nwant %d %s", w.Code, w.Body, status, body)
	}
}

// wantProblem fails unless an answer is a problem document with a status and a code.
func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var p struct {
		Title, Code, Detail string
		Status              int
	}
	err := json.Unmarshal(w.Body.Bytes(), &p)
	if err != nil || w.Code != status || p.Status != status || p.Code != code || p.Title != http.StatusText(status) ||
		p.Detail == "" {
		t.Errorf("got %d %s, %v, want %d %s", w.Code, w.Body, err, status, code)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if challenge := w.Header().Get("WWW-Authenticate"); (challenge == "Bearer") != (status == http.StatusUnauthorized) {
		t.Errorf("%d has the challenge %q", status, challenge)
	}
}
