package gatewaytest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// TestSlowReadersHoldNobody. Our own: of many clients that get the same post, most read nothing.
// The others have it at once.
func TestSlowReadersHoldNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		var readers []*rawClient
		for range 10 {
			dialRaw(t, g, "/v1")
			dialRaw(t, g, "/v1")
			readers = append(readers, dialRaw(t, g, "/v1"))
		}
		began := time.Now()
		for _, info := range g.Connections() {
			if err := g.PostToConnection(t.Context(), info.ConnectionID, []byte("news")); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range readers {
			if f := c.mustRead(t); string(f.payload) != "news" {
				t.Errorf("reader %d got %v", i, f)
			}
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the readers waited for %v", waited)
		}
	})
}
