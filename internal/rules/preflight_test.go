package rules

import (
	"cmp"
	"fmt"
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
		"aws cloudformation describe-stacks": "!Stack with id hub does not exist",
		"aws dynamodb list-tables":           "",
		"aws logs describe-log-groups":       "None",
	}
}

// preflight runs scripts/preflight for a stage, and returns what it prints and whether it is
// content. tried collects what it says.
func preflight(t *testing.T, tried *saying, a account, samconfig, stage string) (text string, content bool) {
	t.Helper()
	cmd := a.command(t, tried, samconfig, "preflight")
	cmd.Env = append(cmd.Env, "STAGE="+stage)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// command returns a script that finds this account and a samconfig.toml.
func (a account) command(t *testing.T, tried *saying, samconfig, script string, args ...string) *exec.Cmd {
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
	for _, name := range []string{"account", script} {
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
		careful := ""
		if program == "aws" {
			careful = carefully
		}
		write("bin/"+program, "#!/bin/sh\n"+careful+script+"exit 9\n")
	}
	write("bin/go", tried.goCommand)
	tools := []string{"bash", "sh", "dirname", "sed", "head", "grep", "sort", "env", "awk", "mktemp", "rm", "cat"}
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(tool + " is missing")
		}
		if err := os.Symlink(path, filepath.Join(dir, "bin", tool)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := tried.command(t, filepath.Join(dir, "scripts", script), args...)
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin"), "TMPDIR=" + dir, "BASH_XTRACEFD=3"}
	return cmd
}

// carefully lets a fake aws refuse a call that may wait forever, or prints what the user's
// configuration says (a pager, JSON). It warns on standard error, as some versions do.
const carefully = `case "$*" in *--cli-read-timeout*|'configure get region') ;; *) exit 8 ;; esac
case "${AWS_PAGER-less} $*" in ' '*'--output text'*) ;; *--query*) exit 7 ;; esac
echo a warning >&2
`

// saying collects which of its messages a script has printed, in all cases of a test.
type saying struct {
	goCommand string
	text      string // the script
	lines     map[string]bool
	runs      int
}

// newSaying begins the test of a script.
func newSaying(t *testing.T, script string) *saying {
	t.Helper()
	return &saying{goCommand: fakeGo(t, "exit 9\n"), text: read(t, "scripts/"+script), lines: map[string]bool{}}
}

// command returns a script that bash traces.
func (s *saying) command(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	s.runs++
	trace, err := os.Create(filepath.Join(t.TempDir(), "trace"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		trace.Close()
		text, err := os.ReadFile(trace.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range traced.FindAllStringSubmatch(string(text), -1) {
			s.lines[m[1]+":"+m[2]] = true
		}
	})
	const run = `PS4='+=${BASH_SOURCE-}:$LINENO= '; set -x; . "$0" "$@"`
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{"-c", run, script}, args...)...)
	cmd.ExtraFiles = []*os.File{trace}
	return cmd
}

var traced = regexp.MustCompile(`(?m)^\++=[^\n]*?(\w+):(\d+)= `)

// messageLine is a line of a script that prints something for its user.
var messageLine = regexp.MustCompile(`(^|[\t ;|&])(ok|no|unknown|fail|echo|say) "`)

// check fails for each message that no case has seen, if all cases ran.
func (s *saying) check(t *testing.T, script string, cases int) {
	t.Helper()
	if s.runs < cases {
		return
	}
	number := 0
	for line := range strings.Lines(s.text) {
		number++
		if messageLine.MatchString(line) && !s.lines[fmt.Sprintf("%s:%d", script, number)] {
			t.Errorf("scripts/%s:%d: no case prints this:\n%s", script, number, line)
		}
	}
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

// TestPreflight: what makes the first deployment fail is found, with what to do. Each of the
// script's messages has a case.
func TestPreflight(t *testing.T) {
	tried := newSaying(t, "preflight")
	cases := preflightCases(t)
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			a := healthy()
			maps.Copy(a, tt.changed)
			maps.DeleteFunc(a, func(_, answer string) bool { return answer == missing })
			text, content := preflight(t, tried, a, cmp.Or(tt.samconfig, document()), tt.stage)
			var bad []string
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "NO  ") || strings.HasPrefix(line, "??  ") {
					bad = append(bad, line)
				} else if !strings.HasPrefix(line, "ok  ") {
					t.Errorf("a line of no kind: %s", line)
				}
			}
			switch {
			case content != !strings.HasPrefix(tt.want, "NO"):
				t.Errorf("content: %t\n%s", content, text)
			case tt.want == "" && len(bad) > 0:
				t.Errorf("want lines with ok alone:\n%s", text)
			case tt.want != "" && (len(bad) != 1 || bad[0][:4] != tt.want[:4] || !strings.Contains(bad[0], tt.want[4:])):
				t.Errorf("got %q, want one line with %q:\n%s", bad, tt.want, text)
			}
		})
	}
	t.Run("each stage", func(t *testing.T) { testPreflightStages(t, tried) })
	tried.check(t, "preflight", len(cases))
}

