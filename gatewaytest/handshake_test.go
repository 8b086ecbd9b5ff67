package gatewaytest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// refusedHandshake dials and returns the response of a refused handshake.
func refusedHandshake(t testing.TB, g *gatewaytest.Gateway, path string, header http.Header) (*http.Response, string) {
	t.Helper()
	c, resp, err := g.DialRaw(t.Context(), path, header)
	if err == nil {
		_ = c.Close()
		t.Fatal("the handshake was not refused")
	}
	if resp == nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestHandshake(t *testing.T) {
	status := []struct {
		name   string
		answer function
		want   int
	}{
		{"G-HANDSHAKE-3 200 opens", returns(`{"statusCode":200}`), 101},
		{"G-HANDSHAKE-3 201 opens", returns(`{"statusCode":201}`), 101},
		{"G-HANDSHAKE-3 204 opens", returns(`{"statusCode":204}`), 101},
		{"G-HANDSHAKE-3 299 opens", returns(`{"statusCode":299}`), 101},
		{"G-HANDSHAKE-4 301 passes through", returns(`{"statusCode":301}`), 301},
		{"G-HANDSHAKE-4 304 passes through", returns(`{"statusCode":304}`), 304},
		{"G-HANDSHAKE-4 400 passes through", returns(`{"statusCode":400}`), 400},
		{"G-HANDSHAKE-4 401 passes through", returns(`{"statusCode":401}`), 401},
		{"G-HANDSHAKE-4 418 passes through", returns(`{"statusCode":418}`), 418},
		{"G-HANDSHAKE-4 501 passes through", returns(`{"statusCode":501}`), 501},
		{"G-HANDSHAKE-5 function error is 502", fails("database on fire"), 502},
		{"G-HANDSHAKE-8 no such function is 500", noFunction, 500},
		{"G-HANDSHAKE-5 panic is 502", func(context.Context, []byte) ([]byte, error) { panic("oh no") }, 502},
		{"G-HANDSHAKE-6 no statusCode is 502", returns(`{}`), 502},
		{"G-HANDSHAKE-6 statusCode not a number is 502", returns(`{"statusCode":"fine"}`), 502},
		{"G-HANDSHAKE-6 statusCode not an integer is 502", returns(`{"statusCode":200.5}`), 502},
		{"G-HANDSHAKE-6 statusCode true is 502", returns(`{"statusCode":true}`), 502},
		{"G-HANDSHAKE-6 statusCode 100 is 502", returns(`{"statusCode":100}`), 502},
		{"G-HANDSHAKE-6 statusCode 600 is 502", returns(`{"statusCode":600}`), 502},
		{"G-HANDSHAKE-6 unknown key is 502", returns(`{"statusCode":200,"data":1}`), 502},
		{"G-HANDSHAKE-6 null is 502", returns(`null`), 502},
		{"G-HANDSHAKE-6 empty response is 502", returns(``), 502},
		{"G-RESP-7 numeric string is a status", returns(`{"statusCode":"403"}`), 403},
	}
	for _, tt := range status {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, api(routes("$connect", tt.answer)))
			if got := handshakeStatus(t, g, "/v1", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if tt.want != 101 && g.Stats().Refused[tt.want] != 1 {
				t.Errorf("Stats.Refused is %v, want one %d", g.Stats().Refused, tt.want)
			}
		})
	}

	t.Run("G-HANDSHAKE-1 pending until $connect has returned", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			answer := make(chan struct{})
			g := newGateway(t, api(routes("$connect", function(func(ctx context.Context, _ []byte) ([]byte, error) {
				<-answer
				return ok200(ctx, nil)
			}))))
			connect := false
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, _, err := g.DialRaw(t.Context(), "/v1", nil)
				if err != nil {
					t.Error(err)
					return
				}
				connect = true
				_ = c.Close()
			}()
			synctest.Wait()
			if connect {
				t.Error("open before $connect has returned")
			}
			if n := len(g.Connections()); n != 0 {
				t.Errorf("%d connections while pending", n)
			}
			close(answer)
			<-done
			if !connect || g.Stats().Connects != 1 {
				t.Error("not open after $connect has returned")
			}
		})
	})
	t.Run("G-HANDSHAKE-2 no $connect route opens, $default is not invoked", func(t *testing.T) {
		var fallback recorder
		g := newGateway(t, api(routes("$default", &fallback)))
		dial(t, g, "/v1")
		if n := len(fallback.all()); n != 0 {
			t.Errorf("$default was called %d times", n)
		}
	})
	t.Run("G-HANDSHAKE-2 $connect without integration opens", func(t *testing.T) {
		g := newGateway(t, api(routes("$connect", gatewaytest.Route{})))
		dial(t, g, "/v1")
	})
	t.Run("G-HANDSHAKE-7 timeout is 504 after 29 s", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, api(routes("$connect", function(func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}))))
			start := time.Now()
			resp, _ := refusedHandshake(t, g, "/v1", nil)
			if resp.StatusCode != 504 || time.Since(start) != 29*time.Second {
				t.Errorf("status %d after %v, want 504 after 29s", resp.StatusCode, time.Since(start))
			}
		})
	})
	t.Run("G-HANDSHAKE-20 no $disconnect after a refusal", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$connect", returns(`{"statusCode":403}`), "$disconnect", &disconnect)))
			refusedHandshake(t, g, "/v1", nil)
			synctest.Wait()
			if n := len(disconnect.all()); n != 0 {
				t.Errorf("$disconnect ran %d times", n)
			}
		})
	})
	t.Run("G-HANDSHAKE-20 with DisconnectAfterRefusal it runs, if $connect was invoked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{DisconnectAfterRefusal: true},
				Authorizer: &gatewaytest.Authorizer{Handler: returns(grant("Allow", "*", `{}`)),
					IdentitySources: []string{"route.request.querystring.who"}},
				Routes: routes("$connect", returns(`{"statusCode":403}`), "$disconnect", &disconnect)})
			refusedHandshake(t, g, "/v1", nil)
			synctest.Wait()
			if n := len(disconnect.all()); n != 0 {
				t.Errorf("$disconnect ran %d times, but $connect was not invoked", n)
			}
			refusedHandshake(t, g, "/v1?who=ann", nil)
			synctest.Wait()
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1006.0 {
				t.Errorf("code %v, want 1006", code)
			}
		})
	})
	t.Run("a client that leaves during $connect has its $disconnect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$disconnect", &disconnect, "$connect",
				takes(time.Second))))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, _, err := g.DialRaw(ctx, "/v1", nil); err == nil {
				t.Fatal("connected within 10 ms")
			}
			time.Sleep(2 * time.Second)
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1006.0 {
				t.Errorf("code %v, want 1006", code)
			}
		})
	})
}

