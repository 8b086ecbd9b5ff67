package gatewaytest_test

import (
	"strings"
	"testing"

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
		{"G-INTEG-10 json of all", `$input.json('$')`, `{"half":0.50,"list":[{"sku":"MUG"},2],"none":null,"text":"a \"b\""}`},
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
		RequestTemplates: map[string]string{"one": "#set($x = 1)", "two": "$x"},
	}}}})
	wantField(t, err, `template "one"`)
	wantField(t, err, `template "two"`)
}

// TestTemplatesRefused. Our own: New refuses what it does not support of VTL.
func TestTemplatesRefused(t *testing.T) {
	for _, template := range []string{
		"#set($x = 1)", "#if(true)a#end", "## comment", "#* comment *#", "#{end}", "#[[raw]]#", "#@macro",
		"$x", "$util.parseJson($input.body)", "$util.urlEncode('a')", "$util.urlEncode($x)",
		"$util.urlEncode($input.body", "$util.urlEncode($input.body).x", "$input", "$input.params('a')", "$input.bodyx",
		"$input.body.length()", "$input.json($.a)",
		"$input.json('a')", "$input.json('$.')", "$!context.stage", "${context.stage", "$context",
		"$context.stage.toUpperCase()", "$context.a[0]",
		`\$context.stage`, `\#if`,
	} {
		t.Run(template, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Routes: map[string]gatewaytest.Route{"ping": mockRoute("a " + template)}})
			wantField(t, err, `Routes["ping"].Mapping: Responses["$default"]: template "$default": "`)
			if err != nil && !strings.Contains(err.Error(), "support") && !strings.Contains(err.Error(),
				"dot without a name") && !strings.Contains(err.Error(), "neither") {
				t.Errorf("the error does not say what is supported: %v", err)
			}
		})
	}
}
