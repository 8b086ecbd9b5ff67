package house_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
)

// BenchmarkConnect opens a connection over loopback, says hello, reads the answer and closes the
// connection. The allocations of the client are in it.
func BenchmarkConnect(b *testing.B) {
	h, err := house.New(house.Options{Limits: "address=0"})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h)
	url := strings.Replace(server.URL, "http", "ws", 1) + "/v1"
	b.ReportAllocs()
	for b.Loop() {
		c, _, err := websocket.Dial(b.Context(), url, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Write(b.Context(), websocket.MessageText, []byte(`{"action":"hello"}`)); err != nil {
			b.Fatal(err)
		}
		if _, _, err := c.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
			b.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		b.Error(err)
	}
	server.Close()
}
