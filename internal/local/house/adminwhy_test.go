package house_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/house"
)

// TestAdminWhy: the admin API answers for a connection as its own client is answered.
func TestAdminWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{})
		defer closeHouse(t, h)
		guest := dial(t, h, "")
		defer guest.close()
		guest.send(`{"action":"hello"}`)
		conn := field(t, guest.read(), "connectionId")
		guest.send("sub MUG")
		guest.read()
		setStock(t, h, "MUG", "2")
		guest.read()
		settle(t, h)
		ask := func(conn, topic string) (int, string) {
			q := url.Values{"conn": {conn}, "topic": {topic}}
			return admin(t, h, http.MethodGet, "/admin/why?"+q.Encode(), "")
		}
		for _, topic := range []string{"sku:MUG", "sku:TEE-RED-M", "sku:NOPE", "cart:someone", ""} {
			request := `{"action":"why","topic":"` + topic + `"}`
			if topic == "" {
				request = `{"action":"why"}`
			}
			guest.send(request)
			want := guest.read()
			if status, got := ask(conn, topic); status != http.StatusOK || got != want {
				t.Errorf("%q: %d\n got %s\nwant %s", topic, status, got, want)
			}
		}
		if status, answer := ask("none", "sku:MUG"); status != http.StatusNotFound {
			t.Errorf("a connection that does not exist: %d %s", status, answer)
		}
		if status, answer := ask(conn, "nonsense:"); status != http.StatusBadRequest ||
			!strings.Contains(answer, `"bad_field"`) {
			t.Errorf("no topic: %d %s", status, answer)
		}
	})
}
