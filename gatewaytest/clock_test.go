package gatewaytest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

func TestWarp(t *testing.T) {
	open := func(c *websocket.Conn, t *testing.T) {
		t.Helper()
		send(t, c, "x")
		if got := receive(t, c); got != "x" {
			t.Errorf("got %s", got)
		}
	}
	warped := func(t *testing.T, change func(*gatewaytest.API),
		test func(t *testing.T, g *gatewaytest.Gateway, events *recorder)) {
		synctest.Test(t, func(t *testing.T) {
			events := &recorder{next: echo}
			a := gatewaytest.API{Routes: routes("$default", gatewaytest.Route{Integration: events, RouteResponse: true},
				"$disconnect", events)}
			if change != nil {
				change(&a)
			}
			test(t, newGateway(t, a), events)
		})
	}
	t.Run("G-LIMIT-4 idle", func(t *testing.T) {
		warped(t, nil, func(t *testing.T, g *gatewaytest.Gateway, _ *recorder) {
			start := time.Now()
			c := dial(t, g, "/v1")
			g.Warp(10*time.Minute - time.Second)
			open(c, t)
			g.Warp(9 * time.Minute) // idle since the message
			g.Warp(-time.Hour)      // no effect
			time.Sleep(time.Minute - 1)
			synctest.Wait()
			if g.Stats().Open != 1 {
				t.Error("closed too early")
			}
			time.Sleep(time.Nanosecond)
			if code, reason := receiveClose(t, c); code != 1001 || reason != "Going away" || time.Since(start) != time.Minute {
				t.Errorf("closed with %d %q after %v", code, reason, time.Since(start))
			}
		})
	})
	t.Run("G-LIMIT-7 two hours at once", func(t *testing.T) {
		warped(t, func(a *gatewaytest.API) { a.IdleTimeout = 24 * time.Hour },
			func(t *testing.T, g *gatewaytest.Gateway, _ *recorder) {
				start := time.Now()
				c := dial(t, g, "/v1")
				g.Warp(2*time.Hour - 1)
				open(c, t)
				late := dial(t, g, "/v1")
				g.Warp(1)
				if code, _ := receiveClose(t, c); code != 1001 || time.Since(start) != 0 {
					t.Errorf("closed with %d after %v", code, time.Since(start))
				}
				open(late, t)
			})
	})
	t.Run("G-EVENT-10 events tell the new time", func(t *testing.T) {
		warped(t, func(a *gatewaytest.API) { a.RouteThrottle = gatewaytest.Throttle{Rate: 1} },
			func(t *testing.T, g *gatewaytest.Gateway, events *recorder) {
				c := dial(t, g, "/v1")
				connected := time.Now().UnixMilli()
				g.Warp(time.Minute)
				open(c, t)
				g.Warp(time.Second) // a new token
				open(c, t)
				if !g.Now().Equal(time.Now().Add(61 * time.Second)) {
					t.Errorf("now %v", g.Now())
				}
				for i, after := range []int64{60_000, 61_000} {
					event := events.all()[i]
					if at := lookup(t, event, "requestContext", "requestTimeEpoch"); at != float64(connected+after) {
						t.Errorf("message %d at %v", i, at)
					}
					if at := lookup(t, event, "requestContext", "connectedAt"); at != float64(connected) {
						t.Errorf("connected at %v", at)
					}
				}
				info, err := g.GetConnection(t.Context(), onlyID(t, g))
				if err != nil || info.LastActiveAt.Sub(info.ConnectedAt) != 61*time.Second {
					t.Errorf("got %+v, %v", info, err)
				}
			})
	})
	t.Run("G-LIMIT-7 later connections live as long as ever", func(t *testing.T) {
		warped(t, func(a *gatewaytest.API) { a.IdleTimeout = 24 * time.Hour },
			func(t *testing.T, g *gatewaytest.Gateway, _ *recorder) {
				g.Warp(90 * time.Minute)
				start := time.Now()
				c := dial(t, g, "/v1")
				if code, _ := receiveClose(t, c); code != 1001 || time.Since(start) != 2*time.Hour {
					t.Errorf("closed with %d after %v", code, time.Since(start))
				}
			})
	})
}