type preflightCase struct {
	changed   account // missing: the program is missing, or the command fails
	samconfig string
	stage     string
	want      string // the one line that begins with NO or ??, and a part of it; "": none
}

// preflightCases are accounts with one thing that is wrong, and some with none.
func preflightCases(t *testing.T) map[string]preflightCase {
	t.Helper()
	parameters := func(text string) string { return document("parameter_overrides = " + text) }
	const denied = "!\nAn error occurred (AccessDenied) when calling it: no right\n"
	stack := func(answer string) account { return account{"aws cloudformation describe-stacks": answer} }
	with := func(account account, want string) preflightCase { return preflightCase{changed: account, want: want} }
	written := func(text, want string) preflightCase { return preflightCase{samconfig: text, want: want} }
	return map[string]preflightCase{
		"a healthy account": {},

		"no SAM CLI": with(account{"sam --version": missing},
			"NO  the AWS SAM CLI is missing: install version 1.101.0"),
		"an old SAM CLI":      with(account{"sam --version": "SAM CLI, version 1.99.0"}, "NO  the AWS SAM CLI is 1.99.0"),
		"a SAM CLI that ails": with(account{"sam --version": "!no module samcli"}, "NO  the AWS SAM CLI is of an unknown"),
		"no aws command": with(account{
			"aws sts get-caller-identity": missing, "aws configure get region": missing, "aws apigateway get-account": missing,
			"aws service-quotas": missing, "aws lambda get-account-settings": missing, "aws logs describe-log-groups": missing,
			"aws cloudformation describe-stacks": missing, "aws dynamodb list-tables": missing,
		}, "NO  the aws command is missing"),

		"no stack": written("version = 0.1\n", "NO  samconfig.toml has no stack_name for the environment default"),
		"a mistyped stage": {samconfig: twoStages, stage: "prdo",
			want: "NO  samconfig.toml: there is no environment prdo"},
		"a mistyped name": written(parameters(`"GatewayLogRoll=create"`),
			"NO  samconfig.toml sets GatewayLogRoll, which"),
		"half a name":         written(parameters(`"PerSecond=1"`), "NO  samconfig.toml sets PerSecond, which"),
		"a name of resources": written(parameters(`"HubTable=1"`), "NO  samconfig.toml sets HubTable, which"),
		"an edge": {samconfig: strings.Replace(document(), "default", "prod-edge", 1), stage: "prod-edge",
			want: "NO  prod-edge is the environment of an edge, which make edge STAGE=prod deploys"},
		"words for a number": written(parameters(`"MessagesPerSecond=many"`), "NO  MessagesPerSecond is many, which is not"),
		"an octal number": written(parameters(`"BroadcastConcurrency=08"`),
			"NO  BroadcastConcurrency is 08, which is not"),

		"no credentials": with(account{"aws sts get-caller-identity": "!Unable to locate credentials"},
			"NO  no valid credentials: run aws sso login or aws configure, or set AWS_PROFILE (Unable to locate credentials)"),
		"an expired session": {account{"aws sts get-caller-identity": "!\nThe SSO session has expired\n"},
			document(`profile = "shop"`), "",
			"NO  no valid credentials: run aws sso login --profile shop or aws configure, or set " +
				"AWS_PROFILE (The SSO session has expired)"},
		"a Region that is switched off": with(account{
			"aws sts get-caller-identity": "!An error occurred (InvalidClientTokenId)"},
			"NO  AWS does not know the credentials in eu-central-1: enable that Region"),
		"no network": with(account{"aws sts get-caller-identity": "!Could not connect to the endpoint URL"},
			"NO  no valid credentials: run aws sso login or aws configure, or set AWS_PROFILE (Could not connect"),
		"silence":   with(account{"aws sts get-caller-identity": "!"}, "NO  no valid credentials: run aws sso login"),
		"no Region": with(account{"aws configure get region": missing}, "NO  no Region: set AWS_REGION"),

		"no role for logs": with(account{"aws apigateway get-account": "None\t10000.0"},
			"NO  API Gateway has no role for its logs in this Region: deploy with GatewayLogRole=create"),
		"the role is made": {account{"aws apigateway get-account": "None\t10000.0"},
			parameters(`"GatewayLogRole=\"create\""`), "", ""},
		"another's role": written(parameters(`"Shorthand=\"true\" GatewayLogRole=\"create\""`),
			"NO  API Gateway has the role "+
				"arn:aws:iam::123456789012:role/logs for its logs: with GatewayLogRole=create the stack would replace it"),
		"its own role for logs": {account{"aws apigateway get-account": "arn:aws:iam::1:role/hub-GatewayRole-1\t10000.0"},
			parameters(`"GatewayLogRole=create"`), "", ""},
		"no right to see the role": with(account{"aws apigateway get-account": denied},
			"??  API Gateway's settings of the account, for which one needs apigateway:GET on /account (An error occurred"),
		"few requests": with(account{"aws apigateway get-account": "role\t9800.0"},
			"NO  API Gateway takes 9800 requests a second in this account, and the hub may use "+together(t)),
		"no figure of requests": with(account{"aws apigateway get-account": "role\tNone"},
			"??  API Gateway's quota of requests: it answered role\tNone"),
		"enough for small budgets": {account{"aws apigateway get-account": "role\t2500.0"}, parameters(
			`"MessagesPerSecond=20 PostsPerSecond=50 SweepPostsPerSecond=100 RestRequestsPerSecond=10"`), "", ""},
		"posts without a limit":  written(parameters(`"PostsPerSecond=0"`), "NO  posts have no limit"),
		"sweeps without a limit": written(parameters(`"SweepPostsPerSecond=0"`), "NO  posts have no limit"),

		"few connects": with(account{"aws service-quotas": "100.0"}, "NO  API Gateway opens 100 connections a second"),
		"only a default of connects": with(account{
			"aws service-quotas get-service-quota":             "!An error (NoSuchResourceException)",
			"aws service-quotas get-aws-default-service-quota": "500.0"}, ""),
		"no right to see connects": with(account{"aws service-quotas": denied},
			"??  the quota of new connections, for which one needs servicequotas:GetServiceQuota (An error occurred"),
		"throttled": with(account{"aws service-quotas": "!An error occurred (TooManyRequestsException)"},
			"??  the quota of new connections, for which one needs servicequotas:GetServiceQuota (An error occurred (TooMany"),
		"no figure of connects": with(account{"aws service-quotas": "None"},
			"??  the quota of new connections: Service Quotas "+
				"answered None"),

		"few functions": with(account{"aws lambda get-account-settings": "10\t10"}, "NO  Lambda runs 10 functions at once"),
		"nothing to reserve": {account{"aws lambda get-account-settings": "100\t100"},
			parameters(`["BroadcastConcurrency=7"]`),
			"", "NO  BroadcastConcurrency=7 leaves 93 of Lambda's 100"},
		"reserved already": {account{"aws lambda get-account-settings": "110\t103",
			"aws cloudformation describe-stacks": "UPDATE_COMPLETE\t7"}, parameters(`["BroadcastConcurrency=7"]`), "", ""},
		"not all reserved already": {account{"aws lambda get-account-settings": "110\t103",
			"aws cloudformation describe-stacks": "UPDATE_COMPLETE\t7"}, parameters(`["BroadcastConcurrency=17"]`), "",
			"NO  BroadcastConcurrency=17 leaves 93 of Lambda's 110"},
		"no right to see functions": with(account{"aws lambda get-account-settings": denied},
			"??  Lambda's concurrent executions, for which one needs lambda:GetAccountSettings (An error occurred"),
		"no figure of functions": with(account{"aws lambda get-account-settings": "None\tNone"},
			"??  Lambda's concurrent executions: it answered None"),

		"a failed stack": with(stack("ROLLBACK_COMPLETE\tNone"), "NO  the stack hub is ROLLBACK_COMPLETE and cannot be "+
			"deployed to: delete it (make remove STAGE=default)"),
		"one that was not rolled back": with(stack("CREATE_FAILED\tNone"), "NO  the stack hub is CREATE_FAILED and cannot"),
		"a failed rollback": with(stack("ROLLBACK_FAILED\tNone"),
			"NO  the stack hub is ROLLBACK_FAILED and cannot"),
		"a failed deletion": with(stack("DELETE_FAILED\tNone"), "NO  the stack hub is DELETE_FAILED and cannot"),
		"a failed rollback of an update": with(stack("UPDATE_ROLLBACK_FAILED\t0"), "NO  the stack hub is "+
			"UPDATE_ROLLBACK_FAILED: mend what its events name, then run aws cloudformation continue-update-rollback"),
		"a failed update": with(stack("UPDATE_FAILED\t0"), "NO  the stack hub is UPDATE_FAILED: run aws cloudformation "+
			"rollback-stack --region eu-central-1 --stack-name hub"),
		"a stack that changes": with(stack("UPDATE_IN_PROGRESS\t0"),
			"NO  the stack hub is UPDATE_IN_PROGRESS: wait until"),
		"a stack that was not made": with(stack("REVIEW_IN_PROGRESS\tNone"), ""),
		"an update taken back":      with(stack("UPDATE_ROLLBACK_COMPLETE\t0"), ""),
		"a good stack":              with(stack("UPDATE_COMPLETE\t0"), ""),
		"no right to see stacks": with(stack(denied),
			"??  the stack hub, for which one needs cloudformation:DescribeStacks (An"),

		"tables of a former stack": with(account{"aws dynamodb list-tables": "hub-CartTable-1A\nhub-InventoryTable-1A"},
			"NO  tables of a former stack hub are left: hub-CartTable-1A hub-InventoryTable-1A - use them again"),
		"tables that are used again": {account{"aws dynamodb list-tables": "hub-CartTable-1A\thub-InventoryTable-1A"},
			parameters(`"InventoryTableName=hub-InventoryTable-1A CartTableName=hub-CartTable-1A"`), "", ""},
		"one table that is used again": {account{"aws dynamodb list-tables": "hub-CartTable-1A\thub-InventoryTable-1A"},
			parameters(`"InventoryTableName=hub-InventoryTable-1A"`), "",
			"NO  tables of a former stack hub are left: hub-CartTable"},
		"the hub's former table": with(account{"aws dynamodb list-tables": "hub-HubTable-1A"},
			"??  the table of a former hub is left: hub-HubTable-1A - a new one starts without it"),
		"tables of others": with(account{"aws dynamodb list-tables": "hub-Orders\thub-CartTables"}, ""),
		"no right to see tables": with(account{"aws dynamodb list-tables": denied},
			"??  tables of a former stack, for which one needs dynamodb:ListTables (An error occurred"),
		"taken log groups": with(account{"aws logs describe-log-groups": "/hub/connect"}, "NO  log groups are there already"),
		"a taken log group of orders": {account{
			"aws logs describe-log-groups --log-group-name-prefix /aws/vendedlogs/hub/ ": "/aws/vendedlogs/hub/orders-access"},
			parameters(`"OrdersListenerArn=arn:listener"`), "",
			"NO  log groups are there already, and the stack cannot make them: /aws/vendedlogs/hub/orders-access"},
		"a log group without orders": with(account{
			"aws logs describe-log-groups --log-group-name-prefix /aws/vendedlogs/hub/ ": "/aws/vendedlogs/hub/x"}, ""),
		"names taken before a change set": with(account{"aws cloudformation describe-stacks": "REVIEW_IN_PROGRESS\tNone",
			"aws logs describe-log-groups": "/hub/connect"}, "NO  log groups are there already"),
		"empty log groups": with(account{"aws logs describe-log-groups": ""}, ""),
		"no right to see log groups": with(account{"aws logs describe-log-groups": denied},
			"??  log groups of that name, for which one needs logs:DescribeLogGroups (An error occurred"),
	}
}

