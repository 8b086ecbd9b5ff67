package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
	"github.com/securecart/hub/web"
)

// List prices of us-east-1, in dollars per million.
const (
	priceMessage    = 1.00    // https://aws.amazon.com/api-gateway/pricing/: up to 32 KB
	priceInvocation = 0.20    // https://aws.amazon.com/lambda/pricing/
	priceGBSecond   = 13.3334 // the same, arm64
	priceWrite      = 0.625   // https://aws.amazon.com/dynamodb/pricing/on-demand/
	priceRead       = 0.125
	priceLogKB      = 0.50 // https://aws.amazon.com/cloudwatch/pricing/: $0.50 per GB
	priceTrace      = 5.00 // https://aws.amazon.com/xray/pricing/

	// For a million requests, and for a million KB of traffic.
	priceHTTP      = 1.00  // https://aws.amazon.com/api-gateway/pricing/: HTTP APIs
	priceOutKB     = 0.09  // https://aws.amazon.com/ec2/pricing/on-demand/: from a Region
	priceEdge      = 1.00  // https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/: HTTPS, United States
	priceEdgeOutKB = 0.085 // the same
	priceWall      = 0.60  // https://aws.amazon.com/waf/pricing/
)

const (
	messageSeconds = 0.010 // of the function, for a message that is refused
	tracedMessages = 0.05  // Lambda traces one request a second, and 5 % of the others
	tableWrites    = 40_000.0

	// Of a handshake that $connect refuses, at most: TestRefusedHandshakeCosts measures
	// them.
	refusedWrites = 6
	refusedReads  = 3
	secondsOfDay  = 24 * 60 * 60
)

// scriptKB is how long the script may be, uncompressed, for the costs in SECURITY.md.
const scriptKB = 64

// TestDocumentedCostsOfScript computes what SECURITY.md says that loads of the script
// cost, if the client accepts no compression.
func TestDocumentedCostsOfScript(t *testing.T) {
	if n := len(web.Module); n > scriptKB*1000 || n < scriptKB*500 {
		t.Errorf("the script has %d bytes, and SECURITY.md computes with %d KB", n, scriptKB)
	}
	_, parsed := readTemplate(t)
	k := &checker{t: parsed}
	memory, _ := number(parsed.resources[functionID(config.Ticket)].properties["MemorySize"])
	rate := k.routeThrottle(k.one(kindHTTPAPI), handler.ScriptRoute, "ThrottlingRateLimit")
	load := priceHTTP + priceInvocation + float64(memory)/1024*messageSeconds*priceGBSecond + priceLogKB +
		tracedMessages*priceTrace + scriptKB*priceOutKB
	cached := priceEdge + priceWall + scriptKB*priceEdgeOutKB
	perAddress := 4.0 * hub.NewGuestsPerAddress / 300 // the firewall's limit, a second
	want := fmt.Sprintf("some $%.0f per million, with %d KB of traffic. Its throttle makes that at most $%.0f a day. "+
		"Through the edge it costs some $%.0f per million, and $%.0f a day", load, scriptKB,
		load*float64(rate)*secondsOfDay/1e6, cached, cached*perAddress*secondsOfDay/1e6)
	if doc := strings.Join(strings.Fields(read(t, "SECURITY.md")), " "); !strings.Contains(doc, want) {
		t.Errorf("SECURITY.md does not have %q", want)
	}
	for _, problem := range k.found {
		t.Error(problem)
	}
}

// TestDocumentedCosts computes what SECURITY.md says that messages cost, from the
// template and the code. TestCountCostsOneUnit measures the count of a message.
func TestDocumentedCosts(t *testing.T) {
	_, parsed := readTemplate(t)
	k := &checker{t: parsed}
	memory, _ := number(parsed.resources[functionID(config.Message)].properties["MemorySize"])
	gateway := 2 * priceMessage
	gbSeconds := float64(memory) / 1024 * messageSeconds
	function := priceInvocation + gbSeconds*priceGBSecond
	count := priceWrite + priceRead
	refused := gateway + function + count + priceLogKB + tracedMessages*priceTrace

	toFunctions, pings := 0, 0
	for key, rate := range k.throttles("ThrottlingRateLimit").routes {
		switch {
		case key == string(wire.ActionPing):
			pings += rate
		case key != "$connect" && key != "$disconnect":
			toFunctions += rate
		}
	}
	flood := (float64(toFunctions)*refused + float64(pings)*gateway) * secondsOfDay / 1e6
	rows := float64(wire.MaxTopics + wire.MaxSubscriptions)
	connection := hub.GuestMessages / hub.MessageWindow.Seconds() * rows * priceWrite * secondsOfDay / 1e6

	// The authorizer and $connect take no longer than a refused message.
	handshake := func(functions ...config.Function) (cost float64) {
		for _, f := range functions {
			memory, _ := number(parsed.resources[functionID(f)].properties["MemorySize"])
			cost += priceInvocation + float64(memory)/1024*messageSeconds*priceGBSecond + priceLogKB +
				tracedMessages*priceTrace
		}
		return cost
	}
	byAuthorizer := handshake(config.Authorize)
	byConnect := handshake(config.Authorize, config.Connect) + refusedWrites*priceWrite + refusedReads*priceRead

	doc := strings.Join(strings.Fields(read(t, "SECURITY.md")), " ")
	for _, want := range []string{
		fmt.Sprintf("the message and its answer | 2 messages | %.2f |", gateway),
		fmt.Sprintf("one invocation of %d MB, some %.0f ms | %.3f GB-s | %.2f |", memory, messageSeconds*1000, gbSeconds,
			function),
		fmt.Sprintf("| 1 write, 1 read | %.2f |", count),
		fmt.Sprintf("with Lambda's own lines | | %.2f |", priceLogKB),
		fmt.Sprintf("| | %.2f | | together | | %.2f |", tracedMessages*priceTrace, refused),
		fmt.Sprintf("%d %03d messages a second for functions, and %d pings", toFunctions/1000, toFunctions%1000, pings),
		fmt.Sprintf("some $%d %d00 a day", int(flood+50)/1000, int(flood+50)%1000/100),
		fmt.Sprintf("up to %d rows and deletes up to %d, which is $%.0f per million", wire.MaxTopics,
			wire.MaxSubscriptions, rows*priceWrite),
		fmt.Sprintf("may send %d in ten seconds, so one guest can cost $%.0f a day", hub.GuestMessages, connection),
		fmt.Sprintf("40 000 writes a second: $%.0f %03.0f a day", tableWrites*priceWrite*secondsOfDay/1e9,
			float64(int(tableWrites*priceWrite*secondsOfDay/1e6)%1000)),
		fmt.Sprintf("the authorizer refuses** costs one invocation and its log lines, some $%.0f per million.", byAuthorizer),
		fmt.Sprintf("costs two invocations and up to %d writes and %d reads, some $%.0f per million.",
			refusedWrites, refusedReads, byConnect),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("SECURITY.md does not have %q", want)
		}
	}
	for _, problem := range k.found {
		t.Error(problem)
	}
}
