package apigw_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"github.com/securecart/hub/internal/cloud/apigw"
)

// inMemory answers every request with 200 and no body, so that what is left is the
// SDK's own work.
type inMemory struct{}

func (inMemory) Do(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}

func memoryClient(cfg aws.Config, more ...func(*apigatewaymanagementapi.Options)) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.NewFromConfig(cfg, append(more, func(o *apigatewaymanagementapi.Options) {
		url := "https://abcde12345.execute-api.eu-central-1.amazonaws.com/v1"
		o.BaseEndpoint = &url
		o.HTTPClient = inMemory{}
	})...)
}

// BenchmarkPost is one post of a delta of 130 bytes: with the SDK as it comes, and
// as the functions have it.
func BenchmarkPost(b *testing.B) {
	data := []byte(`{"type":"delta","epoch":"k3","topics":{"sku:TEE-RED-M":{"version":43,"state":"low",` +
		`"quantity":2}}}` + strings.Repeat(
		" ", 32,
	))
	id := "L0SM9cOFvHcCIhw="
	for _, bm := range []struct {
		name   string
		client *apigatewaymanagementapi.Client
	}{
		{"sdk=as it comes", memoryClient(config())},
		{"sdk=lean", memoryClient(config(), apigw.Lean)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in := &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: data}
				if _, err := bm.client.PostToConnection(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPoster is a poster's work for one post, of a thousand at once.
func BenchmarkPoster(b *testing.B) {
	p := apigw.New(memoryClient(config(), apigw.Lean), apigw.Options{})
	all := posts(1_000)
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range p.Post(b.Context(), all) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(all)), "µs/post")
}
