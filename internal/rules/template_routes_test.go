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

// checkDeploymentDepends: the snapshot is taken when everything in it is there, and
// the stage serves it.
func checkDeploymentDepends(k *checker) {
	d := k.one(kindDeployment)
	for _, kind := range snapshotKinds[1:] {
		for _, r := range k.t.of(kind) {
			if !slices.Contains(d.dependsOn, r.id) {
				k.failf("%s does not depend on %s", d.id, r.id)
			}
		}
	}
	k.want("the deployment has", d.properties, object{"ApiId": object{"Ref": k.one(kindAPI).id}})
	k.want("the stage's deployment", k.one(kindStage).properties["DeploymentId"], object{"Ref": d.id})
}

// checkDeploymentHash: a changed API has a new deployment.
func checkDeploymentHash(k *checker) {
	want, err := snapshotID(k.t)
	if err != nil {
		k.failf("%v", err)
	}
	k.want("the deployment's logical id (here and in the stage)", k.one(kindDeployment).id, want)
}

// integrationOf is the integration that a route leads to.
func (k *checker) integrationOf(route resource) resource {
	for _, i := range k.t.of(kindIntegration) {
		if reflect.DeepEqual(route.properties["Target"], object{"Fn::Sub": "integrations/${" + i.id + "}"}) {
			return i
		}
	}
	return resource{properties: object{}}
}

// byKey are the routes by key.
func (k *checker) byKey() map[string]resource {
	routes := map[string]resource{}
	for _, r := range k.t.of(kindRoute) {
		key := fmt.Sprint(r.properties["RouteKey"])
		if _, twice := routes[key]; twice {
			k.failf("two routes have the key %s", key)
		}
		routes[key] = r
	}
	return routes
}

// runs is the function behind an integration or authorizer.
func (k *checker) runs(uri any) config.Function {
	for _, f := range config.Functions {
		want := "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + functionID(f) +
			".Arn}/invocations"
		if reflect.DeepEqual(uri, object{"Fn::Sub": want}) {
			return f
		}
	}
	return ""
}

// behind says which function answers a route, "" for none.
func behind(key string) config.Function {
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

// routeKeys are the routes that there must be.
func routeKeys() []string {
	keys := []string{"$connect", "$disconnect", "$default"}
	for _, a := range wire.Actions {
		keys = append(keys, string(a))
	}
	return keys
}

// checkRoutes: one for each action, and each leads to its function.
func checkRoutes(k *checker) {
	api := k.one(kindAPI)
	k.want("the protocol", api.properties["ProtocolType"], "WEBSOCKET")
	k.want("the route selection", api.properties["RouteSelectionExpression"], "$request.body.action")
	routes := k.byKey()
	k.want("the routes", slices.Sorted(maps.Keys(routes)), slices.Sorted(slices.Values(routeKeys())))
	for key, r := range routes {
		i := k.integrationOf(r)
		switch f := behind(key); {
		case i.id == "":
			k.failf("the route %s has no integration", key)
		case f == "":
			k.want("the integration of "+key, i.properties["IntegrationType"], "MOCK")
		default:
			k.want("the function of "+key, k.runs(i.properties["IntegrationUri"]), f)
		}
		if r.properties["ApiKeyRequired"] != nil {
			k.failf("the route %s wants an API key", key)
		}
	}
}

// checkRouteResponses: a route is two-way where its answer is for the client
// (G-RESP-2), and only there.
func checkRouteResponses(k *checker) {
	answers := map[string]string{} // route → response
	for _, r := range k.t.of(kindRouteResponse) {
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
			k.failf("the route %s brings no answer to the client", key)
		}
	}
}

// checkPing: the gateway answers it by itself, as a function would.
func checkPing(k *checker) {
	i := k.integrationOf(k.byKey()[string(wire.ActionPing)])
	k.want("the request templates of ping", i.properties["RequestTemplates"], object{"200": `{"statusCode":200}`})
	k.want("their selection", i.properties["TemplateSelectionExpression"], "200")
	r := k.one(kindIntegrationResponse)
	k.want("the response is of", r.properties["IntegrationId"], object{"Ref": i.id})
	k.want("the response's key", r.properties["IntegrationResponseKey"], "$default")
	k.want("the answer to ping", r.properties["ResponseTemplates"], object{"200": string(wire.Encode(wire.Pong{}))})
	k.want("its selection", r.properties["TemplateSelectionExpression"], "200")
}

// checkAuthorizer: guests come without a token, so no identity source; only
// $connect can have one (G-AUTH-1), and results are not cached (G-AUTH-7).
func checkAuthorizer(k *checker) {
	a := k.one(kindAuthorizer)
	k.want("the function of the authorizer", k.runs(a.properties["AuthorizerUri"]), config.Authorize)
	for name, value := range a.properties {
		switch name {
		case "ApiId", "Name", "AuthorizerUri":
		case "AuthorizerType":
			k.want("its type", value, "REQUEST")
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

// checkIntegrations: functions are called by POST, and given the time they have.
func checkIntegrations(k *checker) {
	for _, i := range k.t.of(kindIntegration) {
		if i.properties["IntegrationType"] == "MOCK" {
			continue
		}
		k.want("the type of "+i.id, i.properties["IntegrationType"], "AWS_PROXY")
		k.want("the method of "+i.id, i.properties["IntegrationMethod"], "POST")
		f := k.runs(i.properties["IntegrationUri"])
		if f == "" {
			k.failf("%s runs no function", i.id)
			continue
		}
		wait, _ := number(i.properties["TimeoutInMillis"])
		runs, _ := number(k.t.resources[functionID(f)].properties["Timeout"])
		if wait <= runs*1000 || wait > gatewayTimeout {
			k.failf("%s waits %d ms for a function of %d s", i.id, wait, runs)
		}
	}
}

// mentions reports whether an id occurs in a value.
func mentions(v any, id string) bool {
	data, _ := json.Marshal(v)
	return strings.Contains(string(data), `{"Ref":"`+id+`"}`) || strings.Contains(string(data), "${"+id+"}")
}

// checkRouteSettings: throttles of routes that exist, and no messages in logs.
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
			k.failf("settings of the route %s, which there is not", key)
		}
		of := sub(s.properties, "RouteSettings", key)
		k.want("settings of "+key, slices.Sorted(maps.Keys(of)), []string{"ThrottlingBurstLimit", "ThrottlingRateLimit"})
		for name, value := range of {
			if n, ok := number(value); !ok || n < 1 {
				k.failf("%s of %s is %v, want a number", name, key, value)
			}
		}
	}
	// 500 connections a second are all an account has (G-LIMIT-9).
	if n, _ := number(sub(s.properties, "RouteSettings", "$connect")["ThrottlingRateLimit"]); n >= 500 {
		k.failf("$connect may take all connections of the account: %d a second", n)
	}
}
