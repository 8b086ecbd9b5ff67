// Command message is the Lambda function of every message route.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/tokens"
	"github.com/securecart/hub/internal/handler"
)

func main() {
	os.Exit(boot.Run(config.Message, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		verifier, err := tokens.NewVerifier(e.Settings)
		h := e.Hub(nil).WithEnder(apigw.New(apigw.Client(e.AWS, e.CallbackURL), apigw.Options{}))
		return handler.Message(h, verifier, e.MessageOptions(), e.Log), err
	}))
}
