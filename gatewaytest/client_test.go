package gatewaytest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// TestClient. Our own: what a client sends, gets and says about itself.
func TestClient(t *testing.T) {
	connects := &recorder{next: returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat"}}`)}
	s := gatewaytest.Start(t, api(routes("$connect", connects, "$default", twoWay(echo))))
	ann := s.Client("?user=ann", http.Header{"Sec-WebSocket-Protocol": {"v2, chat"}, "X-Tenant": {"t1"},
		"Host": {"ws.example.com"}})
	event := connects.one(t)
	for want, got := range map[string]any{
		"ann":            lookup(t, event, "queryStringParameters", "user"),
		"t1":             lookup(t, event, "headers", "X-Tenant"),
		"ws.example.com": lookup(t, event, "requestContext", "domainName"),
		ann.ID():         lookup(t, event, "requestContext", "connectionId"),
		"chat":           ann.Subprotocol(),
	} {
		if got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	ann.Send("hello")
	ann.Expect("hello")
	ann.Send([]byte("bytes"))
	if got := ann.Read(); got != "bytes" {
		t.Errorf("got %s", got)
	}
	ann.Send(map[string]any{"a": 1, "b": []string{"x"}})
	ann.ExpectJSON(` { "b": ["x"], "a": 1 } `)
	ann.Send(`{"a":[2.0, 1e2, 0.50]}`)
	ann.ExpectJSON(map[string]any{"a": []float64{2, 100, 0.5}})
	ann.Send(struct{ Name string }{"ann"})
	var v struct{ Name string }
	if ann.ReadJSON(&v); v.Name != "ann" {
		t.Errorf("got %+v", v)
	}
	for i := range 3 {
		ann.Send(fmt.Sprint("message ", i))
	}
	ann.ReadUntil(func(message string) bool { return strings.HasSuffix(message, "2") })
	s.Client("/v1/", http.Header{"sec-websocket-protocol": {"v2", "chat"}}).ExpectNothing()
}

// TestClientWaitsForDisconnect. Our own: after Close and ExpectClose the work of
// $disconnect is done.
func TestClientWaitsForDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := gatewaytest.Start(t, gatewaytest.API{Routes: routes("$disconnect", takes(time.Second))})
		s.Client("", nil).Close()
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close returned after %v", took)
		}
		bob := s.Client("", nil)
		if err := s.DeleteConnection(t.Context(), bob.ID()); err != nil {
			t.Fatal(err)
		}
		bob.ExpectClose(1000)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("ExpectClose returned after %v", took)
		}
		bob.Close() // harmless
	})
}

// TestClientKeepsMessages. Our own: what came early is not lost.
func TestClientKeepsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gatewaytest.Start(t, gatewaytest.API{})
		ann := s.Client("", nil)
		for _, text := range []string{"one", "two", ""} {
			_ = s.PostToConnection(t.Context(), ann.ID(), []byte(text))
		}
		_ = s.DeleteConnection(t.Context(), ann.ID())
		synctest.Wait()
		ann.Expect("one")
		ann.Expect("two")
		ann.Expect("")
		ann.ExpectNothing()
		ann.ExpectClose(1000)
	})
}

