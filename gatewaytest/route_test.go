package gatewaytest_test

import (
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

// namedRoutes are two-way routes whose functions respond with their route key,
// so that the client sees which one was chosen.
func namedRoutes(keys ...string) map[string]gatewaytest.Route {
	m := make(map[string]gatewaytest.Route)
	for _, key := range keys {
		m[key] = twoWay(returns(`{"statusCode":200,"body":"` + key + `"}`))
	}
	return m
}

func TestRoutes(t *testing.T) {
	all := []string{"$connect", "$disconnect", "$default", "cart", "join-", "a/b", "5", "1.50", "true", "[x, y]",
		"[1, [2, true], ]", "literal", "pay-$5", `{"k":"<v>"}`, "whole"}
	tests := []struct{ name, expression, body, want string }{
		{"G-ROUTE-12 the default expression", "", `{"action":"cart"}`, "cart"},
		{"G-ROUTE-1 exact", "", `{"action":"Cart"}`, "$default"},
		{"G-ROUTE-1 no trimming", "", `{"action":"cart "}`, "$default"},
		{"G-ROUTE-2 no such key", "", `{"action":"nope"}`, "$default"},
		{"G-ROUTE-3 not JSON", "", `hello`, "$default"},
		{"G-ROUTE-3 half JSON", "", `{"action":"cart"`, "$default"},
		{"G-ROUTE-3 JSON and more", "", `{"action":"cart"} x`, "$default"},
		{"G-ROUTE-3 empty", "", ``, "$default"},
		{"G-ROUTE-3 not JSON, with a literal expression", "literal", `hello`, "$default"},
		{"G-ROUTE-4 braces", "${request.body.action}", `{"action":"cart"}`, "cart"},
		{"G-ROUTE-4 several variables", "${request.body.service}/${request.body.action}", `{"service":"a","action":"b"}`,
			"a/b"},
		{"G-ROUTE-4 literal", "literal", `{}`, "literal"},
		{"G-ROUTE-4 escaped dollar", `\$default`, `{"action":"cart"}`, "$default"},
		{"G-ROUTE-4 escaped dollar in text", `pay-\$${request.body.n}`, `{"n":5}`, "pay-$5"},
		{"G-ROUTE-4 evaluated once", "$request.body.action", `{"action":"${request.body.x}","x":"cart"}`, "$default"},
		{"G-ROUTE-5 nested", "$request.body.meta.route", `{"meta":{"route":"cart"}}`, "cart"},
		{"G-ROUTE-5 index", "$request.body.list[1]", `{"list":["x","cart"]}`, "cart"},
		{"G-ROUTE-5 index beyond", "$request.body.list[2]", `{"list":["x","cart"]}`, "$default"},
		{"G-ROUTE-5 quoted name", "$request.body['a.b'][0].c", `{"a.b":[{"c":"cart"}]}`, "cart"},
		{"G-ROUTE-5 missing is empty", "${request.body.action}-${request.body.nope}", `{"action":"join"}`, "join-"},
		{"G-ROUTE-5 path through a string", "$request.body.action.more", `{"action":"cart"}`, "$default"},
		{"G-ROUTE-6 number", "", `{"action":5}`, "5"},
		{"G-ROUTE-6 number as written", "", `{"action":1.50}`, "1.50"},
		{"G-ROUTE-6 boolean", "", `{"action":true}`, "true"},
		{"G-ROUTE-6 array", "", `{"action":["x","y"]}`, "[x, y]"},
		{"G-ROUTE-6 array in array", "", `{"action":[1,[2,true],null]}`, "[1, [2, true], ]"},
		{"G-ROUTE-6 object", "", `{"action":{"k":"<v>"}}`, `{"k":"<v>"}`},
		{"G-ROUTE-7 missing key", "", `{"other":1}`, "$default"},
		{"G-ROUTE-7 scalar", "", `"cart"`, "$default"},
		{"G-ROUTE-7 array", "", `["cart"]`, "$default"},
		{"G-ROUTE-7 empty object", "", `{}`, "$default"},
		{"G-ROUTE-8 null", "", `{"action":null}`, "$default"},
		{"the body itself", "$request.body", `"whole"`, "whole"},
		{"G-ROUTE-9 key without quotes", "", `{"action":"cart", body:"hello"}`, "cart"},
		{"G-ROUTE-9 the route's key without quotes", "", "{ action :\t\"cart\"}", "cart"},
		{"G-ROUTE-9 nested", "$request.body.meta.route", `{meta:{_a:[{$b1:null}],route:"cart"}}`, "cart"},
		{"G-ROUTE-9 a key inside a string is text", "", `{"action":"cart",note:"{x: 1} \" y: 2"}`, "cart"},
		{"G-ROUTE-9 true as a key", "$request.body.true", `{true:true}`, "true"},
		{"G-ROUTE-9 not values without quotes", "", `{action:cart}`, "$default"},
		{"G-ROUTE-9 not keys in single quotes", "", `{'action':"cart"}`, "$default"},
		{"G-ROUTE-9 not keys that start with a digit", "", `{"action":"cart",1a:2}`, "$default"},
		{"G-ROUTE-9 truncated JSON", "", `{action:"cart`, "$default"},
		{"G-ROUTE-11 $connect", "", `{"action":"$connect"}`, "$default"},
		{"G-ROUTE-11 $disconnect", "", `{"action":"$disconnect"}`, "$default"},
		{"G-ROUTE-11 $default", "", `{"action":"$default"}`, "$default"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			routes := namedRoutes(all...)
			for _, key := range []string{"$connect", "$disconnect"} {
				routes[key] = gatewaytest.Route{Integration: ok200}
			}
			routes[`{"k":"<v>"}`] = twoWay(returns(`{"statusCode":200,"body":"{\"k\":\"<v>\"}"}`))
			g := newGateway(t, gatewaytest.API{RouteSelectionExpression: tt.expression, Routes: routes})
			c := dial(t, g, "/v1")
			send(t, c, tt.body)
			if got := receive(t, c); got != tt.want {
				t.Errorf("%s chose %q, want %q", tt.body, got, tt.want)
			}
		})
	}
}

func TestSharedFunction(t *testing.T) {
	t.Run("G-INTEG-12 one function behind several routes", func(t *testing.T) {
		shared := &recorder{next: echo}
		g := newGateway(t, api(map[string]gatewaytest.Route{
			"cart": {Integration: shared, RouteResponse: true}, "$default": {Integration: shared, RouteResponse: true}}))
		c := dial(t, g, "/v1")
		for i, body := range []string{`{"action":"cart"}`, "x"} {
			send(t, c, body)
			receive(t, c)
			if got, want := lookup(t, shared.all()[i], "requestContext", "routeKey"),
				[]string{"cart", "$default"}[i]; got != want {
				t.Errorf("got %v, want %s", got, want)
			}
		}
	})
}

func TestBadSelectionExpressions(t *testing.T) {
	for _, expression := range []string{
		"$", "$body.action", "$default", "${request.body.action", "${request.header.x}", "${request.bodyaction}",
		"$request.body.", "$request.body..a", "$request.body.a[", "$request.body.a[x]", "$request.body.a[-1]", "a$b",
		"$request.body.a b[0]c",
	} {
		t.Run("G-ROUTE-4 "+expression, func(t *testing.T) {
			_, err := gatewaytest.New(gatewaytest.API{RouteSelectionExpression: expression})
			wantField(t, err, "RouteSelectionExpression")
		})
	}
}
