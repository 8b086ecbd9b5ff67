// Authorizer puts a Lambda authorizer in front of $connect.
//
//	go run ./examples/authorizer
//
// It shows
//   - what a client sees for each decision: 401 without a token, before the function
//     runs, and 403 for a Deny
//   - that a failing authorizer refuses the handshake with 500, and lets nobody in
//   - how later events carry the authorizer's context, so that no handler has to
//     read the token again
//   - a policy that allows $connect of this stage only
//
// The token is in a header here. Browsers cannot set headers on a WebSocket: pages
// send it in Sec-WebSocket-Protocol or exchange it for a short-lived ticket. Not in
// the query string, which access logs keep.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// users are the known tokens. A real authorizer verifies a signature instead.
var users = map[string]string{"token-of-ann": "ann"}

type (
	authorizerRequest  = events.APIGatewayCustomAuthorizerRequestTypeRequest
	authorizerResponse = events.APIGatewayCustomAuthorizerResponse
)

// authorize is the authorizer function.
func authorize(_ context.Context, e authorizerRequest) (authorizerResponse, error) {
	token := header(e, "Authorization")
	if token == "broken" {
		return authorizerResponse{}, errors.New("the key server does not answer")
	}
	user, effect := "unknown", "Deny" // a response without a principal is an error, even with a Deny
	if name, ok := users[token]; ok {
		user, effect = name, "Allow"
	}
	return authorizerResponse{
		PrincipalID: user,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action:   []string{"execute-api:Invoke"},
				Effect:   effect,
				Resource: []string{e.MethodArn}, // $connect of this stage
			}},
		},
		Context: map[string]any{"role": "customer"},
	}, nil
}

// header returns the value of a header. Events have the letter case that the client sent.
func header(e authorizerRequest, name string) string {
	for key, value := range e.Headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

// whoami answers with the principal that the authorizer returned at the handshake.
func whoami(
	_ context.Context, e events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	principal, _ := e.RequestContext.Authorizer.(map[string]any)
	return events.APIGatewayProxyResponse{
		StatusCode: http.StatusOK,
		Body:       fmt.Sprintf("%v, %v", principal["principalId"], principal["role"]),
	}, nil
}

// run connects with several tokens and prints what each client sees.
func run(ctx context.Context, out io.Writer) error {
	gateway, err := gatewaytest.New(gatewaytest.API{
		Authorizer: &gatewaytest.Authorizer{
			Handler:         lambda.NewHandler(authorize),
			IdentitySources: []string{"route.request.header.Authorization"},
		},
		Routes: map[string]gatewaytest.Route{
			"whoami": {Integration: lambda.NewHandler(whoami), RouteResponse: true},
		},
	})
	if err != nil {
		return err
	}
	defer gateway.Close()
	for _, token := range []string{"", "stolen", "broken", "token-of-ann"} {
		opts := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if token != "" {
			opts.HTTPHeader.Set("Authorization", token)
		}
		client, response, err := gateway.Dial(ctx, "/v1", opts)
		if response == nil {
			return err
		}
		fmt.Fprintf(out, "%q: %s\n", token, response.Status)
		if err != nil {
			continue // the handshake was refused
		}
		defer client.CloseNow()
		if err := client.Write(ctx, websocket.MessageText, []byte(`{"action":"whoami"}`)); err != nil {
			return err
		}
		_, answer, err := client.Read(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "whoami: %s\n", answer)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
