// Command broadcast is the Lambda function of the streams, of the schedule that heals, and of operators' requests.
package main

import (
	"os"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/cloud/boot"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/rest"
)

func main() {
	os.Exit(boot.Run(config.Broadcast, os.Getenv, os.Stdout, func(e boot.Env) (any, error) {
		client := apigw.Client(e.AWS, e.CallbackURL)
		batches := apigw.New(client, apigw.Options{PostsPerSecond: e.PostsPerSecond})
		sweeps := apigw.New(client, apigw.Options{PostsPerSecond: e.SweepPostsPerSecond})
		return rest.Users(e.Hub(batches), e.Watch(), e.Broadcast(batches, sweeps), e.Log), nil
	}))
}
