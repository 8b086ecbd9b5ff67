package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeGo is a go command that runs scripts/samconfig, built once for a test, and passes all
// else to more commands of a shell.
func fakeGo(t *testing.T, more string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "scripts/samconfig/*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("scripts/samconfig is not there: %v", err)
	}
	for _, name := range names { // so that go test knows when its cached result is old
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(t.TempDir(), "samconfig")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join(root, "scripts/samconfig")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "#!/bin/sh\n" +
		`[ "$1 $2 $3 $4" != "run -C scripts/samconfig ." ] || { shift 4; exec '` + program + `' "$@"; }` + "\n" + more
}

// samconfigCases are texts of samconfig.toml, and what the environment of that name has in
// them. want is the stack, the profile, the Region and the parameters.
var samconfigCases = []struct{ name, environment, text, want string }{
	{"the environment", "prod", twoStages, "hub-prod shop eu-central-1 " +
		"BroadcastConcurrency=7 MonthlyBudget=50 TokenClients=web,app"},
	{"comments", "own", twoStages, "hub-own  us-east-2"},
	{"another's values", "default", document(`tags = ["stack_name=x", "region=mars-1"]`,
		`parameter_overrides = ["Limits=stack_name=x,region=y"]`), "hub   Limits=stack_name=x,region=y"},
	{"a key in another section", "default", `version = 0.1
[default.build.parameters]
region = "eu-north-1"
[default.deploy]
profile = "other"
[default.deploy.parameters]
stack_name = "hub"
[default-2.deploy.parameters]
region = "eu-south-1"
`, "hub  "},
	{"a name that is an expression", "a.c", `version = 0.1
[abc.deploy.parameters]
stack_name = "wrong"
["a.c".deploy.parameters]
stack_name = "right"
`, "right  "},
	{"deploy before global", "default", `version = 0.1
[default.deploy.parameters]
stack_name = "hub"
region = "eu-west-1"
[default.global.parameters]
stack_name = "other"
region = "eu-north-1"
profile = "all"
`, "hub all eu-west-1"},
	{"all parameters or none", "default", `version = 0.1
[default.global.parameters]
parameter_overrides = "Shorthand=true"
[default.deploy.parameters]
stack_name = "hub"
parameter_overrides = "MonthlyBudget=5"
`, "hub   MonthlyBudget=5"},
	{"inline tables, and dotted keys", "default", `version = 0.1
default.deploy.parameters = {stack_name = 'hub', region = "eu\u002dwest-1"}
`, "hub  eu-west-1"},
	{"one text", "default", document(`parameter_overrides = "Shorthand=\"true\" Limits=\"user=20,guest=3\""`),
		"hub   Limits=user=20,guest=3 Shorthand=true"},
	{"blanks in quotes", "default", document(`parameter_overrides = ['Deprecations="v1: deprecated x"', "Limits='a b'"]`),
		"hub   Deprecations=v1: deprecated x Limits=a b"},
	{"escaped blanks", "default", document(`parameter_overrides = 'Limits=a\ b Shorthand=true'`),
		"hub   Limits=a b Shorthand=true"},
	{"escaped quotes", "default", document(`parameter_overrides = 'Limits="a \"b\" c"'`), `hub   Limits=a "b" c`},
	{"the long form", "default", document(
		`parameter_overrides = "ParameterKey=Limits,ParameterValue=a=b ParameterKey=Shorthand,ParameterValue=\"true\""`),
		"hub   Limits=a=b Shorthand=true"},
	{"names in quotes", "default", document(`parameter_overrides = '"Limits"="x"'`), "hub   Limits=x"},
	{"the last one counts", "default", document(`parameter_overrides = ["A=1 B=1", "A=2", {B = "2"}]`), "hub   A=2 B=2"},
	{"lists in lists", "default", document(`parameter_overrides = ["A=1", ["B=2"], []]`), "hub   A=1 B=2"},
	{"tables", "default", document("[default.deploy.parameters.parameter_overrides]", `A = 1`, `B = "x y"`,
		`C = ["a", " b ", "", 3]`, `D = ""`), "hub   A=1 B=x y C=a,b,3 D="},
	{"a list of tables", "default", document("[[default.deploy.parameters.parameter_overrides]]", `A = 1`,
		"[[default.deploy.parameters.parameter_overrides]]", `B = 2`), "hub   A=1 B=2"},
	{"empty values", "default", document(`parameter_overrides = 'A="" B=x'`), "hub   A= B=x"},
	{"no parameters", "default", document(`parameter_overrides = ""`), "hub  "},
	{"a value that a shell would run", "default", document(`profile = "$(exit)"`,
		`parameter_overrides = {A = "x'; exit 9; '", B = "`+"`exit 9`"+`"}`), "hub $(exit)  A=x'; exit 9; ' B=`exit 9`"},
	{"a parameter called region", "default", document(`region = "eu-west-1"`, `parameter_overrides = "region=x"`),
		"hub  eu-west-1 region=x"},
}

