package gatewaytest_test

import (
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oldestGo is the oldest version of Go that can use this package.
const oldestGo = "go1.25"

// TestModule builds a module that imports gatewaytest and nothing else. Our own:
// such a module links no AWS SDK and needs no Go newer than oldestGo.
func TestModule(t *testing.T) {
	dir := newModule(t)
	goCommand(t, dir, "build", "-o", filepath.Join(dir, "shop"), ".")
	for _, pkg := range strings.Fields(goCommand(t, dir, "list", "-deps", ".")) {
		if strings.HasPrefix(pkg, "github.com/aws/aws-sdk-go") {
			t.Errorf("gatewaytest links %s", pkg)
		}
	}
	// With -mod=mod, the go command raises the go line to what the modules need.
	goLine := goCommand(t, dir, "list", "-m", "-f", "{{.GoVersion}}")
	if needs := "go" + strings.TrimSpace(goLine); newer(needs) {
		t.Errorf("a module that imports gatewaytest needs %s, want at most %s", needs, oldestGo)
	}
	// The modules that it links. Others in its graph may not be on this machine.
	const format = "{{with .Module}}{{.Path}} go{{.GoVersion}}{{end}}"
	modules := map[string]bool{}
	for line := range strings.Lines(goCommand(t, dir, "list", "-deps", "-f", format, ".")) {
		module, needs, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue // of the standard library
		}
		modules[module] = true
		if needs != "go" && newer(needs) { // "go": a module without a go line
			t.Errorf("the module %s needs %s, want at most %s", module, needs, oldestGo)
		}
	}
	if !modules["github.com/aws/aws-lambda-go"] || !modules["github.com/coder/websocket"] {
		t.Errorf("found the modules %v, want those that gatewaytest imports", modules)
	}
}

// newer reports whether a version of Go is of a later language version than
// oldestGo.
func newer(goVersion string) bool { return version.Compare(version.Lang(goVersion), oldestGo) > 0 }

// newModule writes a module with one program that imports gatewaytest from this
// repository.
func newModule(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const hub = "github.com/securecart/hub"
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": fmt.Sprintf("module example.com/shop\n\ngo %s\n\nrequire %s v0.0.0\n\nreplace %s => %s\n",
			strings.TrimPrefix(oldestGo, "go"), hub, hub, root),
		"go.sum": string(sums),
		"main.go": fmt.Sprintf("package main\n\nimport %q\n\nfunc main() { _, _ = gatewaytest.New(gatewaytest.API{}) }\n",
			hub+"/gatewaytest"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// goCommand runs the go command in a module, without a network, and returns its
// output.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return goCommandWith(t, dir, []string{"GOPROXY=off"}, args...)
}

// goCommandWith is goCommand with other variables than the one that forbids the network.
func goCommandWith(t *testing.T, dir string, variables []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOTOOLCHAIN=local")
	cmd.Env = append(cmd.Env, variables...)
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr)
	}
	return string(out)
}
