// Command ticket is the Lambda function of POST /v1/tickets.
package main

import (
	"context"
	"crypto/rand"
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
	s, unset := config.Load(config.Ticket, os.Getenv)
	cfg, unloaded := awsconfig.LoadDefaultConfig(context.Background())
	verifier, unusable := auth.New(auth.Config{
		Issuer: s.TokenIssuer, JWKSURL: s.TokenJWKSURL, ClientIDs: s.TokenClients, GuestKeys: s.GuestKeys,
	})
	if err := errors.Join(unset, unloaded, unusable); err != nil {
		log.Error("start", "error", err)
		os.Exit(1)
	}
	store := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Options{HubTable: s.HubTable})
	lambda.Start(handler.Tickets(hub.New(store, nil, time.Now), verifier, rand.Text, log))
}