// document is a samconfig.toml with more lines in the environment default.
func document(lines ...string) string {
	return "version = 0.1\n[default.deploy.parameters]\nstack_name = \"hub\"\n" + strings.Join(lines, "\n") + "\n"
}

// readAsScripts reads a samconfig.toml as the scripts do, and returns what they know then.
func readAsScripts(t *testing.T, goCommand, text, environment string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bin/go": goCommand, "bin/aws": "#!/bin/sh\nexit 1\n", "scripts/account": read(t, "scripts/account"),
		"samconfig.toml": text,
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", `. scripts/account
printf %s "$stack $setting_profile $setting_region"
for name in $(compgen -v parameter_); do printf ' %s=%s' "${name#parameter_}" "${!name}"; done`)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "STAGE=" + environment}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestSamconfig: the scripts read samconfig.toml as the SAM CLI does.
func TestSamconfig(t *testing.T) {
	goCommand := fakeGo(t, "exit 9\n")
	for _, tt := range samconfigCases {
		if got, err := readAsScripts(t, goCommand, tt.text, tt.environment); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// samJudge prints what sam deploy reads in cases from its standard input.
const samJudge = `
import json, pathlib, sys, tempfile
from samcli.cli.context import Context
from samcli.commands.deploy.command import cli

def read(case):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "samconfig.toml")
        path.write_text(case["Text"])
        try:
            arguments = ["--config-file", str(path), "--config-env", case["Environment"], "--template-file",
	sys.argv[1]]
            with cli.make_context("deploy", arguments) as deploy:
                common, own = deploy.ensure_object(Context), deploy.params
                return [own["stack_name"], common.profile or "", common.region or "", own["parameter_overrides"]]
        except Exception as e:
            return [type(e).__name__ + ": " + str(e), "", "", {}]

