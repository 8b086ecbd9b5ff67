// Faults runs a counter whose gateway loses messages, answers late and throttles posts.
// Every increment still counts exactly once.
//
//	go run ./examples/faults
//
// It shows how
//   - a client sends a message again when its answer is lost, with the same
//     idempotency key, after a random wait that grows
//   - a function retries a throttled post, and gives up at its deadline
//   - gatewaytest.Faults repeat: they hit each Nth message, not a random one
//   - a test in a testing/synctest bubble waits for none of this
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// faults hit on purpose: one of three posts is throttled, one of five messages is
// lost together with its connection, and one of three answers is too late.
var faults = gatewaytest.Faults{ThrottleEvery: 3, DropEvery: 5, LateEvery: 3}

const routeTimeout = 500 * time.Millisecond

// newGateway returns an API with the counter behind it.
func newGateway(c *counter) (*gatewaytest.Gateway, error) {
	gateway, err := gatewaytest.New(gatewaytest.API{
		Routes: map[string]gatewaytest.Route{
			"add": {Integration: lambda.NewHandler(c.add), RouteResponse: true, Timeout: routeTimeout},
		},
		Faults: &faults,
	})
	if err != nil {
		return nil, err
	}
	c.post = gateway.PostToConnection
	return gateway, nil
}

// run adds five times, and prints what it took and what a watcher received.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := &counter{applied: map[string]bool{}}
	gateway, err := newGateway(c)
	if err != nil {
		return err
	}
	defer gateway.Close()
	watcher, _, err := gateway.Dial(ctx, "/v1", nil)
	if err != nil {
		return err
	}
	defer watcher.CloseNow()
	c.watcher = gateway.Connections()[0].ConnectionID

	adder := client{dial: func(ctx context.Context) (*websocket.Conn, error) {
		conn, _, err := gateway.Dial(ctx, "/v1", nil)
		return conn, err
	}}
	defer adder.close()
	for i := range 5 {
		reasons, err := adder.add(ctx, fmt.Sprintf("key-%d", i))
		if err != nil {
			return err
		}
		_, total, err := watcher.Read(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "add %d: lost answers %v, watcher sees %s\n", i+1, reasons, total)
	}
	stats := gateway.Stats()
	fmt.Fprintf(out, "connections %d, messages %d, posts %d, throttled %d\n",
		stats.Connects, stats.MessagesIn, stats.Posts, stats.Throttled)
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