// TestPreflightSeesLogGroups: the script looks for each log group that the stack makes.
func TestPreflightSeesLogGroups(t *testing.T) {
	names := regexp.MustCompile(`LogGroupName: (.*)`).FindAllStringSubmatch(read(t, "template.yaml"), -1)
	if len(names) == 0 {
		t.Error("template.yaml names no log group")
	}
	for _, m := range names {
		prefix, _, _ := strings.Cut(strings.TrimPrefix(m[1], "!Sub "), "${AWS::StackName}/")
		if !strings.Contains(read(t, "scripts/preflight"), `"`+prefix+`$stack/"`) {
			t.Errorf("scripts/preflight does not look for %s", m[1])
		}
	}
}

// testPreflightStages: each stage has its own stack, Region, profile and parameters.
func testPreflightStages(t *testing.T, tried *saying) {
	first := []string{
		"account-of-, Region eu-west-1", "the stack makes API Gateway's role", "the stack hub is UPDATE_COMPLETE",
	}
	for stage, want := range map[string][]string{
		"": first, "default": first,
		"prod": {"account-of-shop, Region eu-central-1", "deploy with GatewayLogRole=create",
			"BroadcastConcurrency=7 leaves 93", "the stack hub-prod is new"},
		"own": {"account-of-, Region us-east-2", "the stack hub-own is new"},
	} {
		a := healthy()
		a["aws apigateway get-account"] = "None\t10000.0"
		a["aws lambda get-account-settings"] = "100\t100"
		a["aws configure get region"] = "us-west-2"
		a["aws sts get-caller-identity"] = "account-of-$AWS_PROFILE"
		a["aws cloudformation describe-stacks --stack-name hub --query"] = "UPDATE_COMPLETE"
		text, _ := preflight(t, tried, a, twoStages, stage)
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("stage %q: no %q in\n%s", stage, line, text)
			}
		}
	}
}

