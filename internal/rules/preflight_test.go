package rules

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// account is what the fake aws and sam answer. A key is the beginning of a command line, of
// which the longest counts, and a value "!TEXT" an error. A value may have variables of the shell.
type account map[string]string

// healthy is an account in which the first deployment works.
func healthy() account {
	return account{
		"sam --version":                      "SAM CLI, version 1.131.0",
		"aws sts get-caller-identity":        "123456789012",
		"aws configure get region":           "eu-central-1",
		"aws apigateway get-account":         "arn:aws:iam::123456789012:role/logs\t10000.0",
		"aws service-quotas":                 "500.0",
		"aws lambda get-account-settings":    "1000\t1000",
		"aws cloudformation describe-stacks": "!Stack with id sam-app does not exist",
		"aws dynamodb list-tables":           "",
		"aws logs describe-log-groups":       "None",
	}
}

// preflight runs scripts/preflight for a stage, and returns what it prints and whether it is
// content.
func preflight(t *testing.T, a account, samconfig, stage string) (text string, content bool) {
	t.Helper()
	cmd := a.command(t, samconfig, "preflight")
	cmd.Env = append(cmd.Env, "STAGE="+stage)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// command returns a script that finds this account and a samconfig.toml.
func (a account) command(t *testing.T, samconfig, script string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"setting", "account", script} {
		write("scripts/"+name, read(t, "scripts/"+name))
	}
	write("template.yaml", read(t, "template.yaml"))
	if samconfig != "" {
		write("samconfig.toml", samconfig)
	}
	fakes := map[string]string{}
	for _, line := range slices.SortedFunc(maps.Keys(a), func(a, b string) int { return len(b) - len(a) }) {
		answer := a[line]
		program, _, _ := strings.Cut(line, " ")
		out, status := "", "0"
		if text, isError := strings.CutPrefix(answer, "!"); isError {
			answer, out, status = text, " >&2", "1"
		}
		fakes[program] += "case \"" + program + " $*\" in \"" + line + "\"*) printf '%s\\n' \"" + answer + "\"" + out +
			"; exit " + status + ";; esac\n"
	}
	for program, script := range fakes {
		write("bin/"+program, "#!/bin/sh\n"+script+"exit 9\n")
	}
	for _, tool := range []string{"bash", "sh", "dirname", "sed", "head", "grep", "sort", "env", "awk"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(tool + " is missing")
		}
		if err := os.Symlink(path, filepath.Join(dir, "bin", tool)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "scripts", script), args...)
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin")}
	return cmd
}

// missing is the answer of a program that is not there, or of a command that fails.
const missing = "-"

// together is how many requests a second the hub may use by default, as docs/deploy.md says.
func together(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`\| together \| ([0-9 ]+) \|`).FindStringSubmatch(read(t, "docs/deploy.md"))
	if m == nil {
		t.Fatal("docs/deploy.md has no sum of requests")
	}
	return strings.ReplaceAll(m[1], " ", "")
}

// TestPreflight: what makes the first deployment fail is found, with what to do.
func TestPreflight(t *testing.T) {
	const parameters = "[default.deploy.parameters]\nstack_name = \"hub\"\nparameter_overrides = "
	for name, tt := range map[string]struct {
		changed   account // missing: the program is missing, or the command fails
		samconfig string
		want      string // a part of the one line that begins with NO; "": none
	}{
		"a healthy account": {},
		"no SAM CLI": {
			account{"sam --version": missing}, "", "the AWS SAM CLI is missing: install version 1.101.0"},
		"an old SAM CLI": {
			account{"sam --version": "SAM CLI, version 1.99.0"}, "", "the AWS SAM CLI is 1.99.0"},
		"no credentials": {
			account{"aws sts get-caller-identity": "!Unable to locate credentials"}, "", "aws sso login"},
		"no Region": {account{"aws configure get region": missing}, "", "set AWS_REGION"},
		"no role for logs": {
			account{"aws apigateway get-account": "None\t10000.0"}, "", "deploy with GatewayLogRole=create"},
		"the role is made": {
			account{"aws apigateway get-account": "None\t10000.0"}, parameters + `"GatewayLogRole=\"create\""`, ""},
		"another's role": {nil, parameters + `"Shorthand=\"true\" GatewayLogRole=\"create\""`, "would replace it"},
		"few requests": {account{"aws apigateway get-account": "role\t9800.0"}, "",
			"takes 9800 requests a second in this account, and the hub may use " + together(t)},
		"enough for small budgets": {account{"aws apigateway get-account": "role\t2500.0"}, parameters +
			`"MessagesPerSecond=20 PostsPerSecond=50 SweepPostsPerSecond=100 RestRequestsPerSecond=10"`, ""},
		"posts without a limit": {nil, parameters + `"PostsPerSecond=0"`, "posts have no limit"},
		"its own role for logs": {account{"aws apigateway get-account": "arn:aws:iam::1:role/hub-GatewayRole-1\t10000.0"},
			parameters + `"GatewayLogRole=create"`, ""},
		"tables of a former stack": {account{"aws dynamodb list-tables": "sam-app-CartTable-1A"}, "",
			"are left: sam-app-CartTable-1A - use them again"},
		"tables of others": {account{"aws dynamodb list-tables": "sam-app-Orders"}, "", ""},
		"taken log groups": {account{"aws logs describe-log-groups": "/sam-app/connect"}, "", "already"},
		"few connects":     {account{"aws service-quotas": "100.0"}, "", "opens 100 connections a second"},
		"few functions":    {account{"aws lambda get-account-settings": "10\t10"}, "", "runs 10 functions at once"},
		"nothing to reserve": {
			account{"aws lambda get-account-settings": "100\t100"}, parameters + `["BroadcastConcurrency=7"]`,
			"leaves 93 of Lambda's 100"},
		"a failed stack": {
			account{"aws cloudformation describe-stacks": "ROLLBACK_COMPLETE"}, parameters + `""`,
			"delete it (make remove STACK=hub)"},
		"a stack that changes": {
			account{"aws cloudformation describe-stacks": "UPDATE_IN_PROGRESS"}, "", "wait until that has ended"},
		"a good stack": {account{"aws cloudformation describe-stacks": "UPDATE_COMPLETE"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := healthy()
			maps.Copy(a, tt.changed)
			maps.DeleteFunc(a, func(_, answer string) bool { return answer == missing })
			text, content := preflight(t, a, tt.samconfig, "")
			var bad []string
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "NO  ") {
					bad = append(bad, line)
				}
			}
			switch {
			case content != (tt.want == ""):
				t.Errorf("content: %t\n%s", content, text)
			case tt.want == "" && len(bad)+strings.Count(text, "??  ") > 0:
				t.Errorf("want lines with ok alone:\n%s", text)
			case tt.want != "" && (len(bad) != 1 || !strings.Contains(bad[0], tt.want)):
				t.Errorf("got %q, want one line with %q", bad, tt.want)
			}
		})
	}
}

