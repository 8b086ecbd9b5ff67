// Onconnect is in the shape of AWS's chat samples: it stores the connection.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type app struct {
	db  *dynamodb.Client
	api *apigatewaymanagementapi.Client
}

func (a app) handler(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	_, err := a.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("connections"),
		Item: map[string]types.AttributeValue{
			"connectionId": &types.AttributeValueMemberS{Value: e.RequestContext.ConnectionID},
			"user":         &types.AttributeValueMemberS{Value: e.Headers["X-User"]},
		},
	})
	if err != nil {
		return events.APIGatewayProxyResponse{StatusCode: 500, Body: "Failed to connect: " + err.Error()}, nil // want `no client gets this body`
	}
	_, err = a.api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ // want `posts to its own connection in \$connect`
		ConnectionId: aws.String(e.RequestContext.ConnectionID),
		Data:         []byte("welcome"),
	})
	if err != nil {
		return events.APIGatewayProxyResponse{StatusCode: 500}, nil
	}
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: "Connected."}, nil // want `no client gets this body`
}

func main() { lambda.Start(app{}.handler) }
