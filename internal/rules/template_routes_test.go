package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/wire"
)

// checkDeploymentDepends: both deployments wait for all parts of their snapshot, and the
// stage serves the one that fits: a snapshot says whether the API's own address answers.
func checkDeploymentDepends(k *checker) {
	all := k.t.ofType(kindDeployment)
	if len(all) != 2 {
		k.failf("there are %d deployments, want 2", len(all))
		return
	}
	for i, condition := range []string{"HasNoEdge", "HasEdge"} {
		d := all[i]
		for _, kind := range snapshotKinds[1:] {
			for _, r := range k.t.ofType(kind) {
				if !slices.Contains(d.dependsOn, r.id) {
					k.failf("%s does not depend on %s", d.id, r.id)
				}
			}
		}
		k.want("the condition of "+d.id, d.condition, condition)
		k.want("the properties of "+d.id, d.properties, object{"ApiId": object{"Ref": k.one(kindAPI).id}})
	}
	k.want("the stage's deployment", k.one(kindStage).properties["DeploymentId"],
		object{"Fn::If": []any{"HasEdge", object{"Ref": all[1].id}, object{"Ref": all[0].id}}})
}

// checkDeploymentHash: if the API changes, so do the ids of its deployments.
func checkDeploymentHash(k *checker) {
	want, err := snapshotID(k.t)
	if err != nil {
		k.failf("%v", err)
	}
	for i, d := range k.t.ofType(kindDeployment) {
		k.want("a deployment's logical id (here and in the stage)", d.id, []string{"", "Edge"}[min(i, 1)]+want)
	}
}

// integrationOf returns the integration of a route.
func (k *checker) integrationOf(route resource) resource {
	for _, i := range k.t.ofType(kindIntegration) {
		if reflect.DeepEqual(route.properties["Target"], object{"Fn::Sub": "integrations/${" + i.id + "}"}) {
			return i
		}
	}
	return resource{properties: object{}}
}

// byKey returns the routes by key.
func (k *checker) byKey() map[string]resource {
	routes := map[string]resource{}
	for _, r := range k.t.ofType(kindRoute) {
		key := fmt.Sprint(r.properties["RouteKey"])
		if _, exists := routes[key]; exists {
			k.failf("two routes have the key %s", key)
		}
		routes[key] = r
	}
	return routes
}

// functionOf returns the function that an integration or authorizer invokes.
func (k *checker) functionOf(uri any) config.Function {
	for _, f := range config.Functions {
		want := "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + functionID(f) +
			".Arn}:live/invocations"
		if reflect.DeepEqual(uri, object{"Fn::Sub": want}) {
			return f
		}
	}
	return ""
}

// functionBehind returns the function that a route should invoke, or "".
func functionBehind(key string) config.Function {
	switch key {
	case "$connect":
		return config.Connect
	case "$disconnect":
		return config.Disconnect
	case string(wire.ActionPing):
		return ""
	}
	return config.Message
}

// routeKeys are the keys of the routes that must exist.
func routeKeys() []string {
	keys := []string{"$connect", "$disconnect", "$default"}
	for _, a := range wire.Actions {
		keys = append(keys, string(a))
	}
	return keys
}

// checkRoutes: each action has a route, and each route has its function.
func checkRoutes(k *checker) {
	api := k.one(kindAPI)
	k.want("the protocol", api.properties["ProtocolType"], "WEBSOCKET")
	k.want("the route selection", api.properties["RouteSelectionExpression"], "$request.body.action")
	routes := k.byKey()
	k.want("the routes", slices.Sorted(maps.Keys(routes)), slices.Sorted(slices.Values(routeKeys())))
	for key, r := range routes {
		i := k.integrationOf(r)
		switch f := functionBehind(key); {
		case i.id == "":
			k.failf("the route %s has no integration", key)
		case f == "":
			k.want("the integration of "+key, i.properties["IntegrationType"], "MOCK")
		default:
			k.want("the function of "+key, k.functionOf(i.properties["IntegrationUri"]), f)
		}
		if r.properties["ApiKeyRequired"] != nil {
			k.failf("the route %s requires an API key", key)
		}
	}
}

// checkRouteResponses: exactly the routes that answer their client are two-way
// (G-RESP-2).
func checkRouteResponses(k *checker) {
	answers := map[string]string{} // route → response
	for _, r := range k.t.ofType(kindRouteResponse) {
		k.want("the key of "+r.id, r.properties["RouteResponseKey"], "$default")
		ref, _ := r.properties["RouteId"].(object)
		answers[fmt.Sprint(ref["Ref"])] = r.id
	}
	for key, r := range k.byKey() {
		expression, _ := r.properties["RouteResponseSelectionExpression"].(string)
		twoWay := answers[r.id] != "" && expression == "$default"
		oneWay := answers[r.id] == "" && expression == ""
		if key == "$connect" || key == "$disconnect" {
			if !oneWay {
				k.failf("the route %s has a response", key)
			}
		} else if !twoWay {
			k.failf("the route %s does not answer its client", key)
		}
	}
}

