package rules

import (
	"github.com/securecart/hub/internal/cloud/config"
)

// ordersListener and the others are values of parameters for an order service.
const ordersListener = "arn:aws-p:elasticloadbalancing:region-1:account:listener/app/shop/1/2"

// withOrders returns parameters that also reach an order service.
func withOrders(given map[string]string) map[string]string {
	given["OrdersListenerArn"], given["OrdersServerName"] = ordersListener, "orders.shop.test"
	given["OrdersSubnetIds"], given["OrdersSecurityGroupIds"] = "subnet-1,subnet-2", "sg-1"
	return given
}

// checkOrders: the rest function alone reaches the order service, by an API that leads to
// the shop's network.
func checkOrders(k *checker) {
	api, link := k.t.resources["OrdersApi"], k.t.resources["OrdersLink"]
	for _, r := range []resource{api, link, k.t.resources["OrdersAccessLog"]} {
		k.want("the condition of "+r.id, r.condition, "HasOrders")
	}
	for _, s := range k.scenes() {
		address := "https://<OrdersApi>.execute-api.region-1.suffix.test/orders"
		if s.given["OrdersListenerArn"] == "" {
			address = ""
		}
		k.want(s.name+": ORDERS_URL", k.environment(s, config.Rest)["ORDERS_URL"], address)
		if address == "" {
			continue
		}
		k.want(s.name+": the API of orders", s.props(api), object{
			"FailOnWarnings":       true,
			"DefaultRouteSettings": object{"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 10},
			"AccessLogSettings":    s.props(api)["AccessLogSettings"], // see checkAccessLog
			"DefinitionBody": object{
				"openapi": "3.0.1", "info": object{"title": "stack", "version": "v1"},
				// What SAM's EnableIamAuthorizer makes. For HTTP APIs, x-amazon-apigateway-auth is not
				// documented, and an API that ignores it is open to everybody.
				"components": object{"securitySchemes": object{"sigv4": object{
					"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
				}}},
				"paths": object{"/orders": object{"post": k.wantOrders(s)}},
			},
		})
		k.want(s.name+": the link", s.props(link), object{
			"Name": "stack", "SubnetIds": []any{"subnet-1", "subnet-2"}, "SecurityGroupIds": []any{"sg-1"},
		})
	}
	for name, given := range map[string]map[string]string{
		"no subnets":         {"OrdersListenerArn": ordersListener, "OrdersSecurityGroupIds": "sg-1"},
		"no security groups": {"OrdersListenerArn": ordersListener, "OrdersSubnetIds": "subnet-1"},
	} {
		if (&scene{name: name, given: given, t: k.t}).allowed() {
			k.failf("the rules allow an order service with %s", name)
		}
	}
}

// wantOrders is the one method of the API of orders. The function gives up a second before
// the integration does.
func (k *checker) wantOrders(s *scene) object {
	integration := object{
		"type": "http_proxy", "httpMethod": "POST", "payloadFormatVersion": "1.0", "connectionType": "VPC_LINK",
		"connectionId": "<OrdersLink>", "uri": ordersListener, "requestParameters": object{"overwrite:path": "/orders"},
		"timeoutInMillis": int(k.duration("internal/rest", "orderTimeout").Milliseconds()) + 1000,
	}
	if name := s.given["OrdersServerName"]; name != "" {
		integration["tlsConfig"] = object{"serverNameToVerify": name}
	}
	return object{
		"security":                        []any{object{"sigv4": []any{}}},
		"responses":                       object{"default": object{"description": "what the order service answers"}},
		"x-amazon-apigateway-integration": integration,
	}
}

// ordersMutations are mistakes in the way to the order service.
var ordersMutations = []mutation{
	{"orders", "orders of everybody", "  OrdersApi:", "              security: [{sigv4: []}]\n", ""},
	{"orders", "a signature that nobody checks", "  OrdersApi:", ", x-amazon-apigateway-authtype: awsSigv4}", "}"},
	{"orders", "a gateway that gives up first", "  OrdersApi:", "timeoutInMillis: 7000", "timeoutInMillis: 5000"},
	{"orders", "a listener on the internet", "  OrdersApi:", "connectionType: VPC_LINK", "connectionType: INTERNET"},
	{"orders", "a certificate that nobody checks", "  OrdersApi:", "tlsConfig: !If [HasOrdersServerName,",
		"tlsConfig: !If [HasEdge,"},
	{"orders", "a log without orders", "  OrdersAccessLog:", "Condition: HasOrders", "Condition: HasEdge"},
	{"access log", "the log of the REST API", "  OrdersApi:", "${OrdersAccessLog}", "${RestAccessLog}"},
	{"access log", "who orders", "  OrdersApi:", "$context.routeKey", "$context.identity.sourceIp"},
	{"orders", "an API without a link", "  OrdersLink:", "Condition: HasOrders", "Condition: HasEdge"},
	{"orders", "an address of what is not there", "ORDERS_URL:", "!If [HasOrders,", "!If [HasEdge,"},
	{"orders", "a link to nowhere", "  OwnOrders:", `[!Ref OrdersSubnetIds, ""]`, `[!Ref OrdersPath, ""]`},
	{"throttles", "orders without a limit", "  OrdersApi:",
		"        ThrottlingBurstLimit: 10\n", ""},
	{"rights", "a function that may use every API", "  RestRole:", "${OrdersApi}/$default/POST/orders", "*"},
	{"rights", "a function that cannot order", "  RestRole:", "Action: execute-api:Invoke", "Action: execute-api:Get"},
}
