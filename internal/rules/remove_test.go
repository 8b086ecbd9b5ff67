package rules

import (
	"maps"
	"regexp"
	"strings"
	"testing"
)

// askHub asks the hub of the edge, in its own Region.
const askHub = "aws cloudformation describe-stacks --stack-name hub-prod --region eu-central-1 "

// stackWithTables is a stack whose shop has carts of its own. Beside it is one whose first
// deployment failed, and the edge of the stage prod.
func stackWithTables() account {
	a := account{
		"aws configure get region": "eu-central-1",
		"aws cloudformation list-stack-resources --stack-name hub ": "Api\tabc\tCREATE_COMPLETE\n" +
			"InventoryTable\thub-InventoryTable-1\tUPDATE_COMPLETE\nCartTable\thub-CartTable-1\tDELETE_COMPLETE\n" +
			"HubTable\thub-HubTable-1\tCREATE_COMPLETE\nGuestKey\tarn:key\tCREATE_COMPLETE",
		"aws dynamodb describe-table --table-name hub-InventoryTable-1 --query Tab": "arn:stream",
		"aws cloudformation list-stack-resources --stack-name failed ":              "CartTable\tcarts\tDELETE_COMPLETE",
		"aws cloudformation list-stack-resources --stack-name other ":               "!Stack with id other does not exist",
	}
	maps.Copy(a, account{
		"aws cloudformation list-stack-resources --stack-name hub-edge ": "EdgeSecret\tarn:secret\tCREATE_COMPLETE",
		"aws secretsmanager describe-secret --secret-id arn:secret ":     "eu-central-1",
		askHub: "None",
	})
	const takeCopyAway = "aws secretsmanager remove-regions-from-replication --secret-id arn:secret "
	a[takeCopyAway+"--remove-replica-regions eu-central-1"] = ""
	for _, stack := range []string{"hub", "failed", "hub-edge"} {
		a["aws cloudformation delete-stack --stack-name "+stack+" "] = "DELETED in $AWS_REGION"
		a["aws cloudformation wait stack-delete-complete --stack-name "+stack+" "] = "WAITED"
	}
	return a
}