// TestFrames. Our own: the recorder has what the test has seen, in order.
func TestFrames(t *testing.T) {
	s := gatewaytest.Start(t, api(routes("$default", twoWay(echo))))
	ann, bob := s.Client("", nil), s.Client("", nil)
	ann.Send("hi")
	ann.Expect("hi")
	_ = s.PostToConnection(t.Context(), bob.ID(), []byte("news"))
	bob.Expect("news")
	bob.Close()
	_ = s.Close()
	var lines []string
	for _, f := range s.Frames() {
		lines = append(lines, f.String())
		if f.ConnectionID != map[int]string{1: ann.ID(), 2: bob.ID()}[f.Client] || f.At.IsZero() {
			t.Errorf("frame %+v", f)
		}
	}
	want := "1 > hi\n1 < hi\n2 < news\n2 closed 1000\n1 closed 1001 Going away"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestClientFailures. Our own: a failure says what was awaited, what came, the
// client's frames and what the gateway logged.
func TestClientFailures(t *testing.T) {
	post := func(s *gatewaytest.Server, c *gatewaytest.Client, text string) {
		_ = s.PostToConnection(context.Background(), c.ID(), []byte(text))
	}
	for name, tt := range map[string]struct {
		test func(*gatewaytest.Server, *gatewaytest.Client)
		want []string
	}{
		"nothing came": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Send(`{"action":"quiet"}`); c.Expect("hello") },
			[]string{"client 1 (/v1?user=ann): waited 10s for hello; nothing came", `1 > {"action":"quiet"}`,
				"what the gateway logged:", "route quiet: the body that its function returns is dropped"}},
		"a function failed": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Send(`{"action":"broken"}`); c.Expect("hello") },
			[]string{"got  {\"message\": \"Internal server error\"", "\n\twant hello", "the table is missing"}},
		"other text": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) { post(s, c, "hello "); c.Expect("hello") },
			[]string{`got  "hello "`, "want hello", `1 < "hello "`}},
		"other JSON": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				post(s, c, `{"a":2}`)
				c.ExpectJSON(map[string]int{"a": 1})
			},
			[]string{`got  {"a":2}`, `want {"a":1}`}},
		"large numbers": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				post(s, c, `9007199254740993`)
				c.ExpectJSON(9007199254740992)
			},
			[]string{`got  9007199254740993`}},
		"more than JSON": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				post(s, c, `{"a":1} and more`)
				c.ExpectJSON(map[string]int{"a": 1})
			},
			[]string{`got  {"a":1} and more`}},
		"no JSON": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) { post(s, c, `hello`); c.ReadJSON(new(int)) },
			[]string{`cannot decode hello: invalid character`}},
		"cannot be encoded": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Send(make(chan int)) },
			[]string{"cannot send chan int"}},
		"wrong want": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.ExpectJSON("{") },
			[]string{"cannot expect {: unexpected EOF"}},
		"closed": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				_ = s.DeleteConnection(context.Background(), c.ID())
				c.Expect("hello")
			},
			[]string{`the connection was closed with 1000 "Connection Closed Normally"; want hello`, "1 closed 1000"}},
		"cut": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) { _ = s.Cut(c.ID()); c.Read() },
			[]string{"the connection broke; want a message"}},
		"another close": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				_ = s.DeleteConnection(context.Background(), c.ID())
				c.ExpectClose(1001)
			},
			[]string{`closed with 1000 "Connection Closed Normally"; want close 1001`}},
		"no close": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Within(time.Minute).ExpectClose(1001) },
			[]string{"waited 1m0s for close 1001; nothing came"}},
		"a message before the close": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) { post(s, c, "news"); c.ExpectClose(1001) },
			[]string{"(/v1?user=ann): unexpected message\n\tgot  news\n\twant close 1001"}},
		"a message too many": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				post(s, c, "news")
				synctest.Wait()
				c.ExpectNothing()
			},
			[]string{"got  news\n\twant nothing"}},
		"sent after the end": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Close(); c.Send("hello") },
			[]string{`cannot send hello: the connection was closed with 1000 ""` + "\n"}},
		"no frames of its own": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Within(time.Second).Expect("news") },
			[]string{"no frames of client 1; those of all clients:\n\t\t2 > not ann's"}},
		"no match": {
			func(s *gatewaytest.Server, c *gatewaytest.Client) {
				post(s, c, "news")
				c.ReadUntil(func(string) bool { return false })
			},
			[]string{"for a message that matches (1 did not)"}},
		"stuck $disconnect": {
			func(_ *gatewaytest.Server, c *gatewaytest.Client) { c.Within(time.Second).Close() },
			[]string{"waited 1s for the end of $disconnect"}},
		"refused": {
			func(s *gatewaytest.Server, _ *gatewaytest.Client) { s.Client("/v2", nil) },
			[]string{`client of /v2: refused with 403 Forbidden {"message":"Forbidden"}`}},
		"not refused": {
			func(s *gatewaytest.Server, _ *gatewaytest.Client) { s.ExpectRefused(401, "", nil) },
			[]string{"client of /v1 connected; want it refused with 401"}},
		"refused otherwise": {
			func(s *gatewaytest.Server, _ *gatewaytest.Client) { s.ExpectRefused(401, "/v2", nil) },
			[]string{"refused with 403 Forbidden", "want it refused with 401"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := try(func(tb gatewaytest.TB) {
					s := gatewaytest.Start(tb, api(routes("quiet", echo, "$default", ok200,
						"broken", twoWay(fails("the table is missing")), "$disconnect", takes(2*time.Second))))
					ann := s.Client("?user=ann", nil)
					s.Client("?user=bob", nil).Send("not ann's")
					tt.test(s, ann)
				})
				if len(f.failures) != 1 {
					t.Fatalf("%d failures, want 1: %q", len(f.failures), f.failures)
				}
				for _, want := range tt.want {
					if !strings.Contains(f.failures[0], want) {
						t.Errorf("no %q in the failure:\n%s", want, f.failures[0])
					}
				}
				if strings.Contains(f.failures[0], "1 > hello") {
					t.Errorf("a message that was not sent:\n%s", f.failures[0])
				}
				hasOwn := strings.Contains(f.failures[0], "the frames of connection")
				if hasOwn && strings.Contains(f.failures[0], "not ann's") {
					t.Errorf("another client's frames in the failure:\n%s", f.failures[0])
				}
			})
		})
	}
}

// TestClientStoryIsShort. Our own: a failure shows the last frames, shortened.
func TestClientStoryIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := try(func(tb gatewaytest.TB) {
			s := gatewaytest.Start(tb, gatewaytest.API{})
			ann := s.Client("", nil)
			for i := range 30 {
				long, _ := json.Marshal(strings.Repeat(fmt.Sprint(i), 5000))
				_ = s.PostToConnection(t.Context(), ann.ID(), long)
				ann.Read()
			}
			ann.Read()
		})
		if text := f.failures[0]; len(text) > 8_000 || !strings.Contains(text, "without the first 20") {
			t.Errorf("%d bytes:\n%s", len(text), text)
		}
	})
}
