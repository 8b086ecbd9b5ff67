package rules

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
)

// needMake skips a test without make, if that is permitted.
func needMake(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("make is missing, and HUB_TEST_TOOLS says it must not be")
		}
		t.Skip("make is missing")
	}
}

// makeRun is a folder with the Makefile, the scripts, a samconfig.toml and fake programs.
type makeRun struct {
	dir string
	out string
	err error
}

// file returns the text of a file in the folder, "" if it is not there.
func (r makeRun) file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// runMake runs make in such a folder. files are more files, fakes among them.
func runMake(t *testing.T, tried *saying, files map[string]string, args ...string) makeRun {
	t.Helper()
	needMake(t)
	dir := filepath.Join(t.TempDir(), "a folder")
	all := map[string]string{"Makefile": read(t, "Makefile"), "template.yaml": read(t, "template.yaml"),
		"edge.yaml": read(t, "edge.yaml"), "go": tried.goCommand}
	for _, name := range []string{"account", "deploy", "edge", "no-budget.sed"} {
		all["scripts/"+name] = read(t, "scripts/"+name)
	}
	maps.Copy(all, files)
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("make", append([]string{"-s"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=")
	out, err := cmd.CombinedOutput()
	return makeRun{dir, string(out), err}
}

// deployFakes are programs for make deploy. They record what they get, and refuse a wrong
// order. stack is what aws prints of a stack, "!TEXT" an error.
func deployFakes(tried *saying, samconfig, stack string) map[string]string {
	aws := "#!/bin/sh\n[ ! -e made ] || { echo CREATE_COMPLETE && exit; }\necho '" + stack + "'\n"
	if text, isError := strings.CutPrefix(stack, "!"); isError {
		aws = strings.Replace(aws, "echo '"+stack+"'", "echo '"+text+"' >&2\nexit 254", 1)
	}
	return map[string]string{
		"samconfig.toml": samconfig,
		"aws":            aws,
		"git":            "#!/bin/sh\necho 8c2f-dirty\n",
		"go": tried.goCommand[:strings.LastIndex(tried.goCommand, "exit 9")] + `[ -e looked ] || exit 1
if [ "$1" = test ]; then
	echo "$* $DEPRECATIONS" >checked
	[ ! -e refuse ] || exit 1
	exit
fi
for last; do :; done
mkdir -p "build/$last" && echo bytes >"build/$last/bootstrap" && echo "$GOARCH $last" >>built
`,
		"scripts/preflight": "#!/bin/sh\necho $STAGE >stage\n[ ! -e checked ] && [ ! -e built ] && echo >looked\n",
		"sam": `#!/bin/sh
[ -e checked ] && cp built had && echo "$*" >>args
grep -c 'Enabled: !If .Protected' build/template.yaml >>protected
[ -e declined ] || echo >made
[ ! -e fail ] || [ "$(wc -l <protected)" -lt "$(cat fail)" ]
`,
	}
}

// TestDeploy: whatever was built before and whatever ARCH says, make deploy builds for the
// processor of the template, and checks the deprecations in samconfig.toml. A new stack has
// tables that CloudFormation can delete, until it is made. Only a stage with a budget has one
// in its template, and none in GovCloud.
func TestDeploy(t *testing.T) {
	var wantBuilt []string
	for _, f := range []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"} {
		wantBuilt = append(wantBuilt, processor(t)+" ./"+f)
	}
	const isNew = "!An error occurred (ValidationError): Stack with id hub does not exist"
	ends := document(`parameter_overrides = ['Deprecations="v1: deprecated x"']`)
	tried := newSaying(t, "deploy")
	for name, tt := range map[string]struct {
		stage, samconfig, stack string
		protected               string // how many tables, in each deployment
		deprecations            string
	}{
		"a new stack":         {"default", twoStages, isNew, "0 3", ""},
		"no stage":            {"", twoStages, isNew, "0 3", ""},
		"a stack never made":  {"default", twoStages, "REVIEW_IN_PROGRESS", "0 3", ""},
		"an old stack":        {"prod", twoStages, "UPDATE_COMPLETE", "3", ""},
		"GovCloud":            {"gov", twoStages, "UPDATE_ROLLBACK_COMPLETE", "3", ""},
		"with a version ends": {"default", ends, "CREATE_COMPLETE", "3", "v1: deprecated x"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"deploy", "ARCH=other"}
			if tt.stage != "" {
				args = append(args, "STAGE="+tt.stage)
			}
			r := runMake(t, tried, deployFakes(tried, tt.samconfig, tt.stack), args...)
			if r.err != nil {
				t.Fatalf("make deploy: %v\n%s", r.err, r.out)
			}
			want := "test -count=1 -run ^TestDeployed$ ./internal/versions " + tt.deprecations
			if got := strings.Trim(r.file(t, "checked"), "\n"); got != want {
				t.Errorf("make deploy checks with go %q, want %q", got, want)
			}
			if had := strings.Split(strings.TrimSpace(r.file(t, "had")), "\n"); !slices.Equal(had, wantBuilt) {
				t.Errorf("sam deploys %q, want %q", had, wantBuilt)
			}
			checkDeployed(t, r.file(t, "build/template.yaml"))
			if has := strings.Contains(r.file(t, "build/template.yaml"), kindBudget); has != (tt.stage == "prod") {
				t.Errorf("sam gets a budget: %t", has)
			}
			// sam looks for the file beside the template, and refuses one that is not there.
			stage := cmp.Or(tt.stage, "default")
			for args := range strings.Lines(r.file(t, "args")) {
				if own := "--config-file " + filepath.Join(r.dir, "samconfig.toml") + " "; !strings.Contains(args, own) ||
					!strings.Contains(args, "--config-env "+stage+" ") || strings.Contains(args, "--guided") {
					t.Errorf("sam got %q, want %s and the environment %s", args, own, stage)
				}
			}
			if got := strings.Join(strings.Fields(r.file(t, "protected")), " "); got != tt.protected {
				t.Errorf("%s tables are protected, want %s", got, tt.protected)
			}
			if looked := strings.TrimSpace(r.file(t, "stage")); looked != stage {
				t.Errorf("preflight looked at %q", looked)
			}
		})
	}
}

