package rest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/rest"
)

// event returns the stored event of a REST API, changed.
func event(t testing.TB, change func(*events.APIGatewayProxyRequest)) (e events.APIGatewayProxyRequest) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/events/rest.json")
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&e)
	}
	return e
}

// echo answers with what it sees of a request.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s|%s|%s|%s|%s|%s|%s", r.Method, r.URL.EscapedPath(), r.URL.Path, r.URL.Query()["sku"], r.Host,
		r.RemoteAddr, r.Header.Values("X-Twice"), body)
})

// TestLambdaRequest: the handler sees what the client sent, whatever a REST API makes of it.
func TestLambdaRequest(t *testing.T) {
	const host, address = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "192.0.2.1:0"
	for name, tt := range map[string]struct {
		change func(*events.APIGatewayProxyRequest)
		want   string
	}{
		"as stored": {nil, "GET /v1/stock|/v1/stock|[MUG RED CAP]|" + host + "|" + address + "|[]|"},
		"an encoded path": {func(e *events.APIGatewayProxyRequest) { e.Path = "/v1/stock/A%2FB+C" },
			"GET /v1/stock/A%2FB+C|/v1/stock/A/B+C|[MUG RED CAP]|" + host + "|" + address + "|[]|"},
		"a path that is not encoded": {func(e *events.APIGatewayProxyRequest) { e.Path = "/v1/stock/100%" },
			"GET /v1/stock/100%25|/v1/stock/100%|[MUG RED CAP]|" + host + "|" + address + "|[]|"},
		"values with special characters": {func(e *events.APIGatewayProxyRequest) {
			e.MultiValueQueryStringParameters = map[string][]string{"sku": {"A+B", "C&D=E", "ä"}}
		}, "GET /v1/stock|/v1/stock|[A+B C&D=E ä]|" + host + "|" + address + "|[]|"},
		"single values": {func(e *events.APIGatewayProxyRequest) {
			e.MultiValueQueryStringParameters, e.MultiValueHeaders = nil, nil
			e.QueryStringParameters, e.Headers = map[string]string{"sku": "A"}, map[string]string{"x-twice": "1"}
		}, "GET /v1/stock|/v1/stock|[A]|" + host + "|" + address + "|[1]|"},
		"two headers": {func(e *events.APIGatewayProxyRequest) { e.MultiValueHeaders["x-twice"] = []string{"1", "2"} },
			"GET /v1/stock|/v1/stock|[MUG RED CAP]|" + host + "|" + address + "|[1 2]|"},
		"a body": {func(e *events.APIGatewayProxyRequest) { e.HTTPMethod, e.Body = "POST", "ä" },
			"POST /v1/stock|/v1/stock|[MUG RED CAP]|" + host + "|" + address + "|[]|ä"},
		"a body in base64": {func(e *events.APIGatewayProxyRequest) {
			e.HTTPMethod, e.Body, e.IsBase64Encoded = "POST", base64.StdEncoding.EncodeToString([]byte("ä")), true
		}, "POST /v1/stock|/v1/stock|[MUG RED CAP]|" + host + "|" + address + "|[]|ä"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rest.Lambda(echo)(t.Context(), event(t, tt.change))
			if err != nil || got.Body != tt.want || got.StatusCode != 200 {
				t.Errorf("\n got %d %s, %v\nwant %s", got.StatusCode, got.Body, err, tt.want)
			}
		})
	}
	broken := event(t, func(e *events.APIGatewayProxyRequest) { e.Body, e.IsBase64Encoded = "!", true })
	if got, err := rest.Lambda(echo)(t.Context(), broken); err != nil || got.StatusCode != 400 {
		t.Errorf("not base64: got %d, %v, want 400", got.StatusCode, err)
	}
}

// TestLambdaResponse: the first status and its headers count, and bytes become base64.
func TestLambdaResponse(t *testing.T) {
	answer := func(h http.HandlerFunc) events.APIGatewayProxyResponse {
		got, err := rest.Lambda(h)(t.Context(), event(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Authorization")
		w.Header().Set("Content-Length", "3")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte("tea"))
	})
	if got.StatusCode != http.StatusTeapot || got.Body != "tea" || got.IsBase64Encoded ||
		strings.Join(got.MultiValueHeaders["Vary"], ",") != "Origin,Authorization" || len(got.MultiValueHeaders) != 1 ||
		got.Headers != nil {
		t.Errorf("got %+v", got)
	}
	if got := answer(func(http.ResponseWriter, *http.Request) {}); got.StatusCode != 200 || got.Body != "" {
		t.Errorf("nothing written: got %+v", got)
	}
	got = answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0x1f, 0x8b, 0xff}) })
	if data, err := base64.StdEncoding.DecodeString(got.Body); err != nil || !got.IsBase64Encoded || len(data) != 3 {
		t.Errorf("bytes: got %+v, %v", got, err)
	}
}

// TestLambdaStock: the API answers an event, and its log names the request by the id that
// clients cannot choose.
func TestLambdaStock(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	got, err := rest.Lambda(f.api)(t.Context(), event(t, nil))
	const want = `{"type":"snapshot","epoch":"k3","topics":{"sku:MUG":{"version":1,"state":"low","quantity":3}},` +
		`"refused":{"sku:RED CAP":"denied"}}`
	if err != nil || got.StatusCode != 200 || got.Body != want {
		t.Errorf("got %d %s, %v", got.StatusCode, got.Body, err)
	}
	if _, err := rest.Lambda(f.api)(t.Context(), event(t, func(e *events.APIGatewayProxyRequest) {
		e.MultiValueHeaders["authorization"] = []string{"Bearer garbage"}
	})); err != nil {
		t.Fatal(err)
	}
	line := f.log.String()
	if !strings.Contains(line, `gatewayRequest="GZ1xRFi5liAEP9A="`) || !strings.Contains(line, "address=") ||
		strings.Contains(line, "192.0.2.1") {
		t.Errorf("got the log %s", line)
	}
}
