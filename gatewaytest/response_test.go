package gatewaytest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// outcome is what a client gets for a response: nothing, a text, or an error
// frame with a text.
type outcome struct {
	nothing bool
	body    string
	failure string
}

// exchange sends one message and returns what the client gets. In a bubble,
// "nothing" is certain.
func exchange(t *testing.T, route gatewaytest.Route) (got outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, api(map[string]gatewaytest.Route{"$default": route}))
		c := dialRaw(t, g, "/v1")
		c.mustWrite(t, text("x"))
		time.Sleep(30 * time.Second)
		c.mustWrite(t, frame(fin|opPing, "end"))
		f := c.mustRead(t)
		if f.opcode == opPong {
			got.nothing = true
			return
		}
		if f.opcode != opText {
			t.Fatalf("got %v", f)
		}
		if pong := c.mustRead(t); pong.opcode != opPong { // the connection stays open
			t.Fatalf("after the response got %v", pong)
		}
		var e struct{ Message, ConnectionID, RequestID string }
		if json.Unmarshal([]byte(f.payload), &e) == nil && e.ConnectionID != "" {
			want := fmt.Sprintf(`{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, e.Message, onlyID(t, g), e.RequestID)
			if f.payload != want {
				t.Errorf("G-ERR-1: got %s, want %s", f.payload, want)
			}
			got.failure = e.Message
			return
		}
		got.body = f.payload
	})
	return got
}

func TestResponses(t *testing.T) {
	nothing := outcome{nothing: true}
	body := func(s string) outcome { return outcome{body: s} }
	failure := outcome{failure: "Internal server error"}
	tests := []struct {
		name, answer   string
		oneWay, twoWay outcome
	}{
		{"G-RESP-4 body", `{"statusCode":200,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-4 not the headers", `{"statusCode":200,"headers":{"A":"b"},"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-1 -5 status 301", `{"statusCode":301,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-1 -5 status 401", `{"statusCode":401,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-1 -5 status 501", `{"statusCode":501,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-5 status -1", `{"statusCode":-1,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-6 all known keys",
			`{"statusCode":200,"headers":{},"multiValueHeaders":{},"body":"hi","isBase64Encoded":false}`, nothing, body("hi")},
		{"G-RESP-6 nulls", `{"statusCode":200,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null}`,
			nothing, nothing},
		{"G-RESP-6 unknown key", `{"statusCode":200,"body":"hi","ConnectionId":"x"}`, failure, failure},
		{"G-RESP-6 key in the wrong case", `{"StatusCode":200,"body":"hi"}`, failure, failure},
		{"G-RESP-7 body is a number", `{"statusCode":200,"body":5}`, failure, failure},
		{"G-RESP-7 body is an object", `{"statusCode":200,"body":{"a":1}}`, failure, failure},
		{"G-RESP-7 status is a string of digits", `{"statusCode":"200","body":"hi"}`, nothing, body("hi")},
		{"G-RESP-7 status 2e2", `{"statusCode":2e2,"body":"hi"}`, nothing, body("hi")},
		{"G-RESP-7 status is a word", `{"statusCode":"ok","body":"hi"}`, failure, failure},
		{"G-RESP-7 status is a fraction", `{"statusCode":200.5,"body":"hi"}`, failure, failure},
		{"G-RESP-7 status is null", `{"statusCode":null,"body":"hi"}`, failure, failure},
		{"G-RESP-7 status missing", `{"body":"hi"}`, failure, failure},
		{"G-RESP-7 empty object", `{}`, failure, failure},
		{"G-RESP-7 null", `null`, failure, failure},
		{"G-RESP-7 empty response", ``, failure, failure},
		{"G-RESP-7 a string", `"hi"`, failure, failure},
		{"G-RESP-7 a list", `[{"statusCode":200}]`, failure, failure},
		{"G-RESP-7 not JSON", `<html>`, failure, failure},
		{"G-RESP-7 headers is not an object", `{"statusCode":200,"headers":"A: b","body":"hi"}`, failure, failure},
		{"G-RESP-7 header is an object", `{"statusCode":200,"headers":{"a":{}},"body":"hi"}`, failure, failure},
		{"G-RESP-7 header is a number", `{"statusCode":200,"headers":{"a":1},"multiValueHeaders":{"b":[true]},"body":"hi"}`,
			nothing, body("hi")},
		{"G-RESP-7 multi-value header is not a list", `{"statusCode":200,"multiValueHeaders":{"a":"b"},"body":"hi"}`, failure,
			failure},
		{"G-RESP-7 isBase64Encoded is not a boolean", `{"statusCode":200,"body":"hi","isBase64Encoded":"false"}`, failure,
			failure},
		{"G-RESP-8 empty body", `{"statusCode":200,"body":""}`, nothing, body("")},
		{"G-RESP-8 no body", `{"statusCode":200}`, nothing, nothing},
		{"G-RESP-9 base64", `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, nothing, body("hi")},
		{"G-RESP-9 invalid base64", `{"statusCode":200,"body":"hi!","isBase64Encoded":true}`, failure, failure},
		{"G-RESP-9 base64 of invalid UTF-8", `{"statusCode":200,"body":"/w==","isBase64Encoded":true}`, nothing,
			body("\uFFFD")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exchange(t, gatewaytest.Route{Integration: returns(tt.answer)}); got != tt.oneWay {
				t.Errorf("one-way: got %+v, want %+v", got, tt.oneWay)
			}
			if got := exchange(t, twoWay(returns(tt.answer))); got != tt.twoWay {
				t.Errorf("two-way: got %+v, want %+v", got, tt.twoWay)
			}
		})
	}
	t.Run("G-RESP-2 -3 a route response is necessary and sufficient", func(t *testing.T) {
		for _, tt := range []struct {
			route gatewaytest.Route
			want  outcome
		}{{gatewaytest.Route{Integration: echo, RouteResponse: true}, body("x")},
			{gatewaytest.Route{Integration: echo}, nothing}} {
			if got := exchange(t, tt.route); got != tt.want {
				t.Errorf("route response %v: got %+v, want %+v", tt.route.RouteResponse, got, tt.want)
			}
		}
	})
	t.Run("G-RESP-6 responses of aws-lambda-go are valid", func(t *testing.T) {
		handler := lambda.NewHandler(func() (events.APIGatewayProxyResponse, error) {
			return events.APIGatewayProxyResponse{StatusCode: 200}, nil
		})
		if got := exchange(t, gatewaytest.Route{Integration: handler, RouteResponse: true}); got != body("") {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("G-LIMIT-1 two-way body of 128 KB", func(t *testing.T) {
		for _, tt := range []struct {
			length int
			fails  bool
		}{{128 * 1024, false}, {128*1024 + 1, true}} {
			got := exchange(t, twoWay(returns(`{"statusCode":200,"body":"`+strings.Repeat("x", tt.length)+`"}`)))
			if (got == failure) != tt.fails || !tt.fails && len(got.body) != tt.length {
				t.Errorf("%d bytes: got %.60v", tt.length, got)
			}
		}
	})
}

func TestErrorFrames(t *testing.T) {
	internal := outcome{failure: "Internal server error"}
	both := func(name string, f function, want outcome) {
		t.Run(name, func(t *testing.T) {
			for _, route := range []gatewaytest.Route{{Integration: f}, twoWay(f)} {
				if got := exchange(t, route); got != want {
					t.Errorf("two-way %v: got %+v, want %+v", route.RouteResponse, got, want)
				}
			}
		})
	}
	both("G-ERR-3 -6 -9 function error", fails("password is hunter2"), internal)
	both("G-ERR-3 panic", func(context.Context, []byte) ([]byte, error) { panic("oh no") }, internal)
	both("G-ERR-4 -6 timeout", func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, outcome{failure: "Endpoint request timed out"})
	t.Run("G-ROUTE-13 route without integration", func(t *testing.T) {
		if got := exchange(t, gatewaytest.Route{}); got != internal {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("G-ERR-2 no route", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, api(routes("cart", twoWay(echo))))
			c := dial(t, g, "/v1")
			send(t, c, `{"action":"nope"}`)
			if got := receive(t, c); !strings.HasPrefix(got,
				`{"message": "Forbidden", "connectionId":"`+onlyID(t, g)+`", "requestId":"`) {
				t.Errorf("got %s", got)
			}
			send(t, c, `{"action":"cart"}`)
			if got := receive(t, c); got != `{"action":"cart"}` {
				t.Errorf("after that got %s", got)
			}
		})
	})
	t.Run("G-ERR-1 requestId is that of the event and of the function's context", func(t *testing.T) {
		var seen recorder
		var fromContext string
		seen.next = func(ctx context.Context, _ []byte) ([]byte, error) {
			if lc, ok := lambdacontext.FromContext(ctx); ok {
				fromContext = lc.AwsRequestID
			}
			return nil, fmt.Errorf("no")
		}
		g := newGateway(t, api(routes("$default", &seen)))
		c := dial(t, g, "/v1")
		send(t, c, "x")
		var frame struct{ RequestID string }
		if err := json.Unmarshal([]byte(receive(t, c)), &frame); err != nil {
			t.Fatal(err)
		}
		if id := lookup(t, seen.one(t), "requestContext", "requestId"); frame.RequestID != id || fromContext != id {
			t.Errorf("frame %s, context %s, event %s", frame.RequestID, fromContext, id)
		}
	})
	t.Run("G-ERR-4 after exactly 29 s; the function continues and can post", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var g *gatewaytest.Gateway
			slow := function(func(ctx context.Context, raw []byte) ([]byte, error) {
				time.Sleep(40 * time.Second)
				id := lookup(t, raw, "requestContext", "connectionId").(string)
				return []byte(`{"statusCode":200,"body":"too late"}`),
					g.PostToConnection(context.WithoutCancel(ctx), id, []byte("posted"))
			})
			g = newGateway(t, api(routes("$default", twoWay(slow))))
			c := dial(t, g, "/v1")
			start := time.Now()
			send(t, c, "x")
			if got := receive(t, c); !strings.HasPrefix(got,
				`{"message": "Endpoint request timed out"`) || time.Since(start) != 29*time.Second {
				t.Errorf("got %s after %v", got, time.Since(start))
			}
			if got := receive(t, c); got != "posted" || time.Since(start) != 40*time.Second {
				t.Errorf("got %s after %v", got, time.Since(start))
			}
			send(t, c, "y") // the late response is never sent
			if got := receive(t, c); !strings.Contains(got, "timed out") {
				t.Errorf("got %s", got)
			}
			time.Sleep(time.Minute)
		})
	})
	t.Run("G-LIMIT-8 the route's own timeout is the context's deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			left := make(chan time.Duration, 1)
			f := function(func(ctx context.Context, _ []byte) ([]byte, error) {
				deadline, _ := ctx.Deadline()
				left <- time.Until(deadline)
				<-ctx.Done()
				return nil, ctx.Err()
			})
			g := newGateway(t, api(routes("$default", gatewaytest.Route{Integration: f, Timeout: 50 * time.Millisecond})))
			c := dial(t, g, "/v1")
			start := time.Now()
			send(t, c, "x")
			if got := receive(t, c); !strings.Contains(got, "timed out") || time.Since(start) != 50*time.Millisecond {
				t.Errorf("got %s after %v", got, time.Since(start))
			}
			if got := <-left; got != 50*time.Millisecond {
				t.Errorf("the context had %v left", got)
			}
		})
	})
	t.Run("G-ERR-7 too many messages at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			f := function(func(ctx context.Context, _ []byte) ([]byte, error) { <-release; return ok200(ctx, nil) })
			g := newGateway(t, api(routes("$default", f)))
			c := dial(t, g, "/v1")
			for range 1001 {
				send(t, c, "x")
			}
			if got := receive(t, c); !strings.HasPrefix(got, `{"message": "Too Many Requests", `) {
				t.Errorf("got %s", got)
			}
			close(release)
			synctest.Wait()
			send(t, c, "x") // below the limit again
			time.Sleep(time.Second)
			if n := g.Stats().FramesOut; n != 1 {
				t.Errorf("%d frames out, want 1", n)
			}
		})
	})
}

