// Package onepage finds receivers on one page, and on all.
package onepage

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var (
	client *api.Client
	db     *dynamodb.Client
	table  = aws.String("connections")
)

func post(ctx context.Context, item map[string]types.AttributeValue) {
	id := item["connectionId"].(*types.AttributeValueMemberS).Value
	_, _ = client.PostToConnection(ctx, &api.PostToConnectionInput{ConnectionId: &id})
}

func scans(ctx context.Context) error {
	out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: table}) // want `Scan reads one page of receivers`
	if err != nil {
		return err
	}
	for _, item := range out.Items {
		post(ctx, item)
	}
	return nil
}

func queries(ctx context.Context, room string) {
	in := &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("room = :r")}
	out, err := db.Query(ctx, in) // want `Query reads one page of receivers`
	if err == nil {
		for _, item := range out.Items {
			post(ctx, item)
		}
	}
}

func limited(ctx context.Context) {
	out, _ := db.Scan(ctx, &dynamodb.ScanInput{TableName: table, Limit: aws.Int32(100)}) // want `Scan reads one page`
	post(ctx, out.Items[len(out.Items)-1])
}

func receivers(ctx context.Context) []map[string]types.AttributeValue {
	out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: table}) // want `Scan reads one page`
	if err != nil {
		return nil
	}
	return out.Items
}

func broadcast(ctx context.Context) {
	for _, item := range receivers(ctx) {
		post(ctx, item)
	}
}

type store interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

func throughInterface(ctx context.Context, s store) {
	out, _ := s.Scan(ctx, &dynamodb.ScanInput{TableName: table}) // want `Scan reads one page`
	for _, item := range out.Items {
		go post(ctx, item)
	}
}

func allPages(ctx context.Context) error {
	var from map[string]types.AttributeValue
	for {
		out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: table, ExclusiveStartKey: from})
		if err != nil {
			return err
		}
		for _, item := range out.Items {
			post(ctx, item)
		}
		if from = out.LastEvaluatedKey; from == nil {
			return nil
		}
	}
}

func paginates(ctx context.Context) error {
	pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			post(ctx, item)
		}
	}
	return nil
}

// count posts to nobody.
func count(ctx context.Context) int32 {
	out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: table, Select: types.SelectCount})
	if err != nil {
		return 0
	}
	return out.Count
}

// nameOf reads one row, and its caller posts.
func nameOf(ctx context.Context, room string) map[string]types.AttributeValue {
	out, err := db.Query(ctx, &dynamodb.QueryInput{TableName: table})
	if err != nil || len(out.Items) == 0 {
		return nil
	}
	return out.Items[0]
}

func toOne(ctx context.Context) { post(ctx, nameOf(ctx, "kitchen")) }

// history posts to the sender only.
func history(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) error {
	out, err := db.Query(ctx, &dynamodb.QueryInput{TableName: table, Limit: aws.Int32(50)})
	if err != nil {
		return err
	}
	for range out.Items {
		_, err = client.PostToConnection(ctx, &api.PostToConnectionInput{
			ConnectionId: aws.String(e.RequestContext.ConnectionID),
		})
	}
	return err
}

// scanLocal is no operation of DynamoDB.
func scanLocal(ctx context.Context, s interface {
	Scan(string) []map[string]types.AttributeValue
}) {
	for _, item := range s.Scan("connections") {
		post(ctx, item)
	}
}
