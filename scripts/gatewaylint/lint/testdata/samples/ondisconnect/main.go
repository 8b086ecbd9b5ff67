// Ondisconnect is in the shape of AWS's chat samples: it deletes the connection.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var db *dynamodb.Client

func handler(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String("connections"),
		Key: map[string]types.AttributeValue{
			"connectionId": &types.AttributeValueMemberS{Value: e.RequestContext.ConnectionID},
		},
	})
	if err != nil {
		return events.APIGatewayProxyResponse{StatusCode: 500}, nil
	}
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: "Disconnected."}, nil // want `no client gets this body`
}

func main() { lambda.Start(handler) }
