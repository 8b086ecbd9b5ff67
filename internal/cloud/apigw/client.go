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
	// callTimeout limits one call; the API answers in milliseconds.
	callTimeout = 3 * time.Second

	// maxConnections is the number of HTTP connections to the API. The SDK keeps 10
	// idle ones, and most calls beyond those would need a new TLS handshake.
	maxConnections = 128
)

// Client returns the SDK's client for a callback URL: "https://host/stage", or
// "https://host[/path]" under a custom domain (G-MGMT-15). Make one and keep it: its
// connections are reused.
func Client(cfg aws.Config, callbackURL string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.NewFromConfig(cfg, lean, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &callbackURL
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = maxConnections
			t.MaxIdleConnsPerHost = maxConnections
			t.MaxConnsPerHost = maxConnections
		})
	})
}

// lean removes the steps of a call that a post does not need. It keeps the signature,
// the endpoint and the decoding of the answer.
func lean(o *apigatewaymanagementapi.Options) {
	o.Retryer = aws.NopRetryer{}
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		// Remove fails only for a step that does not exist.
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
