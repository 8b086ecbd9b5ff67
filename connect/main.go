// Command connect is the Lambda function of $connect.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
)

func main() {
	os.Exit(boot.Run(config.Connect, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		options := handler.ConnectOptions{
			OnConnect: e.Metrics.Connected, OnRefused: e.Metrics.Refused, Versions: e.Watch(),
		}
		return handler.Connect(e.Hub(nil), options, e.Log), nil
	}))
}