func TestOrder(t *testing.T) {
	// The first message takes a second, the second none.
	slowFirst := func(handled *recorder) function {
		handled.next = func(ctx context.Context, raw []byte) ([]byte, error) {
			if lookup(t, raw, "body") == "first" {
				time.Sleep(time.Second)
			}
			return echo(ctx, raw)
		}
		return handled.Invoke
	}
	for _, tt := range []struct {
		name   string
		serial bool
		want   [2]string
	}{
		{"G-ORDER-1 -2 -3 G-RESP-11 concurrent", false, [2]string{"second", "first"}},
		{"G-ORDER-2 one after the other with SerialMessages", true, [2]string{"first", "second"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled recorder
				g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{SerialMessages: tt.serial},
					Routes: routes("$default", twoWay(slowFirst(&handled)))})
				c := dial(t, g, "/v1")
				send(t, c, "first")
				synctest.Wait()
				send(t, c, "second")
				if got := [2]string{receive(t, c), receive(t, c)}; got != tt.want {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				send(t, c, "third")
				receive(t, c)
			})
		})
	}
	t.Run("G-ORDER-2 a serial connection still answers pings", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var handled recorder
			g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{SerialMessages: true},
				Routes: routes("$default", slowFirst(&handled))})
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, text("first"), text("second"), frame(fin|opPing, "p"))
			start := time.Now()
			if f := c.mustRead(t); f.opcode != opPong || time.Since(start) != 0 {
				t.Errorf("got %v after %v", f, time.Since(start))
			}
		})
	})
	t.Run("G-RESP-12 posts of the function arrive before its response", func(t *testing.T) {
		var g *gatewaytest.Gateway
		f := function(func(ctx context.Context, raw []byte) ([]byte, error) {
			id := lookup(t, raw, "requestContext", "connectionId").(string)
			if err := g.PostToConnection(ctx, id, []byte("posted")); err != nil {
				return nil, err
			}
			return []byte(`{"statusCode":200,"body":"answer"}`), nil
		})
		g = newGateway(t, api(routes("$default", twoWay(f))))
		c := dial(t, g, "/v1")
		send(t, c, "x")
		if got := [2]string{receive(t, c), receive(t, c)}; got != [2]string{"posted", "answer"} {
			t.Errorf("got %v", got)
		}
	})
	t.Run("G-RESP-10 bodies of $connect and $disconnect are not sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hello := twoWay(returns(`{"statusCode":200,"body":"hello"}`))
			g := newGateway(t, api(routes("$connect", hello, "$disconnect", hello)))
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, frame(fin|opPing, ""), closeFrame(1000, ""))
			if f := c.mustRead(t); f.opcode != opPong {
				t.Errorf("got %v", f)
			}
			if f := c.mustRead(t); f.opcode != opClose {
				t.Errorf("got %v", f)
			}
			synctest.Wait()
			if f, err := c.readFrame(); err == nil {
				t.Errorf("got %v", f)
			}
		})
	})
}

// TestResponsesAreNotMixed. Our own: lambda.NewHandler returns its buffer to a
// pool before the caller has read it. Responses to many concurrent clients must
// stay apart.
func TestResponsesAreNotMixed(t *testing.T) {
	echo := lambda.NewHandler(func(_ context.Context,
		e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: e.Body}, nil
	})
	g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {Integration: echo,
		RouteResponse: true}}})
	var clients sync.WaitGroup
	for i := range 8 {
		c := dial(t, g, "/v1")
		clients.Go(func() {
			for n := range 200 {
				text := strings.Repeat(fmt.Sprintf("client %d message %d ", i, n), 1+n%7)
				if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
					t.Error(err)
					return
				}
				_, got, err := c.Read(t.Context())
				if err != nil || string(got) != text {
					t.Errorf("got %q, %v, want %q", got, err, text)
					return
				}
			}
		})
	}
	clients.Wait()
}
