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

// inMemory answers every request with 200 and no body, so that only the work of the
// SDK is measured.
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

// BenchmarkPost measures one post of a delta of 130 bytes, with the SDK's defaults
// and with the client of the functions.
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
		{"sdk=default", memoryClient(config())},
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

// BenchmarkPoster measures the work of a poster for one post out of a thousand.
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
