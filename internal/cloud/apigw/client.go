package apigw

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/smithy-go/middleware"
)

const (
	// callTimeout ends one call; the API answers in milliseconds.
	callTimeout = 3 * time.Second

	// connections to the API per host. The SDK keeps 10, and pays a TLS handshake
	// for most of what goes beside them.
	connections = 128
)

// Client is the SDK's client for a callback URL: "https://host/stage", or
// "https://host[/path]" under a custom domain (G-MGMT-15). One is to be made, and
// kept.
func Client(cfg aws.Config, callbackURL string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.NewFromConfig(cfg, lean, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &callbackURL
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = connections
			t.MaxIdleConnsPerHost = connections
			t.MaxConnsPerHost = connections
		})
	})
}

// lean takes out of each call what a post does not need. Its signature, its
// endpoint and the reading of its answer stay.
func lean(o *apigatewaymanagementapi.Options) {
	o.Retryer = aws.NopRetryer{}
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		// What is not there need not be taken out.
		_, _ = s.Build.Remove("ClientRequestID")
		_, _ = s.Build.Remove("UserAgent")
		_, _ = s.Build.Remove("RecursionDetection")
		_, _ = s.Finalize.Remove("InterceptBeforeRetryLoop")
		_, _ = s.Finalize.Remove("Retry")
		_, _ = s.Finalize.Remove("InterceptAttempt")
		_, _ = s.Deserialize.Remove("AddRawResponseToMetadata")
		_, _ = s.Deserialize.Remove("RecordResponseTiming")
		_, _ = s.Deserialize.Remove("RequestResponseLogger")
		return nil
	})
}
