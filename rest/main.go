// Command rest is the Lambda function of the REST API and of the script.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/tokens"
	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/web"
)

func main() {
	os.Exit(boot.Run(config.Rest, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		verifier, err := tokens.NewVerifier(e.Settings)
		o := rest.Options{Origins: e.AllowedOrigins, Edge: e.EdgeSecrets, Versions: e.Watch()}
		o.NewGuestID, o.Script = tokens.NewGuestID, web.Module
		o.Orders = rest.Orders{URL: e.OrdersURL, Transport: e.SignedTransport()}
		return rest.Lambda(rest.New(e.Hub(nil), verifier, o, e.Log)), err
	}))
}
