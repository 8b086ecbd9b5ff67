package gatewaytest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/gatewaytest"
)

// errorFrame is the start of the error frame with a text.
func errorFrame(text string) string { return `{"message": "` + text + `", "connectionId":"` }

func templates(pairs ...string) map[string]string {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func TestMock(t *testing.T) {
	responses := map[string]gatewaytest.IntegrationResponse{
		"/4\\d\\d/": {ResponseTemplates: templates("$default", "bad")},
		"$default": {TemplateSelectionExpression: "${request.body.lang}",
			ResponseTemplates: templates("de", "gut", "$default", "good")},
	}
	choose := &gatewaytest.Mapping{
		TemplateSelectionExpression: "$request.body.want",
		RequestTemplates: templates("404", `{"statusCode":404}`, "40", `{"statusCode":40}`, "none",
			`{"status":200}`, "text", `ok`, "$default", ` {"statusCode": 200} `),
		Responses: responses,
	}
	// As in template.yaml for ping: a literal expression and a template of that name.
	literal := &gatewaytest.Mapping{
		TemplateSelectionExpression: "200", RequestTemplates: templates("200", `{"statusCode":200}`),
		Responses: map[string]gatewaytest.IntegrationResponse{"$default": {TemplateSelectionExpression: "200",
			ResponseTemplates: templates("200", `{"type":"pong"}`)}},
	}
	for _, tt := range []struct {
		name    string
		mapping *gatewaytest.Mapping
		say     string
		want    string // of the first frame; empty: none
	}{
		{"G-INTEG-9 the response's template", choose, `{}`, "good"},
		{"G-INTEG-8 chosen by the message", choose, `{"lang":"de"}`, "gut"},
		{"G-INTEG-8 not JSON: $default", choose, `ping`, "good"},
		{"G-INTEG-9 the status chooses the response", choose, `{"want":"404"}`, "bad"},
		{"G-INTEG-7 the pattern is for the whole status", choose, `{"want":"40"}`, "good"},
		{"G-INTEG-9 a template without statusCode", choose, `{"want":"none"}`, errorFrame("Internal server error")},
		{"G-INTEG-9 a template that is not JSON", choose, `{"want":"text"}`, errorFrame("Internal server error")},
		{"G-INTEG-8 literal expressions", literal, `{"action":"ping"}`, `{"type":"pong"}`},
		{"G-INTEG-8 literal expressions without JSON", literal, `ping`, `{"type":"pong"}`},
		{"G-INTEG-7 no response matches: nothing to send",
			&gatewaytest.Mapping{RequestTemplates: templates("$default", `{"statusCode":200}`),
				Responses: map[string]gatewaytest.IntegrationResponse{"/5\\d\\d/": {}}}, `{}`, ""},
		{"G-INTEG-8 NEVER without a template", &gatewaytest.Mapping{PassthroughBehavior: "NEVER", Responses: responses},
			`{}`, errorFrame("Unsupported Media Type")},
		{"G-INTEG-8 WHEN_NO_TEMPLATES with others",
			&gatewaytest.Mapping{PassthroughBehavior: "WHEN_NO_TEMPLATES", RequestTemplates: templates("x", "y"),
				Responses: responses}, `{}`, errorFrame("Unsupported Media Type")},
		{"G-INTEG-8 WHEN_NO_TEMPLATES with none: 200",
			&gatewaytest.Mapping{PassthroughBehavior: "WHEN_NO_TEMPLATES", Responses: responses}, `{"statusCode":499}`, "good"},
		{"G-INTEG-9 no templates: 200", &gatewaytest.Mapping{Responses: responses}, `{}`, "good"},
		{"G-INTEG-9 neither templates nor responses: nothing to send", &gatewaytest.Mapping{}, `{}`, ""},
		{"G-INTEG-8 application/json without an expression",
			&gatewaytest.Mapping{RequestTemplates: templates("application/json", `{"statusCode":418}`), Responses: responses},
			`{}`, "bad"},
		{"G-INTEG-8 application/json beside $default",
			&gatewaytest.Mapping{RequestTemplates: templates("application/json", `{"statusCode":418}`, "$default",
				`{"statusCode":200}`), Responses: responses}, `{}`, "good"},
		{"G-INTEG-8 application/json with an expression",
			&gatewaytest.Mapping{TemplateSelectionExpression: `\$default`,
				RequestTemplates: templates("application/json", `{"statusCode":200}`), Responses: responses},
			`{"statusCode":499}`, "bad"},
		{"G-INTEG-8 application/json of a response",
			&gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"$default": {ResponseTemplates: templates("application/json", "json")}}}, `{}`, "json"},
		{"G-INTEG-8 WHEN_NO_MATCH is the default",
			&gatewaytest.Mapping{RequestTemplates: templates("x", "y"), Responses: responses}, `{"statusCode":499}`, "bad"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
					"$default": {Mapping: tt.mapping, RouteResponse: true},
					"mark":     twoWay(echo),
				}})
				c := dial(t, g, "/v1")
				send(t, c, tt.say)
				synctest.Wait()
				if tt.want == "" {
					tt.want = `{"action":"mark"}` // the next frame
				}
				send(t, c, `{"action":"mark"}`)
				if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
	for _, tt := range []struct {
		name, template string
		want           int
	}{
		{"G-INTEG-9 a mock on $connect opens", `{"statusCode":200}`, 101},
		{"G-INTEG-9 a mock on $connect refuses", `{"statusCode":403}`, 403},
		{"G-INTEG-9 a mock on $connect without a status", `{}`, 502},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
				"$connect": {Mapping: &gatewaytest.Mapping{RequestTemplates: templates("$default", tt.template)}}}})
			if got := handshakeStatus(t, g, "/v1", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
	t.Run("G-RESP-1 a one-way mock sends nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			one := mockRoute("never")
			one.RouteResponse = false
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": one}})
			c := dial(t, g, "/v1")
			send(t, c, "x")
			synctest.Wait()
			if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("first")); err != nil {
				t.Fatal(err)
			}
			if got := receive(t, c); got != "first" {
				t.Errorf("got %s", got)
			}
		})
	})
}

