package gatewaytest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/gatewaytest"
)

// timeFields match what differs between any two events, besides volatile.
var timeFields = []struct {
	pattern *regexp.Regexp
	put     string
}{
	{regexp.MustCompile(`"requestTime":"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000"`), `"requestTime":"TIME"`},
	{regexp.MustCompile(`"(connectedAt|requestTimeEpoch)":\d{12,13}\b`), `"$1":0`},
}

// TestCaptured repeats what led to events that were captured from the real
// service, and compares the events byte for byte, except for ids and times. The
// files were retyped: keys, their order, and the format of every value are those
// of the capture, while hosts, addresses and ids are made up.
func TestCaptured(t *testing.T) {
	const extensions = "permessage-deflate; client_max_window_bits"
	browser := http.Header{"User-Agent": {"shop/1.0 (a browser, like most)"}}
	silent := http.Header{"User-Agent": nil, "Sec-WebSocket-Extensions": {extensions},
		"Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	tests := []struct {
		name, file string
		region     string
		stage      string
		path       string
		header     http.Header
		talk       [][]byte
	}{
		{"G-EVENT-1 -2 -3 -4 -15 -16 MESSAGE, as aws-lambda-go's test data has it from January 2024", "message.json",
			"ap-northeast-1", "prod", "/prod", browser, [][]byte{text("{\r\n\t\"a\": 1\r\n}")}},
		{"G-EVENT-1 -2 -8 G-CLOSE-1 -11 DISCONNECT of a browser, likewise", "disconnect.json",
			"ap-northeast-1", "prod", "/prod", browser, [][]byte{closeFrame(1001, "")}},
		{"G-EVENT-1 -2 -4 -7 CONNECT, as feral's test suite has it from February 2024", "connect.json",
			"us-east-1", "prod", "/prod", silent, nil},
		{"G-EVENT-8 G-CLOSE-2 DISCONNECT without a code, likewise", "disconnect-no-code.json",
			"us-east-1", "prod", "/prod", silent, [][]byte{frame(fin|opClose, "")}},
		{"G-AUTH-8 -9 -10 the authorizer's event, as the developer guide shows it", "authorizer.json",
			"us-east-1", "default", "/default?QueryString1=queryValue1", withHeader(silent, "HeaderAuth1", "headerValue1"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := &recorder{}
				api := gatewaytest.API{ID: "d1l7p2t3h9", Region: tt.region, Stage: tt.stage,
					Routes: routes("$connect", all, "$default", all, "$disconnect", all)}
				if tt.file == "authorizer.json" {
					all.next = returns(grant("Allow", "*", `{}`))
					api.Authorizer, api.Routes = &gatewaytest.Authorizer{Handler: all}, nil
				}
				g := newGateway(t, api)
				conn, _, err := g.DialRaw(t.Context(), tt.path, tt.header)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				for _, b := range tt.talk {
					if _, err := conn.Write(b); err != nil {
						t.Fatal(err)
					}
				}
				go func() { _, _ = conn.Read(make([]byte, 100)) }() // the close frame, if there is one
				synctest.Wait()
				events := all.all()
				got, want := withoutIDs(events[len(events)-1]),
					withoutIDs(compactFile(t, filepath.Join("testdata/captured", tt.file)))
				for _, m := range timeFields {
					got, want = m.pattern.ReplaceAllString(got, m.put), m.pattern.ReplaceAllString(want, m.put)
				}
				if got != want {
					t.Errorf("\n got %s\nwant %s", got, want)
				}
			})
		})
	}
}

// withHeader returns a copy of the header with one more field.
func withHeader(h http.Header, name, value string) http.Header {
	clone := h.Clone()
	clone[name] = []string{value}
	return clone
}

func compactFile(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return compact.Bytes()
}
