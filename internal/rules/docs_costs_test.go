package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/prices"
	"github.com/securecart/hub/internal/wire"
	"github.com/securecart/hub/web"
)

const (
	messageSeconds = 0.010 // of the function, for a message that is refused
	tracedMessages = 0.05  // Lambda traces one request a second, and 5 % of the others
	tableWrites    = 40_000.0

	// Of a handshake that $connect refuses, at most: TestRefusedHandshakeCosts measures
	// them.
	refusedWrites = 5
	refusedReads  = 3
	secondsOfDay  = 24 * 60 * 60
)

// scriptKB is how long the script may be, uncompressed, for the costs in SECURITY.md.
const scriptKB = 72

// TestDocumentedCostsOfScript computes what SECURITY.md says that loads of the script
// cost, if the client accepts no compression.
func TestDocumentedCostsOfScript(t *testing.T) {
	if n := len(web.Module); n > scriptKB*1000 || n < scriptKB*500 {
		t.Errorf("the script has %d bytes, and SECURITY.md computes with %d KB", n, scriptKB)
	}
	_, parsed := readTemplate(t)
	k := &checker{t: parsed}
	memory, _ := number(parsed.resources[functionID(config.Rest)].properties["MemorySize"])
	rate := k.restThrottle(k.restAPI(), "ThrottlingRateLimit")
	load := prices.REST + prices.Invocation + float64(memory)/1024*messageSeconds*prices.GBSecond +
		prices.LogKB +
		tracedMessages*prices.Trace + scriptKB*prices.OutKB
	cached := prices.Edge + prices.Wall + scriptKB*prices.EdgeOutKB
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

// TestDocumentedCostsOfREST computes what SECURITY.md says that requests over HTTP cost:
// as messages, with the count and the look at a revocation.
func TestDocumentedCostsOfREST(t *testing.T) {
	_, parsed := readTemplate(t)
	k := &checker{t: parsed}
	memory, _ := number(parsed.resources[functionID(config.Rest)].properties["MemorySize"])
	request := prices.REST + prices.Invocation + float64(memory)/1024*messageSeconds*prices.GBSecond +
		prices.Write + prices.Read + prices.LogKB + tracedMessages*prices.Trace
	paths, rate := len(restPaths(k.restAPI())), k.restSum("RestApi")
	want := fmt.Sprintf("costs some $%.1f per million, also if it is refused. The throttles of all %d paths make that at "+
		"most $%.0f a day.", request, paths, request*float64(rate)*secondsOfDay/1e6)
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
	gateway := 2 * prices.Message
	gbSeconds := float64(memory) / 1024 * messageSeconds
	function := prices.Invocation + gbSeconds*prices.GBSecond
	count := prices.Write + prices.Read
	refused := gateway + function + count + prices.LogKB + tracedMessages*prices.Trace

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
	connection := hub.GuestMessages / hub.MessageWindow.Seconds() * rows * prices.Write * secondsOfDay / 1e6

	// The authorizer and $connect take no longer than a refused message.
	handshake := func(functions ...config.Function) (cost float64) {
		for _, f := range functions {
			memory, _ := number(parsed.resources[functionID(f)].properties["MemorySize"])
			cost += prices.Invocation + float64(memory)/1024*messageSeconds*prices.GBSecond + prices.LogKB +
				tracedMessages*prices.Trace
		}
		return cost
	}
	byAuthorizer := handshake(config.Authorize)
	byConnect := handshake(config.Authorize, config.Connect) +
		refusedWrites*prices.Write + refusedReads*prices.Read

	doc := strings.Join(strings.Fields(read(t, "SECURITY.md")), " ")
	for _, want := range []string{
		fmt.Sprintf("the message and its answer | 2 messages | %.2f |", gateway),
		fmt.Sprintf("one invocation of %d MB, some %.0f ms | %.3f GB-s | %.2f |", memory, messageSeconds*1000, gbSeconds,
			function),
		fmt.Sprintf("| 1 write, 1 read | %.2f |", count),
		fmt.Sprintf("logs: at most 1 KB | | %.2f |", prices.LogKB),
		fmt.Sprintf("| | %.2f | | together | | %.2f |", tracedMessages*prices.Trace, refused),
		fmt.Sprintf("%d %03d messages a second for functions, and %d pings", toFunctions/1000, toFunctions%1000, pings),
		fmt.Sprintf("some $%d %d00 a day", int(flood+50)/1000, int(flood+50)%1000/100),
		fmt.Sprintf("up to %d rows and deletes up to %d, which is $%.0f per million", wire.MaxTopics,
			wire.MaxSubscriptions, rows*prices.Write),
		fmt.Sprintf("may send %d in ten seconds, so one guest can cost $%.0f a day", hub.GuestMessages, connection),
		fmt.Sprintf("40 000 writes a second: $%.0f %03.0f a day", tableWrites*prices.Write*secondsOfDay/1e9,
			float64(int(tableWrites*prices.Write*secondsOfDay/1e6)%1000)),
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

// TestSettingsOfCosts checks that costs are computed with the memory that the template
// gives to each function, and with its budget of posts.
func TestSettingsOfCosts(t *testing.T) {
	_, parsed := readTemplate(t)
	if posts, _ := number(parsed.parameters["PostsPerSecond"]["Default"]); posts != prices.PostsPerSecond {
		t.Errorf("PostsPerSecond is %d, and costs are computed with %d", posts, prices.PostsPerSecond)
	}
	for _, f := range config.Functions {
		memory, _ := number(parsed.resources[functionID(f)].properties["MemorySize"])
		if got := prices.Memory[string(f)]; got != memory {
			t.Errorf("%s has %d MB, and costs are computed with %d", f, memory, got)
		}
	}
}
