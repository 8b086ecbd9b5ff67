package apigw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// callTimeout limits one call; the API answers in milliseconds.
	callTimeout = 3 * time.Second

	// maxConnections is the number of HTTP connections to the API, and of concurrent posts
	// of a Poster. The SDK keeps 10 idle ones, and most calls beyond those would need a
	// new TLS handshake. Posters that share a client share them.
	maxConnections = 128
)

// Client returns the SDK's client for a callback URL: "https://host/stage", or
// "https://host[/path]" under a custom domain (G-MGMT-15). Make one and keep it: its
// connections are reused.
func Client(cfg aws.Config, callbackURL string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &callbackURL
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = maxConnections
			t.MaxIdleConnsPerHost = maxConnections
			t.MaxConnsPerHost = maxConnections
		})
	}, lean)
}

// lean removes the steps of a call that a post does not need: retries, logging, metrics,
// the search for an endpoint and an identity, headers for AWS's statistics. The request
// itself, its signature and the decoding of the answer stay the SDK's.
func lean(o *apigatewaymanagementapi.Options) {
	o.Retryer = aws.NopRetryer{}
	callback, err := url.Parse(aws.ToString(o.BaseEndpoint))
	sign := &signStep{callback: callback, region: o.Region, credentials: o.Credentials, signer: v4.NewSigner()}
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		s.Initialize.Clear()
		s.Build.Clear()
		s.Finalize.Clear()
		// Remove fails only for a step that does not exist.
		_, _ = s.Serialize.Remove("setOperationInput")
		_, _ = s.Serialize.Remove("ResolveEndpoint")
		for _, step := range []string{
			"AddRawResponseToMetadata", "RecordResponseTiming", "RequestResponseLogger", "AddTimeOffsetMiddleware",
		} {
			_, _ = s.Deserialize.Remove(step)
		}
		return errors.Join(err,
			s.Build.Add(&smithyhttp.ComputeContentLength{}, middleware.After),
			s.Finalize.Add(&v4.ComputePayloadSHA256{}, middleware.After),
			s.Finalize.Add(sign, middleware.After))
	})
}

// signStep is the step of a call that addresses the request to the callback URL and signs
// it. The steps of the SDK that it replaces find out anew for each call what is always
// the same.
type signStep struct {
	callback    *url.URL
	region      string
	credentials aws.CredentialsProvider // caches
	signer      *v4.Signer
}

// ID implements [middleware.FinalizeMiddleware].
func (*signStep) ID() string { return "Signing" }

// HandleFinalize implements [middleware.FinalizeMiddleware].
func (s *signStep) HandleFinalize(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	r, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, fmt.Errorf("sign: unexpected request %T", in.Request)
	}
	r.URL.Scheme, r.URL.Host = s.callback.Scheme, s.callback.Host
	r.URL.Path = smithyhttp.JoinPath(s.callback.Path, r.URL.Path)
	r.URL.RawPath = smithyhttp.JoinPath(s.callback.EscapedPath(), r.URL.RawPath)
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return out, metadata, fmt.Errorf("credentials: %w", err)
	}
	hash := v4.GetPayloadHash(ctx)
	err = s.signer.SignHTTP(ctx, credentials, r.Request, hash, "execute-api", s.region, time.Now())
	if err != nil {
		return out, metadata, fmt.Errorf("sign: %w", err)
	}
	return next.HandleFinalize(ctx, in)
}
