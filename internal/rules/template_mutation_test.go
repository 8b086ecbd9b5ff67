package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutation is a mistake: in a copy of the template, the first old behind the text
// after becomes new. The check must find it.
type mutation struct{ check, name, after, old, new string }

// mutations are mistakes that people make. Those that the reference lists as
// accepted by cfn-lint 1.51 are marked.
var mutations = []mutation{
	{"references", "a Ref to a missing resource", "ConnectFunction:", "!Ref ConnectLog", "!Ref ConnetLog"},
	{"references", "a conditional table without If", "MessageRole:",
		"!If\n                  - MakeInventory\n                  - !GetAtt InventoryTable.Arn\n" +
			"                  - !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:" +
			"table/${InventoryTableName}",
		"!GetAtt InventoryTable.Arn"},
	{"references", "a dependency on a conditional resource", "  Stage:", "      - AuthorizerPermission\n",
		"      - AuthorizerPermission\n      - GatewayAccount\n"},
	{"references", "branches of If swapped", "InventoryMapping:",
		"[MakeInventory, !GetAtt InventoryTable.StreamArn, !Ref InventoryStreamArn]",
		"[MakeInventory, !Ref InventoryStreamArn, !GetAtt InventoryTable.StreamArn]"},
	{"conditions", "an unused condition", "Conditions:", "MakeCarts:",
		"Unused: !Equals [!Ref CartStreamArn, x]\n  MakeCarts:"},
	{"conditions", "an undefined condition", "  Record:", "Condition: HasRecord", "Condition: HasRecords"},
	{"conditions", "an unused parameter", "Parameters:", "  TokenIssuer:",
		"  Unused: {Type: String, Default: \"\"}\n  TokenIssuer:"},
	{"conditions", "a parameter without a default", "TokenIssuer:", "    Default: \"\"\n", ""},
	{"conditions", "an issuer without clients", "  OwnIssuer:", `!Not [!Equals [!Ref TokenClients, ""]]`,
		`!Equals [!Ref TokenClients, ""]`},
	{"conditions", "keys without an issuer", "  OwnIssuer:",
		`            - !Equals [!Ref TokenJwksUrl, ""]` + "\n", ""},
	{"settings", "an issuer by default", "TokenIssuer:", `Default: ""`, "Default: https://issuer.example"},
	{"settings", "another commit than the output", "Globals:", "COMMIT: unknown-commit", "COMMIT: none"},
	{"settings", "keys of no issuer", "  MessageFunction:\n", "!If [HasIssuer, ", "!If [HasDomain, "},
	{"conditions", "a table name without a stream", "  OwnCarts:", `!Not [!Equals [!Ref CartStreamArn, ""]]`,
		`!Equals [!Ref CartStreamArn, ""]`},
	{"literals", "an account", "  Authorizer:", "${AWS::Region}", "${AWS::Region}:123456789012"},
	{"literals", "a Region", "  Authorizer:", "${AWS::Region}", "eu-central-1"},
	{"literals", "a partition", "  Authorizer:", "arn:${AWS::Partition}", "arn:aws"},
	{"literals", "an address for one partition", "SocketUrl:", "${AWS::Region}.${AWS::URLSuffix}",
		"${AWS::Region}.amazonaws.com"},
	{"literals", "an old runtime", "Globals:", "provided.al2023", "provided.al2"},
	{"literals", "tracing of the stage", "  Stage:", "      StageName: v1\n",
		"      StageName: v1\n      TracingEnabled: true\n"},
	{"literals", "WAF at the stage (passes cfn-lint)", "Resources:", "  Api:\n",
		"  WebACL:\n    Type: AWS::WAFv2::WebACLAssociation\n    Properties:\n      ResourceArn: !Ref Stage\n" +
			"      WebACLArn: !Ref CertificateArn\n  Api:\n"},
	{"deployment depends", "a route not listed (passes cfn-lint)", "    Type: AWS::ApiGatewayV2::Deployment",
		"      - MergeRoute\n", ""},
	{"deployment depends", "a route response not listed (passes cfn-lint)", "    Type: AWS::ApiGatewayV2::Deployment",
		"      - DefaultRouteResponse\n", ""},
	{"deployment depends", "the integration response not listed (passes cfn-lint)",
		"    Type: AWS::ApiGatewayV2::Deployment", "      - PingIntegrationResponse\n", ""},
	{"deployment depends", "a model not listed (passes cfn-lint)", "    Type: AWS::ApiGatewayV2::Deployment",
		"      - SetMessage\n", ""},
	{"deployment depends", "the authorizer not listed (passes cfn-lint)", "    Type: AWS::ApiGatewayV2::Deployment",
		"      - Authorizer\n", ""},
	{"deployment depends", "a third deployment", "Resources:", "  Api:\n",
		"  Deployment2:\n    Type: AWS::ApiGatewayV2::Deployment\n    Properties: {ApiId: !Ref Api}\n  Api:\n"},
	{"deployment depends", "the edge's deployment without a route", "    Condition: HasEdge\n",
		"      - MergeRoute\n", ""},
	{"deployment depends", "one deployment with the edge and without", "    Type: AWS::ApiGatewayV2::Deployment",
		"    Condition: HasNoEdge\n", ""},
	{"deployment depends", "a stage that the edge does not change", "  Stage:", "!If [HasEdge, !Ref Edge",
		"!If [HasDomain, !Ref Edge"},
	{"deployment hash", "an integration that waits longer", "MessageIntegration:", "TimeoutInMillis: 11000",
		"TimeoutInMillis: 12000"},
	{"deployment hash", "a model that asks for more", "AddMessage:\n    Type", "required: [sku]",
		"required: [sku, quantity]"},
	{"routes", "a route without an integration", "HelloRoute:", "integrations/${MessageIntegration}",
		"integrations/${ConnectIntegration}x"},
	{"routes", "the wrong function", "HelloRoute:", "${MessageIntegration}", "${ConnectIntegration}"},
	{"routes", "a route key that is no action", "GetRoute:", "RouteKey: get", "RouteKey: fetch"},
	{"routes", "a duplicate route", "HelpRoute:", "RouteKey: help", "RouteKey: hello"},
	{"routes", "ping in a function", "PingRoute:", "${PingIntegration}", "${MessageIntegration}"},
	{"routes", "another selection", "  Api:", "$request.body.action", "$request.body.type"},
	{"route responses", "no response", "", "HelpRouteResponse:\n    Type: AWS::ApiGatewayV2::RouteResponse",
		"HelpRouteResponse:\n    Type: AWS::ApiGatewayV2::Nothing"},
	{"route responses", "the response of another route", "AddRouteResponse:\n", "!Ref AddRoute", "!Ref SetRoute"},
	{"route responses", "an answer to $disconnect", "DisconnectRoute:", "      AuthorizationType: NONE\n",
		"      AuthorizationType: NONE\n      RouteResponseSelectionExpression: $default\n"},
	{"route responses", "another key", "SetRouteResponse:\n", "RouteResponseKey: $default",
		"RouteResponseKey: \"200\""},
	{"ping", "another pong", "PingIntegrationResponse:", `{"type":"pong"}`, `{"type":"ping"}`},
	{"ping", "a template with another key", "PingIntegration:", `RequestTemplates: {"200"`,
		`RequestTemplates: {"201"`},
	{"ping", "a response with another key", "PingIntegrationResponse:", "IntegrationResponseKey: $default",
		"IntegrationResponseKey: /4../"},
	{"authorizer", "an identity source, which locks guests out", "  Authorizer:", "      Name: authorize\n",
		"      Name: authorize\n      IdentitySource: [route.request.header.Authorization]\n"},
	{"authorizer", "cached results (passes cfn-lint)", "  Authorizer:", "      Name: authorize\n",
		"      Name: authorize\n      AuthorizerResultTtlInSeconds: 300\n"},
	{"authorizer", "an authorizer of a message (passes cfn-lint)", "SetRoute:", "AuthorizationType: NONE",
		"AuthorizationType: CUSTOM\n      AuthorizerId: !Ref Authorizer"},
	{"authorizer", "no authorization", "ConnectRoute:", "AuthorizationType: CUSTOM", "AuthorizationType: NONE"},
	{"authorizer", "the wrong function", "  Authorizer:", "${AuthorizeFunction.Arn}", "${ConnectFunction.Arn}"},
	{"integrations", "GET", "ConnectIntegration:", "IntegrationMethod: POST", "IntegrationMethod: GET"},
	{"integrations", "less time than the function has", "MessageIntegration:", "TimeoutInMillis: 11000",
		"TimeoutInMillis: 9000"},
	{"integrations", "more time than there is", "DisconnectIntegration:", "TimeoutInMillis: 16000",
		"TimeoutInMillis: 30000"},
	{"models", "a shorter key than the decoder takes", "AddMessage:\n    Type", "{1,64}", "{1,63}"},
	{"models", "lines that are texts", "SetMessage:\n    Type", "additionalProperties: {type: integer}",
		"additionalProperties: {type: string}"},
	{"models", "a field that is not needed", "AddMessage:\n    Type", "required: [sku]", "required: [sku, quantity]"},
	{"models", "no unknown fields", "GetMessage:\n    Type", "        properties:\n",
		"        additionalProperties: {enum: [none]}\n        properties:\n"},
	{"models", "versions forgotten", "SubscribeMessage:\n    Type", "type: [array, object]", "type: array"},
	{"models", "a policy forgotten", "MergeMessage:\n    Type", "mine, theirs", "mine"},
	{"models", "a number, which becomes text", "GetMessage:\n    Type", "            type: [array, string]\n",
		"            type: [array, string]\n            maxItems: 100\n"},
	{"models", "a name judged at the gateway", "AddMessage:\n    Type", "sku: {type: string}",
		"sku: {type: string, pattern: \"^[A-Z]+$\"}"},
	{"models", "anything for a token", "HelloMessage:\n    Type",
		"token: {type: string, pattern: \"^[A-Za-z0-9._~-]+$\"}",
		"token: {}"},
	{"models", "an empty list of what is required", "HelloMessage:\n    Type", "        properties:\n",
		"        required: []\n        properties:\n"},
	{"models", "a newer draft", "SetMessage:\n    Type", "draft-04", "draft-07"},
	{"models", "a name with a dash", "SetMessage:\n    Type", "Name: SetMessage", "Name: set-message"},
	{"models", "a model for another selection", "SetRoute:", "RequestModels: {set:", "RequestModels: {write:"},
	{"models", "a model by id instead of name", "SetRoute:", "{set: SetMessage}", "{set: !Ref SetMessage}"},
	{"models", "a route before its model", "SetRoute:", "    DependsOn: SetMessage\n", ""},
	{"models", "a model for what is not JSON", "DefaultRoute:", "      AuthorizationType: NONE\n",
		"      AuthorizationType: NONE\n      ModelSelectionExpression: $request.body.action\n"},
	{"stage", "automatic deployments (passes cfn-lint)", "  Stage:", "AutoDeploy: false", "AutoDeploy: true"},
	{"stage", "another name", "  Stage:", "StageName: v1", "StageName: prod"},
	{"stage", "before a permission", "  Stage:", "      - DefaultPermission\n", ""},
	{"stage", "does not wait for logging", "  Stage:", `!Sub "Version 1; ${GatewayAccount} lets it log"`, "logging"},
	{"stage", "an account that has sockets alone", "  GatewayAccount:", "DependsOn: SystemsKey", "DependsOn: Api"},
	{"stage", "the account's setting is deleted with the stack", "GatewayAccount:\n    Type",
		"    DeletionPolicy: Retain\n",
		""},
	{"route settings", "of a missing route (passes cfn-lint)", "RouteSettings:\n        $connect", "        merge:",
		"        order:"},
	{"route settings", "messages in the log", "DefaultRouteSettings:", "DataTraceEnabled: false",
		"DataTraceEnabled: true"},
	{"route settings", "no throttle", "DefaultRouteSettings:",
		"        ThrottlingRateLimit: !Ref MessagesPerSecond\n",
		""},
	{"route settings", "a throttle by parameter", "RouteSettings:\n        $connect", "ThrottlingRateLimit: 100",
		"ThrottlingRateLimit: !Ref MessagesPerSecond"},
	{"route settings", "all connections of the account", "RouteSettings:\n        $connect",
		"ThrottlingRateLimit: 350",
		"ThrottlingRateLimit: 500"},
	{"access log", "the body", "Format:", "$context.requestId", "$input.body"},
	{"access log", "the token", "Format:", "$context.routeKey", "$context.authorizer.token"},
	{"access log", "the query string", "Format:", "$context.status", "$request.querystring.token"},
	{"access log", "a variable that quotes the body", "Format:", "$context.error.message",
		"$context.error.validationErrorString"},
	{"access log", "not JSON", "Format:", `"$context.routeKey"`, "$context.routeKey"},
	{"access log", "no id of the connection", "Format:", `"connectionId":"$context.connectionId",`, ""},
	{"access log", "another group", "AccessLogSettings:", "${AccessLog}", "${ConnectLog}"},
	{"domain", "TLS 1.3 alone (passes cfn-lint)", "  Domain:\n    Type", "SecurityPolicy: TLS_1_2",
		"SecurityPolicy: TLS_1_3"},
	{"domain", "TLS 1.0 (passes cfn-lint)", "  Domain:\n    Type", "SecurityPolicy: TLS_1_2",
		"SecurityPolicy: TLS_1_0"},
	{"domain", "an edge", "  Domain:\n    Type", "EndpointType: REGIONAL", "EndpointType: EDGE"},
	{"domain", "without a condition", "  Mapping:\n    Type", "    Condition: HasDomain\n", ""},
	{"addresses", "a stage under the mapping", "CALLBACK_URL:", "https://${DomainName}/${MappingKey}",
		"https://${DomainName}/${MappingKey}/v1"},
	{"addresses", "no stage at the default endpoint", "CALLBACK_URL:", "${AWS::URLSuffix}/v1", "${AWS::URLSuffix}"},
	{"addresses", "a slash without a key", "SocketUrl:", `!Sub "wss://${DomainName}"]`,
		`!Sub "wss://${DomainName}/"]`},
	{"addresses", "callbacks to the default endpoint alone", "CallbackUrl:", "      - HasDomain\n",
		"      - MakeLogRole\n"},
	{"functions", "another processor", "Globals:", "arm64", "x86_64"},
	{"functions", "another handler", "Globals:", "Handler: bootstrap", "Handler: main"},
	{"functions", "no traces", "Globals:", "Tracing: Active", "Tracing: PassThrough"},
	{"functions", "the code of another", "DisconnectFunction:", "build/disconnect/", "build/connect/"},
	{"functions", "longer than the gateway waits", "MessageFunction:\n", "Timeout: 10", "Timeout: 29"},
	{"functions", "reserved concurrency", "ConnectFunction:\n", "Timeout: 5",
		"Timeout: 5\n      ReservedConcurrentExecutions: 10"},
	{"functions", "reserved concurrency by default, which a new account refuses", "  BroadcastConcurrency:\n",
		"Default: 0", "Default: 6"},
	{"functions", "nothing reserved whatever the parameter says", "BroadcastFunction:\n",
		"!If [ReservesBroadcast, !Ref BroadcastConcurrency, !Ref AWS::NoValue]", "!Ref AWS::NoValue"},
	{"functions", "a function that may never run", "BroadcastFunction:\n",
		"!If [ReservesBroadcast, !Ref BroadcastConcurrency, !Ref AWS::NoValue]", "!Ref BroadcastConcurrency"},
	{"functions", "the role of another", "DisconnectFunction:\n", "!GetAtt DisconnectRole.Arn",
		"!GetAtt MessageRole.Arn"},
	{"functions", "a slow authorizer", "AuthorizeFunction:\n", "Timeout: 8", "Timeout: 15"},
	{"functions", "policies in addition to the role", "ConnectFunction:\n", "      Timeout: 5\n",
		"      Timeout: 5\n      Policies: [AmazonDynamoDBFullAccess]\n"},
	{"settings", "one is missing", "MessageFunction:\n",
		"          CART_TABLE: !If [MakeCarts, !Ref CartTable, !Ref CartTableName]\n", ""},
	{"settings", "an unused setting", "DisconnectFunction:\n", "          HUB_TABLE: !Ref HubTable\n",
		"          HUB_TABLE: !Ref HubTable\n          CART_TABLE: !Ref HubTable\n"},
	{"settings", "a misspelt name", "BroadcastFunction:\n", "POSTS_PER_SECOND:", "POST_PER_SECOND:"},
	{"settings", "tables swapped", "BroadcastFunction:\n",
		"INVENTORY_TABLE: !If [MakeInventory, !Ref InventoryTable, !Ref InventoryTableName]",
		"INVENTORY_TABLE: !If [MakeCarts, !Ref CartTable, !Ref CartTableName]"},
	{"settings", "names for a table made here", "BroadcastFunction:\n",
		`CART_ATTRIBUTES: !If [MakeCarts, "", !Ref CartAttributes]`, "CART_ATTRIBUTES: !Ref CartAttributes"},
	{"settings", "one table's names for the other", "MessageFunction:\n", "!Ref InventoryAttributes",
		"!Ref CartAttributes"},
	{"settings", "an invalid value", "Parameters:", "    Default: \"false\"\n", "    Default: \"off\"\n"},
	{"settings", "no namespace for metrics", "DisconnectFunction:\n",
		"          METRICS_NAMESPACE: !Ref MetricsNamespace\n", ""},
	{"settings", "a reserved namespace", "MetricsNamespace:\n", "Default: SecureCartHub",
		"Default: AWS/Hub"},
	{"settings", "another default than the code's", "  PostsPerSecond:", "Default: 500", "Default: 9000"},
	{"settings", "another default of sweeps than the code's", "SweepPostsPerSecond:", "Default: 1500",
		"Default: 900"},
	{"posts", "a budget for one environment", "  PostsPerSecond:", "Default: 500", "Default: 5000"},
	{"posts", "no room for sweeps", "SweepPostsPerSecond:", "Default: 1500", "Default: 8000"},
	{"posts", "sweeps slower than batches", "SweepPostsPerSecond:", "Default: 1500", "Default: 400"},
	{"posts", "no budget", "  PostsPerSecond:", "Default: 500", "Default: 0"},
	{"posts", "more environments than the budget allows", "CartMapping:\n", "ParallelizationFactor: 4",
		"ParallelizationFactor: 10"},
	{"keys", "too short", "  GuestKey:\n", "PasswordLength: 64", "PasswordLength: 40"},
	{"keys", "not base64", "  GuestKey:\n", "ExcludePunctuation: true", "ExcludePunctuation: false"},
	{"keys", "a short address key", "  AddressKey:\n", "PasswordLength: 64", "PasswordLength: 40"},
	{"settings", "addresses hashed with a key that rotates", "AuthorizeFunction:\n",
		`ADDRESS_KEY: !Sub "{{resolve:secretsmanager:${AddressKey}`,
		`ADDRESS_KEY: !Sub "{{resolve:secretsmanager:${GuestKey}`},
	{"settings", "every app's admins", "MessageFunction:\n", "ADMIN_GROUP: !Ref AdminGroup", "ADMIN_GROUP: admin"},
	{"keys", "not a whole number of bytes", "  GuestKey:\n", "PasswordLength: 64", "PasswordLength: 65"},
	{"keys", "its ARN instead of its value", "MessageFunction:\n",
		`!Sub "{{resolve:secretsmanager:${GuestKey}:SecretString}}"`, "!Ref GuestKey"},
	{"rights", "the message function deletes carts", "MessageRole:\n", "[dynamodb:GetItem, dynamodb:UpdateItem]",
		"[dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:UpdateItem]"},
	{"rights", "writes the inventory", "MessageRole:\n", "Action: [dynamodb:BatchGetItem]",
		"Action: [dynamodb:BatchGetItem, dynamodb:PutItem]"},
	{"rights", "no right to write traces", "MessageRole:\n", "xray:PutTelemetryRecords, xray:PutTraceSegments",
		"xray:PutTelemetryRecords"},
	{"rights", "all logs", "ConnectRole:\n", "!GetAtt ConnectLog.Arn",
		"!Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"},
	{"rights", "sweeps that cannot end", "BroadcastRole:\n",
		"[dynamodb:DeleteItem, dynamodb:Query, dynamodb:UpdateItem]", "[dynamodb:Query, dynamodb:UpdateItem]"},
	{"rights", "bells that cannot be read", "BroadcastRole:\n", "!GetAtt SweepTable.StreamArn",
		"!GetAtt InventoryTable.StreamArn"},
	{"rights", "all streams", "BroadcastRole:\n", "!GetAtt InventoryTable.StreamArn",
		"!Sub ${InventoryTable.Arn}/stream/*"},
	{"rights", "a managed policy", "AuthorizeRole:\n", "      Policies:\n",
		"      ManagedPolicyArns: [AdministratorAccess]\n      Policies:\n"},
	{"rights", "everybody may assume the role", "AuthorizeRole:\n", "Principal: {Service: lambda.amazonaws.com}",
		"Principal: \"*\""},
	{"rights", "the failures of the other stream only", "BroadcastRole:\n",
		"[!GetAtt InventoryFailures.Arn, !GetAtt CartFailures.Arn]", "[!GetAtt InventoryFailures.Arn]"},
	{"manage connections", "another function", "MessageRole:\n", "                Action: [dynamodb:BatchGetItem]\n",
		"                Action: [dynamodb:BatchGetItem, execute-api:ManageConnections]\n"},
	{"manage connections", "posts of the message function", "MessageRole:\n", "${Api}/v1/DELETE/", "${Api}/v1/*/"},
	{"manage connections", "all stages", "BroadcastRole:\n", "${Api}/v1/POST", "${Api}/*/POST"},
	{"manage connections", "all APIs", "BroadcastRole:\n", "${Api}/v1/DELETE", "*/v1/DELETE"},
	{"manage connections", "invoking too", "BroadcastRole:\n", "[execute-api:ManageConnections]",
		"[execute-api:ManageConnections, execute-api:Invoke]"},
	{"permissions", "any route", "ConnectPermission:\n", "/v1/$connect", "/*/*"},
	{"permissions", "another stage", "SetPermission:\n", "/v1/set", "/prod/set"},
	{"permissions", "any authorizer", "AuthorizerPermission:\n", "${Authorizer}", "*"},
	{"permissions", "a route without a permission", "HelpPermission:\n", "/v1/help", "/v1/hello"},
	{"permissions", "another function", "MergePermission:\n", "!Ref MessageFunction", "!Ref ConnectFunction"},
	{"permissions", "any schedule", "HealPermission:\n", "      SourceArn: !GetAtt HealSchedule.Arn\n", ""},
	{"sources", "no starting position (passes cfn-lint)", "InventoryMapping:\n",
		"      StartingPosition: LATEST\n", ""},
	{"sources", "two environments that sweep", "SweepMapping:\n", "ParallelizationFactor: 1",
		"ParallelizationFactor: 2"},
	{"sources", "bells of the inventory", "SweepMapping:\n", "SweepTable.StreamArn", "InventoryTable.StreamArn"},
	{"sources", "bells for ever", "SweepMapping:\n", "      MaximumRetryAttempts: 5\n", ""},
	{"sources", "a day of history", "CartMapping:\n", "StartingPosition: LATEST", "StartingPosition: TRIM_HORIZON"},
	{"sources", "partial failures not reported", "InventoryMapping:\n",
		"      FunctionResponseTypes: [ReportBatchItemFailures]\n", ""},
	{"sources", "no halving", "CartMapping:\n", "BisectBatchOnFunctionError: true",
		"BisectBatchOnFunctionError: false"},
	{"sources", "unlimited retries", "InventoryMapping:\n", "      MaximumRetryAttempts: 5\n", ""},
	{"sources", "records of any age", "CartMapping:\n", "MaximumRecordAgeInSeconds: 300",
		"MaximumRecordAgeInSeconds: -1"},
	{"sources", "no queue for failures", "CartMapping:\n",
		"      DestinationConfig:\n        OnFailure: {Destination: !GetAtt CartFailures.Arn}\n", ""},
	{"sources", "the other queue", "InventoryMapping:\n", "InventoryFailures.Arn", "CartFailures.Arn"},
	{"sources", "a window (passes cfn-lint)", "InventoryMapping:\n", "      BatchSize: 1000",
		"      TumblingWindowInSeconds: 30\n      BatchSize: 1000"},
	{"sources", "a second on every update", "InventoryMapping:\n", "MaximumBatchingWindowInSeconds: 0",
		"MaximumBatchingWindowInSeconds: 1"},
	{"sources", "the other stream", "CartMapping:\n", "[MakeCarts, !GetAtt CartTable.StreamArn, !Ref CartStreamArn]",
		"[MakeInventory, !GetAtt InventoryTable.StreamArn, !Ref InventoryStreamArn]"},
	{"sources", "another function", "CartMapping:\n", "!Ref BroadcastFunction", "!Ref MessageFunction"},
	{"sources", "a queue in batches of 100 (passes cfn-lint)", "Resources:", "  Api:\n",
		"  Again:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties:\n" +
			"      EventSourceArn: !GetAtt CartFailures.Arn\n      FunctionName: !Ref BroadcastFunction\n" +
			"      BatchSize: 100\n  Api:\n"},
	{"queues", "longer than the stream", "CartFailures:\n", "MessageRetentionPeriod: 86400",
		"MessageRetentionPeriod: 345600"},
	{"queues", "shorter than the stream", "InventoryFailures:\n", "MessageRetentionPeriod: 86400",
		"MessageRetentionPeriod: 3600"},
	{"queues", "requests without TLS", "InventoryFailuresPolicy:\n", `"aws:SecureTransport": "false"`,
		`"aws:SecureTransport": "true"`},
	{"queues", "everything allowed", "CartFailuresPolicy:\n", "Effect: Deny", "Effect: Allow"},
	{"queues", "one action without TLS", "CartFailuresPolicy:\n", "sqs:*", "sqs:SendMessage"},
	{"queues", "the policy of the other queue", "CartFailuresPolicy:\n", "[!Ref CartFailures]",
		"[!Ref InventoryFailures]"},
	{"schedule", "every hour", "HealSchedule:\n", "rate(1 minute)", "rate(1 hour)"},
	{"schedule", "disabled", "HealSchedule:\n", "State: ENABLED", "State: DISABLED"},
	{"schedule", "another function", "HealSchedule:\n", "!Ref BroadcastFunction.Alias", "!Ref MessageFunction.Alias"},
	{"schedule", "something with records", "HealSchedule:\n", `Input: "{}"`, `Input: '{"Records":[{}]}'`},
	{"schedule", "retries", "BroadcastFunction:\n", "MaximumRetryAttempts: 0", "MaximumRetryAttempts: 2"},
	{"tables", "a view without the old image", "InventoryTable:\n    Type", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"},
	{"tables", "keys alone", "CartTable:\n    Type", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"},
	{"tables", "no stream", "CartTable:\n    Type",
		"      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}\n",
		""},
	{"tables", "another key", "InventoryTable:\n    Type", "{AttributeName: sku, KeyType: HASH}",
		"{AttributeName: id, KeyType: HASH}"},
	{"tables", "values in the stream of sweeps", "SweepTable:\n    Type", "KEYS_ONLY", "NEW_IMAGE"},
	{"tables", "sweeps that stay", "SweepTable:\n    Type", "    DeletionPolicy: Delete\n",
		"    DeletionPolicy: Retain\n"},
	{"tables", "sweeps without a topic", "SweepTable:\n    Type",
		"        - {AttributeName: sk, KeyType: RANGE}\n", ""},
	{"tables", "another TTL", "HubTable:\n    Type", "AttributeName: expires", "AttributeName: exp"},
	{"tables", "no TTL of carts", "CartTable:\n    Type",
		"      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}\n", ""},
	{"tables", "a TTL that is off", "HubTable:\n    Type", "AttributeName: expires, Enabled: true",
		"AttributeName: expires, Enabled: false"},
	{"tables", "provisioned capacity", "HubTable:\n    Type", "PAY_PER_REQUEST", "PROVISIONED"},
	{"tables", "sort key first", "HubTable:\n    Type", "{AttributeName: pk, KeyType: HASH}",
		"{AttributeName: sk, KeyType: HASH}"},
	{"tables", "carts deleted with the stack", "CartTable:\n    Type", "    DeletionPolicy: RetainExceptOnCreate\n", ""},
	{"tables", "revocations deleted with the stack", "HubTable:\n    Type",
		"    DeletionPolicy: RetainExceptOnCreate\n", ""},
	{"tables", "stock left by a first deployment that failed", "InventoryTable:\n    Type", "RetainExceptOnCreate",
		"Retain"},
	{"tables", "revocations deleted with a change of the table", "HubTable:\n    Type",
		"    UpdateReplacePolicy: Retain\n", ""},
	{"tables", "stock deleted with a change of the table", "InventoryTable:\n    Type",
		"    UpdateReplacePolicy: Retain\n", "    UpdateReplacePolicy: Delete\n"},
	{"tables", "recovery off by default", "  PointInTimeRecovery:\n", `Default: "true"`, `Default: "false"`},
	{"tables", "recovery that the parameter does not change", "Conditions:",
		`!Equals [!Ref PointInTimeRecovery, "true"]`,
		`!Equals [!Ref PointInTimeRecovery, !Ref PointInTimeRecovery]`},
	{"tables", "no recovery of carts", "CartTable:\n    Type", "!If [Recoverable, true, false]", "false"},
	{"tables", "deletion allowed by default", "  DeletionProtection:\n", `Default: "true"`, `Default: "false"`},
	{"tables", "deletion of the hub's table", "HubTable:\n    Type",
		"      DeletionProtectionEnabled: !If [Protected, true, false]\n", ""},
	{"tables", "protection inverted", "CartTable:\n    Type", "!If [Protected, true, false]",
		"!If [Protected, false, true]"},
	{"keys", "the guest key deleted with the stack", "  GuestKey:\n", "    DeletionPolicy: RetainExceptOnCreate\n", ""},
	{"keys", "the guest key deleted with a change", "  GuestKey:\n", "    UpdateReplacePolicy: Retain\n", ""},
	{"tables", "made although the shop has one", "InventoryTable:\n    Type", "    Condition: MakeInventory\n", ""},
	{"tables", "a fixed name", "HubTable:\n    Type", "      BillingMode", "      TableName: hub\n      BillingMode"},
	{"functions", "versions of nobody", "Globals:", "    AutoPublishAlias: live\n", ""},
	{"functions", "settings that stay as they were published", "  MessageFunction:",
		"      AutoPublishAliasAllProperties: true\n", ""},
	{"functions", "a gradual deployment without brakes", "Globals:", "        - !Ref FunctionErrorsAlarm\n", ""},
	{"functions", "a gradual deployment by default (the first one has nothing to go back to)", "  GradualDeployment:",
		`Default: "false"`, `Default: "true"`},
	{"sources", "a stream that a deployment does not reach", "  CartMapping:", "!Ref BroadcastFunction.Alias",
		"!Ref BroadcastFunction"},
	{"routes", "messages that a deployment does not reach", "  MessageIntegration:", "${MessageFunction.Arn}:live",
		"${MessageFunction.Arn}"},
	{"permissions", "a permission for another version", "  HelloPermission:", "!Ref MessageFunction.Alias",
		"!Ref MessageFunction"},
	{"logs", "a log without retention", "  ConnectLog:\n", "      RetentionInDays: !Ref LogRetentionDays\n", ""},
	{"logs", "requests in the log of the sockets", "  RestAccessLog:\n", "/rest-access", "/access"},
	{"logs", "requests logged for ever", "  RestAccessLog:\n", "      RetentionInDays: !Ref LogRetentionDays\n", ""},
	{"logs", "the log of another", "DisconnectFunction:\n", "!Ref DisconnectLog", "!Ref ConnectLog"},
	{"logs", "the default log group", "MessageFunction:\n",
		"LoggingConfig: {LogGroup: !Ref MessageLog}", "LoggingConfig: {}"},
	{"logs", "lines of Lambda that are not JSON", "Globals:\n", "LogFormat: JSON, ", ""},
	{"logs", "two lines of Lambda's for each message", "Globals:\n", ", SystemLogLevel: WARN", ""},
	{"logs", "one name for all stacks", "  AccessLog:\n", "!Sub /${AWS::StackName}/access", "!Sub /hub/access"},
}

// TestMutations: each check of template.yaml finds its mistakes, and has at least one.
func TestMutations(t *testing.T) {
	text, _ := readTemplate(t)
	findMutations(t, text, checks, slices.Concat(
		mutations,
		edgeMutations,
		restMutations,
		catalogueMutations, ordersMutations,
		systemsMutations,
		scriptMutations,
		budgetMutations,
		rowMutations,
		encryptionMutations,
		alarmMutations,
		queryMutations,
		secretMutations,
		moneyMutations,
		nameMutations,
	))
}

// TestRemovedResources: if any resource of template.yaml is removed, some check finds it.
func TestRemovedResources(t *testing.T) {
	text, parsed := readTemplate(t)
	findRemoved(t, text, parsed, checks)
}

// findMutations makes each mistake in a copy of the text of a template.
func findMutations(t *testing.T, text string, checks []check, all []mutation) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range all {
		seen[m.check] = true
		t.Run(m.check+"/"+m.name, func(t *testing.T) {
			at := strings.Index(text, m.after)
			if at < 0 {
				t.Fatalf("the template does not have %q", m.after)
			}
			head, tail := text[:at+len(m.after)], text[at+len(m.after):]
			if !strings.Contains(tail, m.old) {
				t.Fatalf("the template does not have %q after %q", m.old, m.after)
			}
			mutant, err := parseTemplate(head + strings.Replace(tail, m.old, m.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(checks, func(c check) bool { return c.name == m.check })
			if len(checks[i].examine(mutant)) == 0 {
				t.Errorf("the check does not find it; all checks find %v", runChecks(checks, mutant))
			}
		})
	}
	for _, c := range checks {
		if !seen[c.name] {
			t.Errorf("no mutation shows that the check %q can fail", c.name)
		}
	}
}

// findRemoved removes each resource of a template.
func findRemoved(t *testing.T, text string, parsed *template, checks []check) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(parsed.resources)) {
		r := parsed.resources[id]
		t.Run(id, func(t *testing.T) {
			block := regexp.MustCompile(`(?m)^  ` + id + `:\n(    .*\n|\n)+`)
			if n := len(block.FindAllString(text, -1)); n != 1 {
				t.Fatalf("the resource occurs %d times", n)
			}
			mutant, err := parseTemplate(block.ReplaceAllString(text, ""))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(checks, func(c check) bool { return len(c.examine(mutant)) > 0 }) {
				t.Errorf("no check misses %s, a %s", id, r.kind)
			}
		})
	}
}

// TestParseTemplateRefuses: parseTemplate refuses what CloudFormation would refuse.
func TestParseTemplateRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a key twice": "Resources:\n  A: {Type: X}\n  A: {Type: Y}\n",
		"an alias":    "Resources:\n  A: &a {Type: X}\n  B: *a\n",
		"a list":      "- 1\n",
		"no YAML":     "a: b: c\n",
	} {
		if _, err := parseTemplate(text); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
