package gatewaytest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// TestConnectStatuses tries the statuses at the edges of those that open a
// connection.
func TestConnectStatuses(t *testing.T) {
	for status, want := range map[int]int{
		200: 101, 201: 101, 202: 101, 204: 101, 250: 101, 299: 101,
		300: 300, 301: 301, 399: 399, 400: 400, 500: 500, 599: 599,
	} {
		t.Run(fmt.Sprint("G-HANDSHAKE-3 -4 ", status), func(t *testing.T) {
			g := newGateway(t, api(routes("$connect", returns(fmt.Sprintf(`{"statusCode":%d}`, status)))))
			c, resp, err := g.Dial(t.Context(), "/v1", nil)
			if resp == nil {
				t.Fatal(err)
			}
			if c != nil {
				defer c.CloseNow()
			}
			if resp.StatusCode != want || (c != nil) != (want == 101) {
				t.Errorf("got %d, %v, want %d", resp.StatusCode, err, want)
			}
		})
	}
}

// TestStageIsCaseSensitive tries the stage in another letter case, for both URLs.
func TestStageIsCaseSensitive(t *testing.T) {
	g := newGateway(t, gatewaytest.API{Stage: "Prod"})
	dial(t, g, "/Prod")
	id := onlyID(t, g)
	for _, stage := range []string{"prod", "PROD"} {
		if c, resp, err := g.Dial(t.Context(), "/"+stage, nil); c != nil || resp == nil ||
			resp.StatusCode != http.StatusForbidden {
			t.Errorf("G-URL-4: handshake at /%s: got %v, %v, want 403", stage, resp, err)
		}
		resp, body := doRequest(t, "GET", serve(t, g)+"/"+stage+"/@connections/"+id, nil)
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("G-URL-5: GET at /%s: got %d %s, want 403", stage, resp.StatusCode, body)
		}
	}
	if resp, body := doRequest(t, "GET", serve(t, g)+"/Prod/@connections/"+id, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("G-URL-5: GET at /Prod: got %d %s, want 200", resp.StatusCode, body)
	}
}

// TestStageVariableCharacters tries every printable character in names and values.
func TestStageVariableCharacters(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	accepted := func(name, value string) bool {
		g, err := gatewaytest.New(gatewaytest.API{StageVariables: map[string]string{name: value}})
		if err == nil {
			err = g.Close()
		}
		return err == nil
	}
	for c := ' '; c <= '~'; c++ {
		if got, want := accepted("a"+string(c), "v"), strings.ContainsRune(letters+"_", c); got != want {
			t.Errorf("G-STAGEVAR-1: %q in a name: accepted %t, want %t", c, got, want)
		}
		if got, want := accepted("a", "v"+string(c)), strings.ContainsRune(letters+"-._~:/?#&=,", c); got != want {
			t.Errorf("G-STAGEVAR-1: %q in a value: accepted %t, want %t", c, got, want)
		}
	}
}

// TestConnectBodyIsNotSent waits a minute for the body of $connect's response. The
// first message is the answer to the client's own.
func TestConnectBodyIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(routes("$connect", returns(`{"statusCode":200,"body":"hello"}`), "$default", twoWay(echo))))
		c := dial(t, g, "/v1")
		time.Sleep(time.Minute)
		send(t, c, "x")
		if got := receive(t, c); got != "x" {
			t.Errorf("G-RESP-10: got %q before the answer", got)
		}
	})
}

// TestOneBackend: a route has a function or a web server, not both.
func TestOneBackend(t *testing.T) {
	server := &gatewaytest.HTTP{URI: "https://backend.test"}
	for _, mapping := range []*gatewaytest.Mapping{nil, {}} {
		_, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"a": {HTTP: server, Integration: function(echo), Mapping: mapping},
		}})
		wantField(t, err, `Routes["a"].HTTP`)
		if _, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"a": {HTTP: server, Mapping: mapping}, "b": {Integration: function(echo), Mapping: mapping},
		}}); err != nil {
			t.Errorf("G-INTEG-1: one backend for each route: %v", err)
		}
	}
}
