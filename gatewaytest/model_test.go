package gatewaytest_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

const addModel = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["sku"],
	"properties":{"sku":{"type":"string"},"quantity":{"type":"integer","minimum":0,"exclusiveMinimum":true}}}`

func TestRequestModels(t *testing.T) {
	const yes, no = true, false
	strict := map[string]string{"add": "Add", "ref": "Ref"}
	withDefault := map[string]string{"add": "Add", "$default": "Any"}
	tests := []struct {
		name, expression string
		models           map[string]string
		body             string
		want             bool
	}{
		{"G-VALID-1 valid", "$request.body.action", strict, `{"action":"add","sku":"MUG","quantity":1}`, yes},
		{"G-VALID-1 field missing", "$request.body.action", strict, `{"action":"add"}`, no},
		{"G-VALID-1 other type", "$request.body.action", strict, `{"action":"add","sku":1}`, no},
		{"G-VALID-1 draft 4: exclusiveMinimum is a boolean", "$request.body.action", strict,
			`{"action":"add","sku":"MUG","quantity":0}`, no},
		{"G-VALID-1 a whole number is an integer", "$request.body.action", strict,
			`{"action":"add","sku":"MUG","quantity":12345678901234567890}`, yes},
		{"G-VALID-1 a fraction is not", "$request.body.action", strict, `{"action":"add","sku":"MUG","quantity":1.5}`, no},
		{"G-VALID-1 a model that refers to another", "$request.body.action", strict,
			`{"action":"ref","line":{"sku":"MUG"}}`, yes},
		{"G-VALID-1 a model that refers to another, invalid", "$request.body.action", strict, `{"action":"ref","line":{}}`,
			no},
		{"G-VALID-1 the expression may be literal", "add", strict, `{"sku":"MUG"}`, yes},
		{"G-VALID-2 no model for the key", "$request.body.action", strict, `{"action":"other","sku":"MUG"}`, no},
		{"G-VALID-2 $default for other keys", "$request.body.action", withDefault, `{"action":"other"}`, yes},
		{"G-VALID-2 not for those with a model", "$request.body.action", withDefault, `{"action":"add"}`, no},
		{"G-VALID-1 a large number", "$request.body.action", strict, `{"action":"add","sku":"MUG","quantity":1e300}`, yes},
		{"G-VALID-1 a number with a huge exponent", "$request.body.action", strict,
			`{"action":"add","sku":"MUG","quantity":1e999999}`, no},
		{"G-VALID-1 a number with a tiny exponent", "$request.body.action", withDefault,
			`{"action":"other","list":[1,{"deep":1E-999999}]}`, no},
		{"G-VALID-1 a number with too many digits", "$request.body.action", withDefault,
			`{"action":"other","n":` + strings.Repeat("9", 401) + `}`, no},
		{"G-VALID-5 not JSON", "$request.body.action", withDefault, `sku`, no},
		{"G-VALID-5 JSON and more", "$request.body.action", withDefault, `{"action":"other"} x`, no},
		{"G-VALID-5 empty", "$request.body.action", withDefault, ``, no},
		{"G-VALID-6 no expression, no validation", "", strict, `nonsense`, yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			function := &recorder{next: echo}
			g := newGateway(t, gatewaytest.API{
				Models: map[string]string{
					"Add": addModel, "Any": `{}`,
					"Ref": `{"type":"object","properties":{"line":` +
						`{"$ref":"https://apigateway.amazonaws.com/restapis/a1b2c3d4e5/models/Add"}}}`,
				},
				Routes: map[string]gatewaytest.Route{"$default": {
					Integration: function, RouteResponse: true, ModelSelectionExpression: tt.expression, RequestModels: tt.models}},
			})
			c := dial(t, g, "/v1")
			send(t, c, tt.body)
			got := receive(t, c)
			if passed := got == tt.body; passed != tt.want {
				t.Errorf("%s: got %s", tt.body, got)
			}
			if invalid := strings.HasPrefix(got, `{"message": "Invalid request body", "connectionId":"`); invalid == tt.want {
				t.Errorf("%s: got %s", tt.body, got)
			}
			if invoked := len(function.all()) == 1; invoked != tt.want {
				t.Errorf("function invoked: %v", invoked)
			}
		})
	}
}

