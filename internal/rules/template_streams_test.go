package rules

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

// checkSources: the event source mappings have the settings that the broadcaster
// expects. All of them are explicit: the default of -1 retries would block a shard
// for a day.
func checkSources(k *checker) {
	common := object{
		"FunctionName": "<" + functionID(config.Broadcast) + ".Ref Alias>", "StartingPosition": "LATEST",
		"MaximumBatchingWindowInSeconds": 0,
		"FunctionResponseTypes":          []any{"ReportBatchItemFailures"}, "BisectBatchOnFunctionError": true,
		"MaximumRetryAttempts": 5, "MaximumRecordAgeInSeconds": 300,
	}
	if n := len(k.t.ofType(kindSource)); n != 3 {
		k.failf("there are %d event source mappings, want 3", n)
	}
	for _, s := range k.scenes() {
		for id, own := range map[string]object{
			"InventoryMapping": {
				"BatchSize": 1000, "ParallelizationFactor": 1, "EventSourceArn": k.arns(s)["inventory stream"],
				"DestinationConfig": object{"OnFailure": object{"Destination": "<InventoryFailures.Arn>"}},
			},
			"CartMapping": {
				"BatchSize": 200, "ParallelizationFactor": 4, "EventSourceArn": k.arns(s)["cart stream"],
				"DestinationConfig": object{"OnFailure": object{"Destination": "<CartFailures.Arn>"}},
			},
			// The schedule makes up for a bell that is given up.
			"SweepMapping": {
				"BatchSize": 100, "ParallelizationFactor": 1, "EventSourceArn": "<SweepTable.StreamArn>",
				"BisectBatchOnFunctionError": false,
			},
		} {
			want := maps.Clone(common)
			maps.Copy(want, own)
			got := s.props(k.t.resources[id])
			for name := range want {
				k.want(s.name+": "+name+" of "+id, got[name], want[name])
			}
			for name := range got {
				if _, ok := want[name]; !ok {
					k.failf("%s has %s", id, name)
				}
			}
		}
	}
}

// streamLife is how long a DynamoDB stream keeps records, in seconds.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
const streamLife = 24 * 60 * 60

// checkQueues: failures are kept as long as the records that they name, and every
// request needs TLS.
func checkQueues(k *checker) {
	var got []string
	for _, q := range k.t.ofType(kindQueue) {
		got = append(got, q.id)
		k.want(q.id, withoutKey(q), object{"MessageRetentionPeriod": streamLife})
		policy := k.t.resources[q.id+"Policy"]
		k.want("the type of the policy of "+q.id, policy.kind, kindQueuePolicy)
		k.want("the policy of "+q.id, k.scenes()[0].props(policy), object{
			"Queues": []any{"<" + q.id + ">"},
			"PolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
				"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "<" + q.id + ".Arn>",
				"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
			}}},
		})
	}
	k.want("the queues", got, []string{"CartFailures", "InventoryFailures"})
}

// checkSchedule: the broadcaster heals when it is invoked without records.
func checkSchedule(k *checker) {
	r := k.one(kindSchedule)
	k.want("the schedule", r.properties["ScheduleExpression"], "rate(1 minute)")
	k.want("its state", r.properties["State"], "ENABLED")
	k.want("its targets", r.properties["Targets"], []any{object{
		"Id": "broadcast", "Input": "{}", "Arn": object{"Ref": functionID(config.Broadcast) + ".Alias"},
	}})
	// The schedule invokes again after a minute, so retries are not needed.
	k.want("retries of the schedule", k.t.resources[functionID(config.Broadcast)].properties["EventInvokeConfig"],
		object{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})
}

// checkTables: the tables are those that package dynamostore creates.
func checkTables(k *checker) {
	if n := len(k.t.ofType(kindTable)); n != 4 {
		k.failf("there are %d tables, want 4", n)
	}
	for _, schema := range dynamostore.Schemas(dynamostore.Options{
		HubTable: "HubTable", InventoryTable: "InventoryTable", CartTable: "CartTable", SweepTable: "SweepTable",
	}) {
		id := *schema.Table.TableName
		r := k.t.resources[id]
		want := tableProperties(schema.Table)
		if id == "SweepTable" { // it keeps nothing that lasts
			k.wantProperties(r, want)
			k.want("the policies of "+id, []any{r.raw["DeletionPolicy"], r.raw["UpdateReplacePolicy"]},
				[]any{"Delete", "Delete"})
			continue
		}
		want["PointInTimeRecoverySpecification"] = object{
			"PointInTimeRecoveryEnabled": object{"Fn::If": []any{"Recoverable", true, false}},
		}
		want["DeletionProtectionEnabled"] = object{"Fn::If": []any{"Protected", true, false}}
		if schema.TTL != "" {
			want["TimeToLiveSpecification"] = object{"AttributeName": schema.TTL, "Enabled": true}
		}
		k.wantProperties(r, want)
		// The shop's tables are not made if the shop has its own.
		k.want("the condition of "+id, r.condition,
			map[string]string{"InventoryTable": "MakeInventory", "CartTable": "MakeCarts"}[id])
		k.wantRetained(r)
	}
	// Without a parameter, tables can be recovered and cannot be deleted.
	for parameter, property := range map[string]string{
		"PointInTimeRecovery": "PointInTimeRecoverySpecification", "DeletionProtection": "DeletionProtectionEnabled",
	} {
		k.want("the default of "+parameter, k.t.parameters[parameter]["Default"], "true")
		for _, value := range []string{"true", "false"} {
			s := &scene{name: parameter + " " + value, given: map[string]string{parameter: value}, t: k.t}
			got := s.props(k.t.resources["HubTable"])[property]
			if specification, ok := got.(object); ok {
				got = specification["PointInTimeRecoveryEnabled"]
			}
			k.want(s.name, got, value == "true")
		}
	}
}

// wantProperties checks that a table has these properties and no others, beside its key.
func (k *checker) wantProperties(r resource, want object) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		k.want(name+" of "+r.id, r.properties[name], want[name])
	}
	for name := range withoutKey(r) {
		if _, ok := want[name]; !ok {
			k.failf("%s has %s", r.id, name)
		}
	}
}

// wantRetained checks that a resource stays when the stack is deleted, and when
// CloudFormation replaces it, but not when a first deployment fails.
func (k *checker) wantRetained(r resource) {
	k.want("the policies of "+r.id, []any{r.raw["DeletionPolicy"], r.raw["UpdateReplacePolicy"]},
		[]any{"RetainExceptOnCreate", "Retain"})
}

// tableProperties returns the properties of a table that the SDK would create.
func tableProperties(in *dynamodb.CreateTableInput) object {
	var attributes, keys []any
	for _, a := range in.AttributeDefinitions {
		attributes = append(attributes, object{"AttributeName": *a.AttributeName, "AttributeType": string(a.AttributeType)})
	}
	for _, key := range in.KeySchema {
		keys = append(keys, object{"AttributeName": *key.AttributeName, "KeyType": string(key.KeyType)})
	}
	p := object{"BillingMode": string(in.BillingMode), "AttributeDefinitions": attributes, "KeySchema": keys}
	if in.StreamSpecification != nil {
		p["StreamSpecification"] = object{"StreamViewType": string(in.StreamSpecification.StreamViewType)}
	}
	return p
}
