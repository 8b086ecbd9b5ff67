package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/versions"
)

// TestFaultyGateway: posts fail and are slow, messages are lost with their connections. No
// watcher sees an older version, all end with the newest one, and each add counts once.
func TestFaultyGateway(t *testing.T) {
	faults := gatewaytest.Faults{
		ThrottleEvery: 3, ErrorEvery: 7, GoneEvery: 50, SlowEvery: 11, SlowBy: 200 * time.Millisecond,
		LoseDisconnectEvery: 2, DropEvery: 13,
	}
	inHouse(t, house.Options{Gateway: house.Gateway{Faults: &faults}}, func(t *testing.T, h *house.House) {
		ctx, stop := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		clients := make([]*client.Client, 5)
		for i := range clients {
			c := connect(t, h, client.Options{Token: as(h, "alice")})
			defer c.Close()
			clients[i] = c
			watching.Go(func() {
				last := int64(0)
				for s := range c.Watch(ctx, "sku:MUG") {
					if s.Badge != nil && s.Badge.Version < last {
						t.Errorf("client %d: the version went from %d to %d", i, last, s.Badge.Version)
					} else if s.Badge != nil {
						last = s.Badge.Version
					}
				}
			})
			if err := c.Subscribe(t.Context(), "cart"); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 60 {
			setStock(t, h, "MUG", fmt.Sprint(n%5+1))
			if _, err := clients[n%len(clients)].Add(t.Context(), "CABLE-2M", 1); err != nil {
				t.Fatal(err)
			}
		}
		setStock(t, h, "MUG", "0")
		admin(t, h, http.MethodPost, "/admin/faults", `{}`)
		settle(t, h)
		time.Sleep(10 * time.Minute) // a keep-alive
		synctest.Wait()
		for i, c := range clients {
			mug, cart := c.State("sku:MUG"), c.State("cart")
			if mug.Word != client.Live || mug.Badge.State != "out" {
				t.Errorf("client %d: got %s %+v, want live, out", i, mug.Word, mug.Badge)
			}
			if cart.Word != client.Live || cart.Cart.Lines["CABLE-2M"].Quantity != 60 {
				t.Errorf("client %d: got %s %+v, want 60 pieces", i, cart.Word, cart.Cart)
			}
		}
		stop()
		watching.Wait()
	})
}

// TestSessions: a session is renewed before it expires, and again after it was revoked. Its
// cart stays live.
func TestSessions(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		first, expires, err := h.Token("alice", hub.RoleCustomer, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(expires) - 30*time.Minute)
		asked := 0
		c := connect(t, h, client.Options{Token: func(ctx context.Context, refused client.Code) (string, error) {
			if asked++; asked == 1 {
				return first, nil
			}
			return as(h, "alice")(ctx, refused)
		}})
		defer c.Close()
		if err := c.Subscribe(t.Context(), "cart"); err != nil {
			t.Fatal(err)
		}
		id := h.Connections()[0].ConnectionID
		time.Sleep(time.Hour)
		synctest.Wait()
		if all := h.Connections(); asked != 2 || len(all) != 1 || all[0].ConnectionID != id {
			t.Errorf("the token was asked for %d times, want 2, on one connection", asked)
		}
		admin(t, h, http.MethodPost, "/admin/users/alice/revoke", "")
		time.Sleep(time.Minute)
		if _, err := c.Add(t.Context(), "MUG", 1); err != nil {
			t.Error(err)
		}
		settle(t, h)
		s := c.State("cart")
		if s.Word != client.Live || s.Cart.Lines["MUG"].Quantity != 1 || c.Identity().User != "alice" {
			t.Errorf("after the revocation: got %s %+v of %s", s.Word, s.Cart, c.Identity().User)
		}
	})
}

// TestRefusedHandshake: Connect returns an error that another try would not change.
func TestRefusedHandshake(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		_, err := client.Connect(t.Context(), client.Options{
			Dial: func(ctx context.Context, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
				o.HTTPHeader = http.Header{"Origin": {"https://stranger.example"}}
				return h.Dial(ctx, o)
			},
		})
		var refused *client.HandshakeError
		if !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
			t.Errorf("got %v, want a refused handshake", err)
		}
	})
}

// TestNobodyAnswers: without a server, Connect tries until its context ends.
func TestNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tries := 0
		broken := errors.New("no route")
		_, err := client.Connect(ctx, client.Options{
			Dial: func(context.Context, *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
				tries++
				return nil, nil, broken
			},
		})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, broken) || tries < 4 || tries > 30 {
			t.Errorf("got %v after %d tries", err, tries)
		}
	})
}

