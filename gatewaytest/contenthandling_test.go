package gatewaytest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

// TestContentHandling: base64 on the socket, bytes behind it.
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
		answer  http.HandlerFunc // nil: what was given
		say     string
		given   string // to the web server; empty: it is not asked
		want    string // how the frame begins
	}{
		{"G-FRAME-2 bytes for the backend",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")},
			answering(200, "ok"), text, bytes, "ok"},
		{"G-FRAME-2 of what the template writes",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY",
				RequestTemplates: templates("$default", "$input.path('$.data')"),
				Responses:        responses("", "")}, answering(200, "ok"), quoted, bytes, "ok"},
		{"G-FRAME-2 bytes of the backend", gatewaytest.Mapping{Responses: responses("CONVERT_TO_TEXT", "")},
			answering(200, bytes), "x", "x", text},
		{"G-FRAME-2 in a template",
			gatewaytest.Mapping{Responses: responses("CONVERT_TO_TEXT", `{"data":"$input.body"}`)}, answering(200, bytes),
			"x", "x", `{"data":"` + text + `"}`},
		{"G-FRAME-2 both ways", gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY",
			Responses: responses("CONVERT_TO_TEXT", "")}, nil, text, bytes, text},
		{"G-FRAME-2 a message is text already",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_TEXT", Responses: responses("", "")}, nil, "plain",
			"plain", "plain"},
		{"G-FRAME-2 an answer that is base64", gatewaytest.Mapping{Responses: responses("CONVERT_TO_BINARY", "")},
			answering(200, "aGVsbG8="), "x", "x", "hello"},
		{"G-FRAME-2 -5 an answer that is neither", gatewaytest.Mapping{Responses: responses("", "")},
			answering(200, "a\xFF"), "x", "x", "a\uFFFD"},
		{"G-FRAME-2 what is not base64",
			gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")}, nil,
			"not base64!", "", errorFrame("Internal server error")},
		{"G-FRAME-2 an answer that is not base64", gatewaytest.Mapping{Responses: responses("CONVERT_TO_BINARY", "")},
			answering(200, "not base64!"), "x", "x", errorFrame("Internal server error")},
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
			given := ""
			select {
			case r := <-b.asked:
				given = r.body
			default:
			}
			if given != tt.given {
				t.Errorf("the backend was given %q, want %q", given, tt.given)
			}
		})
	}
	for _, tt := range []struct{ name, say, want string }{
		{"G-FRAME-2 a function takes JSON", base64.StdEncoding.EncodeToString([]byte(`{"n":1}`)), `{"n":1}`},
		{"G-FRAME-2 and nothing else", text, errorFrame("Internal server error")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapping := &gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT_TO_BINARY", Responses: responses("", "")}
			g := newGateway(t, api(map[string]gatewaytest.Route{"$default": {Integration: same, Mapping: mapping,
				RouteResponse: true}}))
			c := dial(t, g, "/v1")
			send(t, c, tt.say)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
