package gatewaytest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// backend is a web server that records its requests.
type backend struct {
	*httptest.Server
	requests chan backendRequest
}

type backendRequest struct {
	*http.Request
	body string
}

// newBackend responds with answer, or if that is nil with 200 and the request's
// body.
func newBackend(t testing.TB, answer http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{requests: make(chan backendRequest, 10)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		b.requests <- backendRequest{r, string(body)}
		if answer == nil {
			_, _ = w.Write(body)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func respondWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Kind", "loud")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestHTTPMessages(t *testing.T) {
	uri := "http://${stageVariables.host}/in?a=1"
	for _, tt := range []struct {
		name    string
		http    gatewaytest.HTTP
		mapping *gatewaytest.Mapping
		answer  http.HandlerFunc
		say     string
		method  string
		query   string
		given   string
		want    string
	}{
		{"G-RESP-4 a proxy passes on message and response", gatewaytest.HTTP{}, nil, nil, `{"a": 1}`, "POST", "a=1",
			`{"a": 1}`, `{"a": 1}`},
		{"the method of the integration", gatewaytest.HTTP{Method: "PUT"}, nil, nil, `x`, "PUT", "a=1", `x`, `x`},
		{"G-RESP-5 regardless of the status", gatewaytest.HTTP{}, nil, respondWith(503, "busy"), `x`, "POST", "a=1", `x`,
			`busy`},
		{"G-INTEG-4 into the query string",
			gatewaytest.HTTP{RequestParameters: templates("integration.request.querystring.a", "route.request.body.n",
				"integration.request.querystring.b", "'l&l'",
				"integration.request.querystring.c", "route.request.body.nope")}, nil, nil, `{"n":[2]}`, "POST",
			"a=%5B2%5D&b=l%26l", `{"n":[2]}`, `{"n":[2]}`},
		{"HTTP maps both ways", gatewaytest.HTTP{}, &gatewaytest.Mapping{
			RequestTemplates: templates("$default", `<$input.body>`),
			Responses: map[string]gatewaytest.IntegrationResponse{
				"$default": {ResponseTemplates: templates("$default", `[$input.body]`)}},
		}, nil, `x`, "POST", "a=1", `<x>`, `[<x>]`},
		{"G-INTEG-7 the status chooses the response", gatewaytest.HTTP{},
			&gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"/4\\d\\d/": {ResponseTemplates: templates("$default", `no`)}, "$default": {}}}, respondWith(404, "nothing here"),
			`x`, "POST", "a=1", `x`, `no`},
		{"G-INTEG-7 no match is $default", gatewaytest.HTTP{},
			&gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"/4\\d\\d/": {ResponseTemplates: templates("$default", `no`)}, "$default": {}}}, respondWith(200, "here"), `x`,
			"POST", "a=1", `x`, `here`},
		{"G-INTEG-8 a template chosen by status and header", gatewaytest.HTTP{},
			&gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"$default": {TemplateSelectionExpression: "${integration.response.statuscode}-" +
					"${integration.response.header.x-kind}-${integration.response.multivalueheader.x-kind}",
					ResponseTemplates: templates("201-loud-[loud]", `LOUD`)}}}, respondWith(201, "x"), `x`, "POST", "a=1", `x`,
			`LOUD`},
		{"redirects are not followed", gatewaytest.HTTP{}, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(302)
			_, _ = io.WriteString(w, "moved")
		}, `x`, "POST", "a=1", `x`, `moved`},
		{"more than 128 KB", gatewaytest.HTTP{}, nil, respondWith(200, strings.Repeat("x", 128*1024+1)), `x`, "POST", "a=1",
			`x`, errorFrame("Internal server error")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, tt.answer)
			tt.http.URI = uri
			g := newGateway(t, gatewaytest.API{
				StageVariables: map[string]string{"host": strings.TrimPrefix(b.URL, "http://")}, // G-STAGEVAR-2
				Routes: map[string]gatewaytest.Route{"$default": {HTTP: &tt.http, Mapping: tt.mapping,
					RouteResponse: true}},
			})
			c := dial(t, g, "/v1")
			send(t, c, tt.say)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			r := <-b.requests
			if r.Method != tt.method || r.body != tt.given || r.URL.RawQuery != tt.query || r.URL.Path != "/in" {
				t.Errorf("got request %s %s with %s", r.Method, r.URL, r.body)
			}
			for name := range r.Header { // G-INTEG-3: nothing identifies the connection
				if !slices.Contains([]string{"Content-Type", "Content-Length", "User-Agent"}, name) {
					t.Errorf("header %s: %s", name, r.Header[name])
				}
			}
			if len(b.requests) > 0 {
				t.Errorf("got another request: %s", (<-b.requests).URL)
			}
		})
	}
	t.Run("G-INTEG-3 the connection id, if it is mapped", func(t *testing.T) {
		b := newBackend(t, nil)
		g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {HTTP: &gatewaytest.HTTP{
			URI: b.URL, RequestParameters: templates("integration.request.header.connectionId", "context.connectionId")}}}})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		if got := (<-b.requests).Header.Get("connectionId"); got != onlyID(t, g) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("G-ERR-4 timeout", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		b := newBackend(t, func(http.ResponseWriter, *http.Request) { <-release })
		g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {HTTP: &gatewaytest.HTTP{URI: b.URL}, Timeout: 50 * time.Millisecond}}})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		if got := receive(t, c); !strings.HasPrefix(got, errorFrame("Endpoint request timed out")) {
			t.Errorf("got %s", got)
		}
	})
	t.Run("G-ERR-3 no server", func(t *testing.T) {
		b := newBackend(t, nil)
		b.Close()
		g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$default": {HTTP: &gatewaytest.HTTP{URI: b.URL}}}})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		if got := receive(t, c); !strings.HasPrefix(got, errorFrame("Internal server error")) {
			t.Errorf("got %s", got)
		}
	})
	t.Run("G-LOG-2 integration.status and integrationStatus", func(t *testing.T) {
		var log bytes.Buffer
		b := newBackend(t, respondWith(503, ""))
		g := newGateway(t, gatewaytest.API{
			AccessLog: &gatewaytest.AccessLog{Output: &log,
				Format: "$context.eventType $context.integration.status $context.integration.integrationStatus"},
			Routes: map[string]gatewaytest.Route{"$default": {HTTP: &gatewaytest.HTTP{URI: b.URL}, RouteResponse: true}}})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		receive(t, c)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if got := lines(&log)[1]; got != "MESSAGE 503 503" {
			t.Errorf("got %s", got)
		}
	})
}

