package gatewaytest_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

func TestCut(t *testing.T) {
	t.Run("G-CLOSE-3 no close frame, and 1006 for $disconnect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$disconnect", &disconnect)))
			c := dialRaw(t, g, "/v1")
			id := onlyID(t, g)
			if err := g.Cut(id); err != nil {
				t.Fatal(err)
			}
			if f, err := c.readFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, %v, want the end", f, err)
			}
			synctest.Wait()
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1006.0 {
				t.Errorf("code %v", code)
			}
			for what, err := range map[string]error{"cut again": g.Cut(id), "stall": g.Stall(id),
				"cut a stranger": g.Cut(neverID), "stall a stranger": g.Stall(neverID)} {
				if !errors.Is(err, gatewaytest.ErrGone) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	})
}

func TestStall(t *testing.T) {
	t.Run("G-DISC-4 noticed by the idle timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{SendBuffer: 1000,
				Routes: routes("$default", twoWay(echo), "$disconnect", &disconnect)})
			c := dialRaw(t, g, "/v1")
			id := onlyID(t, g)
			if err := g.Stall(id); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			// Nothing is written, so posts fill the buffer (G-MGMT-9).
			accepted := 0
			for range 10 {
				err := g.PostToConnection(t.Context(), id, bytes.Repeat([]byte("x"), 246))
				if err == nil {
					accepted++
				} else if !errors.Is(err, gatewaytest.ErrLimitExceeded) {
					t.Errorf("got %v", err)
				}
			}
			if accepted != 4 {
				t.Errorf("%d posts accepted, want 4", accepted)
			}
			// Nothing is read either.
			if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Write(text("x")); err == nil {
				t.Errorf("%d bytes were read", n)
			}
			if n := len(disconnect.all()); n != 0 || g.Stats().Open != 1 {
				t.Errorf("$disconnect ran %d times", n)
			}
			time.Sleep(9*time.Minute - time.Second)
			synctest.Wait()
			if n := len(disconnect.all()); n != 0 {
				t.Errorf("$disconnect ran too early")
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1001.0 {
				t.Errorf("code %v", code)
			}
			if f, err := c.readFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, %v, want the end", f, err)
			}
		})
	})
	t.Run("a stalled connection does not block Close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{})
			dialRaw(t, g, "/v1")
			if err := g.Stall(onlyID(t, g)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			start := time.Now()
			if err := g.Close(); err != nil || time.Since(start) > 0 {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("StallEvery", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			handled := &recorder{next: echo}
			g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{StallEvery: 2},
				Routes: map[string]gatewaytest.Route{"$default": {Integration: handled, RouteResponse: true}}})
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, text("one"))
			if f := c.mustRead(t); f.payload != "one" {
				t.Errorf("got %v", f)
			}
			// One write: the frames after the second are in the reader's buffer.
			c.mustWrite(t, bytes.Join([][]byte{text("two"), text("three"), closeFrame(1000, "")}, nil))
			synctest.Wait()
			if n := g.Stats().Open; n != 1 {
				t.Errorf("%d open, want 1", n)
			}
			handled.one(t)
			if f, err := c.readFrame(); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, %v, want the end", f, err)
			}
		})
	})
}

// TestLateResponses. Our own: LateEvery delays one in N integration responses.
func TestLateResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connect, disconnect recorder
		message := &recorder{next: echo}
		g := newGateway(t, gatewaytest.API{Faults: &gatewaytest.Faults{LateEvery: 2}, Routes: map[string]gatewaytest.Route{
			"$connect": {Integration: &connect}, "$disconnect": {Integration: &disconnect},
			"$default": {Integration: message, RouteResponse: true, Timeout: 2 * time.Second},
		}})
		c := dial(t, g, "/v1") // 1
		start := time.Now()
		send(t, c, "two")
		if got := receive(t, c); !strings.HasPrefix(got,
			errorFrame("Endpoint request timed out")) || time.Since(start) != 2*time.Second { // G-ERR-4
			t.Errorf("got %s after %v", got, time.Since(start))
		}
		if n := len(message.all()); n != 1 {
			t.Errorf("the function ran %d times, want once", n)
		}
		send(t, c, "three")
		if got := receive(t, c); got != "three" {
			t.Errorf("got %s", got)
		}
		if got := handshakeStatus(t, g, "/v1", nil); got != 504 || time.Since(start) != 31*time.Second { // 4, G-HANDSHAKE-7
			t.Errorf("status %d after %v", got, time.Since(start))
		}
		if n := len(connect.all()); n != 2 {
			t.Errorf("$connect ran %d times, want 2", n)
		}
	})
}
