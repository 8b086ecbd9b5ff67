package rules

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
)

// checkStage: CloudFormation deploys in its own order, and the stage waits for
// everything that the first handshake needs.
func checkStage(k *checker) {
	s := k.one(kindStage)
	k.want("the stage", s.properties["StageName"], stageName)
	k.want("AutoDeploy", s.properties["AutoDeploy"], false)
	for _, p := range k.t.ofType(kindPermission) {
		if p.properties["Principal"] == "apigateway.amazonaws.com" && !slices.Contains(restPermissions, p.id) &&
			!slices.Contains(s.dependsOn, p.id) {
			k.failf("the stage does not wait for %s", p.id)
		}
	}
	if account := k.one("AWS::ApiGateway::Account"); !mentions(s.properties, account.id) {
		k.failf("the stage does not wait for %s", account.id)
	} else if account.raw["DeletionPolicy"] != "Retain" ||
		// AWS documents a REST API or an API key, and not that a WebSocket API will do:
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html
		!reflect.DeepEqual(account.dependsOn, []string{k.one("AWS::ApiGateway::ApiKey").id}) {
		k.failf("%s is deleted with the stack, or does not wait for the API key", account.id)
	}
}

// accessLogs are the access logs, by the id of their log group.
var accessLogs = map[string]accessLog{
	"AccessLog": {
		[]string{"Stage"},
		[]string{
			"requestId", "requestTimeEpoch", "connectionId", "messageId", "eventType", "routeKey", "status",
			"authorizer.status", "authorizer.latency", "integration.status", "integration.integrationStatus",
			"integrationLatency", "error.message", "error.responseType",
		},
		[]string{"requestId", "connectionId", "eventType", "routeKey", "status", "error"},
	},
	"RestAccessLog": {
		[]string{"RestApi", "SystemsApi", "PrivateApi"},
		[]string{
			"extendedRequestId", "requestTimeEpoch", "httpMethod", "resourcePath", "status", "integration.status",
			"integration.integrationStatus", "integrationLatency", "error.responseType", "identity.apiKeyId",
			"identity.caller", "identity.vpceId",
		},
		[]string{"requestId", "method", "resource", "status", "error"},
	},
	"OrdersAccessLog": {
		[]string{"OrdersApi"},
		[]string{
			"requestId", "requestTimeEpoch", "routeKey", "status", "integration.status", "integrationLatency",
			"integrationErrorMessage", "error.responseType",
		},
		[]string{"requestId", "route", "status", "integrationError"},
	},
}

// accessLog is what an access log may have and must have.
type accessLog struct {
	apis []string // the resources that write it
	// variables may be in it (G-LOG-1; for a REST API
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html).
	// None has text from a client or its address: identity.caller is who signed. error.validationErrorString would
	// quote such text.
	variables []string
	fields    []string // are in it
}

// maxAccessLog is the longest format of an access log, in bytes.
const maxAccessLog = 3 << 10

func checkAccessLog(k *checker) {
	for group, log := range accessLogs {
		for _, api := range log.apis {
			k.checkLogOf(api, group, log)
		}
	}
}

// checkLogOf checks the access log of an API or its stage.
func (k *checker) checkLogOf(api, group string, log accessLog) {
	settings := sub(k.t.resources[api].properties, "AccessLogSettings")
	if k.t.resources[api].kind == kindRestAPI { // SAM leaves the s out
		settings = sub(k.t.resources[api].properties, "AccessLogSetting")
	}
	k.want("the group of "+api, settings["DestinationArn"],
		object{"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${" + group + "}"})
	format, _ := settings["Format"].(string)
	if len(format) > maxAccessLog || strings.Contains(format, "\n") {
		k.failf("the format of %s is not one line of at most %d bytes", api, maxAccessLog)
	}
	var line map[string]string
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		k.failf("the log of %s is not a JSON object of strings: %v", api, err)
	}
	for name, value := range line {
		if variable, ok := strings.CutPrefix(value, "$context."); !ok || !slices.Contains(log.variables, variable) {
			k.failf("the log of %s has %s: %s", api, name, value)
		}
	}
	for _, name := range log.fields {
		if line[name] == "" {
			k.failf("the log of %s lacks %s", api, name)
		}
	}
}

// checkDomain: WebSocket APIs support TLS 1.2 and regional domains.
func checkDomain(k *checker) {
	d := k.one(kindDomain)
	k.want("the domain", d.properties["DomainName"], object{"Ref": "DomainName"})
	k.want("its configuration", d.properties["DomainNameConfigurations"], []any{object{
		"CertificateArn": object{"Ref": "CertificateArn"}, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
	}})
	m := k.one(kindMapping)
	k.want("the mapping", m.properties, object{
		"ApiId": object{"Ref": k.one(kindAPI).id}, "DomainName": object{"Ref": d.id},
		"Stage":         object{"Ref": k.one(kindStage).id},
		"ApiMappingKey": object{"Fn::If": []any{"HasMappingKey", object{"Ref": "MappingKey"}, object{"Ref": "AWS::NoValue"}}},
	})
	r := k.t.resources["Record"]
	k.want("the record's target", r.properties["AliasTarget"], object{
		"DNSName":      object{"Fn::GetAtt": []any{d.id, "RegionalDomainName"}},
		"HostedZoneId": object{"Fn::GetAtt": []any{d.id, "RegionalHostedZoneId"}},
	})
	k.want("conditions", []string{d.condition, m.condition, r.condition}, []string{"HasDomain", "HasDomain", "HasRecord"})
}

// checkAddresses: a domain mapping hides the stage (G-MGMT-15), for clients and for
// the broadcaster.
func checkAddresses(k *checker) {
	for _, s := range k.scenes() {
		want := map[string]string{
			"domain":       "://ws.shop.test/v1",
			"whole domain": "://ws.shop.test",
			// Posts cannot be signed for the edge, so they go to its origin.
			"edge":                   "://origin.shop.test/v1",
			"edge of a whole domain": "://origin.shop.test",
		}[s.name]
		if want == "" {
			want = "://<" + k.one(kindAPI).id + ">.execute-api.region-1.suffix.test/" + stageName
		}
		k.want(s.name+": SocketUrl", s.text(k.t.outputs["SocketUrl"]["Value"]),
			"wss"+strings.Replace(want, "origin.", "ws.", 1))
		k.want(s.name+": CallbackUrl", s.text(k.t.outputs["CallbackUrl"]["Value"]), "https"+want)
		for _, f := range []config.Function{config.Broadcast, config.Message} {
			k.want(s.name+": CALLBACK_URL", k.environment(s, f)["CALLBACK_URL"], "https"+want)
		}
	}
}
