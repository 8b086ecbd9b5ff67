// Command disconnect is the Lambda function of $disconnect.
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

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

func main() {
	log := logs.New(os.Stdout, slog.LevelInfo)
	s, unset := config.Load(config.Disconnect, os.Getenv)
	cfg, unloaded := awsconfig.LoadDefaultConfig(context.Background())
	if err := errors.Join(unset, unloaded); err != nil {
		log.Error("start", "error", err)
		os.Exit(1)
	}
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Options{HubTable: s.HubTable})
	metrics := logs.NewMetrics(log, s.MetricsNamespace, lambdacontext.FunctionName)
	lambda.Start(handler.Disconnect(hub.New(store, nil, time.Now), metrics.Disconnected, log))
}
