package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/script"
)

// rowRights are the actions on the hub table that each function is allowed, and the
// partitions of each. TestRowRightsMatchTheCode compares them with what the code
// does.
var rowRights = map[config.Function]map[string]string{
	config.Authorize: {"DeleteItem": "X#*", "GetItem": "R#*"},
	config.Rest: {
		"ConditionCheckItem": "R#*", "GetItem": "E K#* R#*", "PutItem": "E K#* V#* X#*", "Query": "V#*",
		"UpdateItem": "N#*",
	},
	config.Connect: {
		"BatchWriteItem": "O#*", "DeleteItem": "C#*", "GetItem": "C#* R#*", "Query": "O#*",
		"UpdateItem": "C#* N#*",
	},
	config.Disconnect: {"BatchWriteItem": "O#* T#*", "GetItem": "C#*", "PutItem": "C#*", "Query": "T#*"},
	config.Message: {
		"BatchWriteItem": "O#* T#*", "ConditionCheckItem": "R#*", "GetItem": "C#* E K#* R#* S#*",
		"PutItem": "E K#*", "Query": "O#* V#*", "UpdateItem": "C#* N#* S#*",
	},
	config.Broadcast: {
		"BatchGetItem": "C#*", "BatchWriteItem": "K#* N#* O#* T#*", "DeleteItem": "C#* S#* V#*",
		"GetItem": "C#* E", "PutItem": "C#* E V#*", "Query": "K#* N#* O#* S#* T#*",
		"UpdateItem": "C#* R#* S#*",
	},
}

