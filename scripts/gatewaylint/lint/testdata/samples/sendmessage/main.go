// Sendmessage is in the shape of AWS's chat samples: it posts a message to all.
package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var db *dynamodb.Client

func handler(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	rows, err := db.Scan(ctx, &dynamodb.ScanInput{ // want `Scan reads one page of receivers`
		TableName: aws.String("connections"), ProjectionExpression: aws.String("connectionId"),
	})
	if err != nil {
		return events.APIGatewayProxyResponse{StatusCode: 500, Body: err.Error()}, nil // want `the route has no route response`
	}
	var message struct{ Data string }
	if err := json.Unmarshal([]byte(e.Body), &message); err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	from := e.Headers["X-User"] // want `MESSAGE events have no Headers`
	api := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: aws.String("https://" + e.RequestContext.DomainName + "/" + e.RequestContext.Stage),
	})
	for _, row := range rows.Items {
		id := row["connectionId"].(*types.AttributeValueMemberS).Value
		_, err := api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
			ConnectionId: aws.String(id), Data: []byte(from + ": " + message.Data),
		})
		var gone *apitypes.GoneException
		if errors.As(err, &gone) {
			forget(ctx, e.RequestContext.ConnectionID) // want `deletes the sender's row`
		} else if _, ok := err.(*apitypes.GoneException); ok { // want `this type assertion never holds`
			forget(ctx, id)
		}
	}
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: "Data sent."}, nil // want `the route has no route response`
}

func forget(ctx context.Context, id string) {
	_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String("connections"),
		Key:       map[string]types.AttributeValue{"connectionId": &types.AttributeValueMemberS{Value: id}},
	})
}

func main() { lambda.Start(handler) }
