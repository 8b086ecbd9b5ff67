// Command authorize is the Lambda authorizer of $connect.
package main

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/config"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/logs"
)

func main() {
	log := logs.New(os.Stdout, slog.LevelInfo)
	s, unset := config.Load(config.Authorize, os.Getenv)
	verifier, unusable := auth.New(auth.Config{
		Issuer: s.TokenIssuer, JWKSURL: s.TokenJWKSURL, ClientIDs: s.TokenClients, GuestKeys: s.GuestKeys,
	})
	if err := errors.Join(unset, unusable); err != nil {
		log.Error("start", "error", err)
		os.Exit(1)
	}
	newGuestID := func() (string, error) { return auth.NewGuestID(rand.Reader) }
	lambda.Start(handler.Authorize(verifier, newGuestID, log))
}
