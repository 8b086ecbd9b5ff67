// Command broadcast is the Lambda function of the inventory and cart streams. A
// schedule invokes it too, without records: then it heals marked connections.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
)

func main() {
	os.Exit(boot.Run(config.Broadcast, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		poster := apigw.New(apigw.Client(e.AWS, e.CallbackURL), apigw.Options{PostsPerSecond: e.PostsPerSecond})
		options := handler.BroadcastOptions{Layout: e.Layout, OnBatch: e.Metrics.Broadcast, OnHeal: e.Metrics.Healed}
		return handler.Broadcast(e.Hub(poster), options, e.Log), nil
	}))
}
