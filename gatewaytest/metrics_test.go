package gatewaytest_test

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// TestMetrics checks what each kind of event counts.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(f function) function {
			return func(ctx context.Context, event []byte) ([]byte, error) {
				time.Sleep(time.Second)
				return f(ctx, event)
			}
		}
		keys := routes("$connect", slow(ok200), "$disconnect", slow(fails("too late")),
			"echo", twoWay(slow(echo)), "teapot", twoWay(returns(`{"statusCode":418,"body":""}`)),
			"broken", fails("oh no"), "gone", noFunction, "odd", returns(`{"status":200}`), "none", gatewaytest.Route{},
			"stuck", gatewaytest.Route{Timeout: time.Second,
				Integration: function(func(ctx context.Context, _ []byte) ([]byte, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				})},
			"checked", gatewaytest.Route{Integration: ok200, ModelSelectionExpression: `\$default`,
				RequestModels: map[string]string{"$default": "m"}},
			"scarce", gatewaytest.Route{Integration: ok200, Throttle: gatewaytest.Throttle{Rate: 0.001, Burst: 1}},
			"mock", mockRoute("pong"))
		g := newGateway(t, gatewaytest.API{Routes: keys, Models: map[string]string{"m": `{"required":["n"]}`}})
		c := dial(t, g, "/v1")
		// One after the other, so that the timeouts do not overlap.
		for _, action := range []string{"echo", "echo", "teapot", "broken", "gone", "odd", "none", "stuck", "checked",
			"scarce", "scarce", "mock", "unknown"} {
			send(t, c, `{"action":"`+action+`"}`)
			time.Sleep(2 * time.Second)
		}
		if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("posted")); err != nil {
			t.Fatal(err)
		}
		// The responses of echo, teapot and mock, the post, and 8 error frames.
		for range 4 + 8 + 1 {
			receive(t, c)
		}
		_ = c.Close(1000, "")
		synctest.Wait()
		time.Sleep(time.Minute)

		took := func(n int64, each time.Duration) gatewaytest.Latency {
			return gatewaytest.Latency{SampleCount: n, Sum: time.Duration(n) * each}
		}
		want := map[string]gatewaytest.Metrics{
			"$connect":    {ConnectCount: 1, IntegrationLatency: took(1, time.Second)},
			"$disconnect": {ExecutionError: 1, IntegrationLatency: took(1, time.Second)},
			"echo":        {MessageCount: 2, IntegrationLatency: took(2, time.Second)},
			"teapot":      {MessageCount: 1, IntegrationError: 1, IntegrationLatency: took(1, 0)},
			"broken":      {MessageCount: 1, ExecutionError: 1, IntegrationLatency: took(1, 0)},
			"gone":        {MessageCount: 1, ExecutionError: 1, IntegrationLatency: took(1, 0)},
			"odd":         {MessageCount: 1, ExecutionError: 1, IntegrationLatency: took(1, 0)},
			"none":        {MessageCount: 1, ExecutionError: 1},
			"stuck":       {MessageCount: 1, ExecutionError: 1, IntegrationLatency: took(1, time.Second)},
			"checked":     {MessageCount: 1, ClientError: 1},
			"scarce":      {MessageCount: 2, ClientError: 1, IntegrationLatency: took(1, 0)},
			"mock":        {MessageCount: 1},
		}
		s := g.Stats()
		for key := range maps.Keys(want) {
			if s.Routes[key] != want[key] {
				t.Errorf("G-LOG-5 route %s: got %+v, want %+v", key, s.Routes[key], want[key])
			}
		}
		if len(s.Routes) != len(want) {
			t.Errorf("G-LOG-5 %d routes, want %d", len(s.Routes), len(want))
		}
		stage := gatewaytest.Metrics{ConnectCount: 1, MessageCount: 13 + 13, IntegrationError: 1, ClientError: 3,
			ExecutionError:     6,
			IntegrationLatency: gatewaytest.Latency{SampleCount: 10, Sum: 5 * time.Second}}
		if s.Stage != stage {
			t.Errorf("G-LOG-5 the stage: got %+v, want %+v", s.Stage, stage)
		}
	})
	t.Run("G-LOG-5 handshakes", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{
			Authorizer: &gatewaytest.Authorizer{Handler: returns(`{"principalId":"x","policyDocument":{"Version":"2012-10-17",` +
				`"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}]}}`),
				IdentitySources: []string{"route.request.querystring.token"}},
			Routes: routes("$connect", ok200),
		})
		for path, status := range map[string]int{"/v1": http.StatusUnauthorized, "/v1?token=x": http.StatusForbidden} {
			if got := handshakeStatus(t, g, path, nil); got != status {
				t.Errorf("%s: status %d, want %d", path, got, status)
			}
		}
		if got := g.Stats().Stage; got != (gatewaytest.Metrics{ClientError: 2}) {
			t.Errorf("got %+v, want two client errors", got)
		}
	})
	t.Run("G-LOG-5 $connect refuses", func(t *testing.T) {
		g := newGateway(t, api(routes("$connect", returns(`{"statusCode":503}`))))
		handshakeStatus(t, g, "/v1", nil)
		got := g.Stats().Stage
		got.IntegrationLatency.Sum = 0
		if want := (gatewaytest.Metrics{ConnectCount: 1, IntegrationError: 1,
			IntegrationLatency: gatewaytest.Latency{SampleCount: 1}}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
