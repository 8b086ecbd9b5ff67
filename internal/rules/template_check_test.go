package rules

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// Types of resources.
const (
	kindAlarm               = "AWS::CloudWatch::Alarm"
	kindAPI                 = "AWS::ApiGatewayV2::Api"
	kindAuthorizer          = "AWS::ApiGatewayV2::Authorizer"
	kindDashboard           = "AWS::CloudWatch::Dashboard"
	kindBudget              = "AWS::Budgets::Budget"
	kindDeployment          = "AWS::ApiGatewayV2::Deployment"
	kindDomain              = "AWS::ApiGatewayV2::DomainName"
	kindFunction            = "AWS::Serverless::Function"
	kindIntegration         = "AWS::ApiGatewayV2::Integration"
	kindIntegrationResponse = "AWS::ApiGatewayV2::IntegrationResponse"
	kindLog                 = "AWS::Logs::LogGroup"
	kindMapping             = "AWS::ApiGatewayV2::ApiMapping"
	kindModel               = "AWS::ApiGatewayV2::Model"
	kindPermission          = "AWS::Lambda::Permission"
	kindQuery               = "AWS::Logs::QueryDefinition"
	kindQueue               = "AWS::SQS::Queue"
	kindQueuePolicy         = "AWS::SQS::QueuePolicy"
	kindRestAPI             = "AWS::Serverless::Api"
	kindRole                = "AWS::IAM::Role"
	kindRoute               = "AWS::ApiGatewayV2::Route"
	kindRouteResponse       = "AWS::ApiGatewayV2::RouteResponse"
	kindSchedule            = "AWS::Events::Rule"
	kindSecret              = "AWS::SecretsManager::Secret"
	kindSource              = "AWS::Lambda::EventSourceMapping"
	kindStage               = "AWS::ApiGatewayV2::Stage"
	kindTable               = "AWS::DynamoDB::Table"
)

// stageName is the name of the stage. It is the version of the protocol in the
// path.
const stageName = "v1"

// gatewayTimeout is the longest timeout of an integration, in milliseconds
// (G-LIMIT-8).
const gatewayTimeout = 29_000

// problem is a mistake in a template.
type problem struct{ check, text string }

// check looks for one kind of mistake.
type check struct {
	name string
	run  func(*checker)
}

// checks are the checks of template.yaml. TestMutations shows that each can fail.
var checks = []check{
	{"references", checkReferences},
	{"conditions", checkConditions},
	{"literals", checkLiterals},
	{"deployment depends", checkDeploymentDepends},
	{"deployment hash", checkDeploymentHash},
	{"routes", checkRoutes},
	{"route responses", checkRouteResponses},
	{"ping", checkPing},
	{"authorizer", checkAuthorizer},
	{"integrations", checkIntegrations},
	{"models", checkModels},
	{"stage", checkStage},
	{"route settings", checkRouteSettings},
	{"access log", checkAccessLog},
	{"domain", checkDomain},
	{"edge", checkEdge},
	{"rest", checkRest},
	{"catalogue", checkCatalogue},
	{"orders", checkOrders},
	{"systems", checkSystems},
	{"plan", checkPlan},
	{"script", checkScript},
	{"addresses", checkAddresses},
	{"functions", checkFunctions},
	{"budgets", checkBudgets},
	{"settings", checkSettings},
	{"posts", checkPosts},
	{"throttles", checkThrottles},
	{"keys", checkKeys},
	{"rights", checkRights},
	{"manage connections", checkManageConnections},
	{"permissions", checkPermissions},
	{"sources", checkSources},
	{"queues", checkQueues},
	{"schedule", checkSchedule},
	{"tables", checkTables},
	{"logs", checkLogs},
	{"encryption", checkEncryption},
	{"alarms", checkAlarms},
	{"alarm topic", checkAlarmTopic},
	{"dashboard", checkDashboard},
	{"queries", checkQueries},
	{"secrets", checkSecrets},
	{"budget", checkBudget},
	{"names", func(k *checker) { k.checkNames(k.scenes()) }},
}

// runChecks runs the checks of a template.
func runChecks(checks []check, t *template) []problem {
	var all []problem
	for _, c := range checks {
		all = append(all, c.examine(t)...)
	}
	return all
}