// rights are the other actions that each function is allowed, by resource. Every
// function may also write its log and traces.
var rights = map[config.Function]map[string][]string{
	config.Message: {
		"inventory": {"dynamodb:BatchGetItem"},
		"cart":      {"dynamodb:GetItem", "dynamodb:UpdateItem"},
		"close":     {manageConnections},
	},
	config.Rest: {
		"inventory": {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
		"cart":      {"dynamodb:GetItem", "dynamodb:UpdateItem"},
		"orders":    {"execute-api:Invoke"},
	},
	config.Broadcast: {
		"inventory":         {"dynamodb:BatchGetItem"},
		"cart":              {"dynamodb:DeleteItem", "dynamodb:GetItem"},
		"inventory stream":  {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		"cart stream":       {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		"inventory streams": {"dynamodb:ListStreams"},
		"cart streams":      {"dynamodb:ListStreams"},
		"sweeps":            {"dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"},
		"sweep stream":      {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		"sweep streams":     {"dynamodb:ListStreams"},
		"failures of stock": {"sqs:SendMessage"},
		"failures of carts": {"sqs:SendMessage"},
		"post":              {manageConnections},
		"close":             {manageConnections},
	},
}

const manageConnections = "execute-api:ManageConnections"

// arns returns the resources of rights by name.
func (k *checker) arns(s *scene) map[string]string {
	api := "arn:aws-p:execute-api:region-1:account:<" + k.one(kindAPI).id + ">/" + stageName + "/"
	arns := map[string]string{
		"post": api + "POST/@connections/*", "close": api + "DELETE/@connections/*",
		"failures of stock": "<InventoryFailures.Arn>", "failures of carts": "<CartFailures.Arn>",
		"orders": "arn:aws-p:execute-api:region-1:account:<OrdersApi>/$default/POST/orders",
		"sweeps": "<SweepTable.Arn>", "sweep stream": "<SweepTable.StreamArn>", "sweep streams": "<SweepTable.Arn>/stream/*",
	}
	for name, id := range map[string]string{"inventory": "InventoryTable", "cart": "CartTable"} {
		if s.made(k.t.resources[id]) {
			arns[name], arns[name+" stream"] = "<"+id+".Arn>", "<"+id+".StreamArn>"
		} else {
			arns[name+" stream"] = map[string]string{"inventory": shopInventoryStream, "cart": shopCartStream}[name]
			arns[name], _, _ = strings.Cut(arns[name+" stream"], "/stream/")
		}
		arns[name+" streams"] = arns[name] + "/stream/*"
	}
	return arns
}

// grants lists what a role allows, as "action on resource".
func (k *checker) grants(s *scene, role resource) []string {
	var all []string
	p := s.props(role)
	if p["ManagedPolicyArns"] != nil {
		k.failf("%s has policies that are not in this file", role.id)
	}
	policies, _ := p["Policies"].([]any)
	for _, policy := range policies {
		m, _ := policy.(object)
		statements, _ := sub(m, "PolicyDocument")["Statement"].([]any)
		for _, statement := range statements {
			m, _ := statement.(object)
			k.want("an effect of "+role.id, m["Effect"], "Allow")
			condition := k.condition(role.id, m["Condition"])
			delete(m, "Condition")
			k.want("the fields of a statement of "+role.id, slices.Sorted(maps.Keys(m)),
				[]string{"Action", "Effect", "Resource"})
			for _, action := range stringList(m["Action"]) {
				for _, on := range stringList(m["Resource"]) {
					all = append(all, action+" on "+on+condition)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// condition returns a condition of a statement as text: " for" the partitions of the
// hub table, or " via" the services that may use the key for a function.
func (k *checker) condition(role string, condition any) string {
	if condition == nil {
		return ""
	}
	c, _ := condition.(object)
	partitions := sub(c, "ForAllValues:StringLike")["dynamodb:LeadingKeys"]
	services := sub(c, "StringEquals")["kms:ViaService"]
	switch {
	case reflect.DeepEqual(c, object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": partitions}}):
		return " for " + strings.Join(stringList(partitions), " ")
	case reflect.DeepEqual(c, object{"StringEquals": object{"kms:ViaService": services}}):
		return " via " + strings.Join(stringList(services), " ")
	}
	k.failf("%s has the condition %v", role, c)
	return " under a condition"
}

// checkRights: each function is allowed exactly the actions in the table.
func checkRights(k *checker) {
	for _, s := range k.scenes() {
		arns := k.arns(s)
		for _, f := range config.Functions {
			want := []string{
				"logs:CreateLogStream on <" + logID(f) + ".Arn>", "logs:PutLogEvents on <" + logID(f) + ".Arn>",
				"xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *",
			}
			for on, actions := range rights[f] {
				if on == "orders" && s.given["OrdersListenerArn"] == "" {
					continue
				}
				for _, action := range actions {
					want = append(want, action+" on "+arns[on])
				}
			}
			for action, partitions := range rowRights[f] {
				want = append(want, "dynamodb:"+action+" on <HubTable.Arn> for "+partitions)
			}
			if s.given["KmsKeyArn"] != "" {
				want = append(want, keyRights(f)...)
			}
			slices.Sort(want)
			role := k.t.resources[roleID(f)]
			got := k.grants(s, role)
			for _, each := range got {
				if !slices.Contains(want, each) {
					k.failf("%s: %s may %s", s.name, f, each)
				}
			}
			for _, each := range want {
				if !slices.Contains(got, each) {
					k.failf("%s: %s may not %s", s.name, f, each)
				}
			}
			if len(got) != len(want) {
				k.failf("%s: %s has the same right twice", s.name, f)
			}
			k.want("who may assume the role of "+string(f), sub(role.properties, "AssumeRolePolicyDocument")["Statement"],
				[]any{object{
					"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "lambda.amazonaws.com"},
				}})
		}
	}
}

// checkManageConnections: only the broadcaster may post to connections, and only it and
// the message function may close them.
func checkManageConnections(k *checker) {
	s := k.scenes()[0]
	arns := k.arns(s)
	want := map[string][]string{
		roleID(config.Broadcast): {manageConnections + " on " + arns["close"], manageConnections + " on " + arns["post"]},
		roleID(config.Message):   {manageConnections + " on " + arns["close"]},
	}
	for _, role := range k.t.ofType(kindRole) {
		data, _ := json.Marshal(s.value(role.properties))
		reaches := strings.Contains(string(data), manageConnections) || strings.Contains(string(data), "@connections") ||
			strings.Contains(string(data), `"*:*"`)
		if reaches != (want[role.id] != nil) {
			k.failf("%s may manage connections: %t", role.id, reaches)
		}
		if !reaches {
			continue
		}
		var got []string
		for _, grant := range k.grants(s, role) {
			if strings.HasPrefix(grant, "execute-api:") {
				got = append(got, grant)
			}
		}
		k.want("the connections of "+role.id, got, want[role.id])
	}
}

// checkPermissions: each route may invoke its function, and nothing else may.
func checkPermissions(k *checker) {
	s := k.privateScene()
	api := "arn:aws-p:execute-api:region-1:account:<" + k.one(kindAPI).id + ">/"
	line := func(f config.Function, principal, source string) string {
		return principal + " invokes <" + functionID(f) + ".Ref Alias> for " + source
	}
	want := []string{
		line(config.Authorize, "apigateway.amazonaws.com", api+"authorizers/<"+k.one(kindAuthorizer).id+">"),
		line(config.Rest, "apigateway.amazonaws.com", restSource("RestApi")+"/v1/*"),
		line(config.Rest, "apigateway.amazonaws.com", restSource("RestApi")+script.Path),
		line(config.Rest, "apigateway.amazonaws.com", restSource("SystemsApi")+"/v1/inventory*"),
		line(config.Broadcast, "apigateway.amazonaws.com", restSource("SystemsApi")+"/v1/users/*"),
		line(config.Rest, "apigateway.amazonaws.com", restSource("PrivateApi")+"/v1/inventory*"),
		line(config.Broadcast, "apigateway.amazonaws.com", restSource("PrivateApi")+"/v1/users/*"),
		line(config.Broadcast, "events.amazonaws.com", "<"+k.one(kindSchedule).id+".Arn>"),
	}
	for _, key := range routeKeys() {
		if f := functionBehind(key); f != "" {
			want = append(want, line(f, "apigateway.amazonaws.com", api+stageName+"/"+key))
		}
	}
	var got []string
	for _, r := range k.t.ofType(kindPermission) {
		p := s.props(r)
		k.want("the action of "+r.id, p["Action"], "lambda:InvokeFunction")
		got = append(got, fmt.Sprintf("%v invokes %v for %v", p["Principal"], p["FunctionName"], p["SourceArn"]))
	}
	slices.Sort(got)
	slices.Sort(want)
	k.want("the permissions", got, want)
}
