package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
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
)

const (
	messageSeconds = 0.010 // of the function, for a message that is refused
	tracedMessages = 0.05  // Lambda traces one request a second, and 5 % of the others
	tableWrites    = 40_000.0
	secondsOfDay   = 24 * 60 * 60
)

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
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("SECURITY.md does not have %q", want)
		}
	}
	for _, problem := range k.found {
		t.Error(problem)
	}
}
