// Chat is a chat room behind an API Gateway WebSocket API: three Lambda handlers,
// tested in memory without an account.
//
//	go run ./examples/chat
//
// It shows how to
//   - join in a message and not in $connect: a post to a connection whose $connect
//     is still running answers 410
//   - answer on the request, through a route response, and push only to others
//   - forget a member at $disconnect, and again when a post answers 410, because
//     API Gateway does not guarantee $disconnect
//
// The handlers are the functions that a Lambda's main passes to lambda.Start. There
// room.post is PostToConnection of the AWS SDK.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// newGateway returns an API with the room behind it.
func newGateway() (*gatewaytest.Gateway, error) {
	r := &room{members: map[string]string{}}
	gateway, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
		"join":        {Integration: lambda.NewHandler(r.join), RouteResponse: true},
		"say":         {Integration: lambda.NewHandler(r.say), RouteResponse: true},
		"$disconnect": {Integration: lambda.NewHandler(r.disconnect)},
	}})
	if err != nil {
		return nil, err
	}
	r.post = gateway.PostToConnection
	return gateway, nil
}

// client is one chat window.
type client struct {
	name string
	conn *websocket.Conn
	out  io.Writer
}

// read prints the next message that the client receives.
func (c client) read(ctx context.Context) error {
	_, text, err := c.conn.Read(ctx)
	if err == nil {
		fmt.Fprintf(c.out, "%s sees %q\n", c.name, text)
	}
	return err
}

// ask sends a message and prints the answer.
func (c client) ask(ctx context.Context, message string) error {
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		return err
	}
	return c.read(ctx)
}

// run lets two people chat, and prints what each of them sees.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	gateway, err := newGateway()
	if err != nil {
		return err
	}
	defer gateway.Close()
	var clients []client
	for _, name := range []string{"ann", "bob"} {
		conn, _, err := gateway.Dial(ctx, "/v1", nil)
		if err != nil {
			return err
		}
		defer conn.CloseNow()
		clients = append(clients, client{name, conn, out})
	}
	ann, bob := clients[0], clients[1]
	// Each step runs even if one before it failed: the context bounds all of them.
	return errors.Join(
		ann.ask(ctx, `{"action":"say","text":"hello?"}`),
		ann.ask(ctx, `{"action":"join","name":"ann"}`),
		bob.ask(ctx, `{"action":"join","name":"bob"}`),
		ann.read(ctx),
		bob.ask(ctx, `{"action":"say","text":"hi"}`),
		ann.read(ctx),
		bob.conn.Close(websocket.StatusNormalClosure, ""),
		ann.read(ctx),
	)
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
