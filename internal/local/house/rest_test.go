package house_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// TestHandshakesGoToTheGateway: below /v1/, a request to open a socket is the gateway's to
// refuse, and any other the REST API's.
func TestHandshakesGoToTheGateway(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	if rec := callREST(t, h, "GET", "/v1/stock?sku=TEE-RED-M", "", ""); rec.Code != http.StatusOK {
		t.Errorf("got %d %s, want stock", rec.Code, rec.Body)
	}
	upgrade := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
	if rec := callRESTWith(t, h, "GET", "/v1/stock?sku=TEE-RED-M", upgrade, ""); rec.Code != http.StatusForbidden {
		t.Errorf("a handshake: got %d %s, want API Gateway's 403", rec.Code, rec.Body)
	}
}

// TestNoSockets: every handshake is refused, below the stage and below /v1/, and HTTP goes on.
func TestNoSockets(t *testing.T) {
	for _, stage := range []string{"v1", "prod"} {
		h := newHouse(t, house.Options{Gateway: house.Gateway{Stage: stage, NoSockets: true}})
		defer closeHouse(t, h)
		upgrade := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {"securecart.v1"}}
		const want = "sockets are refused here: -no-sockets\n"
		rec := callRESTWith(t, h, "GET", "/"+stage, upgrade, "")
		if rec.Code != http.StatusForbidden || rec.Body.String() != want {
			t.Errorf("stage %s: a handshake: got %d %s, want 403 %s", stage, rec.Code, rec.Body, want)
		}
		if rec := callREST(t, h, "GET", "/v1/stock?sku=TEE-RED-M", "", ""); rec.Code != http.StatusOK {
			t.Errorf("stage %s: got %d %s, want stock", stage, rec.Code, rec.Body)
		}
	}
}

// TestRESTBesideAnotherStage: the path of the REST API is its own version's, whatever the
// stage of the sockets is called.
func TestRESTBesideAnotherStage(t *testing.T) {
	h := newHouse(t, house.Options{Gateway: house.Gateway{Stage: "prod"}})
	defer closeHouse(t, h)
	if rec := callREST(t, h, "GET", "/v1/stock?sku=TEE-RED-M", "", ""); rec.Code != http.StatusOK {
		t.Errorf("got %d %s, want stock", rec.Code, rec.Body)
	}
	if rec := callREST(t, h, "GET", "/prod/stock?sku=TEE-RED-M", "", ""); rec.Code != http.StatusForbidden {
		t.Errorf("below the stage: got %d %s, want API Gateway's 403", rec.Code, rec.Body)
	}
}

// TestOneCartBehindTwoDoors: a write over HTTP reaches the sockets of the same user.
func TestOneCartBehindTwoDoors(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	ann := token(t, h, "ann")
	c := dial(t, h, ann)
	defer c.close()
	c.ask("sub cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
	rec := callREST(t, h, "POST", "/v1/cart/lines", "Bearer "+ann, `{"sku":"TEE-RED-M"}`)
	if rec.Code != http.StatusOK {
		t.Fatalf("got %d %s", rec.Code, rec.Body)
	}
	c.want(`{"type":"delta","epoch":"…","topics":{"cart":{"version":1,` +
		`"lines":{"TEE-RED-M":{"quantity":1,"version":1}}}}}`)
}

// TestHTTPAnswersAreNotMixed: each of many users who ask at once gets the own cart.
func TestHTTPAnswersAreNotMixed(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	var users sync.WaitGroup
	for n := range 8 {
		bearer, quantity := "Bearer "+token(t, h, fmt.Sprint("user", n)), fmt.Sprintf(`"quantity":%d,`, n+1)
		line := fmt.Sprintf(`{"sku":"MUG","quantity":%d}`, n+1)
		if rec := callREST(t, h, "POST", "/v1/cart/lines", bearer, line); rec.Code != http.StatusOK {
			t.Fatalf("got %d %s", rec.Code, rec.Body)
		}
		users.Go(func() {
			for range 40 {
				rec := callREST(t, h, "GET", "/v1/cart", bearer, "")
				if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), quantity) {
					t.Errorf("got %d %s, want %s", rec.Code, rec.Body, quantity)
				}
			}
		})
	}
	users.Wait()
}
