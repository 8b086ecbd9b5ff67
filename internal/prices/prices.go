// Package prices has the list prices of AWS that the hub's costs are computed with.
package prices

import "time"

// Region is where the prices hold, and AsOf the day of the price list that has them.
const (
	Region = "us-east-1"
	AsOf   = "2026-08-21"
)

// List prices in dollars per million. No page of prices was opened: the source is the AWS
// price list as infracost's tests have it, which agrees with the pages that are named here.
const (
	Message    = 1.00    // https://aws.amazon.com/api-gateway/pricing/: up to MessageBytes, each way and each post
	Minute     = 0.25    // the same: a minute of a connection
	Invocation = 0.20    // https://aws.amazon.com/lambda/pricing/
	GBSecond   = 13.3334 // the same, arm64
	Write      = 0.625   // https://aws.amazon.com/dynamodb/pricing/on-demand/: a write unit
	Read       = 0.125   // the same: a read unit
	LogKB      = 0.50    // https://aws.amazon.com/cloudwatch/pricing/: $0.50 per GB
	Trace      = 5.00    // https://aws.amazon.com/xray/pricing/
	REST       = 3.50    // https://aws.amazon.com/api-gateway/pricing/: a request to a REST API
	OutKB      = 0.09    // https://aws.amazon.com/ec2/pricing/on-demand/: from a Region
	Edge       = 1.00    // https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/: HTTPS, United States
	EdgeOutKB  = 0.085   // the same
	Wall       = 0.60    // https://aws.amazon.com/waf/pricing/
	Query      = 4.00    // https://aws.amazon.com/appsync/pricing/: a query or a mutation
	Update     = 2.00    // the same: 5 KB to a subscriber
	Subscribed = 0.08    // the same: a minute of a subscriber's connection
)

// List prices in dollars a month.
const (
	Secret      = 0.40 // https://aws.amazon.com/secrets-manager/pricing/
	Metric      = 0.30 // https://aws.amazon.com/cloudwatch/pricing/: a metric of ours that has data
	AlarmMetric = 0.10 // the same: a metric that an alarm watches
	Dashboard   = 3.00 // the same
	TableGB     = 0.25 // https://aws.amazon.com/dynamodb/pricing/on-demand/
	RecoveryGB  = 0.20 // the same: point-in-time recovery
	WebACL      = 5.00 // https://aws.amazon.com/waf/pricing/
	WallRule    = 1.00 // the same
	Key         = 1.00 // https://aws.amazon.com/kms/pricing/
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
	"authorize": 256, "connect": 256, "disconnect": 256, "message": 512, "broadcast": 1024, "rest": 512,
}

// OfInvocation returns the price of a million invocations of a function that last d.
func OfInvocation(function string, d time.Duration) float64 {
	return Invocation + float64(Memory[function])/1024*d.Seconds()*GBSecond
}
