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

func TestAssumedIntegrations(t *testing.T) {
	mapped := func(m gatewaytest.Mapping) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions,
				Routes: map[string]gatewaytest.Route{"$default": {Mapping: &m, RouteResponse: true}}}, `{"say":"x"}`)
		}
	}
	answers := func(key string) map[string]gatewaytest.IntegrationResponse {
		return map[string]gatewaytest.IntegrationResponse{"$default": {ResponseTemplates: templates(key, "good")}}
	}
	const failed = "error Internal server error"
	testAssumptions(t, []assumptionTest{
		{"G-INTEG-9 no request template", mapped(gatewaytest.Mapping{Responses: answers("$default")}), "good",
			gatewaytest.Assumptions{NoTemplateFails: true}, failed},
		{"G-INTEG-7 no integration response",
			mapped(gatewaytest.Mapping{RequestTemplates: templates("$default", `{"statusCode":200}`)}), "nothing",
			gatewaytest.Assumptions{NoResponsesFail: true}, failed},
		{"G-INTEG-8 a request template application/json",
			mapped(gatewaytest.Mapping{RequestTemplates: templates("application/json", `{"statusCode":200}`),
				Responses: answers("$default")}), "good", gatewaytest.Assumptions{JSONTemplateUnused: true}, failed},
		{"G-INTEG-8 a response template application/json",
			mapped(gatewaytest.Mapping{Responses: answers("application/json")}), "good",
			gatewaytest.Assumptions{JSONTemplateUnused: true}, "nothing"},
	})
}

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
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions,
				Routes: routes("$default", tell("default"), "$connect", tell("connect"), "$disconnect", tell("disconnect"))},
				`{"action":"`+key+`"}`)
		}
	}
	validated := func(message string) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions,
				Models: map[string]string{"object": `{"type":"object"}`},
				Routes: map[string]gatewaytest.Route{"$default": {Integration: echo, RouteResponse: true,
					ModelSelectionExpression: "$request.body.action", RequestModels: map[string]string{"$default": "object"}}}},
				message)
		}
	}
	standIn := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var invoked recorder
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions,
			Routes: routes("$connect", gatewaytest.Route{}, "$default", &invoked)})
		c := dialRaw(t, g, "/v1")
		c.mustWrite(t, closeFrame(1000, ""))
		c.next(t)
		synctest.Wait()
		kinds := []string{}
		for _, event := range invoked.all() {
			kinds = append(kinds, fmt.Sprint(lookup(t, event, "requestContext", "eventType")))
		}
		return fmt.Sprint(kinds)
	}
	matching := gatewaytest.Assumptions{ReservedKeysMatch: true}
	testAssumptions(t, []assumptionTest{
		{"G-ROUTE-11 $connect", reserved("$connect"), "default MESSAGE $default", matching, "connect MESSAGE $connect"},
		{"G-ROUTE-11 $disconnect", reserved("$disconnect"), "default MESSAGE $default", matching,
			"disconnect MESSAGE $disconnect"},
		{"G-ROUTE-13 no integration", func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			return nextAfter(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", gatewaytest.Route{})}, "x")
		}, "error Internal server error", gatewaytest.Assumptions{UnboundRouteText: "Forbidden"}, "error Forbidden"},
		{"G-VALID-5 not JSON", validated("hello"), "error Invalid request body",
			gatewaytest.Assumptions{NonJSONValid: true}, "hello"},
		{"G-VALID-5 JSON of another type", validated("[]"), "error Invalid request body",
			gatewaytest.Assumptions{NonJSONValid: true}, "error Invalid request body"},
		{"G-HANDSHAKE-2 G-DISC-6 $default stands in", standIn, "[]", gatewaytest.Assumptions{DefaultStandsIn: true},
			"[CONNECT DISCONNECT]"},
		{"G-HANDSHAKE-2 $default refuses", statusWith("/v1", nil, "$default", returns(`{"statusCode":401}`)), "101",
			gatewaytest.Assumptions{DefaultStandsIn: true}, "401"},
	})
}

