package gatewaytest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// TestMaxConcurrentMessages. Our own: a flood from one connection runs at most
// four functions concurrently, and loses no response.
func TestMaxConcurrentMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		work := lambda.NewHandler(func(context.Context,
			events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
			n := running.Add(1)
			for {
				was := most.Load()
				if n <= was || most.CompareAndSwap(was, n) {
					break
				}
			}
			time.Sleep(time.Second)
			running.Add(-1)
			return events.APIGatewayProxyResponse{StatusCode: 200, Body: "done"}, nil
		})
		gw, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {Integration: work,
			RouteResponse: true}}})
		if err != nil {
			t.Fatal(err)
		}
		defer gw.Close()
		conn, _, err := gw.Dial(t.Context(), "/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		const messages = 12
		start := time.Now()
		for range messages {
			if err := conn.Write(t.Context(), websocket.MessageText, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		for range messages {
			if _, data, err := conn.Read(t.Context()); err != nil || string(data) != "done" {
				t.Fatalf("got %s, %v", data, err)
			}
		}
		if most.Load() != 4 || time.Since(start) != messages/4*time.Second {
			t.Errorf("%d concurrent, %s in total, want 4 and %s", most.Load(), time.Since(start), messages/4*time.Second)
		}
	})
}