// checkPing: the gateway answers ping itself, with the answer of a function.
func checkPing(k *checker) {
	i := k.integrationOf(k.byKey()[string(wire.ActionPing)])
	k.want("the request templates of ping", i.properties["RequestTemplates"], object{"200": `{"statusCode":200}`})
	k.want("the template selection of ping", i.properties["TemplateSelectionExpression"], "200")
	r := k.one(kindIntegrationResponse)
	k.want("the integration of the response", r.properties["IntegrationId"], object{"Ref": i.id})
	k.want("the key of the response", r.properties["IntegrationResponseKey"], "$default")
	k.want("the answer to ping", r.properties["ResponseTemplates"], object{"200": string(wire.Encode(wire.Pong{}))})
	k.want("the template selection of the response", r.properties["TemplateSelectionExpression"], "200")
}

// checkAuthorizer: there is no identity source, since guests connect without a
// token. Only $connect has an authorizer (G-AUTH-1), and its results are not cached
// (G-AUTH-7).
func checkAuthorizer(k *checker) {
	a := k.one(kindAuthorizer)
	k.want("the function of the authorizer", k.functionOf(a.properties["AuthorizerUri"]), config.Authorize)
	for name, value := range a.properties {
		switch name {
		case "ApiId", "Name", "AuthorizerUri":
		case "AuthorizerType":
			k.want("the type of the authorizer", value, "REQUEST")
		default:
			k.failf("the authorizer has %s", name)
		}
	}
	for key, r := range k.byKey() {
		if key == "$connect" {
			k.want("the authorization of $connect", r.properties["AuthorizationType"], "CUSTOM")
			k.want("the authorizer of $connect", r.properties["AuthorizerId"], object{"Ref": a.id})
			continue
		}
		k.want("the authorization of "+key, r.properties["AuthorizationType"], "NONE")
		k.want("the authorizer of "+key, r.properties["AuthorizerId"], nil)
	}
}

// checkIntegrations: functions are invoked with POST, and their integrations wait
// longer than they may run.
func checkIntegrations(k *checker) {
	for _, i := range k.t.ofType(kindIntegration) {
		if i.properties["IntegrationType"] == "MOCK" {
			continue
		}
		k.want("the type of "+i.id, i.properties["IntegrationType"], "AWS_PROXY")
		k.want("the method of "+i.id, i.properties["IntegrationMethod"], "POST")
		f := k.functionOf(i.properties["IntegrationUri"])
		if f == "" {
			k.failf("%s invokes no function", i.id)
			continue
		}
		wait, _ := number(i.properties["TimeoutInMillis"])
		runs, _ := number(k.t.resources[functionID(f)].properties["Timeout"])
		if wait <= runs*1000 || wait > gatewayTimeout {
			k.failf("%s waits %d ms for a function of %d s", i.id, wait, runs)
		}
	}
}

// mentions reports whether a value refers to an id.
func mentions(v any, id string) bool {
	data, _ := json.Marshal(v)
	return strings.Contains(string(data), `{"Ref":"`+id+`"}`) || strings.Contains(string(data), "${"+id+"}")
}

// checkRouteSettings: routes with throttles exist, and messages are not logged.
func checkRouteSettings(k *checker) {
	s := k.one(kindStage)
	d := sub(s.properties, "DefaultRouteSettings")
	k.want("DataTraceEnabled", d["DataTraceEnabled"], false)
	k.want("LoggingLevel", d["LoggingLevel"], "OFF")
	for _, name := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
		k.want("the default "+name, d[name], object{"Ref": "MessagesPerSecond"})
	}
	routes := k.byKey()
	for key := range sub(s.properties, "RouteSettings") {
		if _, ok := routes[key]; !ok {
			k.failf("settings of the route %s, which does not exist", key)
		}
		settings := sub(s.properties, "RouteSettings", key)
		k.want("settings of "+key, slices.Sorted(maps.Keys(settings)),
			[]string{"ThrottlingBurstLimit", "ThrottlingRateLimit"})
		for name, value := range settings {
			if n, ok := number(value); !ok || n < 1 {
				k.failf("%s of %s is %v, want a number", name, key, value)
			}
		}
	}
	// An account may open 500 connections a second (G-LIMIT-9).
	if n, _ := number(sub(s.properties, "RouteSettings", "$connect")["ThrottlingRateLimit"]); n >= 500 {
		k.failf("$connect may use up the connections of the account: %d a second", n)
	}
}
