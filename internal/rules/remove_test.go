package rules

import (
	"strings"
	"testing"
)

// stackWithTables is a stack whose shop has carts of its own. Beside it is one whose first
// deployment failed.
func stackWithTables() account {
	return account{
		"aws configure get region": "eu-central-1",
		"aws cloudformation list-stack-resources --stack-name hub ": "Api\tabc\tCREATE_COMPLETE\n" +
			"InventoryTable\thub-InventoryTable-1\tUPDATE_COMPLETE\nCartTable\thub-CartTable-1\tDELETE_COMPLETE\n" +
			"HubTable\thub-HubTable-1\tCREATE_COMPLETE\nGuestKey\tarn:key\tCREATE_COMPLETE",
		"aws cloudformation list-stack-resources --stack-name failed ":              "CartTable\tcarts\tDELETE_COMPLETE",
		"aws cloudformation delete-stack --stack-name failed":                       "DELETED",
		"aws cloudformation wait stack-delete-complete --stack-name failed":         "WAITED",
		"aws cloudformation delete-stack --stack-name hub":                          "DELETED",
		"aws cloudformation wait stack-delete-complete --stack-name hub":            "WAITED",
		"aws dynamodb describe-table --table-name hub-InventoryTable-1 --query Tab": "arn:stream",
	}
}

// TestRemove: nothing is deleted before the answer, and what stays is named, with the
// parameters that use it again.
func TestRemove(t *testing.T) {
	for name, tt := range map[string]struct {
		args            []string
		samconfig, said string
		want, never     []string
	}{
		"yes": {[]string{"hub"}, "", "hub\n",
			[]string{"HubTable        hub-HubTable-1", "GuestKey        arn:key", "DELETED\nWAITED\n",
				`"InventoryTableName=hub-InventoryTable-1", "InventoryStreamArn=arn:stream",`}, []string{"CartTable"}},
		"by the stage": {nil, twoStages, "hub\n", []string{"DELETED\nWAITED\n"}, nil},
		"no":           {[]string{"hub"}, "", "y\n", []string{"hub-HubTable-1", "nothing was deleted"}, []string{"DELETED"}},
		"no answer":    {[]string{"hub"}, "", "", []string{"nothing was deleted"}, []string{"DELETED"}},
		"no stack":     {nil, "", "hub\n", []string{"name the stack"}, []string{"DELETED", "these stay"}},
		"a failed deployment": {[]string{"failed"}, "", "failed\n", []string{"nothing stays", "DELETED\nWAITED\n"},
			[]string{"parameters", "docs/deploy.md"}},
		"another": {[]string{"other"}, "", "other\n", nil, []string{"DELETED", "these stay"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := stackWithTables().command(t, tt.samconfig, "remove", tt.args...)
			cmd.Stdin = strings.NewReader(tt.said)
			out, err := cmd.CombinedOutput()
			if deleted := strings.Contains(string(out), "DELETED"); (err == nil) != deleted {
				t.Errorf("%v\n%s", err, out)
			}
			for _, text := range tt.want {
				if !strings.Contains(string(out), text) {
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
}
