package gatewaytest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

func TestThrottledHandshakes(t *testing.T) {
	one := gatewaytest.Throttle{Rate: 2, Burst: 3}
	for _, tt := range []struct {
		name string
		api  gatewaytest.API
	}{
		{"G-LIMIT-9 connections", gatewaytest.API{ConnectThrottle: one}},
		{"G-LIMIT-10 account", gatewaytest.API{AccountThrottle: one}},
		{"G-LIMIT-11 stage default", gatewaytest.API{RouteThrottle: one, Routes: routes("$connect", ok200)}},
		{"G-LIMIT-11 route", gatewaytest.API{RouteThrottle: gatewaytest.Throttle{Rate: 1000},
			Routes: map[string]gatewaytest.Route{"$connect": {Throttle: one}}}},
	} {
		t.Run("G-HANDSHAKE-9 "+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, tt.api)
				handshakes := func(want ...int) {
					t.Helper()
					for i, want := range want {
						if got := handshakeStatus(t, g, "/v1", nil); got != want {
							t.Errorf("handshake %d: %d, want %d", i, got, want)
						}
					}
				}
				handshakes(101, 101, 101, 429, 429) // the burst
				time.Sleep(500 * time.Millisecond)  // one token
				handshakes(101, 429)
				time.Sleep(time.Hour) // the bucket is full
				handshakes(101, 101, 101, 429)
				if n := g.Stats().Refused[429]; n != 4 {
					t.Errorf("%d refused, want 4", n)
				}
			})
		})
	}
	t.Run("G-LIMIT-10 zero throttles limit nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{})
			for range 600 { // more than the service's 500 a second
				if got := handshakeStatus(t, g, "/v1", nil); got != 101 {
					t.Fatalf("got %d", got)
				}
			}
		})
	})
}

// TestClosedThrottles. Our own: a limit of 0 lets nothing through, however long nobody asks.
func TestClosedThrottles(t *testing.T) {
	closed := gatewaytest.Throttle{Closed: true}
	for name, api := range map[string]gatewaytest.API{
		"the account": {AccountThrottle: closed},
		"handshakes":  {ConnectThrottle: closed},
		"all routes":  {RouteThrottle: closed, Routes: routes("$connect", ok200)},
		"G-LIMIT-11 $connect": {RouteThrottle: gatewaytest.Throttle{Rate: 1000},
			Routes: map[string]gatewaytest.Route{"$connect": {Throttle: closed}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, api)
				for range 3 {
					if got := handshakeStatus(t, g, "/v1", nil); got != 429 {
						t.Errorf("got %d, want 429", got)
					}
					time.Sleep(time.Hour)
				}
			})
		})
	}
	t.Run("messages", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			got := nextAfter(t, gatewaytest.API{RouteThrottle: closed, Routes: routes("$default", twoWay(echo))}, "x")
			if got != "error Too Many Requests" {
				t.Errorf("got %s", got)
			}
		})
	})
}

