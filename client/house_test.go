package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/securecart/hub/client"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// TestMain fails if a goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inHouse runs a test with a hub, in a synctest bubble.
func inHouse(t *testing.T, o house.Options, test func(t *testing.T, h *house.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h, err := house.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, h)
	})
}

// connect connects in memory. The test must close the client.
func connect(t *testing.T, h *house.House, o client.Options) *client.Client {
	t.Helper()
	o.Dial = h.Dial
	c, err := client.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// as returns a Token function of a customer.
func as(h *house.House, user string) func(context.Context, client.Code) (string, error) {
	return func(context.Context, client.Code) (string, error) {
		token, _, err := h.Token(user, hub.RoleCustomer, "")
		return token, err
	}
}

// admin calls the admin API.
func admin(t *testing.T, h *house.House, method, path, body string) {
	t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1:8788"+path, strings.NewReader(body))
	req.RemoteAddr = "127.0.0.1:50000"
	rec := httptest.NewRecorder()
	h.Admin().ServeHTTP(rec, req)
	if rec.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
}

func setStock(t *testing.T, h *house.House, sku, available string) {
	t.Helper()
	admin(t, h, http.MethodPut, "/admin/stock/"+sku, `{"available":`+available+`}`)
}

// settle waits until everything that was written is pushed and read.
func settle(t *testing.T, h *house.House) {
	t.Helper()
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestFollowsStock(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		c := connect(t, h, client.Options{})
		defer c.Close()
		if s := c.State("sku:MUG"); s.Word != client.Unknown {
			t.Errorf("before a subscribe: got %s, want unknown", s.Word)
		}
		err := c.Subscribe(t.Context(), "sku:MUG", "sku:NOPE", "hub")
		var refused *client.Error
		if !errors.As(err, &refused) || c.State("sku:NOPE").Refusal.Code != client.CodeDenied ||
			c.State("hub").Refusal.Code != client.CodeBadTopic {
			t.Errorf("got %v, want the refusals of two topics", err)
		}
		setStock(t, h, "MUG", "3")
		settle(t, h)
		s := c.State("sku:MUG")
		if s.Word != client.Live || s.Badge.State != "low" || *s.Badge.Quantity != 3 {
			t.Errorf("got %s %+v, want live, low, 3", s.Word, s.Badge)
		}
		c.Unsubscribe("sku:MUG")
		synctest.Wait()
		setStock(t, h, "MUG", "0")
		settle(t, h)
		if s := c.State("sku:MUG"); s.Word != client.Unknown || s.Badge != nil {
			t.Errorf("unsubscribed: got %s %+v, want unknown", s.Word, s.Badge)
		}
		if s, err := c.Get(t.Context(), "sku:MUG"); err != nil || s.Badge.State != "out" {
			t.Errorf("get: got %+v, %v, want out", s.Badge, err)
		}
		if s := c.State("sku:MUG"); s.Word != client.Unknown {
			t.Errorf("after a get: got %s, want unknown", s.Word)
		}
		if _, err := c.Get(t.Context(), "vendor:acme"); !errors.As(err, &refused) || refused.Code != client.CodeDenied {
			t.Errorf("get: got %v, want denied", err)
		}
	})
}

func TestOneCartOnTwoDevices(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		phone := connect(t, h, client.Options{Token: as(h, "alice")})
		desk := connect(t, h, client.Options{Token: as(h, "alice")})
		defer phone.Close()
		defer desk.Close()
		if err := desk.Subscribe(t.Context(), "cart"); err != nil {
			t.Fatal(err)
		}
		seen := desk.State("cart").Cart
		r, err := phone.Add(t.Context(), "MUG", 2)
		if err != nil || r.Lines["MUG"].Quantity != 2 {
			t.Fatalf("got %+v, %v", r, err)
		}
		settle(t, h)
		if got := desk.State("cart"); got.Word != client.Live || got.Cart.Lines["MUG"].Quantity != 2 {
			t.Errorf("got %s %+v, want 2 mugs", got.Word, got.Cart)
		}
		var refused *client.Error
		if _, err := desk.Set(t.Context(), map[string]int{"MUG": 5}, seen); !errors.As(err, &refused) ||
			refused.Code != client.CodeConflict || refused.Lines["MUG"].Quantity != 2 {
			t.Errorf("got %v, want a conflict with 2 mugs", err)
		}
		if r, err := desk.Checkout(t.Context(), desk.State("cart").Cart); err != nil || r.Ordered["MUG"] != 2 {
			t.Errorf("got %+v, %v, want 2 mugs ordered", r, err)
		}
	})
}

// TestOutlivesItsConnections: a connection ends after two hours, and another one is cut. The
// value that is watched stays live in the first case, and is stale for a while in the second.
func TestOutlivesItsConnections(t *testing.T) {
	inHouse(t, house.Options{}, func(t *testing.T, h *house.House) {
		c := connect(t, h, client.Options{Token: as(h, "alice")})
		defer c.Close()
		var words []client.Word
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for s := range c.Watch(ctx, "sku:MUG") {
				words = append(words, s.Word)
			}
		}()
		first := ""
		time.Sleep(time.Minute)
		first = h.Connections()[0].ConnectionID
		time.Sleep(2 * time.Hour)
		if all := h.Connections(); len(all) != 1 || all[0].ConnectionID == first {
			t.Errorf("after two hours: got %d connections, want another one", len(all))
		}
		if len(words) != 2 {
			t.Errorf("got %v, want unknown and live: nothing was stale", words)
		}
		admin(t, h, http.MethodDelete, "/admin/connections/"+h.Connections()[0].ConnectionID, "")
		r, err := c.Add(t.Context(), "MUG", 1) // waits in line
		if err != nil || r.Duplicate {
			t.Errorf("got %+v, %v", r, err)
		}
		time.Sleep(time.Minute)
		cancel()
		<-done
		synctest.Wait()
		if want := []client.Word{client.Unknown, client.Live, client.Stale, client.Live}; !slices.Equal(words, want) {
			t.Errorf("got %v, want %v", words, want)
		}
	})
}
