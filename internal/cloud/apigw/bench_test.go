package apigw_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

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
	memory := func(o *apigatewaymanagementapi.Options) {
		url := "https://abcde12345.execute-api.eu-central-1.amazonaws.com/v1"
		o.BaseEndpoint = &url
		o.HTTPClient = inMemory{}
	}
	return apigatewaymanagementapi.NewFromConfig(cfg, append([]func(*apigatewaymanagementapi.Options){memory}, more...)...)
}

// delta is what most posts send: 130 bytes.
var delta = []byte(`{"type":"delta","epoch":"k3","topics":{"sku:TEE-RED-M":{"version":43,"state":"low",` +
	`"quantity":2}}}` + strings.Repeat(" ", 32))

// post sends a delta with a client.
func post(ctx context.Context, client *apigatewaymanagementapi.Client) error {
	in := &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String("L0SM9cOFvHcCIhw="), Data: delta}
	_, err := client.PostToConnection(ctx, in)
	return err
}

// TestAllocationsOfPost holds the number of allocations of one post, the part of its
// cost that is the same on every machine.
func TestAllocationsOfPost(t *testing.T) {
	client := memoryClient(config(), apigw.Lean)
	got := testing.AllocsPerRun(200, func() {
		if err := post(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	})
	if got > mostAllocations {
		t.Errorf("%.0f allocations, want at most %d", got, mostAllocations)
	}
}

// processorTime returns the time that processors have spent on this process.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPost measures one post of a delta, with the SDK's defaults and with the
// client of the functions. On a busy machine only the processor time counts.
func BenchmarkPost(b *testing.B) {
	for _, bm := range []struct {
		name   string
		client *apigatewaymanagementapi.Client
	}{
		{"sdk=default", memoryClient(config())},
		{"sdk=lean", memoryClient(config(), apigw.Lean)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			began := processorTime(b)
			for b.Loop() {
				if err := post(b.Context(), bm.client); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkPoster measures the work of a poster for one post out of a thousand.
func BenchmarkPoster(b *testing.B) {
	p := apigw.New(memoryClient(config(), apigw.Lean), apigw.Options{})
	all := posts(1_000)
	b.ReportAllocs()
	began := processorTime(b)
	for b.Loop() {
		for _, err := range p.Post(b.Context(), all) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N*len(all)), "cpu-µs/post")
}
