package gatewaytest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/gatewaytest"
)

func TestAssumedRoutes(t *testing.T) {
	reserved := func(key string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			tell := func(name string) gatewaytest.Route {
				return twoWay(func(_ context.Context, raw []byte) ([]byte, error) {
					answer := fmt.Sprint(name, " ", lookup(t, raw, "requestContext", "eventType"), " ",
						lookup(t, raw, "requestContext", "routeKey"))
					return json.Marshal(map[string]any{"statusCode": 200, "body": answer})
				})
			}
			return hearing(t, gatewaytest.API{Assumptions: assumptions,
				Routes: routes("$default", tell("default"), "$connect", tell("connect"), "$disconnect", tell("disconnect"))},
				`{"action":"`+key+`"}`)
		}
	}
	validated := func(message string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return hearing(t, gatewaytest.API{Assumptions: assumptions, Models: map[string]string{"object": `{"type":"object"}`},
				Routes: map[string]gatewaytest.Route{"$default": {Integration: echo, RouteResponse: true,
					ModelSelectionExpression: "$request.body.action", RequestModels: map[string]string{"$default": "object"}}}},
				message)
		}
	}
	standIn := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var asked recorder
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
			Routes: routes("$connect", gatewaytest.Route{}, "$default", &asked)})
		c := dialRaw(t, g, "/v1")
		c.mustWrite(t, closing(1000, ""))
		c.heard(t)
		synctest.Wait()
		kinds := []string{}
		for _, event := range asked.all() {
			kinds = append(kinds, fmt.Sprint(lookup(t, event, "requestContext", "eventType")))
		}
		return fmt.Sprint(kinds)
	}
	matching := gatewaytest.Assumptions{ReservedKeysMatch: true}
	testAssumptions(t, []assumptionTest{
		{"G-ROUTE-11 $connect", reserved("$connect"), "default MESSAGE $default", matching, "connect MESSAGE $connect"},
		{"G-ROUTE-11 $disconnect", reserved("$disconnect"), "default MESSAGE $default", matching,
			"disconnect MESSAGE $disconnect"},
		{"G-ROUTE-13 nothing behind it", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return hearing(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", gatewaytest.Route{})}, "x")
		}, "error Internal server error", gatewaytest.Assumptions{UnboundRouteText: "Forbidden"}, "error Forbidden"},
		{"G-VALID-5 not JSON", validated("hello"), "error Invalid request body",
			gatewaytest.Assumptions{NonJSONValid: true}, "hello"},
		{"G-VALID-5 JSON of another type", validated("[]"), "error Invalid request body",
			gatewaytest.Assumptions{NonJSONValid: true}, "error Invalid request body"},
		{"G-HANDSHAKE-2 G-DISC-6 $default stands in", standIn, "[]", gatewaytest.Assumptions{DefaultStandsIn: true},
			"[CONNECT DISCONNECT]"},
		{"G-HANDSHAKE-2 and may refuse", refusing("/v1", nil, "$default", answers(`{"statusCode":401}`)), "101",
			gatewaytest.Assumptions{DefaultStandsIn: true}, "401"},
	})
}