func TestAssumedResponses(t *testing.T) {
	long := func(size int) func(*testing.T, gatewaytest.Assumptions) string {
		return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
			body := strings.Repeat("a", size)
			got := nextAfter(t, gatewaytest.API{Assumptions: assumptions, SendBuffer: 4 << 20,
				Routes: routes("$default", twoWay(returns(`{"statusCode":200,"body":"`+body+`"}`)))}, "x")
			if got == body {
				return "complete"
			}
			return got
		}
	}
	inflates := func(size int) func(*testing.T, gatewaytest.Assumptions) string {
		message := deflateFrame(deflate(strings.Repeat("a", size)))
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
			return c.next(t)
		}
	}
	const internal = "error Internal server error"
	testAssumptions(t, []assumptionTest{
		{"G-RESP-7 null", nextAfterResponse("null"), internal, gatewaytest.Assumptions{NullResponsePasses: true}, "nothing"},
		{"G-RESP-7 null in $connect", statusWith("/v1", nil, "$connect", returns("null")), "502",
			gatewaytest.Assumptions{NullResponsePasses: true}, "101"},
		{"G-RESP-7 no statusCode", nextAfterResponse(`{}`), internal, gatewaytest.Assumptions{NoStatusPasses: true},
			"nothing"},
		{"G-RESP-7 a body without statusCode", nextAfterResponse(`{"body":"b"}`), internal,
			gatewaytest.Assumptions{NoStatusPasses: true}, "b"},
		{"G-RESP-7 a string", nextAfterResponse(`{"statusCode":"200","body":"b"}`), "b",
			gatewaytest.Assumptions{StringStatusFails: true}, internal},
		{"G-RESP-8 empty body", nextAfterResponse(`{"statusCode":200,"body":""}`), "",
			gatewaytest.Assumptions{EmptyBodySilent: true}, "nothing"},
		{"G-RESP-9 base64", nextAfterResponse(`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`), "hi",
			gatewaytest.Assumptions{Base64BodyUndecoded: true}, "aGk="},
		{"G-LIMIT-3 40 KB inflated", inflates(40_000), "close 1009", gatewaytest.Assumptions{CompressedCounts: true},
			"40000 bytes"},
		{"G-LIMIT-3 200 KB inflated", inflates(200_000), "close 1009", gatewaytest.Assumptions{CompressedCounts: true},
			"200000 bytes"},
		{"G-LIMIT-3 more than 10 MiB inflated", inflates(10<<20 + 1), "close 1009",
			gatewaytest.Assumptions{CompressedCounts: true}, "close 1009"},
		{"G-LIMIT-1 longer than 128 KB", long(131_073), internal, gatewaytest.Assumptions{MaxResponseBytes: 1 << 20},
			"complete"},
		{"G-LIMIT-1 longer than 32 KB", long(32_769), "complete",
			gatewaytest.Assumptions{MaxResponseBytes: 32_768}, internal},
	})
	// A real socket does not work in a bubble.
	t.Run("G-LIMIT-1 of a web server", func(t *testing.T) {
		body := strings.Repeat("a", 300_000)
		backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_,
				_ = w.Write([]byte(body))
		}))
		defer backend.Close()
		api := gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {HTTP: &gatewaytest.HTTP{URI: backend.URL}, RouteResponse: true}}}
		if got := nextAfter(t, api, "x"); got != internal {
			t.Errorf("by default: got %.40s", got)
		}
		api.Assumptions = gatewaytest.Assumptions{MaxResponseBytes: 300_000}
		if got := nextAfter(t, api, "x"); got != body {
			t.Errorf("with MaxResponseBytes: got %d bytes, %.40s", len(got), got)
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
		return c.next(t) + ", " + c.next(t)
	}
	read := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		return two(t, gatewaytest.API{Assumptions: assumptions})
	}
	logged := func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		var log strings.Builder
		two(t, gatewaytest.API{Assumptions: assumptions,
			AccessLog: &gatewaytest.AccessLog{Format: "$context.eventType $context.status $context.error.message",
				Output: &log}})
		synctest.Wait() // the line is written after the frame
		return strings.ReplaceAll(log.String(), "\n", ", ")
	}
	testAssumptions(t, []assumptionTest{
		{"G-ERR-7 the text", read, "error Too Many Requests, nothing",
			gatewaytest.Assumptions{ThrottledText: "Limit Exceeded"}, "error Limit Exceeded, nothing"},
		{"G-ERR-7 a close", read, "error Too Many Requests, nothing", gatewaytest.Assumptions{ThrottledCloses: true},
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
			return c.next(t) + " " + c.next(t)
		}, "second first", gatewaytest.Assumptions{SerialMessages: true}, "first second"},
	})
}
