package gatewaytest_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// mockRoute is a MOCK route that responds with a template.
func mockRoute(template string) gatewaytest.Route {
	return gatewaytest.Route{RouteResponse: true, Mapping: &gatewaytest.Mapping{
		RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
		Responses: map[string]gatewaytest.IntegrationResponse{
			"$default": {ResponseTemplates: map[string]string{"$default": template}}},
	}}
}

func TestTemplates(t *testing.T) {
	// In a response template, $input is the function's response.
	const body = `{"list":[{"sku":"MUG"},2],"text":"a \"b\"","half":0.50,"none":null}`
	tests := []struct{ name, template, want string }{
		{"G-INTEG-10 escaped for JavaScript", `"$util.escapeJavaScript($input.json('$.text'))"`, `"\"a \\\"b\\\"\""`},
		{"G-INTEG-10 encoded for a URL",
			`?t=$util.urlEncode($input.path('$.text'))&l=${util.urlDecode( $util.urlEncode($input.path('$.text')) )}`,
			`?t=a+%22b%22&l=a "b"`},
		{"G-INTEG-10 encoded to base64 and back",
			`$util.base64Encode($context.stage) $util.base64Decode($util.base64Encode($context.stage)) ` +
				`$util.base64Decode($input.path('$.text'))`, `djE= v1 `},
		{"G-INTEG-10 escaped beyond ASCII", `$util.escapeJavaScript($util.base64Decode($stageVariables.bytes))`,
			`\t\/\uD83D\uDE00`},
		{"G-INTEG-9 plain text", `{"type":"pong"}`, `{"type":"pong"}`},
		{"G-INTEG-10 body", `<$input.body>`, `<` + body + `>`},
		{"G-INTEG-10 json", `$input.json('$.list[0]')`, `{"sku":"MUG"}`},
		{"G-INTEG-10 json, double quotes", `$input.json("$.text")`, `"a \"b\""`},
		{"G-INTEG-10 json of all", `$input.json('$')`, body},
		{"G-INTEG-10 json of nothing", `$input.json('$.nope')`, `""`},
		{"G-INTEG-10 path", `$input.path('$.text')/$input.path('$.half')/$input.path('$.nope')/`, `a "b"/0.50//`},
		{"G-INTEG-10 context", `$context.stage:$context.eventType:$context.routeKey`, `v1:MESSAGE:$default`},
		{"G-INTEG-10 context inside", `$context.identity.sourceIp.`, `192.0.2.1.`},
		{"G-INTEG-10 context without a value", `[$context.nope]`, `[]`},
		{"G-INTEG-10 G-STAGEVAR-2 stage variable", `$stageVariables.env ${stageVariables.env}s`, `test tests`},
		{"G-INTEG-10 braces", `${context.stage}x ${input.json('$.list[1]')}0`, `v1x 20`},
		{"dollars and hashes without a meaning", `$ 5$ $5 100% #1 # a$`, `$ 5$ $5 100% #1 # a$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			route := mockRoute(tt.template)
			route.Integration = returns(body)
			g := newGateway(t, gatewaytest.API{
				StageVariables: map[string]string{"env": "test", "bytes": "CS/wn5iA"},
				Routes:         map[string]gatewaytest.Route{"$default": route},
			})
			c := dial(t, g, "/v1")
			send(t, c, "hello")
			if got := receive(t, c); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestTemplatesRefusedTogether. Our own: New reports all invalid templates.
func TestTemplatesRefusedTogether(t *testing.T) {
	_, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{"ping": {Mapping: &gatewaytest.Mapping{
		RequestTemplates: map[string]string{"one": "{\n  #if(true)\n}", "two": "$input.bodyx"},
	}}}})
	wantField(t, err, `Routes["ping"].Mapping: template "one": line 2, column 3: #if without #end`)
	wantField(t, err, `template "two": line 1, column 7: $input has only body`)
}

// TestCheckTemplate. Our own: the error has the place in the template.
func TestCheckTemplate(t *testing.T) {
	if err := gatewaytest.CheckTemplate("#if(true)$input.body#end"); err != nil {
		t.Errorf("got %v", err)
	}
	var mistake *gatewaytest.TemplateError
	err := gatewaytest.CheckTemplate("{\n  #if(true)\n}")
	if !errors.As(err, &mistake) || mistake.Line != 2 || mistake.Column != 3 ||
		err.Error() != "line 2, column 3: #if without #end" {
		t.Errorf("got %v", err)
	}
}

// TestTemplateScope. What the templates of an event may refer to.
func TestTemplateScope(t *testing.T) {
	const template = `$input.params('room')|$input.params('X-Id')|$input.params().querystring|` +
		`$context.authorizer.principalId|$context.authorizer.get('role')|$context.identity.sourceIp|$stageVariables.keySet()`
	api := gatewaytest.API{
		StageVariables: map[string]string{"b": "2", "a": "1"},
		Authorizer:     &gatewaytest.Authorizer{Handler: returns(grant("Allow", "*", `{"role":"admin"}`))},
	}
	function := &recorder{next: returns(`{}`)}
	mapping := &gatewaytest.Mapping{RequestTemplates: templates("$default", `"`+template+`"`),
		Responses: map[string]gatewaytest.IntegrationResponse{
			"$default": {ResponseTemplates: templates("$default", template)}}}
	api.Routes = map[string]gatewaytest.Route{
		"$connect": {Integration: function, Mapping: mapping},
		"$default": {Integration: returns(`{}`), Mapping: mapping, RouteResponse: true},
	}
	g := newGateway(t, api)
	c, _, err := g.Dial(t.Context(), "/v1?room=blue&room=red", &websocket.DialOptions{
		HTTPHeader: http.Header{"X-Id": {"7"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	common := `|ann|admin|192.0.2.1|[a, b]`
	t.Run("G-INTEG-17 on $connect", func(t *testing.T) {
		if got, want := string(function.one(t)), `"red|7|{room=red}`+common+`"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("G-INTEG-17 of a message", func(t *testing.T) {
		send(t, c, `{"room":"x"}`)
		if got, want := receive(t, c), `||{}`+common; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestTemplatesThatFail. A template that fails for a message.
func TestTemplatesThatFail(t *testing.T) {
	const template = "\n$util.parseJson($input.body)"
	response := mockRoute(template)
	response.Integration = returns(`"text"`)
	for name, tt := range map[string]struct {
		route gatewaytest.Route
		body  string
		want  string
	}{
		"G-INTEG-19 of a request": {gatewaytest.Route{Integration: ok200, Mapping: &gatewaytest.Mapping{
			RequestTemplates: templates("$default", template)}}, "not JSON", errorFrame("Internal server error")},
		"G-INTEG-19 of a response": {mockRoute(template), "{}", errorFrame("Internal server error")},
		"of no response":           {response, "{}", "\ntext"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			g := newGateway(t, gatewaytest.API{Log: slog.New(slog.NewTextHandler(&log, nil)),
				Routes: map[string]gatewaytest.Route{"$default": tt.route}})
			c := dial(t, g, "/v1")
			send(t, c, tt.body)
			if got := receive(t, c); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			const place = "template: line 2, column 6: $util.parseJson"
			if got := log.String(); strings.HasPrefix(tt.want, "{") && !strings.Contains(got, place) {
				t.Errorf("the log has no %s:\n%s", place, got)
			}
		})
	}
}
