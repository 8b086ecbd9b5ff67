// Broadcast sends one message to many connections, some of which are gone.
//
//	go run ./examples/broadcast
//
// It shows how to
//   - page through all receivers: one query returns at most a page
//   - delete exactly the row of a connection whose post answered 410, and no other
//   - report every other error, so that Lambda invokes the function again; receivers
//     may then get the message twice, so it must carry state and not a difference
//   - post to several connections at a time, with a limit
//
// The gateway loses each $disconnect here, as API Gateway may: only the 410 shows the
// hub that a connection is gone.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
)

// newGateway returns an API whose $connect puts connections into the table.
func newGateway(t *table) (*gatewaytest.Gateway, error) {
	type response = events.APIGatewayProxyResponse
	connect := func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (response, error) {
		t.put(e.RequestContext.ConnectionID)
		return response{StatusCode: 200}, nil
	}
	disconnect := func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (response, error) {
		t.remove(e.RequestContext.ConnectionID)
		return response{StatusCode: 200}, nil
	}
	return gatewaytest.New(gatewaytest.API{
		Routes: map[string]gatewaytest.Route{
			"$connect":    {Integration: lambda.NewHandler(connect)},
			"$disconnect": {Integration: lambda.NewHandler(disconnect)},
		},
		Faults: &gatewaytest.Faults{LoseDisconnectEvery: 1},
	})
}

// run connects seven clients, closes two of them, and broadcasts twice.
func run(ctx context.Context, out io.Writer) error {
	receivers := &table{}
	gateway, err := newGateway(receivers)
	if err != nil {
		return err
	}
	defer gateway.Close()
	for range 7 {
		client, _, err := gateway.Dial(ctx, "/v1", nil)
		if err != nil {
			return err
		}
		defer client.CloseNow()
	}
	open := gateway.Connections()
	for _, c := range []gatewaytest.ConnectionInfo{open[1], open[4]} {
		if err := gateway.DeleteConnection(ctx, c.ConnectionID); err != nil {
			return err
		}
	}
	// A throttled connection is not gone: its row stays, and the function runs again.
	gateway.FailNext(open[6].ConnectionID, gatewaytest.ErrLimitExceeded)

	b := broadcaster{table: receivers, post: gateway.PostToConnection, pageSize: 3, workers: 2}
	for range 2 {
		result, err := b.send(ctx, []byte(`{"type":"news"}`))
		fmt.Fprintf(out, "%d pages: sent %d, gone %d, failed %d; %d rows left\n",
			result.pages, result.sent, result.gone, result.failed, receivers.size())
		if err != nil {
			fmt.Fprintln(out, "the function fails:", err)
		}
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
