package gatewaytest_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// closer ends a connection.
type closer func(t *testing.T, g *gatewaytest.Gateway, c *rawClient)

// observeClose returns what a client sees of a close, and what is in the
// DISCONNECT event.
func observeClose(api gatewaytest.API, end closer) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var disconnect recorder
		api.Assumptions, api.Routes = assumptions, routes("$default", ok200, "$disconnect", &disconnect)
		g := newGateway(t, api)
		c := dialRaw(t, g, "/v1")
		end(t, g, c)
		seen := c.next(t)
		_ = c.Close()
		synctest.Wait()
		event := disconnect.one(t)
		return fmt.Sprintf("%s, event %v %q", seen, lookup(t, event, "requestContext", "disconnectStatusCode"),
			lookup(t, event, "requestContext", "disconnectReason"))
	}
}

func TestAssumedCloses(t *testing.T) {
	var plain gatewaytest.API
	sends := func(frames ...[]byte) closer {
		return func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, frames...) }
	}
	does := func(what func(g *gatewaytest.Gateway, id string) error) closer {
		return func(t *testing.T, g *gatewaytest.Gateway, _ *rawClient) {
			if err := what(g, onlyID(t, g)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fails := func(code int) closer {
		return does(func(g *gatewaytest.Gateway, id string) error { return g.CloseConnection(t.Context(), id, code) })
	}
	leaves := func(_ *testing.T, _ *gatewaytest.Gateway, c *rawClient) { _ = c.Close() }
	waits := func(*testing.T, *gatewaytest.Gateway, *rawClient) { time.Sleep(50 * time.Second) }
	tooBig := append(binary.BigEndian.AppendUint16([]byte{fin | opText, masked | 126}, 32*1024+1), 1, 2, 3, 4)
	reasons := func(code int, reason string) gatewaytest.Assumptions {
		return gatewaytest.Assumptions{CloseReasons: map[int]string{code: reason}}
	}
	testAssumptions(t, []assumptionTest{
		{"G-CLOSE-1 the client's own reason is echoed", observeClose(plain, sends(closeFrame(1003, "mine"))),
			`close 1003 mine, event 1003 "mine"`, reasons(1003, "no"), `close 1003 mine, event 1003 "mine"`},
		{"G-CLOSE-3 cut", observeClose(plain, does((*gatewaytest.Gateway).Cut)),
			`the end, event 1006 "Connection closed abnormally"`, reasons(1006, ""), `the end, event 1006 ""`},
		{"G-CLOSE-3 the client leaves", observeClose(plain, leaves), `the end, event 1006 "Connection closed abnormally"`,
			reasons(1006, "lost"), `the end, event 1006 "lost"`},
		{"G-CLOSE-4 DELETE", observeClose(plain,
			does(func(g *gatewaytest.Gateway, id string) error { return g.DeleteConnection(t.Context(), id) })),
			`close 1000 Connection Closed Normally, event 1000 "Connection Closed Normally"`,
			gatewaytest.Assumptions{DeleteWithoutCode: true}, `close, event 1000 "Connection Closed Normally"`},
		{"G-CLOSE-4 the client's own 1000 is echoed", observeClose(plain, sends(closeFrame(1000, ""))),
			`close 1000, event 1000 ""`,
			gatewaytest.Assumptions{DeleteWithoutCode: true}, `close 1000, event 1000 ""`},
		{"G-CLOSE-5 not the reason of the idle close", observeClose(gatewaytest.API{IdleTimeout: time.Minute}, waits),
			`close 1001 Going away, event 1001 "Going away"`, reasons(1001, "old"),
			`close 1001 Going away, event 1001 "Going away"`},
		{"G-CLOSE-6 age", observeClose(gatewaytest.API{MaxAge: time.Minute}, waits),
			`close 1001 Going away, event 1001 "Going away"`, reasons(1001, "old"), `close 1001 old, event 1001 "old"`},
		{"G-CLOSE-7 binary", observeClose(plain, sends(frame(fin|opBinary, "x"))), `close 1003, event 1003 ""`,
			reasons(1003, "no"), `close 1003 no, event 1003 "no"`},
		{"G-CLOSE-8 too large", observeClose(plain, sends(tooBig)), `close 1009, event 1009 ""`, reasons(1009, "large"),
			`close 1009 large, event 1009 "large"`},
		{"G-CLOSE-9 too many", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			assumptions.ThrottledCloses = true
			spam := func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
				c.mustWrite(t, text("a"))
				synctest.Wait()
				c.mustWrite(t, text("b"))
			}
			return observeClose(gatewaytest.API{RouteThrottle: gatewaytest.Throttle{Rate: 1}}, spam)(t, assumptions)
		}, `close 1008, event 1008 ""`, reasons(1008, "slow down"), `close 1008 slow down, event 1008 "slow down"`},
		{"G-CLOSE-10 failed", observeClose(plain, fails(1011)), `close 1011, event 1011 ""`, reasons(1011, "failed"),
			`close 1011 failed, event 1011 "failed"`},
		{"G-CLOSE-10 restarted", observeClose(plain, fails(1012)), `close 1012, event 1012 ""`, reasons(1012, "again"),
			`close 1012 again, event 1012 "again"`},
		{"G-FRAME-7 an opcode", observeClose(plain, sends(frame(fin|3, "x"))), `close 1002, event 1002 ""`,
			reasons(1002, "rules"), `close 1002 rules, event 1002 "rules"`},
		{"G-FRAME-7 text", observeClose(plain, sends(text("\xFF"))), `close 1007, event 1007 ""`, reasons(1007, "text"),
			`close 1007 text, event 1007 "text"`},
	})
}

// disconnectCodes are the codes of the DISCONNECT events.
func disconnectCodes(t testing.TB, disconnect *recorder) string {
	t.Helper()
	synctest.Wait()
	codes := []any{}
	for _, event := range disconnect.all() {
		codes = append(codes, lookup(t, event, "requestContext", "disconnectStatusCode"))
	}
	return fmt.Sprint(codes)
}

func TestAssumedDisconnects(t *testing.T) {
	testAssumptions(t, []assumptionTest{
		{"G-HANDSHAKE-20 after a refusal", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
				Routes: routes("$connect", returns(`{"statusCode":403}`), "$disconnect", &disconnect)})
			refusedHandshake(t, g, "/v1", nil)
			return disconnectCodes(t, &disconnect)
		}, "[]", gatewaytest.Assumptions{DisconnectAfterRefusal: true}, "[1006]"},
		{"G-DISC-8 once or twice", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			var disconnect recorder
			c := dialRaw(t, newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$disconnect", &disconnect)}),
				"/v1")
			c.mustWrite(t, closeFrame(1001, ""))
			c.next(t)
			return disconnectCodes(t, &disconnect)
		}, "[1001]", gatewaytest.Assumptions{DisconnectTwice: true}, "[1001 1001]"},
	})
	t.Run("G-DISC-8 the second time with the same event", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			c := dialRaw(t, newGateway(t,
				gatewaytest.API{Assumptions: gatewaytest.Assumptions{DisconnectTwice: true},
					Routes: routes("$disconnect", &disconnect)}), "/v1")
			c.mustWrite(t, closeFrame(1001, ""))
			c.next(t)
			synctest.Wait()
			if events := disconnect.all(); len(events) != 2 || string(events[0]) != string(events[1]) {
				t.Errorf("got %q, want the same event twice", events)
			}
		})
	})
}
