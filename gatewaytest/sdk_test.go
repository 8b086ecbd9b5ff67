package gatewaytest_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"

	"github.com/securecart/hub/gatewaytest"
)

// TestSDKInMemory. Our own: an SDK client with HTTPClient reaches the server
// under the address that the API has in AWS, also in a bubble.
func TestSDKInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gatewaytest.Start(t, gatewaytest.API{Faults: &gatewaytest.Faults{ThrottleEvery: 2}})
		ann := s.Client("", nil)
		client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
			Region: "eu-central-1", HTTPClient: s.HTTPClient(),
			BaseEndpoint: aws.String("https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/v1"),
			Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		})
		post := func() error {
			_, err := client.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{
				ConnectionId: aws.String(ann.ID()), Data: []byte("news"),
			})
			return err
		}
		if err := errors.Join(post(), post()); err != nil {
			t.Error(err)
		}
		ann.Expect("news")
		ann.Expect("news") // throttled once; the SDK posted it again
		ann.Close()
		s.SetFaults(nil)
		if gone := new(types.GoneException); !errors.As(post(), &gone) {
			t.Error("want a GoneException after the client has closed")
		}
	})
}