// TestDeployedSettings: the checksum in the functions changes with the settings of the stage,
// and with nothing else.
func TestDeployedSettings(t *testing.T) {
	tried := newSaying(t, "deploy")
	checksum := func(samconfig string) string {
		r := runMake(t, tried, deployFakes(tried, samconfig, "UPDATE_COMPLETE"), "deploy")
		m := regexp.MustCompile(`settings [0-9]+-[0-9]+`).FindString(r.file(t, "build/template.yaml"))
		if r.err != nil || m == "" {
			t.Fatalf("no checksum: %v\n%s", r.err, r.out)
		}
		return m
	}
	before := checksum(document(`parameter_overrides = "GuestKeyVersion=a"`))
	for _, same := range []string{
		document("# a comment", `parameter_overrides = {GuestKeyVersion = "a"}`),
		document(`parameter_overrides = "GuestKeyVersion=a"`, "[prod.deploy.parameters]"),
	} {
		if got := checksum(same); got != before {
			t.Errorf("got %s, want %s with\n%s", got, before, same)
		}
	}
	if got := checksum(document(`parameter_overrides = "GuestKeyVersion=b"`)); got == before {
		t.Errorf("a new value of a parameter keeps %s", got)
	}
}

// TestDeployWithoutGit: a copy of the repository without its history can be deployed.
func TestDeployWithoutGit(t *testing.T) {
	tried := newSaying(t, "deploy")
	fakes := deployFakes(tried, document(), "UPDATE_COMPLETE")
	fakes["git"] = "#!/bin/sh\necho fatal: not a git repository >&2\nexit 128\n"
	r := runMake(t, tried, fakes, "deploy")
	if r.err != nil || !strings.Contains(r.file(t, "build/template.yaml"), "COMMIT: unknown-commit") {
		t.Errorf("%v\n%s", r.err, r.out)
	}
}

// TestDeployStops: what cannot be deployed is one clear error, before sam runs. After a new
// stack is made without protection, a failure says what to do.
func TestDeployStops(t *testing.T) {
	edge := strings.Replace(document(), "default", "prod-edge", 1)
	const isNew = "!Stack with id hub does not exist"
	tried := newSaying(t, "deploy")
	for name, tt := range map[string]struct {
		stage, samconfig, stack string
		more                    map[string]string
		want                    string
		deployments             int
	}{
		"no samconfig.toml": {"default", "", isNew, nil, "NO  samconfig.toml has no stack_name for the environment default",
			0},
		"no TOML":          {"default", "stack_name =", isNew, nil, "NO  samconfig.toml: toml: line 1", 0},
		"a mistyped stage": {"prdo", twoStages, isNew, nil, "NO  samconfig.toml: there is no environment prdo", 0},
		"an edge":          {"prod-edge", edge, "UPDATE_COMPLETE", nil, "NO  prod-edge is the environment of an edge", 0},
		"a mistyped parameter": {"default", document(`parameter_overrides = "Alarmemail=a@b"`), isNew, nil,
			"NO  samconfig.toml sets Alarmemail, which is no parameter of template.yaml", 0},
		"no right to look": {"default", twoStages, "!AccessDenied: not you", nil, "NO  AccessDenied: not you", 0},
		"a bad date":       {"default", twoStages, isNew, map[string]string{"refuse": ""}, "", 0},
		"a change set that is declined": {"default", twoStages, isNew, map[string]string{"declined": ""},
			"NO  the stack hub was not made", 1},
		"the first fails": {"default", twoStages, isNew, map[string]string{"fail": "1"}, "", 1},
		"the second fails": {"default", twoStages, isNew, map[string]string{"fail": "2"},
			"NO  the stack hub is there, but its tables can be deleted: run make deploy again", 2},
	} {
		t.Run(name, func(t *testing.T) {
			files := deployFakes(tried, tt.samconfig, tt.stack)
			maps.Copy(files, tt.more)
			r := runMake(t, tried, files, "deploy", "STAGE="+tt.stage)
			deployments := strings.Count(r.file(t, "protected"), "\n")
			if r.err == nil || !strings.Contains(r.out, tt.want) || deployments != tt.deployments {
				t.Errorf("%v, %d deployments, want %d and %q:\n%s", r.err, deployments, tt.deployments, tt.want, r.out)
			}
			if tt.want == "" && strings.Contains(r.out, "NO  ") {
				t.Errorf("it says more than sam and go:\n%s", r.out)
			}
		})
	}
}

