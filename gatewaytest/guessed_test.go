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

// guess is a question about the service with two answers: what is seen with the
// zero Guesses, and what with others.
type guess struct {
	name      string // names the statements
	see       func(t *testing.T, guesses gatewaytest.Guesses) string
	want      string
	others    gatewaytest.Guesses
	wantOther string
}

// turnRound looks at both answers of each guess.
func turnRound(t *testing.T, guesses []guess) {
	t.Helper()
	for _, tt := range guesses {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := tt.see(t, gatewaytest.Guesses{}); got != tt.want {
					t.Errorf("by default: got %s, want %s", got, tt.want)
				}
				if got := tt.see(t, tt.others); got != tt.wantOther {
					t.Errorf("turned round: got %s, want %s", got, tt.wantOther)
				}
			})
		})
	}
}

var errorFrameText = regexp.MustCompile(`^\{"message": "([^"]*)", "connectionId":"[^"]{16}", "requestId":"[^"]{16}"\}$`)

// heard is what the client reads next: a text, an error frame without its ids,
// a close frame, the end, or nothing in a minute.
func (c *rawClient) heard(t testing.TB) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(time.Minute)) // if it fails, reading does
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

// hearing is what a client that sends these messages reads next.
func hearing(t testing.TB, api gatewaytest.API, messages ...string) string {
	t.Helper()
	c := dialRaw(t, newGateway(t, api), "/v1")
	for _, message := range messages {
		c.mustWrite(t, text(message))
	}
	return c.heard(t)
}

// hearingAnswer is what a client reads after a message whose two-way function returns
// raw.
func hearingAnswer(raw string) func(*testing.T, gatewaytest.Guesses) string {
	return func(t *testing.T, guesses gatewaytest.Guesses) string {
		return hearing(t, gatewaytest.API{Guesses: guesses, Routes: routes("$default", twoWay(answers(raw)))}, "x")
	}
}

// refusing is the status of a handshake with these routes.
func refusing(path string, header http.Header, pairs ...any) func(*testing.T, gatewaytest.Guesses) string {
	return func(t *testing.T, guesses gatewaytest.Guesses) string {
		g := newGateway(t, gatewaytest.API{Guesses: guesses, Routes: routes(pairs...)})
		return fmt.Sprint(handshakeStatus(t, g, path, header))
	}
}

// asking is the answer to a request that is no handshake: its status, and its type
// if it has one.
func asking(t testing.TB, g *gatewaytest.Gateway, method, path, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	answer := fmt.Sprint(w.Code)
	for name, values := range w.Header() {
		if name == "x-amzn-ErrorType" {
			answer += " " + strings.Join(values, ", ")
		}
	}
	return answer
}

// TestGuessesRefused. Our own: New refuses what no service could answer.
func TestGuessesRefused(t *testing.T) {
	for field, guesses := range map[string]gatewaytest.Guesses{
		"UnknownPathStatus":     {UnknownPathStatus: 399},
		"PlainGETStatus":        {PlainGETStatus: 600},
		"MalformedAnswerStatus": {MalformedAnswerStatus: 200},
		"TimeoutStatus":         {TimeoutStatus: -1},
		"NoFunctionStatus":      {NoFunctionStatus: 302},
		"EmptyPostStatus":       {EmptyPostStatus: 204},
		"MaxAnswerBytes":        {MaxAnswerBytes: -1},
		"SentFrameBytes":        {SentFrameBytes: 10<<20 + 1},
		"UnboundRouteText":      {UnboundRouteText: `no "route"`},
		"ThrottledText":         {ThrottledText: "too\nmany"},
		"CloseReasons[1000]":    {CloseReasons: map[int]string{1000: "known"}},
		"CloseReasons[1009]":    {CloseReasons: map[int]string{1009: strings.Repeat("x", 124)}},
		"CloseReasons[1003]":    {CloseReasons: map[int]string{1003: "\xFF"}},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Guesses: guesses})
			wantField(t, err, "Guesses."+field)
		})
	}
	t.Run("the edges are inside", func(t *testing.T) {
		newGateway(t, gatewaytest.API{Guesses: gatewaytest.Guesses{UnknownPathStatus: 400, PlainGETStatus: 599, EmptyPostStatus: 200,
			MaxAnswerBytes: 10 << 20, SentFrameBytes: 1, CloseReasons: map[int]string{1012: strings.Repeat("x", 123)}}})
	})
}
