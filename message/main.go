// Command message is the Lambda function of every message route.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

func main() {
	log := logs.New(os.Stdout, slog.LevelInfo)
	s, unset := config.Load(config.Message, os.Getenv)
	cfg, unloaded := awsconfig.LoadDefaultConfig(context.Background())
	verifier, unusable := auth.New(auth.Config{
		Issuer: s.TokenIssuer, JWKSURL: s.TokenJWKSURL, ClientIDs: s.TokenClients, GuestKeys: s.GuestKeys,
	})
	limits, unreadable := hub.ParseLimits(s.Limits)
	if err := errors.Join(unset, unloaded, unreadable, unusable); err != nil {
		log.Error("start", "error", err)
		os.Exit(1)
	}
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Options{
		HubTable: s.HubTable, InventoryTable: s.InventoryTable, CartTable: s.CartTable, Layout: s.Layout, Log: log,
	})
	options := handler.MessageOptions{Shorthand: s.Shorthand}
	lambda.Start(handler.Message(hub.New(store, nil, time.Now).WithLimits(limits), verifier, options, log))
}