func TestHandshakeResponse(t *testing.T) {
	t.Run("G-HANDSHAKE-14 -10 header lines of the 101, without those of the response", func(t *testing.T) {
		g := newGateway(t, api(routes("$connect", returns(
			`{"statusCode":200,"headers":{"Set-Cookie":"a=b","X-Mine":"1"},"body":"ignored"}`))))
		lines := rawResponse(t, g, "/v1", "")
		want := []string{
			"HTTP/1.1 101 Switching Protocols", "Date: ", "Connection: upgrade", "upgrade: websocket",
			"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", // the RFC's own example
		}
		if len(lines) != len(want) {
			t.Fatalf("got %q, want %q", lines, want)
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("line %d is %q, want %q", i, lines[i], want[i])
			}
		}
	})
	t.Run("G-HANDSHAKE-14 -15 the extension is accepted", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		lines := rawResponse(t, g, "/v1", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
		if want := "sec-websocket-extensions: permessage-deflate"; !slices.Contains(lines, want) {
			t.Errorf("got %q, want the line %q", lines, want)
		}
	})

	protocols := []struct{ name, answer, want string }{
		{"G-HANDSHAKE-11 the response's value is on the 101",
			`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"securecart.v1"}}`, "securecart.v1"},
		{"G-HANDSHAKE-11 no value, no header", `{"statusCode":200}`, ""},
		{"G-HANDSHAKE-12 any letter case", `{"statusCode":200,"headers":{"sec-websocket-protocol":"b"}}`, "b"},
		{"G-HANDSHAKE-12 multiValueHeaders",
			`{"statusCode":200,"headers":null,"multiValueHeaders":{"Sec-Websocket-Protocol":["b"]}}`, "b"},
	}
	for _, tt := range protocols {
		t.Run(tt.name, func(t *testing.T) {
			connect := &recorder{next: returns(tt.answer)}
			g := newGateway(t, api(routes("$connect", connect)))
			c, resp, err := g.Dial(t.Context(), "/v1", &websocket.DialOptions{Subprotocols: []string{"securecart.v1", "b"}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := lookup(t, connect.one(t), "headers", "Sec-Websocket-Protocol"); got != "securecart.v1,b" {
				t.Errorf("the function got %v", got)
			}
		})
	}
	t.Run("G-HANDSHAKE-13 no $connect, no subprotocol", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		c, resp, err := g.Dial(t.Context(), "/v1", &websocket.DialOptions{Subprotocols: []string{"a"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if got := resp.Header.Values("Sec-WebSocket-Protocol"); len(got) != 0 {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a subprotocol that would split the header is 502", func(t *testing.T) {
		g := newGateway(t, api(routes("$connect",
			returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"a\r\nX: y"}}`))))
		if resp, _ := refusedHandshake(t, g, "/v1", nil); resp.StatusCode != 502 {
			t.Errorf("status %d, want 502", resp.StatusCode)
		}
	})
	t.Run("G-HANDSHAKE-17 any Origin", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		c, _, err := g.DialRaw(t.Context(), "/v1", http.Header{"Origin": {"https://evil.example"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := lookup(t, connect.one(t), "headers", "Origin"); got != "https://evil.example" {
			t.Errorf("the function got Origin %v", got)
		}
	})
	t.Run("G-HANDSHAKE-19 body and headers of a refusal", func(t *testing.T) {
		g := newGateway(t, api(routes("$connect", fails("secret"))))
		resp, body := refusedHandshake(t, g, "/v1", nil)
		var got struct{ Message, ConnectionID, RequestID string }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		want := `{"message": "Internal server error", "connectionId":"` + got.ConnectionID + `", "requestId":"` +
			got.RequestID + `"}`
		if body != want {
			t.Errorf("got %s, want %s", body, want)
		}
		if got := resp.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %q", got)
		}
		if got := resp.Header.Get("x-amzn-ErrorType"); got != "InternalServerErrorException" {
			t.Errorf("x-amzn-ErrorType %q", got)
		}
	})
}

// rawResponse opens a connection over TCP with the key of the RFC's example and
// returns the unchanged lines of the response.
func rawResponse(t *testing.T, g *gatewaytest.Gateway, path, extra string) []string {
	t.Helper()
	return rawLines(t, serve(t, g), "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+extra+"\r\n")
}

// rawLines sends bytes to a server and returns the header lines of its
// response.
func rawLines(t *testing.T, base, request string) []string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scanner := bufio.NewScanner(c); scanner.Scan() && scanner.Text() != ""; {
		lines = append(lines, scanner.Text())
	}
	return lines
}

func TestPaths(t *testing.T) {
	g := newGateway(t, gatewaytest.API{Stage: "prod"})
	base := serve(t, g)
	upgrade := map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
	tests := []struct {
		name, method, path string
		change             map[string]string // of upgrade; "" removes
		want               int
	}{
		{"G-URL-1 the stage", "GET", "/prod", nil, 101},
		{"G-URL-2 one trailing slash", "GET", "/prod/", nil, 101},
		{"query", "GET", "/prod?a=b", nil, 101},
		{"G-URL-4 two trailing slashes", "GET", "/prod//", nil, 403},
		{"G-URL-4 unknown stage", "GET", "/dev", nil, 403},
		{"G-URL-4 no stage", "GET", "/", nil, 403},
		{"G-URL-3 -4 more after the stage", "GET", "/prod/more", nil, 403},
		{"G-URL-6 case of the stage", "GET", "/Prod", nil, 403},
		{"G-URL-11 plain GET", "GET", "/prod", map[string]string{"Connection": "", "Upgrade": ""}, 426},
		{"other upgrade", "GET", "/prod", map[string]string{"Upgrade": "h2c"}, 426},
		{"old version", "GET", "/prod", map[string]string{"Sec-WebSocket-Version": "8"}, 426},
		{"no key", "GET", "/prod", map[string]string{"Sec-WebSocket-Key": ""}, 400},
		{"short key", "GET", "/prod", map[string]string{"Sec-WebSocket-Key": "AAAA"}, 400},
		{"POST to the stage", "POST", "/prod", nil, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range upgrade {
				if changed, ok := tt.change[name]; ok {
					value = changed
				}
				if value != "" {
					req.Header.Set(name, value)
				}
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.want)
			}
			if tt.want == 403 {
				body, _ := io.ReadAll(resp.Body)
				if string(body) != `{"message":"Forbidden"}` || resp.Header.Get("x-amzn-ErrorType") != "ForbiddenException" {
					t.Errorf("got %s, type %q", body, resp.Header.Get("x-amzn-ErrorType"))
				}
			}
			if tt.want == 426 && resp.Header.Get("Upgrade") != "websocket" {
				t.Errorf("Upgrade %q, want websocket", resp.Header.Get("Upgrade"))
			}
		})
	}
}

// TestEarlyFrames is a client that sends before it gets the 101. What the HTTP
// server has read by then is not lost, and waits for $connect.
func TestEarlyFrames(t *testing.T) {
	sent := make(chan struct{})
	steps := make(chan string, 2)
	g := newGateway(t, api(routes("$connect", function(func(ctx context.Context, raw []byte) ([]byte, error) {
		<-sent
		steps <- "connect"
		return ok200(ctx, raw)
	}), "$default", function(func(ctx context.Context, raw []byte) ([]byte, error) {
		steps <- lookup(t, raw, "body").(string)
		return ok200(ctx, raw)
	}))))
	addr := strings.TrimPrefix(serve(t, g), "http://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+
		string(text("eager"))); err != nil {
		t.Fatal(err)
	}
	close(sent)
	if got := [2]string{<-steps, <-steps}; got != [2]string{"connect", "eager"} {
		t.Errorf("G-ORDER-4: got %q", got)
	}
}

// plainWriter is a ResponseWriter that cannot hijack, like that of HTTP/2.
type plainWriter struct{ *httptest.ResponseRecorder }

// TestServerWithoutHijack. Our own: HTTP/2 is refused before a function is
// invoked.
func TestServerWithoutHijack(t *testing.T) {
	var connect recorder
	g := newGateway(t, api(routes("$connect", &connect)))
	r := httptest.NewRequest("GET", "/v1", nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(name, value)
	}
	w := plainWriter{httptest.NewRecorder()}
	g.ServeHTTP(w, r)
	if w.Code != 500 || len(connect.all()) != 0 {
		t.Errorf("status %d after %d calls of $connect, want 500 after none", w.Code, len(connect.all()))
	}
}

// TestManyHandshakes. Our own: Stats counts each of many concurrent handshakes
// once.
func TestManyHandshakes(t *testing.T) {
	g := newGateway(t, api(routes("$connect", ok200, "$default", twoWay(echo))))
	base := "ws" + strings.TrimPrefix(serve(t, g), "http")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c, _, err := websocket.Dial(t.Context(), base+"/v1", nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.CloseNow()
			if err := c.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
				t.Error(err)
			}
			if _, _, err := c.Read(t.Context()); err != nil {
				t.Error(err)
			}
			_ = c.Close(websocket.StatusNormalClosure, "")
		})
	}
	all.Wait()
	_ = g.Close()
	if s := g.Stats(); s.Connects != 50 || s.Open != 0 || s.Disconnects[1000] != 50 || s.MessagesIn != 50 ||
		s.FramesOut != 50 {
		t.Errorf("stats %+v", s)
	}
}
