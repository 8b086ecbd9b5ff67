// Command broadcast is the Lambda function of the streams of the inventory, the carts and the
// sweeps. A schedule invokes it too, without records: then it heals marked connections. And
// it answers the operators' requests of the REST APIs: nothing else may post.
package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

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
		return rest.Users(e.Hub(batches), lambda.NewHandler(e.Broadcast(batches, sweeps)), e.Log), nil
	}))
}
