// Command disconnect is the Lambda function of $disconnect.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
)

func main() {
	os.Exit(boot.Run(config.Disconnect, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		return handler.Disconnect(e.Hub(nil), e.Metrics.Disconnected, e.Log), nil
	}))
}