json.dump([read(case) for case in json.load(sys.stdin)], sys.stdout)
`

// TestSamconfigAsSAM: the SAM CLI itself agrees with the cases of [TestSamconfig].
func TestSamconfigAsSAM(t *testing.T) {
	python := filepath.Join(root, ".tools/cfn-lint/bin/python")
	if _, err := os.Stat(python); err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("the SAM CLI is missing, and HUB_TEST_TOOLS says it must not be")
		}
		t.Skip("the SAM CLI is missing: run scripts/ci-tools")
	}
	type question struct{ Text, Environment string }
	var questions []question
	profiles := filepath.Join(t.TempDir(), "config") // boto3 looks for those of the cases
	if err := os.WriteFile(profiles, []byte("[profile shop]\n[profile all]\n[profile $(exit)]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range samconfigCases {
		questions = append(questions, question{tt.text, tt.environment})
	}
	asked, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", samJudge, filepath.Join(root, "edge.yaml"))
	cmd.Stdin = strings.NewReader(string(asked))
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_CONFIG_FILE="+profiles, "HOME="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers [][4]any
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(samconfigCases) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, tt := range samconfigCases {
		got := fmt.Sprint(answers[i][0], " ", answers[i][1], " ", answers[i][2])
		parameters, _ := answers[i][3].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(parameters)) {
			got += fmt.Sprint(" ", key, "=", parameters[key])
		}
		if got != tt.want {
			t.Errorf("%s: the SAM CLI reads %q, and the test wants %q", tt.name, got, tt.want)
		}
	}
}

// TestSamconfigRefuses: what cannot be read, or would not be what it looks like, is one clear
// error and no default.
func TestSamconfigRefuses(t *testing.T) {
	goCommand := fakeGo(t, "exit 9\n")
	for name, tt := range map[string]struct{ environment, text, want string }{
		"no TOML":              {"default", "version = 0.1\n[default.deploy.parameters]\nstack_name = hub\n", "line 3"},
		"a key twice":          {"default", document(`region = "a"`, `region = "b"`), "line 5"},
		"a section twice":      {"default", document("[default.deploy.parameters]"), "line 4"},
		"no version":           {"default", strings.TrimPrefix(document(), "version = 0.1\n"), "first line: version = 0.1"},
		"a mistyped stage":     {"prdo", twoStages, "no environment prdo, but default, gov, old, own, prod"},
		"a setting of no kind": {"version", document(), "version is not a table"},
		"a number as a name":   {"default", "version = 0.1\n[default.deploy.parameters]\nstack_name = 5\n", "is not a text"},
		"a section of no kind": {"default", "version = 0.1\n[default]\ndeploy = \"hub\"\n", "default.deploy is not a table"},
		"blanks without quotes": {"default", document(`parameter_overrides = ["Deprecations=v1: deprecated x"]`),
			`would not read "deprecated x"`},
		"an empty value":  {"default", document(`parameter_overrides = ["EdgeDomainName="]`), `as 'NAME="VALUE"'`},
		"blanks around =": {"default", document(`parameter_overrides = "Shorthand = true"`), "would not read"},
		"both forms": {"default", document(`parameter_overrides = "ParameterKey=A,ParameterValue=1 B=2"`),
			`would not read "B=2"`},
		"no name": {"default", document(`parameter_overrides = {"a;b" = "c"}`), "no name of a parameter"},
		"a boolean": {"default", document(`parameter_overrides = {Shorthand = true}`),
			"Shorthand is true: write it in quotes"},
		"a file": {"default", document(`parameter_overrides = "file://more.yaml"`),
			"file://more.yaml is not read here"},
		"an included file": {"default", document(`parameter_overrides = {"$include" = "more.yaml"}`),
			"no name of a parameter"},
		"a list of numbers": {"default", document(`parameter_overrides = [5]`), "5 is neither"},
	} {
		got, err := readAsScripts(t, goCommand, tt.text, tt.environment)
		if err == nil || !strings.HasPrefix(got, "NO  samconfig.toml: ") || !strings.Contains(got, tt.want) ||
			strings.Count(got, "\n") != 1 {
			t.Errorf("%s: got %q, %v, want a line with %q", name, got, err, tt.want)
		}
	}
}

// TestSamconfigRuns: the scripts' own command reads a folder, whatever its name, and refuses
// the other files that the SAM CLI knows.
func TestSamconfigRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func() (string, error) {
		cmd := exec.Command("go", "run", "-C", "scripts/samconfig", ".", dir, "default")
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	const nothing = "setting_profile=''\nsetting_region=''\nsetting_stack_name=''\n"
	if got, err := run(); err != nil || got != nothing {
		t.Errorf("without a file: got %q, %v, want %q", got, err, nothing)
	}
	for _, name := range []string{"samconfig.yaml", "samconfig.yml"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := run(); err == nil || !strings.Contains(got, name+" is not read here") {
			t.Errorf("got %q, %v, want a word of %s", got, err, name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
