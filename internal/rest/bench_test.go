package rest_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/rest"
)

// BenchmarkStock measures GET /v1/stock, from the event to the answer, with rows in
// memory.
func BenchmarkStock(b *testing.B) {
	for _, n := range []int{1, 50} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newLimitedFixture(b, "guest=0,customer=0,vendor=0,admin=0,skus=0")
			skus := make([]string, n)
			for i := range skus {
				skus[i] = fmt.Sprint("SKU-", i)
				f.stock(skus[i], 3, "acme")
			}
			serve := rest.Lambda(f.api)
			e := events.APIGatewayProxyRequest{
				HTTPMethod: "GET", Path: "/v1/stock", MultiValueQueryStringParameters: map[string][]string{"sku": skus},
			}
			b.ReportAllocs()
			for b.Loop() {
				if got, err := serve(b.Context(), e); err != nil || got.StatusCode != 200 {
					b.Fatalf("got %d %s, %v", got.StatusCode, got.Body, err)
				}
			}
		})
	}
}