// TestDeployEdge: make edge deploys edge.yaml where CloudFront needs it, by an environment of
// its own, which must be there and name its parameters well.
func TestDeployEdge(t *testing.T) {
	tried := newSaying(t, "edge")
	edge := "version = 0.1\n[prod-edge.deploy.parameters]\nregion = \"eu-west-1\"\nstack_name = \"hub-edge\"\n" +
		"parameter_overrides = [\"SocketOrigin=ws\", \"HostedZoneId=Z\"]\n[test-edge.deploy.parameters]\n" +
		"[wrong-edge.deploy.parameters]\nstack_name = \"hub-edge\"\nparameter_overrides = \"HostedZoneID=Z\"\n"
	fakes := map[string]string{"sam": "#!/bin/sh\necho $*\n", "aws": "#!/bin/sh\nexit 1\n", "samconfig.toml": edge}
	for stage, want := range map[string]string{
		"prod": "deploy --config-file DIR/samconfig.toml --config-env prod-edge --region us-east-1 " +
			"--template-file edge.yaml --no-fail-on-empty-changeset\n",
		"test":  "NO  samconfig.toml has no stack_name for the environment test-edge",
		"":      "NO  samconfig.toml: there is no environment default-edge, but prod-edge, test-edge, wrong-edge",
		"wrong": "NO  samconfig.toml sets HostedZoneID, which is no parameter of edge.yaml",
	} {
		args := []string{"edge"}
		if stage != "" {
			args = append(args, "STAGE="+stage)
		}
		r := runMake(t, tried, fakes, args...)
		got := strings.ReplaceAll(r.out, r.dir, "DIR")
		if (r.err == nil) != (stage == "prod") || !strings.HasPrefix(got, want) {
			t.Errorf("stage %q: got %s, %v, want %s", stage, got, r.err, want)
		}
	}
}

// TestStackOfMake: make smoke and make remove take the stack that STACK names, or that of
// the stage.
func TestStackOfMake(t *testing.T) {
	tried := newSaying(t, "account")
	for _, target := range []string{"smoke", "remove"} {
		fakes := map[string]string{"scripts/" + target: "#!/bin/sh\necho $STAGE $*\n"}
		for arg, want := range map[string]string{"STAGE=prod": "prod\n", "STACK=own": "default own\n"} {
			if r := runMake(t, tried, fakes, target, arg); r.err != nil || r.out != want {
				t.Errorf("make %s %s: got %s, %v, want %s", target, arg, r.out, r.err, want)
			}
		}
	}
}

// checkDeployed checks the copy of the template that make deploy deploys: it names the commit
// and the settings, and has the functions from its own folder.
func checkDeployed(t *testing.T, text string) {
	t.Helper()
	deployed, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	k := &checker{t: deployed}
	s := k.scenes()[0]
	k.want("the output", deployed.outputs["Commit"]["Value"], "8c2f-dirty")
	for _, f := range config.Functions {
		k.want("the commit of "+string(f), k.environment(s, f)["COMMIT"], "8c2f-dirty")
		// What cksum prints: a checksum and the length.
		description, _ := deployed.resources[functionID(f)].properties["Description"].(string)
		if !regexp.MustCompile(`^settings [0-9]+-[0-9]+$`).MatchString(description) {
			t.Errorf("%s is described as %q", f, description)
		}
		k.want("the code of "+string(f), deployed.resources[functionID(f)].properties["CodeUri"], string(f)+"/")
	}
	for _, problem := range k.found {
		t.Error(problem)
	}
}

// TestWithoutBudget: the budget, and nothing else, is taken from the template.
func TestWithoutBudget(t *testing.T) {
	cmd := exec.Command("sed", "-f", "scripts/no-budget.sed", "template.yaml")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, whole := readTemplate(t)
	there, err := parseTemplate(string(out))
	if err != nil {
		t.Fatal(err)
	}
	for id, r := range whole.resources {
		if _, isThere := there.resources[id]; isThere == (r.kind == kindBudget) {
			t.Errorf("%s, a %s, is there: %t", id, r.kind, isThere)
		}
	}
	if len(there.outputs) != len(whole.outputs) || len(there.parameters) != len(whole.parameters) {
		t.Error("outputs or parameters are missing")
	}
}

// processor is that of the template's functions, as Go calls it.
func processor(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`Architectures: \[(\w+)\]`).FindAllStringSubmatch(read(t, "template.yaml"), -1)
	if len(m) != 1 {
		t.Fatalf("the template names %d processors, want one for all functions", len(m))
	}
	return map[string]string{"arm64": "arm64", "x86_64": "amd64"}[m[0][1]]
}