func TestThrottledMessages(t *testing.T) {
	tooMany := func(t testing.TB, got string) {
		t.Helper()
		if !strings.HasPrefix(got, `{"message": "Too Many Requests", "connectionId":"`) {
			t.Errorf("got %s", got)
		}
	}
	t.Run("G-ERR-7 G-LIMIT-11 a frame, and the connection stays open", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			function := &recorder{next: echo}
			g := newGateway(t, gatewaytest.API{
				RouteThrottle: gatewaytest.Throttle{Rate: 1},
				Routes: map[string]gatewaytest.Route{
					"$default": {Integration: function, RouteResponse: true},
					"fast":     {Integration: echo, RouteResponse: true, Throttle: gatewaytest.Throttle{Rate: 100}},
				},
			})
			c := dial(t, g, "/v1")
			ask := func(text string) string {
				t.Helper()
				send(t, c, text)
				return receive(t, c)
			}
			if got := ask("a"); got != "a" {
				t.Errorf("got %s", got)
			}
			tooMany(t, ask("b"))
			if got := ask(`{"action":"fast"}`); got != `{"action":"fast"}` {
				t.Errorf("the other route: got %s", got)
			}
			time.Sleep(time.Second)
			if got := ask("c"); got != "c" {
				t.Errorf("a second later: got %s", got)
			}
			if n := len(function.all()); n != 2 {
				t.Errorf("function invoked %d times, want 2", n)
			}
		})
	})
	t.Run("G-CLOSE-9 a client that continues", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{
				Routes: map[string]gatewaytest.Route{
					"$default":    {Integration: ok200, Throttle: gatewaytest.Throttle{Rate: 1}},
					"other":       {Integration: ok200},
					"$disconnect": {Integration: &disconnect},
				}})
			c := dial(t, g, "/v1")
			spam := func(n int) {
				t.Helper()
				for range n {
					send(t, c, "x")
					tooMany(t, receive(t, c))
				}
			}
			send(t, c, "x")
			synctest.Wait()
			spam(99)
			send(t, c, `{"action":"other"}`) // an accepted message resets the count
			synctest.Wait()
			spam(99)
			send(t, c, "x")
			if code, reason := receiveClose(t, c); code != 1008 || reason != "" {
				t.Errorf("closed with %d %q, want 1008", code, reason)
			}
			synctest.Wait()
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1008.0 {
				t.Errorf("the DISCONNECT event has %v", code)
			}
		})
	})
	t.Run("G-LIMIT-10 G-MGMT-9 the account's bucket is shared with @connections", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{
				AccountThrottle: gatewaytest.Throttle{Rate: 1, Burst: 5},
				Routes:          routes("$default", twoWay(echo)),
			})
			c := dial(t, g, "/v1") // 1
			id := onlyID(t, g)
			send(t, c, "x") // 2
			receive(t, c)
			if _, err := g.GetConnection(t.Context(), id); err != nil { // 3
				t.Error(err)
			}
			for i := 4; i <= 6; i++ {
				err := g.PostToConnection(t.Context(), id, []byte("x"))
				if want := i == 6; errors.Is(err, gatewaytest.ErrLimitExceeded) != want {
					t.Errorf("request %d: %v", i, err)
				}
			}
			if err := g.DeleteConnection(t.Context(), id); !errors.Is(err, gatewaytest.ErrLimitExceeded) {
				t.Errorf("DELETE: %v", err)
			}
			receive(t, c)
			receive(t, c)
			send(t, c, "x")
			tooMany(t, receive(t, c))
		})
	})
}

// TestBadThrottles. Our own: New refuses invalid throttles.
func TestBadThrottles(t *testing.T) {
	negative := gatewaytest.Throttle{Rate: -1}
	for field, api := range map[string]gatewaytest.API{
		"AccountThrottle":             {AccountThrottle: negative},
		"ConnectThrottle":             {ConnectThrottle: gatewaytest.Throttle{Burst: 1}},
		"AccountThrottle: no Rate":    {AccountThrottle: gatewaytest.Throttle{Closed: true, Rate: 1}},
		"RouteThrottle":               {RouteThrottle: gatewaytest.Throttle{Rate: 1, Burst: -1}},
		`Routes["a"].Throttle`:        {Routes: map[string]gatewaytest.Route{"a": {Throttle: negative}}},
		"APIKeys[1]: no Value":        {APIKeys: []gatewaytest.APIKey{{Value: "x"}, {}}},
		"APIKeys[1]: duplicate Value": {APIKeys: []gatewaytest.APIKey{{Value: "x"}, {Value: "x"}}},
		"APIKeys[0]":                  {APIKeys: []gatewaytest.APIKey{{Value: "x", Throttle: negative}}},
		`Routes["a"].APIKey`:          {Routes: map[string]gatewaytest.Route{"a": {APIKeyRequired: true}}},
		"APIKeySelection":             {APIKeySelectionExpression: "$request.header.other"},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := gatewaytest.New(api)
			wantField(t, err, field)
		})
	}
}