func TestIntegrationTypes(t *testing.T) {
	web := newBackend(t, respondWith(200, "from the web"))
	mapped := &gatewaytest.Mapping{
		RequestTemplates: templates("$default", `{"statusCode":200}`),
		Responses: map[string]gatewaytest.IntegrationResponse{"$default": {ResponseTemplates: templates("$default",
			`mapped $input.body`)}},
	}
	for kind, tt := range map[string]struct {
		route gatewaytest.Route
		want  string
	}{
		"AWS_PROXY": {gatewaytest.Route{Integration: returns(`{"statusCode":200,"body":"from a function"}`)},
			"from a function"},
		"AWS":        {gatewaytest.Route{Integration: returns(`"raw"`), Mapping: mapped}, `mapped "raw"`},
		"HTTP_PROXY": {gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: web.URL}}, "from the web"},
		"HTTP":       {gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: web.URL}, Mapping: mapped}, "mapped from the web"},
		"MOCK":       {gatewaytest.Route{Mapping: mapped}, "mapped "}, // there is no response to map
	} {
		t.Run("G-INTEG-1 "+kind, func(t *testing.T) {
			tt.route.RouteResponse = true
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": tt.route}})
			c := dial(t, g, "/v1")
			send(t, c, `{}`)
			if got := receive(t, c); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMappedFunctions(t *testing.T) {
	responses := map[string]gatewaytest.IntegrationResponse{
		"/no .*/":  {ResponseTemplates: templates("$default", `sorry: $input.path('$.errorMessage')`)},
		"$default": {},
	}
	for _, tt := range []struct {
		name     string
		mapping  gatewaytest.Mapping
		function function
		say      string
		given    string // to the function
		want     string
	}{
		{"G-INTEG-2 the raw message, the raw response", gatewaytest.Mapping{Responses: responses}, returns(`[1]`),
			`{"a":1}`, `{"a":1}`, `[1]`},
		{"G-INTEG-2 the mapped message",
			gatewaytest.Mapping{RequestTemplates: templates("$default",
				`{"id":$input.json('$.a'),"stage":"$context.stage"}`), Responses: responses},
			returns(`true`), `{"a":[2]}`, `{"id":[2],"stage":"v1"}`, `true`},
		{"G-INTEG-7 the error's text chooses the response", gatewaytest.Mapping{Responses: responses}, fails("no stock"),
			`{}`, `{}`, `sorry: no stock`},
		{"G-INTEG-7 the pattern is for the whole text", gatewaytest.Mapping{Responses: responses},
			fails("there is no stock"), `{}`, `{}`, `{"errorMessage":"there is no stock"}`},
		{"G-INTEG-7 no match is $default", gatewaytest.Mapping{Responses: responses}, fails("oh no"), `{}`, `{}`,
			`{"errorMessage":"oh no"}`},
		{"G-HANDSHAKE-8 a missing function chooses no response", gatewaytest.Mapping{Responses: responses}, noFunction, `{}`,
			`{}`, errorFrame("Internal server error")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			function := &recorder{next: tt.function}
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
				"$default": {Integration: function, Mapping: &tt.mapping, RouteResponse: true}}})
			c := dial(t, g, "/v1")
			send(t, c, tt.say)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := string(function.one(t)); got != tt.given {
				t.Errorf("the function got %s, want %s", got, tt.given)
			}
		})
	}
	t.Run("G-ERR-4 timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$default": {
				Mapping: &gatewaytest.Mapping{}, Integration: function(func(ctx context.Context, _ []byte) ([]byte, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				})}}})
			c := dial(t, g, "/v1")
			send(t, c, "{}")
			if got := receive(t, c); !strings.HasPrefix(got, errorFrame("Endpoint request timed out")) {
				t.Errorf("got %s", got)
			}
		})
	})
	for _, tt := range []struct {
		name     string
		function function
		want     int
	}{
		{"any response", returns(`{"statusCode":500}`), 101},
		{"G-HANDSHAKE-5 fails", fails("x"), 502},
		{"G-HANDSHAKE-8 does not exist", noFunction, 500},
	} {
		t.Run("$connect "+tt.name, func(t *testing.T) {
			function := &recorder{next: tt.function}
			g := newGateway(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{"$connect": {Integration: function,
				Mapping: &gatewaytest.Mapping{}}}})
			if got := handshakeStatus(t, g, "/v1", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if got := string(function.one(t)); got != `{}` {
				t.Errorf("the function got %s", got)
			}
		})
	}
}