func TestAssumedAnswers(t *testing.T) {
	long := func(size int) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			body := strings.Repeat("a", size)
			got := hearing(t, gatewaytest.API{Assumptions: assumptions, SendBuffer: 4 << 20,
				Routes: routes("$default", twoWay(answers(`{"statusCode":200,"body":"`+body+`"}`)))}, "x")
			if got == body {
				return "all of it"
			}
			return got
		}
	}
	inflates := func(size int) func(*testing.T, gatewaytest.Assumptions) string {
		message := compressed(packed(strings.Repeat("a", size)))
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			counts := twoWay(func(_ context.Context, raw []byte) ([]byte, error) {
				return fmt.Appendf(nil, `{"statusCode":200,"body":"%d bytes"}`, len(lookup(t, raw, "body").(string))), nil
			})
			g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", counts)})
			nc, _, err := g.DialRaw(t.Context(), "/v1", http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}})
			if err != nil {
				t.Fatal(err)
			}
			c := &rawClient{Conn: nc, r: bufio.NewReader(nc), deflate: true}
			c.mustWrite(t, message)
			return c.heard(t)
		}
	}
	const internal = "error Internal server error"
	testAssumptions(t, []assumptionTest{
		{"G-RESP-7 null", hearingAnswer("null"), internal, gatewaytest.Assumptions{NullAnswerPasses: true}, "nothing"},
		{"G-RESP-7 null in $connect", refusing("/v1", nil, "$connect", answers("null")), "502",
			gatewaytest.Assumptions{NullAnswerPasses: true}, "101"},
		{"G-RESP-7 no statusCode", hearingAnswer(`{}`), internal, gatewaytest.Assumptions{NoStatusPasses: true}, "nothing"},
		{"G-RESP-7 a body without statusCode", hearingAnswer(`{"body":"b"}`), internal,
			gatewaytest.Assumptions{NoStatusPasses: true}, "b"},
		{"G-RESP-7 a string", hearingAnswer(`{"statusCode":"200","body":"b"}`), "b",
			gatewaytest.Assumptions{StringStatusFails: true}, internal},
		{"G-RESP-8 empty body", hearingAnswer(`{"statusCode":200,"body":""}`), "",
			gatewaytest.Assumptions{EmptyBodySilent: true}, "nothing"},
		{"G-RESP-9 base64", hearingAnswer(`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`), "hi",
			gatewaytest.Assumptions{Base64BodyUndecoded: true}, "aGk="},
		{"G-LIMIT-3 40 KB inflated", inflates(40_000), "close 1009", gatewaytest.Assumptions{CompressedCounts: true},
			"40000 bytes"},
		{"G-LIMIT-3 200 KB inflated", inflates(200_000), "close 1009", gatewaytest.Assumptions{CompressedCounts: true},
			"200000 bytes"},
		{"G-LIMIT-3 more than 10 MiB inflated", inflates(10<<20 + 1), "close 1009",
			gatewaytest.Assumptions{CompressedCounts: true}, "close 1009"},
		{"G-LIMIT-1 longer than 128 KB", long(131_073), internal, gatewaytest.Assumptions{MaxAnswerBytes: 1 << 20},
			"all of it"},
		{"G-LIMIT-1 longer than 32 KB", long(32_769), "all of it", gatewaytest.Assumptions{MaxAnswerBytes: 32_768}, internal},
	})
	// Outside of a bubble, because of the socket.
	t.Run("G-LIMIT-1 of a web server", func(t *testing.T) {
		body := strings.Repeat("a", 300_000)
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_,
				_ = w.Write([]byte(body))
		}))
		defer backend.Close()
		api := gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {HTTP: &gatewaytest.HTTP{URI: backend.URL}, RouteResponse: true}}}
		if got := hearing(t, api, "x"); got != internal {
			t.Errorf("by default: got %.40s", got)
		}
		api.Assumptions = gatewaytest.Assumptions{MaxAnswerBytes: 300_000}
		if got := hearing(t, api, "x"); got != body {
			t.Errorf("with MaxAnswerBytes: got %d bytes, %.40s", len(got), got)
		}
	})
}

func TestAssumedThrottling(t *testing.T) {
	// The second message is throttled.
	two := func(t *testing.T, api gatewaytest.API) string {
		api.RouteThrottle, api.Routes = gatewaytest.Throttle{Rate: 0.001}, routes("$default", ok200)
		c := dialRaw(t, newGateway(t, api), "/v1")
		c.mustWrite(t, text("a"))
		synctest.Wait()
		c.mustWrite(t, text("b"))
		return c.heard(t) + ", " + c.heard(t)
	}
	heard := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		return two(t, gatewaytest.API{Assumptions: assumptions})
	}
	logged := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var log strings.Builder
		two(t, gatewaytest.API{Assumptions: assumptions,
			AccessLog: &gatewaytest.AccessLog{Format: "$context.eventType $context.status $context.error.message",
				Output: &log}})
		synctest.Wait() // the line comes after the frame
		return strings.ReplaceAll(log.String(), "\n", ", ")
	}
	testAssumptions(t, []assumptionTest{
		{"G-ERR-7 the text", heard, "error Too Many Requests, nothing",
			gatewaytest.Assumptions{ThrottledText: "Limit Exceeded"}, "error Limit Exceeded, nothing"},
		{"G-ERR-7 or a close", heard, "error Too Many Requests, nothing", gatewaytest.Assumptions{ThrottledCloses: true},
			"close 1008, the end"},
		{"G-ERR-7 the log has the text", logged, "CONNECT 200 -, MESSAGE 200 -, MESSAGE 429 Too Many Requests, ",
			gatewaytest.Assumptions{ThrottledText: "Limit Exceeded"},
			"CONNECT 200 -, MESSAGE 200 -, MESSAGE 429 Limit Exceeded, "},
	})
}

func TestAssumedOrder(t *testing.T) {
	testAssumptions(t, []assumptionTest{
		{"G-ORDER-2 messages of one connection", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			release := make(chan struct{})
			firstWaits := twoWay(func(ctx context.Context, raw []byte) ([]byte, error) {
				if lookup(t, raw, "body") == "first" {
					<-release
				}
				return echo(ctx, raw)
			})
			c := dialRaw(t, newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", firstWaits)}),
				"/v1")
			c.mustWrite(t, text("first"), text("second"))
			synctest.Wait()
			close(release)
			return c.heard(t) + " " + c.heard(t)
		}, "second first", gatewaytest.Assumptions{SerialMessages: true}, "first second"},
	})
}
