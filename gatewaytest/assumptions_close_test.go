package gatewaytest_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// way is how a connection comes to its end.
type way func(t *testing.T, g *gatewaytest.Gateway, c *rawClient)

// ending is what a client of the API hears of a close, and what $disconnect is
// told.
func ending(api gatewaytest.API, end way) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var ended recorder
		api.Assumptions, api.Routes = assumptions, routes("$default", ok200, "$disconnect", &ended)
		g := newGateway(t, api)
		c := dialRaw(t, g, "/v1")
		end(t, g, c)
		heard := c.heard(t)
		_ = c.Close()
		synctest.Wait()
		told := ended.one(t)
		return fmt.Sprintf("%s, told %v %q", heard, lookup(t, told, "requestContext", "disconnectStatusCode"),
			lookup(t, told, "requestContext", "disconnectReason"))
	}
}

func TestAssumedCloses(t *testing.T) {
	var plain gatewaytest.API
	sends := func(frames ...[]byte) way {
		return func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, frames...) }
	}
	does := func(what func(g *gatewaytest.Gateway, id string) error) way {
		return func(t *testing.T, g *gatewaytest.Gateway, _ *rawClient) {
			if err := what(g, onlyID(t, g)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fails := func(code int) way {
		return does(func(g *gatewaytest.Gateway, id string) error { return g.CloseConnection(t.Context(), id, code) })
	}
	leaves := func(_ *testing.T, _ *gatewaytest.Gateway, c *rawClient) { _ = c.Close() }
	waits := func(*testing.T, *gatewaytest.Gateway, *rawClient) { time.Sleep(50 * time.Second) }
	tooBig := append(binary.BigEndian.AppendUint16([]byte{fin | opText, masked | 126}, 32*1024+1), 1, 2, 3, 4)
	reasons := func(code int, reason string) gatewaytest.Assumptions {
		return gatewaytest.Assumptions{CloseReasons: map[int]string{code: reason}}
	}
	testAssumptions(t, []assumptionTest{
		{"G-CLOSE-1 never the client's own", ending(plain, sends(closing(1003, "mine"))),
			`close 1003 mine, told 1003 "mine"`, reasons(1003, "no"), `close 1003 mine, told 1003 "mine"`},
		{"G-CLOSE-3 cut", ending(plain, does((*gatewaytest.Gateway).Cut)),
			`the end, told 1006 "Connection closed abnormally"`, reasons(1006, ""), `the end, told 1006 ""`},
		{"G-CLOSE-3 the client leaves", ending(plain, leaves), `the end, told 1006 "Connection closed abnormally"`,
			reasons(1006, "lost"), `the end, told 1006 "lost"`},
		{"G-CLOSE-4 DELETE", ending(plain,
			does(func(g *gatewaytest.Gateway, id string) error { return g.DeleteConnection(t.Context(), id) })),
			`close 1000 Connection Closed Normally, told 1000 "Connection Closed Normally"`,
			gatewaytest.Assumptions{DeleteWithoutCode: true}, `close, told 1000 "Connection Closed Normally"`},
		{"G-CLOSE-4 the client's own 1000 is echoed", ending(plain, sends(closing(1000, ""))), `close 1000, told 1000 ""`,
			gatewaytest.Assumptions{DeleteWithoutCode: true}, `close 1000, told 1000 ""`},
		{"G-CLOSE-5 never that of idleness", ending(gatewaytest.API{IdleTimeout: time.Minute}, waits),
			`close 1001 Going away, told 1001 "Going away"`, reasons(1001, "old"),
			`close 1001 Going away, told 1001 "Going away"`},
		{"G-CLOSE-6 age", ending(gatewaytest.API{MaxAge: time.Minute}, waits),
			`close 1001 Going away, told 1001 "Going away"`, reasons(1001, "old"), `close 1001 old, told 1001 "old"`},
		{"G-CLOSE-7 binary", ending(plain, sends(frame(fin|opBinary, "x"))), `close 1003, told 1003 ""`,
			reasons(1003, "no"), `close 1003 no, told 1003 "no"`},
		{"G-CLOSE-8 too large", ending(plain, sends(tooBig)), `close 1009, told 1009 ""`, reasons(1009, "large"),
			`close 1009 large, told 1009 "large"`},
		{"G-CLOSE-9 too many", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			assumptions.ThrottledCloses = true
			spam := func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
				c.mustWrite(t, text("a"))
				synctest.Wait()
				c.mustWrite(t, text("b"))
			}
			return ending(gatewaytest.API{RouteThrottle: gatewaytest.Throttle{Rate: 1}}, spam)(t, assumptions)
		}, `close 1008, told 1008 ""`, reasons(1008, "slow down"), `close 1008 slow down, told 1008 "slow down"`},
		{"G-CLOSE-10 failed", ending(plain, fails(1011)), `close 1011, told 1011 ""`, reasons(1011, "failed"),
			`close 1011 failed, told 1011 "failed"`},
		{"G-CLOSE-10 restarted", ending(plain, fails(1012)), `close 1012, told 1012 ""`, reasons(1012, "again"),
			`close 1012 again, told 1012 "again"`},
		{"G-FRAME-7 an opcode", ending(plain, sends(frame(fin|3, "x"))), `close 1002, told 1002 ""`,
			reasons(1002, "rules"), `close 1002 rules, told 1002 "rules"`},
		{"G-FRAME-7 text", ending(plain, sends(text("\xFF"))), `close 1007, told 1007 ""`, reasons(1007, "text"),
			`close 1007 text, told 1007 "text"`},
	})
}

// ends are the codes that $disconnect was told.
func ends(t testing.TB, ended *recorder) string {
	t.Helper()
	synctest.Wait()
	codes := []any{}
	for _, event := range ended.all() {
		codes = append(codes, lookup(t, event, "requestContext", "disconnectStatusCode"))
	}
	return fmt.Sprint(codes)
}

func TestAssumedDisconnects(t *testing.T) {
	testAssumptions(t, []assumptionTest{
		{"G-HANDSHAKE-20 after a refusal", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			var ended recorder
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
				Routes: routes("$connect", answers(`{"statusCode":403}`), "$disconnect", &ended)})
			refused(t, g, "/v1", nil)
			return ends(t, &ended)
		}, "[]", gatewaytest.Assumptions{DisconnectAfterRefusal: true}, "[1006]"},
		{"G-DISC-8 once or twice", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			var ended recorder
			c := dialRaw(t, newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$disconnect", &ended)}),
				"/v1")
			c.mustWrite(t, closing(1001, ""))
			c.heard(t)
			return ends(t, &ended)
		}, "[1001]", gatewaytest.Assumptions{DisconnectTwice: true}, "[1001 1001]"},
	})
	t.Run("G-DISC-8 the second time with the same event", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var ended recorder
			c := dialRaw(t, newGateway(t,
				gatewaytest.API{Assumptions: gatewaytest.Assumptions{DisconnectTwice: true},
					Routes: routes("$disconnect", &ended)}), "/v1")
			c.mustWrite(t, closing(1001, ""))
			c.heard(t)
			synctest.Wait()
			if events := ended.all(); len(events) != 2 || string(events[0]) != string(events[1]) {
				t.Errorf("got %q, want the same event twice", events)
			}
		})
	})
}
