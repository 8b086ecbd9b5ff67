package gatewaytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// wantField fails unless the error names the field.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), field) {
		t.Errorf("got error %v, want one that names %s", err, field)
	}
}

func TestNewRefuses(t *testing.T) {
	many := make(map[string]gatewaytest.Route)
	for i := range 301 {
		many[fmt.Sprint("route", i)] = gatewaytest.Route{}
	}
	tests := []struct {
		name  string
		api   gatewaytest.API
		field string
	}{
		{"G-URL-6 stage with a slash", gatewaytest.API{Stage: "a/b"}, "Stage"},
		{"G-URL-6 stage of 129 characters", gatewaytest.API{Stage: strings.Repeat("a", 129)}, "Stage"},
		{"G-URL-6 stage $default", gatewaytest.API{Stage: "$default"}, "Stage"},
		{"G-URL-7 stage ping", gatewaytest.API{Stage: "ping"}, "Stage"},
		{"G-URL-7 stage sping", gatewaytest.API{Stage: "sping"}, "Stage"},
		{"G-STAGEVAR-1 name", gatewaytest.API{StageVariables: map[string]string{"a-b": "c"}}, "StageVariables"},
		{"G-STAGEVAR-1 value", gatewaytest.API{StageVariables: map[string]string{"a": "b c"}}, `StageVariables["a"]`},
		{"G-ROUTE-10 dollar", gatewaytest.API{Routes: oneRoute("$other")}, `Routes["$other"]`},
		{"empty route key", gatewaytest.API{Routes: oneRoute("")}, "Routes"},
		{"G-LIMIT-12 301 routes", gatewaytest.API{Routes: many}, "Routes"},
		{"G-LIMIT-8 timeout of 49 ms",
			gatewaytest.API{Routes: map[string]gatewaytest.Route{"a": {Timeout: 49 * time.Millisecond}}}, `Routes["a"].Timeout`},
		{"G-LIMIT-8 timeout over 29 s",
			gatewaytest.API{Routes: map[string]gatewaytest.Route{"a": {Timeout: 29*time.Second + 1}}}, `Routes["a"].Timeout`},
		{"negative idle timeout", gatewaytest.API{IdleTimeout: -1}, "IdleTimeout"},
		{"negative age", gatewaytest.API{MaxAge: -1}, "MaxAge"},
		{"negative buffer", gatewaytest.API{SendBuffer: -1}, "SendBuffer"},
		{"authorizer without handler", gatewaytest.API{Authorizer: &gatewaytest.Authorizer{}}, "Authorizer.Handler"},
		{"G-AUTH-3 identity source of an HTTP API",
			gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: ok200,
				IdentitySources: []string{"$request.header.X"}}}, "Authorizer.IdentitySources"},
		{"G-AUTH-3 identity source without a name",
			gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: ok200,
				IdentitySources: []string{"route.request.header."}}}, "Authorizer.IdentitySources"},
		{"negative fault", gatewaytest.API{Faults: &gatewaytest.Faults{GoneEvery: -1}}, "Faults.GoneEvery"},
		{"negative delay", gatewaytest.API{Faults: &gatewaytest.Faults{SlowBy: -1}}, "Faults.SlowBy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gatewaytest.New(tt.api)
			wantField(t, err, tt.field)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		_, err := gatewaytest.New(gatewaytest.API{Stage: "/", MaxAge: -1, RouteSelectionExpression: "$"})
		for _, field := range []string{"Stage", "MaxAge", "RouteSelectionExpression"} {
			wantField(t, err, field)
		}
	})
}

// TestNewRefusesAlike. Our own: the same mistakes have the same text each time.
func TestNewRefusesAlike(t *testing.T) {
	schema := `{"type":1,"minimum":"x","required":7,"properties":{"a":{"type":2},"b":{"type":"q","maximum":"x"}}}`
	wrong := func() string {
		_, err := gatewaytest.New(gatewaytest.API{
			Stage: "/", StageVariables: map[string]string{"a b": "", "c d": " "},
			Models: map[string]string{"A": schema, "B": `{"type":3,"minLength":"x","maxLength":"y"}`},
			Routes: map[string]gatewaytest.Route{
				"$x": {}, "a": {Mapping: &gatewaytest.Mapping{RequestTemplates: templates("a", "#x(", "b", "#y(")}},
				"b": {HTTP: &gatewaytest.HTTP{URI: "http://x", RequestParameters: templates("x", "y", "z", "u")}},
			},
			Assumptions: gatewaytest.Assumptions{CloseReasons: map[int]string{1: "a", 2: "b", 3: "c"}},
		})
		if err == nil {
			t.Fatal("New accepts it")
		}
		return err.Error()
	}
	first := wrong()
	for range 50 {
		if again := wrong(); again != first {
			t.Fatalf("got\n%s\nand\n%s", first, again)
		}
	}
}

func oneRoute(key string) map[string]gatewaytest.Route {
	return map[string]gatewaytest.Route{key: {}}
}

