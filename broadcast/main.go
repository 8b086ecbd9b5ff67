// Command broadcast is the Lambda function of the streams of the inventory, the carts and the
// sweeps. A schedule invokes it too, without records: then it heals marked connections.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
)

func main() {
	os.Exit(boot.Run(config.Broadcast, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		client := apigw.Client(e.AWS, e.CallbackURL)
		batches := apigw.New(client, apigw.Options{PostsPerSecond: e.PostsPerSecond})
		sweeps := apigw.New(client, apigw.Options{PostsPerSecond: e.SweepPostsPerSecond})
		return e.Broadcast(batches, sweeps), nil
	}))
}