func TestHTTPOnConnect(t *testing.T) {
	for _, tt := range []struct {
		status, want int
		mapping      *gatewaytest.Mapping
		name         string
	}{
		{200, 101, nil, "G-HANDSHAKE-3 200 opens"},
		{400, 400, nil, "G-INTEG-5 400 is the handshake's"},
		{302, 302, nil, "G-HANDSHAKE-4 302 is the handshake's"},
		{400, 101, &gatewaytest.Mapping{}, "G-INTEG-6 not without a proxy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBackend(t, respondWith(tt.status, ""))
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
				"$connect": {HTTP: &gatewaytest.HTTP{URI: b.URL}, Mapping: tt.mapping}}})
			if got := handshakeStatus(t, g, "/v1", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
	t.Run("G-INTEG-5 the handshake's headers and query string", func(t *testing.T) {
		b := newBackend(t, nil)
		g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
			"$connect": {HTTP: &gatewaytest.HTTP{URI: b.URL + "/in?a=1"}}}})
		handshakeStatus(t, g, "/v1?token=x%26y",
			http.Header{"Cookie": {"c=1"}, "User-Agent": {"shop/1.0"}, "X-Twice": {"1", "2"}})
		r := <-b.requests
		for name, want := range map[string]string{
			"Sec-WebSocket-Version": "[13]", "Cookie": "[c=1]", "User-Agent": "[shop/1.0]", "X-Twice": "[1 2]",
			"X-Forwarded-For": "[192.0.2.1]", "Upgrade": "[]", "Connection": "[]",
		} {
			if got := fmt.Sprint(r.Header.Values(name)); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
		if r.URL.RawQuery != "a=1&token=x%26y" || r.Host != strings.TrimPrefix(b.URL,
			"http://") || r.Method != "POST" || r.body != "" {
			t.Errorf("got request %s %s of %s with %q", r.Method, r.URL, r.Host, r.body)
		}
	})
	t.Run("G-INTEG-4 G-INTEG-5 mapped from the handshake", func(t *testing.T) {
		b := newBackend(t, nil)
		g := newGateway(t, gatewaytest.API{
			StageVariables: map[string]string{"env": "test"},
			Routes: map[string]gatewaytest.Route{"$connect": {HTTP: &gatewaytest.HTTP{URI: b.URL, RequestParameters: templates(
				"integration.request.header.sec-websocket-version", "'0'",
				"integration.request.header.One", "route.request.header.x-twice",
				"integration.request.header.All", "route.request.multivalueheader.x-twice",
				"integration.request.header.Query", "route.request.querystring.q",
				"integration.request.header.Queries", "route.request.multivaluequerystring.q",
				"integration.request.header.None", "route.request.querystring.Q",
				"integration.request.header.Env", "stageVariables.env",
				"integration.request.querystring.q", "context.eventType",
			)}}}})
		handshakeStatus(t, g, "/v1?q=1&q=2", http.Header{"X-Twice": {"1", "2"}})
		r := <-b.requests
		for name, want := range map[string]string{
			"Sec-WebSocket-Version": "[0]", "One": "[2]", "All": "[1 2]", "Query": "[2]", "Queries": "[1 2]", "None": "[]",
			"Env": "[test]",
		} {
			if got := fmt.Sprint(r.Header.Values(name)); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
		if r.URL.RawQuery != "q=CONNECT" {
			t.Errorf("got request %s", r.URL)
		}
	})
	t.Run("G-INTEG-12 one backend behind many routes", func(t *testing.T) {
		b := newBackend(t, nil)
		shared := gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: b.URL}, RouteResponse: true}
		g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$connect": shared, "$default": shared,
			"$disconnect": shared}})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		receive(t, c)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(b.requests); n != 3 {
			t.Errorf("got %d requests, want 3", n)
		}
	})
}
