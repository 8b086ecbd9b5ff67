package gatewaytest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// A route that writes to DynamoDB without any function.
func ExampleService() {
	// In place of this server, run an engine such as DynamoDB Local.
	dynamoDB := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(r.Header.Get("X-Amz-Target"), string(body))
	}))
	defer dynamoDB.Close()

	gateway, err := gatewaytest.New(gatewaytest.API{
		Services: map[string]gatewaytest.ServiceEndpoint{"dynamodb": {URL: dynamoDB.URL}},
		Routes: map[string]gatewaytest.Route{"say": {
			RouteResponse: true,
			Service:       &gatewaytest.Service{URI: "arn:aws:apigateway:eu-central-1:dynamodb:action/PutItem"},
			Mapping: &gatewaytest.Mapping{
				RequestTemplates: map[string]string{
					"$default": `{"TableName":"notes","Item":{"text":{"S":$input.json('$.text')}}}`,
				},
				Responses: map[string]gatewaytest.IntegrationResponse{
					"/4\\d\\d/": {ResponseTemplates: map[string]string{"$default": "refused"}},
					"$default":  {ResponseTemplates: map[string]string{"$default": "said"}},
				},
			},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()
	ctx := context.Background()
	client, _, err := gateway.Dial(ctx, "/v1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseNow()
	_ = client.Write(ctx, websocket.MessageText, []byte(`{"action":"say","text":"hello"}`))
	_, answer, _ := client.Read(ctx)
	fmt.Println(string(answer))
	// Output:
	// DynamoDB_20120810.PutItem {"TableName":"notes","Item":{"text":{"S":"hello"}}}
	// said
}
