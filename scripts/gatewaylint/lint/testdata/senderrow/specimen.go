// Package senderrow deletes rows after a 410: the receiver's, and the sender's.
package senderrow

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type request = events.APIGatewayWebsocketProxyRequest

var (
	client *api.Client
	db     *dynamodb.Client
)

func post(ctx context.Context, id string) error {
	_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: aws.String(id)})
	return err
}

func keyOf(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"connectionId": &types.AttributeValueMemberS{Value: id}}
}

func remove(ctx context.Context, id string) {
	_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("c"), Key: keyOf(id)})
}

func isGone(err error) bool {
	var gone *apitypes.GoneException
	return errors.As(err, &gone)
}

func direct(ctx context.Context, e request, ids []string) {
	for _, id := range ids {
		_, err := client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id, Data: []byte(e.Body)})
		var exception *apitypes.GoneException
		if errors.As(err, &exception) {
			_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{ // want `deletes the sender's row`
				TableName: aws.String("c"),
				Key: map[string]types.AttributeValue{
					"connectionId": &types.AttributeValueMemberS{Value: e.RequestContext.ConnectionID},
				},
			})
		}
	}
}

func byHelpers(ctx context.Context, e request, ids []string) {
	sender := e.RequestContext.ConnectionID
	for _, id := range ids {
		if err := post(ctx, id); isGone(err) {
			remove(ctx, sender) // want `deletes the sender's row`
		}
	}
}

func byStatus(ctx context.Context, e *request, ids []string) {
	for _, id := range ids {
		var answer *awshttp.ResponseError
		if errors.As(post(ctx, id), &answer) && answer.HTTPStatusCode() == http.StatusGone {
			key := keyOf(e.RequestContext.ConnectionID)
			_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{Key: key}) // want `deletes the sender's row`
		}
	}
}

func bySwitch(ctx context.Context, e request, ids []string) {
	for _, id := range ids {
		switch err := post(ctx, id); {
		case err == nil:
		case isGone(err):
			remove(ctx, e.RequestContext.ConnectionID) // want `deletes the sender's row`
		}
	}
}

func forget(ctx context.Context, e request) { remove(ctx, e.RequestContext.ConnectionID) }

func byEvent(ctx context.Context, e request, ids []string) {
	for _, id := range ids {
		if isGone(post(ctx, id)) {
			forget(ctx, e) // want `deletes the sender's row`
		}
	}
}

func theReceiver(ctx context.Context, _ request, ids []string) {
	for _, id := range ids {
		if isGone(post(ctx, id)) {
			remove(ctx, id)
		}
	}
}

func theSenderWhoIsGone(ctx context.Context, e request) {
	if isGone(post(ctx, e.RequestContext.ConnectionID)) {
		remove(ctx, e.RequestContext.ConnectionID)
	}
}

func answersToo(ctx context.Context, e request, ids []string) {
	sender := e.RequestContext.ConnectionID
	for _, id := range ids {
		if isGone(post(ctx, id)) {
			remove(ctx, sender) // want `deletes the sender's row`
		}
	}
	if isGone(post(ctx, sender)) {
		remove(ctx, sender)
	}
}

func atDisconnect(ctx context.Context, e request) { remove(ctx, e.RequestContext.ConnectionID) }

func leaves(ctx context.Context, e request, ids []string) {
	for _, id := range ids {
		if err := post(ctx, id); err != nil && !errors.Is(err, context.Canceled) {
			continue
		}
	}
	remove(ctx, e.RequestContext.ConnectionID)
}

func receiverWithSender(ctx context.Context, e request, ids []string) {
	for _, id := range ids {
		if isGone(post(ctx, id)) {
			_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
				TableName: aws.String("rows of " + e.RequestContext.ConnectionID),
				Key:       keyOf(id),
			})
		}
	}
}