// TestPreflightCannotLook: without the rights to look, preflight names them, and does not
// stop the deployment.
func TestPreflightCannotLook(t *testing.T) {
	a := healthy()
	for line := range a {
		if strings.HasPrefix(line, "aws ") && !strings.Contains(line, "sts") && !strings.Contains(line, "configure") {
			a[line] = "!An error occurred (AccessDenied)"
		}
	}
	text, content := preflight(t, a, "", "")
	a["aws cloudformation describe-stacks"] = healthy()["aws cloudformation describe-stacks"] // then it looks for names
	more, also := preflight(t, a, "", "")
	for _, want := range []string{"apigateway:GET", "servicequotas:GetServiceQuota", "lambda:GetAccountSettings",
		"cloudformation:DescribeStacks", "dynamodb:ListTables", "logs:DescribeLogGroups"} {
		if !strings.Contains(text+more, want) {
			t.Errorf("no word of %s:\n%s%s", want, text, more)
		}
	}
	if !content || !also {
		t.Errorf("what it cannot see stops the deployment:\n%s%s", text, more)
	}
}

// twoStages are two environments, one of GovCloud, and one with comments, of a samconfig.toml.
const twoStages = `version = 0.1
[default.deploy.parameters]
stack_name = "hub"
region = "eu-west-1"
parameter_overrides = ["GatewayLogRole=create"]

[prod.global.parameters]
region = "eu-central-1"
profile = "shop"
[prod.deploy.parameters]
stack_name = "hub-prod"
parameter_overrides = "BroadcastConcurrency=\"7\" TokenClients=\"web,app\" MonthlyBudget=\"50\""
[gov.deploy.parameters]
stack_name = "hub-gov"
region = "us-gov-west-1"
parameter_overrides = ["MonthlyBudget=50"]

[own.deploy.parameters] # of one developer
# stack_name = "old"
stack_name = "hub-own"
region = "us-east-2" # was eu-west-1
[old.deploy.parameters]
region = "eu-north-1"
`

// TestPreflightReadsTheStage: each stage has its own stack, Region, profile and parameters.
func TestPreflightReadsTheStage(t *testing.T) {
	first := []string{
		"account-of-, Region eu-west-1", "the stack makes API Gateway's role", "the stack hub is UPDATE_COMPLETE",
	}
	for stage, want := range map[string][]string{
		"": first, "default": first,
		"prod": {"account-of-shop, Region eu-central-1", "deploy with GatewayLogRole=create",
			"BroadcastConcurrency=7 leaves 93", "the stack hub-prod is new"},
		"own":  {"account-of-, Region us-east-2", "the stack hub-own is new"},
		"test": {"account-of-, Region us-west-2", "deploy with GatewayLogRole=create", "the stack sam-app is new"},
	} {
		a := healthy()
		a["aws apigateway get-account"] = "None\t10000.0"
		a["aws lambda get-account-settings"] = "100\t100"
		a["aws configure get region"] = "us-west-2"
		a["aws sts get-caller-identity"] = "account-of-$AWS_PROFILE"
		a["aws cloudformation describe-stacks --stack-name hub --query"] = "UPDATE_COMPLETE"
		text, _ := preflight(t, a, twoStages, stage)
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("stage %q: no %q in\n%s", stage, line, text)
			}
		}
	}
}
