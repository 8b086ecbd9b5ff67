package gatewaytest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

// TestContentHandling sends base64 on the WebSocket and bytes to the backend.
func TestContentHandling(t *testing.T) {
	const bytes = "\x00\x01\xFF\xFE"
	text := base64.StdEncoding.EncodeToString([]byte(bytes))
	quoted := `{"action":"upload","data":"` + text + `"}`
	responses := func(strategy, template string) map[string]gatewaytest.IntegrationResponse {
		r := gatewaytest.IntegrationResponse{ContentHandlingStrategy: strategy}
		if template != "" {
			r.ResponseTemplates = templates("$default", template)
		}
		return map[string]gatewaytest.IntegrationResponse{"$default": r}
	}
	for _, tt := range []struct {
		name    string
		mapping gatewaytest.Mapping
		answer  http.HandlerFunc // nil: echo the request
		say     string
		given   string // request to the web server; empty: none
		want    string // prefix of the frame
	}{
		{"G-FRAME-2 bytes for the backend",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")},
			respondWith(200, "ok"), text, bytes, "ok"},
		{"G-FRAME-2 from a template",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY",
				RequestTemplates: templates("$default", "$input.path('$.data')"),
				Responses:        responses("", "")}, respondWith(200, "ok"), quoted, bytes, "ok"},
		{"G-FRAME-2 bytes from the backend", gatewaytest.Mapping{Responses: responses("CONVERT_TO_TEXT", "")},
			respondWith(200, bytes), "x", "x", text},
		{"G-FRAME-2 in a template",
			gatewaytest.Mapping{Responses: responses("CONVERT_TO_TEXT", `{"data":"$input.body"}`)}, respondWith(200, bytes),
			"x", "x", `{"data":"` + text + `"}`},
		{"G-FRAME-2 both ways", gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY",
			Responses: responses("CONVERT_TO_TEXT", "")}, nil, text, bytes, text},
		{"G-FRAME-2 CONVERT_TO_TEXT changes no message",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_TEXT", Responses: responses("", "")}, nil, "plain",
			"plain", "plain"},
		{"G-FRAME-2 a base64 response", gatewaytest.Mapping{Responses: responses("CONVERT_TO_BINARY", "")},
			respondWith(200, "aGVsbG8="), "x", "x", "hello"},
		{"G-FRAME-2 -5 a response that is not UTF-8", gatewaytest.Mapping{Responses: responses("", "")},
			respondWith(200, "a\xFF"), "x", "x", "a\uFFFD"},
		{"G-FRAME-2 a message that is not base64",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")}, nil,
			"not base64!", "", errorFrame("Internal server error")},
		{"G-FRAME-2 a response that is not base64", gatewaytest.Mapping{Responses: responses("CONVERT_TO_BINARY", "")},
			respondWith(200, "not base64!"), "x", "x", errorFrame("Internal server error")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, tt.answer)
			g := newGateway(t, api(map[string]gatewaytest.Route{"$default": {HTTP: &gatewaytest.HTTP{URI: b.URL},
				Mapping: &tt.mapping, RouteResponse: true}}))
			c := dial(t, g, "/v1")
			send(t, c, tt.say)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			request := ""
			select {
			case r := <-b.requests:
				request = r.body
			default:
			}
			if request != tt.given {
				t.Errorf("the backend got %q, want %q", request, tt.given)
			}
		})
	}
	for _, tt := range []struct{ name, say, want string }{
		{"G-FRAME-2 a function accepts JSON", base64.StdEncoding.EncodeToString([]byte(`{"n":1}`)), `{"n":1}`},
		{"G-FRAME-2 a function accepts nothing else", text, errorFrame("Internal server error")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapping := &gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")}
			g := newGateway(t, api(map[string]gatewaytest.Route{"$default": {Integration: returnsEvent, Mapping: mapping,
				RouteResponse: true}}))
			c := dial(t, g, "/v1")
			send(t, c, tt.say)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
