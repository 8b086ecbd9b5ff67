package rules

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
)

// TestDeploy: whatever was built before and whatever ARCH says, make deploy builds
// for the processor of the template, and only the first one of a stage asks for parameters.
// Before that it checks the deprecations in samconfig.toml. A new stack has tables that
// CloudFormation can delete, until it is made. Only a stage with a budget has one in its
// template, and none in GovCloud.
func TestDeploy(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("make is missing, and HUB_TEST_TOOLS says it must not be")
		}
		t.Skip("make is missing")
	}
	var wantBuilt []string
	for _, f := range []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"} {
		wantBuilt = append(wantBuilt, processor(t)+" ./"+f)
	}
	for stage, tt := range map[string]struct {
		samconfig string
		guided    bool
		protected string // how many tables, in each deployment
	}{
		"": {"", true, "0 3"}, "test": {twoStages, true, "0 3"}, "default": {twoStages, false, "0 3"},
		"prod": {twoStages, false, "3"}, "gov": {twoStages, false, "3"},
	} {
		dir := t.TempDir()
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		write("Makefile", read(t, "Makefile"))
		write("template.yaml", read(t, "template.yaml"))
		write("git", "#!/bin/sh\necho 8c2f-dirty\n")
		if err := os.Mkdir(filepath.Join(dir, "scripts"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"scripts/setting", "scripts/account", "scripts/deploy", "scripts/no-budget.sed"} {
			write(name, read(t, name))
		}
		// The stack of the stage default is new.
		write("aws", "#!/bin/sh\ncase \"$*\" in *'--stack-name hub') "+
			"echo Stack with id hub does not exist >&2; exit 1;; esac\n")
		write("scripts/preflight", "#!/bin/sh\necho $STAGE >stage\n[ ! -e checked ] && [ ! -e built ] && echo >looked\n")
		// The fake go and sam record their arguments.
		write("go", "#!/bin/sh\n[ -e looked ] || exit 1\n"+
			"[ $1 = test ] && echo $* >checked && exit\n[ -e checked ] || exit 1\n"+
			"for last; do :; done\n"+
			"mkdir -p build/$last && echo bytes >build/$last/bootstrap && echo $GOARCH $last >>built\n")
		write("sam", "#!/bin/sh\ncp built had\necho $* >>args\n"+
			"grep -c 'Enabled: !If .Protected' build/template.yaml >>protected\nexit 0\n")
		if tt.samconfig != "" {
			write("samconfig.toml", tt.samconfig)
		}
		cmd := exec.Command("make", "deploy", "ARCH=other")
		if stage != "" {
			cmd.Args = append(cmd.Args, "STAGE="+stage)
		}
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make deploy: %v\n%s", err, out)
		}
		file := func(name string) string {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		if got := strings.TrimSpace(file("checked")); got != "test -count=1 ./internal/versions" {
			t.Errorf("make deploy checks with go %s", got)
		}
		if had := strings.Split(strings.TrimSpace(file("had")), "\n"); !slices.Equal(had, wantBuilt) {
			t.Errorf("sam deploys %q, want %q", had, wantBuilt)
		}
		checkDeployed(t, file("build/template.yaml"), file("samconfig.toml"))
		if has := strings.Contains(file("build/template.yaml"), kindBudget); has != (stage == "prod") {
			t.Errorf("stage %q: sam gets a budget: %t", stage, has)
		}
		args := file("args")
		if guided := strings.Contains(args, "--guided"); guided != tt.guided {
			t.Errorf("stage %q: sam got %q, want --guided: %t", stage, args, tt.guided)
		}
		// sam looks for the file beside the template, and refuses one that is not there.
		if own := "--config-file " + filepath.Join(dir, "samconfig.toml") + " "; !strings.Contains(args, own) ||
			file("samconfig.toml") == "" {
			t.Errorf("stage %q: sam got %q, want %s and that file", stage, args, own)
		}
		if got := strings.Join(strings.Fields(file("protected")), " "); got != tt.protected {
			t.Errorf("stage %q: %s tables are protected, want %s", stage, got, tt.protected)
		}
		want := cmp.Or(stage, "default")
		if looked := strings.TrimSpace(file("stage")); looked != want || !strings.Contains(args, "--config-env "+want+" ") {
			t.Errorf("stage %q: preflight looked at %q, sam got %q", stage, looked, args)
		}
	}
}

// runMake runs make in a folder with the Makefile, scripts/setting, two stages, and a script.
func runMake(t *testing.T, script, text string, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Makefile": read(t, "Makefile"), "scripts/setting": read(t, "scripts/setting"), script: text,
		"samconfig.toml": twoStages + "[prod-edge.deploy.parameters]\nstack_name = \"hub-edge\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("make", append([]string{"-s"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestDeployEdge: make edge deploys edge.yaml where CloudFront needs it, by an environment of
// its own.
func TestDeployEdge(t *testing.T) {
	for stage, guided := range map[string]bool{"default": true, "prod": false} {
		out, err := runMake(t, "sam", "#!/bin/sh\necho $*\n", "edge", "STAGE="+stage)
		want := "deploy --config-env " + stage + "-edge --region us-east-1 --template-file edge.yaml\n"
		if guided {
			want = strings.Replace(want, "deploy", "deploy --guided", 1)
		}
		if err != nil || out != want {
			t.Errorf("got %s, %v, want %s", out, err, want)
		}
	}
}

// TestSmokeOfStage: make smoke tries the stack of the stage, or the one that STACK names.
func TestSmokeOfStage(t *testing.T) {
	for arg, want := range map[string]string{
		"STAGE=default": "default hub\n", "STAGE=prod": "prod hub-prod\n", "STAGE=new": "new sam-app\n",
		"STACK=own": "default own\n",
	} {
		if out, err := runMake(t, "scripts/smoke", "#!/bin/sh\necho $STAGE $*\n", "smoke", arg); err != nil || out != want {
			t.Errorf("make smoke %s: got %s, %v, want %s", arg, out, err, want)
		}
	}
}

// checkDeployed checks the copy of the template that make deploy deploys: it names the commit
// and the settings, and has the functions from its own folder.
func checkDeployed(t *testing.T, text, samconfig string) {
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
		if !regexp.MustCompile(fmt.Sprintf(`^settings [0-9]+-%d$`, len(samconfig))).MatchString(description) {
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
