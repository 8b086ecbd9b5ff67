package house_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// TestClientStopsReading: the gateway closes a connection whose client does not read,
// and the client delays no other.
func TestClientStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Limits: "customer=0"})
		defer closeHouse(t, h)
		alice := token(t, h, "alice")
		stopped, writer, other := dial(t, h, alice), dial(t, h, alice), dial(t, h, "")
		defer writer.close()
		defer other.close()
		stopped.send("sub cart sku:MUG")
		other.send("sub sku:MUG")
		other.read()
		var products []string
		for _, p := range catalogue.Builtin() {
			if p.Available > 5 {
				products = append(products, fmt.Sprintf("%q:%%d", p.SKU))
			}
		}
		set := `{"action":"set","lines":{` + strings.ReplaceAll(strings.Join(products, ","), "%d", "QUANTITY") + `}}`
		for n := range 1_200 { // about 1.4 kB each: more than the 1 MiB that the gateway queues
			writer.send(strings.ReplaceAll(set, "QUANTITY", fmt.Sprint(1+n%5)))
			writer.read()
			settle(t, h)
		}
		started := time.Now()
		setStock(t, h, "MUG", "0")
		other.want(`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"out"}}}`)
		if took := time.Since(started); took > house.DefaultBatchWindow {
			t.Errorf("the other client waited %s", took)
		}
		time.Sleep(3 * time.Minute)
		if got := len(h.Connections()); got != 2 {
			t.Errorf("got %d connections, want 2: the stopped one is closed", got)
		}
		_ = stopped.conn.CloseNow()
	})
}

// TestClientVanishes: a client vanishes without a close frame. After ten minutes the
// gateway closes its connection as idle, nothing of it remains, and other clients are
// not affected.
func TestClientVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		vanished, other := dial(t, h, ""), dial(t, h, "")
		defer other.close()
		vanished.send("sub sku:TENT-2")
		vanished.read() // the last that it does
		other.send("sub sku:MUG")
		other.read()
		for n := range 11 {
			time.Sleep(time.Minute)
			other.ask("ping", `{"type":"pong"}`)
			setStock(t, h, "MUG", fmt.Sprint(1+n%4))
			other.want(fmt.Sprintf(
				`{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":%d,"state":"low","quantity":%d}}}`,
				n+2, 1+n%4))
		}
		synctest.Wait()
		_, answer := admin(t, h, "GET", "/admin/connections", "")
		if strings.Contains(answer, "TENT-2") || strings.Count(answer, "connectionId") != 1 {
			t.Errorf("got %s, want only the other client", answer)
		}
		_ = vanished.conn.CloseNow()
	})
}