// TestAccount: aws and sam get the profile and the Region of the stage, whatever else the
// environment names. An edge is in us-east-1.
func TestAccount(t *testing.T) {
	const keys = "AWS_ACCESS_KEY_ID=AKIA"
	for name, tt := range map[string]struct {
		lines, stage string
		env          []string
		want         string // the profile, the key, and both variables of the Region
	}{
		"the stage's": {`profile = "shop"` + "\n" + `region = "eu-west-1"`, "default", []string{keys, "AWS_PROFILE=other",
			"AWS_DEFAULT_PROFILE=other", "AWS_REGION=us-west-1", "AWS_DEFAULT_REGION=us-west-2"},
			"shop - - eu-west-1 eu-west-1"},
		"the environment's": {"", "default", []string{keys, "AWS_PROFILE=other", "AWS_REGION=us-west-1",
			"AWS_DEFAULT_REGION=us-west-2"}, "other - AKIA us-west-1 us-west-1"},
		"the older variable's": {"", "default", []string{"AWS_DEFAULT_REGION=us-west-2"}, "- - - us-west-2 us-west-2"},
		"the profile's":        {"", "default", nil, "- - - eu-central-1 eu-central-1"},
		"an edge": {`region = "eu-west-1"`, "prod-edge", []string{"AWS_REGION=us-west-1"},
			"- - - us-east-1 us-east-1"},
	} {
		tried := newSaying(t, "account")
		samconfig := strings.Replace(document(tt.lines), "default", tt.stage, 1)
		cmd := healthy().command(t, tried, samconfig, "account")
		cmd.Args[2] = `. scripts/account
echo "${AWS_PROFILE:--} ${AWS_DEFAULT_PROFILE:--} ${AWS_ACCESS_KEY_ID:--} ${AWS_REGION:--} ${AWS_DEFAULT_REGION:--}"`
		cmd.Dir = filepath.Dir(filepath.Dir(cmd.Args[3]))
		cmd.Env = append(cmd.Env, append(tt.env, "STAGE="+tt.stage)...)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, tt.want)
		}
	}
}

// TestWithoutGo: the scripts say that they need Go.
func TestWithoutGo(t *testing.T) {
	cmd := healthy().command(t, newSaying(t, "preflight"), document(), "preflight")
	if err := os.Remove(filepath.Join(filepath.Dir(filepath.Dir(cmd.Args[3])), "bin/go")); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if want := "NO  Go is missing: the scripts read samconfig.toml with it\n"; err == nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
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