func (c check) examine(t *template) []problem {
	k := &checker{t: t}
	c.run(k)
	slices.Sort(k.found) // checks range over maps
	var all []problem
	for _, text := range k.found {
		all = append(all, problem{c.name, text})
	}
	return all
}

// checker collects the mistakes that one check finds.
type checker struct {
	t     *template
	found []string
}

func (k *checker) failf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(k.found, text) {
		k.found = append(k.found, text)
	}
}

// want compares. what is the name of the value.
func (k *checker) want(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		k.failf("%s is %v, want %v", what, got, want)
	}
}

// one returns the only resource of a type.
func (k *checker) one(kind string) resource {
	all := k.t.ofType(kind)
	if len(all) != 1 {
		k.failf("there are %d resources of type %s, want 1", len(all), kind)
		return resource{properties: object{}}
	}
	return all[0]
}

// Values of parameters.
const (
	issuer              = "https://issuer.test/pool"
	shopInventoryStream = "arn:aws-p:dynamodb:region-1:account:table/stock/stream/2026"
	shopCartStream      = "arn:aws-p:dynamodb:region-1:account:table/carts/stream/2026"
	certificate         = "arn:aws-p:acm:region-1:account:certificate/1"
)

// scenes returns the ways to deploy the template that its conditions distinguish.
func (k *checker) scenes() []*scene {
	users := map[string]string{"TokenIssuer": issuer, "TokenClients": "web, app"}
	with := func(name string, more map[string]string) *scene {
		given := maps.Clone(users)
		maps.Copy(given, more)
		return &scene{name: name, given: given, t: k.t}
	}
	return []*scene{
		{name: "guests", given: map[string]string{}, t: k.t},
		with("defaults", nil),
		with("own tables", map[string]string{
			"InventoryTableName": "stock", "InventoryStreamArn": shopInventoryStream, "CartTableName": "carts",
			"CartStreamArn":       shopCartStream,
			"InventoryAttributes": "sku=productId", "CartAttributes": "cart=id",
		}),
		with("own inventory",
			map[string]string{
				"InventoryTableName": "stock", "InventoryStreamArn": shopInventoryStream, "InventoryAttributes": "version=rev",
				"CartAttributes": "cart=id",
			}),
		with("domain", map[string]string{
			"DomainName": "ws.shop.test", "CertificateArn": certificate, "HostedZoneId": "Z1", "PointInTimeRecovery": "false",
			"DeletionProtection": "false", "BroadcastConcurrency": "10",
			"TokenJwksUrl": "https://keys.test/jwks", "GuestKeyVersion": "version-2", "GatewayLogRole": "create",
			"Shorthand": "true", "AdminGroup": "shop-admins", "VendorGroup": "", "AlarmTopicArn": alarmTopic,
		}),
		with("edge", map[string]string{
			"DomainName": "origin.shop.test", "CertificateArn": certificate, "HostedZoneId": "Z1",
			"AllowedOrigins": "https://shop.test,https://m.shop.test",
			"EdgeDomainName": "ws.shop.test", "EdgeSecretArn": edgeSecretARN, "EdgeSecretVersion": "version-3",
			"KmsKeyArn": ownKey, "AlarmEmail": alarmEmail, "MonthlyBudget": "900",
			"CatalogueUrl": catalogueURL,
		}),
		with("edge of a whole domain", map[string]string{
			"DomainName": "origin.shop.test", "CertificateArn": certificate, "MappingKey": "",
			"EdgeDomainName": "ws.shop.test", "EdgeSecretArn": edgeSecretARN, "AllowedOrigins": "https://shop.test",
		}),
		with("private", withOrders(map[string]string{
			"VpcEndpointIds": "vpce-1,vpce-2", "SystemRequestsPerSecond": "30", "CatalogueUrl": catalogueURL,
		})),
		with("whole domain",
			map[string]string{"DomainName": "ws.shop.test", "CertificateArn": certificate, "MappingKey": ""}),
	}
}

// readTemplate returns template.yaml as text and parsed.
func readTemplate(t *testing.T) (text string, parsed *template) {
	t.Helper()
	return readTemplateFile(t, "template.yaml")
}

func readTemplateFile(t *testing.T, name string) (text string, parsed *template) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err = parseTemplate(string(data)); err != nil {
		t.Fatal(err)
	}
	return string(data), parsed
}
