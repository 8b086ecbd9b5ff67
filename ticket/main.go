// Command ticket is the Lambda function of tickets and of the script.
package main

import (
	"crypto/rand"
	"os"

	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/tokens"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/web"
)

func main() {
	os.Exit(boot.Run(config.Ticket, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		verifier, err := tokens.NewVerifier(e.Settings)
		return handler.WithScript(handler.Tickets(e.Hub(nil), verifier, rand.Text, e.Log), web.Module), err
	}))
}
