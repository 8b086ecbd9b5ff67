package gatewaytest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// upperCase is a handler, as main passes it to lambda.Start.
func upperCase(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: strings.ToUpper(e.Body)}, nil
}

// check panics on an error. Examples have no t.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A test of a Go handler. upperCase is the function that main passes to
// lambda.Start.
func Example() {
	gateway, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
		"$default": {Integration: lambda.NewHandler(upperCase), RouteResponse: true},
	}})
	check(err)
	defer gateway.Close()
	client, _, err := gateway.Dial(context.Background(), "/v1", nil)
	check(err)
	defer client.CloseNow()
	check(client.Write(context.Background(), websocket.MessageText, []byte("is anybody there?")))
	_, answer, err := client.Read(context.Background())
	fmt.Println(string(answer), err)
	// Output: IS ANYBODY THERE? <nil>
}

// A 410 on purpose, to test that a hub removes the connection.
func ExampleGateway_FailNext() {
	gateway, err := gatewaytest.New(gatewaytest.API{})
	check(err)
	defer gateway.Close()
	client, _, err := gateway.Dial(context.Background(), "/v1", nil)
	check(err)
	defer client.CloseNow()

	id := gateway.Connections()[0].ConnectionID
	gateway.FailNext(id, gatewaytest.ErrGone)
	err = gateway.PostToConnection(context.Background(), id, []byte("news"))
	fmt.Println(err, errors.Is(err, gatewaytest.ErrGone))
	fmt.Println(gateway.PostToConnection(context.Background(), id, []byte("news")))
	// Output:
	// gatewaytest: 410 GoneException true
	// <nil>
}

// The responses to handshakes that $connect refuses in several ways.
func ExampleGateway_Dial_refused() {
	connect := func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		switch e.QueryStringParameters["user"] {
		case "ann":
			return events.APIGatewayProxyResponse{StatusCode: 200}, nil
		case "":
			return events.APIGatewayProxyResponse{StatusCode: 401}, nil
		case "eve":
			return events.APIGatewayProxyResponse{}, errors.New("cannot stand eve")
		default:
			return events.APIGatewayProxyResponse{StatusCode: 403}, nil
		}
	}
	gateway, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{
		"$connect": {Integration: lambda.NewHandler(connect)},
	}})
	check(err)
	defer gateway.Close()

	for _, path := range []string{"/v1?user=ann", "/v1", "/v1?user=bob", "/v1?user=eve", "/v2?user=ann"} {
		client, response, err := gateway.Dial(context.Background(), path, nil)
		if err == nil {
			_ = client.CloseNow()
		}
		fmt.Println(path, response.StatusCode)
	}
	// Output:
	// /v1?user=ann 101
	// /v1 401
	// /v1?user=bob 403
	// /v1?user=eve 502
	// /v2?user=ann 403
}