func TestValidationFrame(t *testing.T) {
	t.Run("G-VALID-4 the log of the gateway does not quote the message", func(t *testing.T) {
		var log bytes.Buffer
		g := newGateway(t, gatewaytest.API{
			Log:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Models: map[string]string{"Add": `{"additionalProperties":false}`},
			Routes: map[string]gatewaytest.Route{"$default": {Integration: ok200, ModelSelectionExpression: "add",
				RequestModels: map[string]string{"add": "Add"}}},
		})
		c := dial(t, g, "/v1")
		send(t, c, `{"hush":1}`)
		receive(t, c)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if text := log.String(); strings.Contains(text, "hush") || !strings.Contains(text, "refused=BAD_REQUEST_BODY") ||
			!strings.Contains(text, "the keyword /additionalProperties of the model") {
			t.Errorf("logged %s", text)
		}
	})
	t.Run("G-VALID-3 -4 G-ERR-5 the client gets no details, the log does", func(t *testing.T) {
		var log bytes.Buffer
		g := newGateway(t, gatewaytest.API{
			AccessLog: &gatewaytest.AccessLog{Output: &log, Format: "$context.eventType $context.status " +
				"$context.error.responseType $context.error.validationErrorString"},
			Models: map[string]string{"Add": addModel},
			Routes: map[string]gatewaytest.Route{"$default": { // one-way routes send error frames too
				Integration: ok200, ModelSelectionExpression: "add", RequestModels: map[string]string{"add": "Add"}}},
		})
		c := dial(t, g, "/v1")
		send(t, c, `{"quantity":1}`)
		got := receive(t, c)
		shape := regexp.MustCompile(`^\{"message": "Invalid request body", "connectionId":"` + regexp.QuoteMeta(onlyID(t,
			g)) + `", "requestId":"[A-Za-z0-9_-]{15}="\}$`)
		if !shape.MatchString(got) {
			t.Errorf("got %s", got)
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if line := lines(&log)[1]; !strings.HasPrefix(line, "MESSAGE 400 BAD_REQUEST_BODY ") || !strings.Contains(line,
			"sku") {
			t.Errorf("logged %q", line)
		}
	})
}

func TestBadModels(t *testing.T) {
	route := func(r gatewaytest.Route) map[string]gatewaytest.Route {
		return map[string]gatewaytest.Route{"a": r}
	}
	file := filepath.ToSlash(filepath.Join(t.TempDir(), "model.json"))
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		api   gatewaytest.API
		field string
	}{
		{"not JSON", gatewaytest.API{Models: map[string]string{"A": `{`}}, `Models["A"]`},
		{"G-VALID-1 not a schema of draft 4", gatewaytest.API{Models: map[string]string{"A": `{"exclusiveMinimum":1}`}},
			`Models["A"]`},
		{"G-VALID-1 another draft",
			gatewaytest.API{Models: map[string]string{"A": `{"$schema":"http://json-schema.org/draft-07/schema#"}`}},
			`Models["A"]: $schema "http://json-schema.org/draft-07/schema#"`},
		{"refers to a file", gatewaytest.API{Models: map[string]string{"A": `{"$ref":"file://` + file + `"}`}},
			`Models["A"]`},
		{"no such model", gatewaytest.API{Routes: route(gatewaytest.Route{ModelSelectionExpression: "x",
			RequestModels: map[string]string{"x": "A"}})}, `Routes["a"].RequestModels`},
		{"bad expression", gatewaytest.API{Routes: route(gatewaytest.Route{ModelSelectionExpression: "$"})},
			`Routes["a"].RequestModels`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gatewaytest.New(tt.api)
			wantField(t, err, tt.field)
		})
	}
}

// TestModelsAreBounded. Our own: New refuses models that take too long to compile.
func TestModelsAreBounded(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"not":`, n-1) + "{}" + strings.Repeat("}", n-1) }
	wide := func(n int) string { return `{"enum":[` + strings.Repeat("1,", n-3) + "1]}" }
	for name, tt := range map[string]struct {
		models map[string]string
		field  string // "" if they are accepted
	}{
		"100 levels":    {map[string]string{"A": nested(100)}, ""},
		"101 levels":    {map[string]string{"A": nested(101)}, `Models["A"]`},
		"10 001 values": {map[string]string{"A": wide(10_001)}, `Models["A"]`},
		"10 001 in all": {map[string]string{"A": wide(5_000), "B": wide(5_001)}, `Models["B"]`},
		"9 000 levels":  {map[string]string{"A": nested(9_000)}, `Models["A"]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{Models: tt.models})
			if tt.field != "" {
				wantField(t, err, tt.field)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
