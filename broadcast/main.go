// Command broadcast is the Lambda function of the inventory and cart streams.
// A schedule invokes it too, without records: then it heals marked connections.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

func main() {
	log := logs.New(os.Stdout, slog.LevelInfo)
	s, unset := config.Load(config.Broadcast, os.Getenv)
	cfg, unloaded := awsconfig.LoadDefaultConfig(context.Background())
	if err := errors.Join(unset, unloaded); err != nil {
		log.Error("start", "error", err)
		os.Exit(1)
	}
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Options{
		HubTable: s.HubTable, InventoryTable: s.InventoryTable, CartTable: s.CartTable, Layout: s.Layout, Log: log,
	})
	poster := apigw.New(apigw.Client(cfg, s.CallbackURL), apigw.Options{PostsPerSecond: s.PostsPerSecond})
	metrics := logs.NewMetrics(log, s.MetricsNamespace, lambdacontext.FunctionName)
	options := handler.BroadcastOptions{Layout: s.Layout, Observe: metrics.Broadcast, Healed: metrics.Healed}
	lambda.Start(handler.Broadcast(hub.New(store, poster, time.Now), options, log))
}