// TestRefusedToken: a refused token goes to Report once, and to Token once.
func TestRefusedToken(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		var got []client.Code
		var reports []error
		c := connect(t, h, client.Options{
			Token: func(_ context.Context, refused client.Code) (string, error) {
				got = append(got, refused)
				return "not-a.token.x", nil
			},
			Report: func(err error) { reports = append(reports, err) },
		})
		defer c.Close()
		c.Reconnect()
		time.Sleep(time.Second)
		synctest.Wait()
		var refused *client.Error
		if len(got) != 2 || got[1] != client.CodeTokenBad || c.Identity().Role != "guest" {
			t.Errorf("Token got %v as a %s", got, c.Identity().Role)
		}
		if len(reports) != 2 || !errors.As(reports[0], &refused) || refused.Code != client.CodeTokenBad {
			t.Errorf("Report got %v", reports)
		}
	})
}

// TestDeprecation: Report gets the end of this version of the protocol: first its date, and
// then ErrEnded.
func TestDeprecation(t *testing.T) {
	const sunset = "2000-07-05" // a bubble begins in January 2000
	register, err := versions.Parse("v1: deprecated 1999-12-01, sunset " + sunset + ", successor v2, " +
		"link https://shop.example/v2")
	if err != nil {
		t.Fatal(err)
	}
	inHouse(t, house.Options{Deprecations: register}, func(t *testing.T, h *house.House) {
		var reports []error
		c := connect(t, h, client.Options{Report: func(err error) { reports = append(reports, err) }})
		defer c.Close()
		synctest.Wait()
		var deprecated *client.DeprecationError
		if len(reports) != 1 || !errors.As(reports[0], &deprecated) || deprecated.Sunset != sunset {
			t.Errorf("got %v, want the deprecation", reports)
		}
		admin(t, h, http.MethodPost, "/admin/warp", `{"by":"5000h"}`)
		if _, err := c.Add(t.Context(), "MUG", 1); !errors.Is(err, client.ErrEnded) {
			t.Errorf("after the sunset: got %v", err)
		}
		synctest.Wait()
		if len(h.Connections()) != 0 || !errors.Is(reports[len(reports)-1], client.ErrEnded) {
			t.Errorf("got %d connections, and %v", len(h.Connections()), reports)
		}
	})
}

// TestClosed: after Close, every call returns at once, and so does one that waited.
func TestClosed(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		c := connect(t, h, client.Options{Token: as(h, "alice")})
		admin(t, h, http.MethodPost, "/admin/faults", `{"every":{"drop":1}}`)
		waited := make(chan error)
		go func() {
			_, err := c.Add(context.Background(), "MUG", 1)
			waited <- err
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		go c.Close()
		var uncertain *client.Error
		err := <-waited
		if !errors.As(err, &uncertain) || uncertain.Code != client.CodeUncertain || !errors.Is(err, client.ErrClosed) {
			t.Errorf("got %v of a change that was sent, want uncertain", err)
		}
		c.Close()
		if _, err := c.Add(t.Context(), "MUG", 1); !errors.Is(err, client.ErrClosed) {
			t.Errorf("add: got %v", err)
		}
		if _, err := c.Get(t.Context(), "sku:MUG"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("get: got %v", err)
		}
		if err := c.Subscribe(t.Context(), "sku:MUG"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("subscribe: got %v", err)
		}
		for s := range c.Watch(t.Context(), "sku:MUG") {
			if s.Word != client.Unknown {
				t.Errorf("watch: got %+v", s)
			}
		}
	})
}

// TestTakesBack: a change that was not sent yet is not made if its context ends.
func TestTakesBack(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		c := connect(t, h, client.Options{Token: as(h, "alice")})
		defer c.Close()
		admin(t, h, http.MethodPost, "/admin/faults", `{"every":{"drop":1}}`)
		sent := make(chan error)
		go func() {
			_, err := c.Add(context.Background(), "MUG", 1)
			sent <- err
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Add(ctx, "MUG", 5); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v of a change in line", err)
		}
		admin(t, h, http.MethodPost, "/admin/faults", `{}`)
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if s, err := c.Get(t.Context(), "cart"); err != nil || s.Cart.Lines["MUG"].Quantity != 1 {
			t.Errorf("got %+v, %v, want one mug", s.Cart, err)
		}
	})
}

// TestMergesAGuest: a guest returns with its token, and its cart moves into that of a user.
func TestMergesAGuest(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		guest := connect(t, h, client.Options{})
		if _, err := guest.Add(t.Context(), "MUG", 2); err != nil {
			t.Fatal(err)
		}
		who := guest.Identity()
		guest.Close()
		guest = connect(t, h, client.Options{GuestToken: who.GuestToken})
		if again := guest.Identity(); again.User != who.User {
			t.Errorf("got %s, want the guest %s again", again.User, who.User)
		}
		guest.Close()
		c := connect(t, h, client.Options{Token: as(h, "alice")})
		defer c.Close()
		r, err := c.Merge(t.Context(), who.GuestToken, client.Sum)
		if err != nil || r.Lines["MUG"].Quantity != 2 {
			t.Errorf("got %+v, %v, want 2 mugs", r, err)
		}
	})
}
