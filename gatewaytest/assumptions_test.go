package gatewaytest_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// assumptionTest observes the same behaviour twice: with the zero Assumptions,
// and with changed ones.
type assumptionTest struct {
	name        string // names the statements
	observe     func(t *testing.T, assumptions gatewaytest.Assumptions) string
	want        string
	changed     gatewaytest.Assumptions
	wantChanged string
}

// testAssumptions checks both observations of each test.
func testAssumptions(t *testing.T, tests []assumptionTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := tt.observe(t, gatewaytest.Assumptions{}); got != tt.want {
					t.Errorf("by default: got %s, want %s", got, tt.want)
				}
				if got := tt.observe(t, tt.changed); got != tt.wantChanged {
					t.Errorf("with %+v: got %s, want %s", tt.changed, got, tt.wantChanged)
				}
			})
		})
	}
}

var errorFrameText = regexp.MustCompile(`^\{"message": "([^"]*)", "connectionId":"[^"]{16}", "requestId":"[^"]{16}"\}$`)

// next returns what the client reads next: a text, an error frame without its
// ids, a close frame, the end, or nothing within a minute.
func (c *rawClient) next(t testing.TB) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute)) // if this fails, the read fails too
	f, err := c.readFrame()
	switch {
	case os.IsTimeout(err):
		return "nothing"
	case err != nil:
		return "the end"
	case f.opcode == opClose && len(f.payload) < 2:
		return "close"
	case f.opcode == opClose:
		return strings.TrimSpace(fmt.Sprintf("close %d %s", binary.BigEndian.Uint16([]byte(f.payload)), f.payload[2:]))
	case f.opcode == opPong:
		return "pong"
	}
	if m := errorFrameText.FindStringSubmatch(f.payload); m != nil {
		return "error " + m[1]
	}
	return f.payload
}

// nextAfter returns what a client reads next after it sends these messages.
func nextAfter(t testing.TB, api gatewaytest.API, messages ...string) string {
	t.Helper()
	c := dialRaw(t, newGateway(t, api), "/v1")
	for _, message := range messages {
		c.mustWrite(t, text(message))
	}
	return c.next(t)
}

// nextAfterResponse returns what a client reads after a message whose two-way
// function returns raw.
func nextAfterResponse(raw string) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		return nextAfter(t, gatewaytest.API{Assumptions: assumptions, Routes: routes("$default", twoWay(returns(raw)))}, "x")
	}
}

// statusWith returns the status of a handshake with these routes.
func statusWith(path string, header http.Header, pairs ...any) func(*testing.T, gatewaytest.Assumptions) string {
	return func(t *testing.T, assumptions gatewaytest.Assumptions) string {
		g := newGateway(t, gatewaytest.API{Assumptions: assumptions, Routes: routes(pairs...)})
		return fmt.Sprint(handshakeStatus(t, g, path, header))
	}
}

// plainRequest returns the status of a request without an upgrade, and its
// error type if there is one.
func plainRequest(t testing.TB, g *gatewaytest.Gateway, method, path, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	result := fmt.Sprint(w.Code)
	for name, values := range w.Header() {
		if name == "x-amzn-ErrorType" {
			result += " " + strings.Join(values, ", ")
		}
	}
	return result
}

// TestAssumptionsRefused. Our own: New refuses values that no service could
// have.
func TestAssumptionsRefused(t *testing.T) {
	for field, assumptions := range map[string]gatewaytest.Assumptions{
		"UnknownPathStatus":       {UnknownPathStatus: 399},
		"PlainGETStatus":          {PlainGETStatus: 600},
		"MalformedResponseStatus": {MalformedResponseStatus: 200},
		"TimeoutStatus":           {TimeoutStatus: -1},
		"NoFunctionStatus":        {NoFunctionStatus: 302},
		"EmptyPostStatus":         {EmptyPostStatus: 204},
		"MaxResponseBytes":        {MaxResponseBytes: -1},
		"SentFrameBytes":          {SentFrameBytes: 10<<20 + 1},
		"UnboundRouteText":        {UnboundRouteText: `no "route"`},
		"ThrottledText":           {ThrottledText: "too\nmany"},
		"CloseReasons[1000]":      {CloseReasons: map[int]string{1000: "known"}},
		"CloseReasons[1009]":      {CloseReasons: map[int]string{1009: strings.Repeat("x", 124)}},
		"CloseReasons[1003]":      {CloseReasons: map[int]string{1003: "\xFF"}},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Assumptions: assumptions})
			wantField(t, err, "Assumptions."+field)
		})
	}
	t.Run("limits are allowed", func(t *testing.T) {
		newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{UnknownPathStatus: 400, PlainGETStatus: 599,
			EmptyPostStatus:  200,
			MaxResponseBytes: 10 << 20, SentFrameBytes: 1, CloseReasons: map[int]string{1012: strings.Repeat("x", 123)}}})
	})
}