// TestNewAccepts: what is just inside a limit is accepted, and works. Our own: New
// refuses no more than the service.
func TestNewAccepts(t *testing.T) {
	many := routes("route 299", twoWay(echo))
	for i := range 299 {
		many[fmt.Sprint("route ", i)] = gatewaytest.Route{}
	}
	longest, path := strings.Repeat("a", 128), strings.Repeat("b", 300)
	var seen recorder
	seen.next = echo
	for name, tt := range map[string]struct {
		api       gatewaytest.API
		url, send string
		want      string // the response, "" for any
	}{
		"G-URL-6 a stage of 128 characters": {
			gatewaytest.API{Stage: longest, Routes: routes("$default", twoWay(echo))}, "/" + longest, "x", "x",
		},
		"G-STAGEVAR-1 every character of a value": {
			gatewaytest.API{
				StageVariables: map[string]string{"table_1": "a-Z0._~:/?#&=,"},
				Routes:         routes("$default", gatewaytest.Route{Integration: &seen, RouteResponse: true}),
			}, "/v1", "x", "x",
		},
		"G-LIMIT-8 the shortest timeout": {
			gatewaytest.API{Routes: map[string]gatewaytest.Route{
				"$default": {Integration: takes(300 * time.Millisecond), Timeout: 50 * time.Millisecond},
			}}, "/v1", "x", "",
		},
		"G-LIMIT-8 the longest timeout": {
			gatewaytest.API{Routes: map[string]gatewaytest.Route{
				"$default": {Integration: function(echo), RouteResponse: true, Timeout: 29 * time.Second},
			}}, "/v1", "x", "x",
		},
		"G-LIMIT-12 300 routes": {
			gatewaytest.API{Routes: many}, "/v1", `{"action":"route 299"}`, `{"action":"route 299"}`,
		},
		"G-ROUTE-10 a key of other characters": {
			api(routes("with space/and €", twoWay(echo))), "/v1", `{"action":"with space/and €"}`,
			`{"action":"with space/and €"}`,
		},
		"G-DOMAIN-2 a base path of 300 characters": {
			gatewaytest.API{
				Domain: &gatewaytest.Domain{Name: "ws.example", BasePath: path}, Routes: routes("$default", twoWay(echo)),
			}, "/" + path, "x", "x",
		},
		"G-DOMAIN-2 every character of a base path": {
			gatewaytest.API{
				Domain: &gatewaytest.Domain{Name: "ws.example", BasePath: "aZ0$-_.+!*'()"},
				Routes: routes("$default", twoWay(echo)),
			}, "/aZ0$-_.+!*'()", "x", "x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tt.api)
			options := &websocket.DialOptions{}
			if tt.api.Domain != nil {
				options.Host = tt.api.Domain.Name
			}
			c, _, err := g.Dial(t.Context(), tt.url, options)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			send(t, c, tt.send)
			switch got := receive(t, c); {
			case tt.want == "" && !strings.Contains(got, "Endpoint request timed out"):
				t.Errorf("got %s, want the error frame of the timeout", got)
			case tt.want != "" && got != tt.want:
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if got := lookup(t, seen.one(t), "stageVariables", "table_1"); got != "a-Z0._~:/?#&=," {
		t.Errorf("G-STAGEVAR-3: the function got the stage variable %v", got)
	}
}

func TestSnapshot(t *testing.T) {
	t.Run("G-URL-9 later changes of the caller's maps change nothing", func(t *testing.T) {
		mine := routes("$default", twoWay(echo))
		g := newGateway(t, api(mine))
		c := dial(t, g, "/v1")
		delete(mine, "$default")
		send(t, c, "x")
		if got := receive(t, c); got != "x" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("G-URL-10 a route made later is no route", func(t *testing.T) {
		mine := routes("cart", twoWay(echo))
		g := newGateway(t, api(mine))
		mine["new"] = twoWay(echo)
		c := dial(t, g, "/v1")
		send(t, c, `{"action":"new"}`)
		if got := receive(t, c); !strings.HasPrefix(got, `{"message": "Forbidden", `) {
			t.Errorf("got %s", got)
		}
	})
}

// TestErrorOrder. Our own: New lists several mistakes in the same order each time.
func TestErrorOrder(t *testing.T) {
	newError := func() string {
		_, err := gatewaytest.New(gatewaytest.API{
			AccountThrottle: gatewaytest.Throttle{Rate: -1},
			RouteThrottle:   gatewaytest.Throttle{Rate: -1},
			Assumptions: gatewaytest.Assumptions{PlainGETStatus: 1, TimeoutStatus: 1, NoFunctionStatus: 1,
				MaxResponseBytes: -1, SentFrameBytes: -1, UnboundRouteText: `"`, ThrottledText: `"`},
			Faults: &gatewaytest.Faults{GoneEvery: -1, DropEvery: -1, LateEvery: -1},
			Routes: map[string]gatewaytest.Route{"$a": {}, "$b": {}, "$c": {}},
		})
		if err == nil {
			t.Fatal("an API with mistakes was accepted")
		}
		return err.Error()
	}
	first := newError()
	for _, field := range []string{"AccountThrottle", "RouteThrottle", "PlainGETStatus", "TimeoutStatus",
		"NoFunctionStatus",
		"MaxResponseBytes", "SentFrameBytes", "UnboundRouteText", "ThrottledText",
		"GoneEvery", "DropEvery", "LateEvery", `["$a"]`, `["$b"]`, `["$c"]`} {
		if n := strings.Count(first, field); n != 1 {
			t.Errorf("the error names %s %d times, want once:\n%s", field, n, first)
		}
	}
	for range 50 {
		if next := newError(); next != first {
			t.Fatalf("two errors of one API:\n%s\n\n%s", first, next)
		}
	}
}
