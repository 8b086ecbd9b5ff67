// Command authorize is the Lambda authorizer of $connect.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/tokens"
	"github.com/securecart/hub/internal/handler"
)

func main() {
	os.Exit(boot.Run(config.Authorize, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		verifier, err := tokens.NewVerifier(e.Settings)
		return handler.Authorize(e.Hub(nil), verifier, handler.AuthorizeOptions{
			Origins: e.AllowedOrigins, EdgeSecrets: e.EdgeSecrets, NewGuestID: tokens.NewGuestID,
		}, e.Log), err
	}))
}
