// Package costtest measures what the hub costs: the requests to DynamoDB of each
// action, their read and write units, how many of them wait for each other, and the
// price. The figures are in testdata/costs.golden. A change that costs more is red
// until that file is written again:
//
//	go test ./internal/costtest -update
package costtest

import "time"

// List prices of us-east-1 in dollars per million, as of 28 November 2026. No page of
// prices was opened that day: the source is the AWS price list as infracost's tests have
// it (snapshot of 21 August 2026), which agrees with the pages that are named here.
const (
	PriceMessage    = 1.00    // https://aws.amazon.com/api-gateway/pricing/: up to MessageBytes, each way and each post
	PriceInvocation = 0.20    // https://aws.amazon.com/lambda/pricing/
	PriceGBSecond   = 13.3334 // the same, arm64
	PriceWrite      = 0.625   // https://aws.amazon.com/dynamodb/pricing/on-demand/: a write unit
	PriceRead       = 0.125   // the same: a read unit
	PriceLogKB      = 0.50    // https://aws.amazon.com/cloudwatch/pricing/: $0.50 per GB
	PriceTrace      = 5.00    // https://aws.amazon.com/xray/pricing/
	PriceREST       = 3.50    // https://aws.amazon.com/api-gateway/pricing/: a request to a REST API
	PriceOutKB      = 0.09    // https://aws.amazon.com/ec2/pricing/on-demand/: from a Region
	PriceEdge       = 1.00    // https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/: HTTPS, United States
	PriceEdgeOutKB  = 0.085   // the same
	PriceWall       = 0.60    // https://aws.amazon.com/waf/pricing/
)

// MessageBytes is the part of a message that API Gateway bills as one.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-pricing.html
const MessageBytes = 32 * 1024

// What the price of an invocation assumes.
const (
	// RoundTrip is the time of one request to DynamoDB. Depth counts it.
	RoundTrip = 5 * time.Millisecond
	// OwnTime is what an invocation takes beside its requests.
	OwnTime = 3 * time.Millisecond
	// PostsPerSecond is the default of the template's parameter: posts take that long.
	PostsPerSecond = 500
)

// Memory is what template.yaml gives to each function, in MB. A test of internal/rules
// compares the two.
var Memory = map[string]int{
	"authorize": 256, "connect": 256, "disconnect": 256, "message": 512, "broadcast": 1024,
}

// InvocationPrice returns the price of a million invocations of a function that last d.
func InvocationPrice(function string, d time.Duration) float64 {
	return PriceInvocation + float64(Memory[function])/1024*d.Seconds()*PriceGBSecond
}
