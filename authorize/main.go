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
		o := handler.AuthorizeOptions{Origins: e.AllowedOrigins, EdgeSecrets: e.EdgeSecrets, NewGuestID: tokens.NewGuestID}
		o.OnRefused, o.OnDowngraded = e.Metrics.Refused, e.Metrics.Downgraded
		return handler.Authorize(e.Hub(nil), verifier, o, e.Log), err
	}))
}