// TestRemove: nothing is deleted before the answer, and what stays is named, with the
// parameters that use it again. Each of the script's messages has a case.
func TestRemove(t *testing.T) {
	const edge = "[prod-edge.deploy.parameters]\nstack_name = \"hub-edge\"\n" +
		"[lone-edge.deploy.parameters]\nstack_name = \"hub-edge\"\n"
	const failsToDelete = "aws cloudformation wait stack-delete-complete --stack-name hub "
	tried := newSaying(t, "remove")
	cases := map[string]struct {
		changed           account
		args              []string
		stage, said       string
		want, never       []string
		deleted, complete bool
	}{
		"yes": {nil, []string{"hub"}, "", "hub\n",
			[]string{"HubTable        hub-HubTable-1", "GuestKey        arn:key", "DELETED in eu-west-1\nWAITED\n",
				`"InventoryTableName=hub-InventoryTable-1",` + "\n  " + `"InventoryStreamArn=arn:stream",`,
				"docs/deploy.md (Get out again)"}, []string{"CartTable"}, true, true},
		"by the stage": {nil, nil, "default", "hub\n", []string{"DELETED in eu-west-1\nWAITED\n"}, nil, true, true},
		"no": {nil, []string{"hub"}, "", "y\n", []string{"hub-HubTable-1", "InventoryStreamArn=arn:stream",
			"nothing was deleted"}, nil, false, false},
		"no answer": {nil, []string{"hub"}, "", "", []string{"nothing was deleted"}, nil, false, false},
		"no stack": {nil, nil, "old", "hub\n", []string{"NO  samconfig.toml has no stack_name"}, []string{"these"}, false,
			false},
		"no stage": {nil, nil, "prdo", "hub\n", []string{"there is no environment prdo"}, []string{"these"}, false, false},
		"no streams": {account{"aws dynamodb describe-table": "None"}, []string{"hub"}, "", "hub\n",
			[]string{"hub-InventoryTable-1 has no stream"}, []string{"InventoryStreamArn"}, true, true},
		"a failed deployment": {nil, []string{"failed"}, "", "failed\n", []string{"nothing stays",
			"DELETED in eu-west-1\nWAITED\n"},
			[]string{"parameters", "docs/deploy.md"}, true, true},
		"another": {nil, []string{"other"}, "", "other\n", []string{"Stack with id other does not exist",
			"NO  the stack other cannot be read in the Region eu-west-1"}, []string{"these stay"}, false, false},
		"a deletion that fails": {account{failsToDelete: "!Waiter encountered a terminal failure state",
			"aws cloudformation describe-stack-resources --stack-name hub ": "Api\tit is in use"}, []string{"hub"}, "", "hub\n",
			[]string{"Api\tit is in use\nNO  the deletion of hub did not end: mend what stands above, and run make remove again",
				"InventoryStreamArn=arn:stream"}, []string{"The stack is deleted"}, true, false},
		"a deletion that is refused": {account{"aws cloudformation delete-stack --stack-name hub ": "!TerminationProtection"},
			[]string{"hub"}, "", "hub\n", []string{"TerminationProtection"}, []string{"WAITED", "is deleted"}, false, false},
		"a deletion that nobody sees": {account{failsToDelete: "!The security token has expired",
			"aws cloudformation describe-stack-resources --stack-name hub ": "!The security token has expired"}, []string{"hub"},
			"", "hub\n", []string{"NO  the deletion of hub did not end"}, []string{"The stack is deleted"}, true, false},

		"an edge": {nil, nil, "prod-edge", "hub-edge\n", []string{"Of the stack hub-edge nothing stays.",
			"All else goes: the distr",
			"DELETED in us-east-1\nWAITED\n"}, []string{"API keys"}, true, true},
		"an edge that is in use": {account{askHub: "arn:copy"}, nil,
			"prod-edge", "hub-edge\n", []string{"NO  hub-prod admits only what comes through this edge"}, nil, false, false},
		"an edge without its hub": {account{"aws cloudformation describe-stacks --stack-name hub-prod": "!does not exist"},
			nil,
			"prod-edge", "hub-edge\n", nil, nil, true, true},
		"an edge whose hub cannot be seen": {account{askHub: "!AccessDenied"}, nil, "prod-edge", "hub-edge\n",
			[]string{"NO  whether hub-prod needs this edge cannot be seen", "AccessDenied"}, nil, false, false},
		"an edge whose hub has no name": {nil, nil, "lone-edge", "hub-edge\n",
			[]string{"NO  samconfig.toml has no stack_name for the hub of this edge"}, nil, false, false},
		"an edge by its name": {nil, []string{"hub-edge"}, "", "hub-edge\n",
			[]string{"NO  the stack hub-edge is an edge: name its stage"}, nil, false, false},
		"an edge whose copy stays": {account{"aws secretsmanager remove-regions-from-replication": "!AccessDenied"}, nil,
			"prod-edge", "hub-edge\n", []string{"AccessDenied"}, nil, false, false},
		"an edge without a copy": {account{"aws secretsmanager describe-secret": "None",
			"aws secretsmanager remove-regions-from-replication":                          "!there is none",
			"aws cloudformation describe-stacks --stack-name hub-prod --region us-east-1": "None"}, nil,
			"prod-edge", "hub-edge\n", nil, nil, true, true},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			a := stackWithTables()
			for changed := range tt.changed { // a shorter beginning counts for all that begin so
				maps.DeleteFunc(a, func(line, _ string) bool { return strings.HasPrefix(line, changed) })
			}
			maps.Copy(a, tt.changed)
			cmd := a.command(t, tried, twoStages+edge, "remove", tt.args...)
			cmd.Env = append(cmd.Env, "STAGE="+tt.stage)
			cmd.Stdin = strings.NewReader(tt.said)
			out, err := cmd.CombinedOutput()
			deleted, complete := strings.Contains(string(out), "DELETED"), strings.Contains(string(out), "The stack is deleted.")
			if (err == nil) != tt.complete || deleted != tt.deleted || complete != tt.complete {
				t.Errorf("deleted %t, complete %t, %v\n%s", deleted, complete, err, out)
			}
			for _, text := range tt.want {
				if !strings.Contains(strings.ReplaceAll(string(out), "a warning\n", ""), text) {
					t.Errorf("no %q in\n%s", text, out)
				}
			}
			for _, text := range tt.never {
				if strings.Contains(string(out), text) {
					t.Errorf("%q in\n%s", text, out)
				}
			}
		})
	}
	tried.check(t, "remove", len(cases))
}

// TestRemoveNames: the script names all that a deletion leaves, and nothing else.
func TestRemoveNames(t *testing.T) {
	m := regexp.MustCompile(`(?m)^for name in (.*Table.*); do`).FindStringSubmatch(read(t, "scripts/remove"))
	if m == nil {
		t.Fatal("scripts/remove has no list")
	}
	named := map[string]bool{}
	for name := range strings.FieldsSeq(m[1]) {
		named[name] = true
	}
	_, whole := readTemplate(t)
	for id, r := range whole.resources {
		// The account's setting, which names the role, has nothing to delete.
		policy, _ := r.raw["DeletionPolicy"].(string)
		if stays := strings.HasPrefix(policy, "Retain") && id != "GatewayAccount"; stays != named[id] {
			t.Errorf("%s, which stays: %t, is named: %t", id, stays, named[id])
		}
	}
}