func TestBadIntegrations(t *testing.T) {
	mapping := func(m gatewaytest.Mapping) gatewaytest.Route { return gatewaytest.Route{Mapping: &m} }
	for _, tt := range []struct {
		name, key string
		route     gatewaytest.Route
		field     string
	}{
		{"two backends", "a", gatewaytest.Route{Integration: ok200, HTTP: &gatewaytest.HTTP{URI: "http://x"}},
			"HTTP: not allowed with Integration"},
		{"G-INTEG-7 response key", "a",
			mapping(gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{"200": {}}}),
			`Mapping: Responses["200"]`},
		{"G-INTEG-7 expression", "a",
			mapping(gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{"/(/": {}}}),
			`Mapping: Responses["/(/"]`},
		{"G-INTEG-8 passthrough", "a", mapping(gatewaytest.Mapping{PassthroughBehavior: "ALWAYS"}), "PassthroughBehavior"},
		{"G-FRAME-2 strategy", "a", mapping(gatewaytest.Mapping{ContentHandlingStrategy: "CONVERT"}),
			"ContentHandlingStrategy"},
		{"G-FRAME-2 strategy of a response", "a",
			mapping(gatewaytest.Mapping{Responses: map[string]gatewaytest.IntegrationResponse{
				"$default": {ContentHandlingStrategy: "x"}}}),
			`Mapping: Responses["$default"]: ContentHandlingStrategy`},
		{"G-INTEG-8 selection", "a",
			mapping(gatewaytest.Mapping{TemplateSelectionExpression: "${integration.response.statuscode}"}),
			"TemplateSelectionExpression"},
		{"G-INTEG-10 request template", "a", mapping(gatewaytest.Mapping{RequestTemplates: templates("x", "#set($a 1)")}),
			`Mapping: template "x"`},
		{"URI without host", "a", gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: "localhost:80"}}, "HTTP: URI"},
		{"URI of another kind", "a", gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: "ftp://x"}}, "HTTP: URI"},
		{"G-STAGEVAR-2 unknown stage variable", "a",
			gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: "http://${stageVariables.x}"}}, `HTTP: URI: no stage variable "x"`},
		{"method", "a", gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: "http://x", Method: "A B"}}, "HTTP: Method"},
		{"G-INTEG-4 key", "a", routeWithParameter("x", "'y'"), `HTTP: RequestParameters: "x"`},
		{"G-INTEG-4 value", "a", routeWithParameter("integration.request.header.a", "y"),
			`HTTP: RequestParameters["integration.request.header.a"]`},
		{"G-INTEG-4 headers only on $connect", "a",
			routeWithParameter("integration.request.header.a", "route.request.header.x"), "only $connect"},
		{"G-INTEG-4 path", "a", routeWithParameter("integration.request.header.a", "route.request.body."),
			"dot without a name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{tt.key: tt.route}})
			wantField(t, err, `Routes["`+tt.key+`"].`)
			wantField(t, err, tt.field)
		})
	}
}

func routeWithParameter(key, value string) gatewaytest.Route {
	return gatewaytest.Route{HTTP: &gatewaytest.HTTP{URI: "http://127.0.0.1:1", RequestParameters: templates(key, value)}}
}
