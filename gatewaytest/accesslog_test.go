package gatewaytest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// lines returns what was logged so far. It must not run while a line is written.
func lines(log *bytes.Buffer) []string {
	return strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
}

// session returns the log of one connection that sends a message and closes.
// Its authorizer and functions take a second each.
func session(t *testing.T, format string, connect, message function, say string) []string {
	t.Helper()
	var log bytes.Buffer
	slow := func(next function) function {
		return func(ctx context.Context, raw []byte) ([]byte, error) {
			time.Sleep(time.Second)
			return next(ctx, raw)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{
			AccessLog:  &gatewaytest.AccessLog{Format: format, Output: &log},
			APIKeys:    []gatewaytest.APIKey{{ID: "id1", Value: "k1"}},
			Authorizer: &gatewaytest.Authorizer{Handler: slow(returns(grant("Allow", "*", `{"role":"vendor","level":3}`)))},
			Routes: routes("$connect", slow(connect), "$disconnect", slow(ok200), "talk",
				gatewaytest.Route{Integration: slow(message)}),
		})
		c, resp, err := g.DialRaw(t.Context(), "/v1", http.Header{"User-Agent": {"shop/1.0"}, "X-Api-Key": {"k1"}})
		if resp == nil {
			t.Fatal(err)
		}
		if c == nil {
			return // the handshake was refused
		}
		done := make(chan struct{})
		go func() { defer close(done); _, _ = io.Copy(io.Discard, c) }()
		if _, err := c.Write(text(say)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		_ = c.Close()
		<-done
		synctest.Wait()
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return lines(&log)
}

func TestAccessLog(t *testing.T) {
	const talk = `{"action":"talk"}`
	tests := []struct {
		name, format     string
		connect, message function
		say              string
		want             []string
	}{
		{"G-LOG-3 one line for each event", "$context.eventType $context.routeKey $context.status", ok200, ok200, talk,
			[]string{"CONNECT $connect 200", "MESSAGE talk 200", "DISCONNECT $disconnect 200"}},
		{"G-LOG-3 a missing value is a dash",
			`{"a":"$context.messageId.x","b":"$context.identity.caller","c":"$context.nope"}`,
			ok200, ok200, talk,
			[]string{`{"a":"-","b":"-","c":"-"}`, `{"a":"-","b":"-","c":"-"}`, `{"a":"-","b":"-","c":"-"}`}},
		{"G-LOG-1 identity", "$context.identity.sourceIp $context.identity.userAgent " +
			"$context.identity.apiKeyId $context.identity.apiKey", ok200, ok200, talk,
			[]string{"192.0.2.1 shop/1.0 id1 k1", "192.0.2.1 shop/1.0 id1 k1", "192.0.2.1 shop/1.0 id1 k1"}},
		{"G-LOG-1 API and stage", "$context.apiId/$context.stage/$context.domainName.", ok200, ok200, talk,
			[]string{"a1b2c3d4e5/v1/a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com.",
				"a1b2c3d4e5/v1/a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com.",
				"a1b2c3d4e5/v1/a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com."}},
		{"G-LOG-1 times", "$context.requestTimeEpoch $context.requestTime $context.connectedAt", ok200, ok200, talk, []string{
			"946684800000 01/Jan/2000:00:00:00 +0000 946684800000", "946684802000 01/Jan/2000:00:00:02 +0000 946684800000",
			"946684804000 01/Jan/2000:00:00:04 +0000 946684800000"}},
		{"G-LOG-1 the authorizer",
			"$context.authorizer.principalId $context.authorizer.role $context.authorizer.level " +
				"$context.authorizer.status $context.authorizer.latency $context.authorizer.integrationLatency", ok200, ok200, talk,
			[]string{"ann vendor 3 200 1000 1000", "ann vendor 3 - - -", "ann vendor 3 - - -"}},
		{"G-LOG-2 the integration",
			"$context.integration.status $context.integration.integrationStatus " +
				"$context.integrationLatency $context.integration.latency",
			returns(`{"statusCode":201}`), returns(`{"statusCode":503}`), talk,
			[]string{"201 200 1000 1000", "503 200 1000 1000", "200 200 1000 1000"}},
		{"G-LOG-1 failure of a function",
			"$context.status $context.error.message $context.error.messageString " +
				"$context.error.responseType $context.integration.error", ok200, fails("no stock"), talk,
			[]string{"200 - - - -", `502 Internal server error "Internal server error" INTEGRATION_FAILURE no stock`,
				"200 - - - -"}},
		{"G-LOG-1 no route", "$context.routeKey $context.status $context.error.message", ok200, ok200, "hello",
			[]string{"$connect 200 -", "$default 403 Forbidden", "$disconnect 200 -"}},
		{"G-LOG-1 a refused handshake", "$context.status $context.integration.status", returns(`{"statusCode":418}`),
			ok200, talk, []string{"418 418"}},
		{"a line break in a value", "$context.status $context.integration.error", ok200, fails("a\nb"), talk,
			[]string{"200 -", "502 a b", "200 -"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := session(t, tt.format, tt.connect, tt.message, tt.say)
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
			}
		})
	}
	t.Run("G-LOG-2 G-EVENT-5 request ids are equal, messageId is the message's only", func(t *testing.T) {
		for i, line := range session(t, "$context.requestId $context.extendedRequestId $context.messageId", ok200, ok200,
			talk) {
			part := strings.Split(line, " ")
			if len(part) != 3 || part[0] != part[1] || len(part[0]) != 16 || (len(part[2]) == 16) != (i == 1) {
				t.Errorf("line %d: %s", i, line)
			}
		}
	})
	t.Run("an authorizer that denies", func(t *testing.T) {
		var log bytes.Buffer
		g := newGateway(t, gatewaytest.API{
			AccessLog: &gatewaytest.AccessLog{Output: &log,
				Format: "$context.status $context.authorizer.status $context.error.responseType"},
			Authorizer: &gatewaytest.Authorizer{Handler: returns(grant("Deny", "*", `{}`))},
		})
		handshakeStatus(t, g, "/v1", nil)
		if got := lines(&log)[0]; got != "403 403 ACCESS_DENIED" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("refused options", func(t *testing.T) {
		for field, log := range map[string]*gatewaytest.AccessLog{
			"AccessLog.Output": {Format: "x"},
			"AccessLog.Format": {Format: strings.Repeat("x", 3*1024+1), Output: io.Discard},
		} {
			_, err := gatewaytest.New(gatewaytest.API{AccessLog: log})
			wantField(t, err, field)
		}
	})
}
