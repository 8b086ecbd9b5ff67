// Connectionid is in the shape of AWS's chat tutorial: the $default route tells a
// client about its connection, and answers with a route response. No finding.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

var api *apigatewaymanagementapi.Client

func handler(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	id := aws.String(e.RequestContext.ConnectionID)
	info, err := api.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: id})
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	_, err = api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: id, Data: fmt.Appendf(nil, "connected at %s", info.ConnectedAt),
	})
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: "use sendmessage"}, err
}

func main() { lambda.Start(handler) }
