package rules

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A command that installs something, what a command of its kind must have, and why.
var installers = []struct {
	command *regexp.Regexp
	needs   *regexp.Regexp
	why     string
}{
	{
		regexp.MustCompile(`\bnpm (ci|i|install|add|pack|exec|update|x)\b|\bnpx\b|\b(yarn|pnpm|bun)\b`),
		regexp.MustCompile(`\bnpm ci\b.* --ignore-scripts\b`),
		"npm ci --ignore-scripts checks each package against a lock file, and runs none of its scripts",
	},
	{
		regexp.MustCompile(`\b(pip|pip3|uv|pipx|easy_install) .*\b(install|sync|download|run|tool)\b`),
		regexp.MustCompile(`\bpip install\b.* --require-hashes .*--only-binary :all:`),
		"pip install --require-hashes --only-binary :all: checks each wheel, and runs no setup.py",
	},
	{
		regexp.MustCompile(`\bgo (install|get)\b|\bgo run \S*@`), regexp.MustCompile(`-modfile=`),
		"scripts/tools.mod pins the tools that Go builds",
	},
	{
		regexp.MustCompile(`\bapt(-get)? .*\binstall\b`), regexp.MustCompile(`=([0-9]+:)?[0-9]+\.`),
		"a Debian package has at least its major version",
	},
	{
		regexp.MustCompile(`\b(curl|wget)\b.*https?:`), regexp.MustCompile(`\bsha(256|512)sum\b`),
		"a download has a checksum",
	},
}

// unpinned are the Debian packages without a version; scripts/browser/with says why.
const unpinned = "chromium fonts-noto-color-emoji fonts-dejavu-core"

// commandsOf returns the command lines of a script, without comments and messages.
func commandsOf(text string) []string {
	message := regexp.MustCompile(`\becho "[^"]*"|get="[^"]*"`)
	var commands []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.Join(strings.Fields(message.ReplaceAllString(line, "")), " ")
		if line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}

// scripts returns every file with commands that the repository runs.
func scripts(t *testing.T) []string {
	t.Helper()
	all := []string{"Makefile", ".ci/run"}
	for _, pattern := range []string{"scripts/*", "scripts/*/*", ".github/workflows/*"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if ext := filepath.Ext(name); info.Mode().IsRegular() && (ext == "" || ext == ".mjs" || ext == ".yml") {
				rel, err := filepath.Rel(root, name)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, rel)
			}
		}
	}
	return all
}

// TestToolsArePinned: whatever the scripts install is what somebody has looked at, and
// nothing of it runs while it is installed.
func TestToolsArePinned(t *testing.T) {
	found := map[string]int{}
	for _, name := range scripts(t) {
		for _, line := range commandsOf(read(t, name)) {
			for _, i := range installers {
				if !i.command.MatchString(line) {
					continue
				}
				found[i.why]++
				if !i.needs.MatchString(line) && !strings.Contains(line, unpinned) {
					t.Errorf("%s: %s\n%s", name, line, i.why)
				}
			}
		}
	}
	for _, i := range []int{0, 1, 3} {
		if found[installers[i].why] == 0 {
			t.Errorf("found no command for: %s", installers[i].why)
		}
	}
}

// TestPinsAreSeen: a command that pins nothing is found.
func TestPinsAreSeen(t *testing.T) {
	for _, line := range []string{
		"npm install wscat", "npm ci", "npm ci --no-audit", "npx -y wscat", "npm i -g wscat", "npm pack x@1.0.0",
		"pip install cfn-lint", "python3 -m pip install -r requirements.txt", "python -m pip install --require-hashes -r x",
		"go install honnef.co/go/tools/cmd/staticcheck@latest", "go run example.com/tool@latest ./...",
		"apt-get install -y awscli", "sudo apt install awscli", "curl -fsSL https://get.example/tool | sh",
		"[ -x tool ] || npm install tool",
	} {
		pinned := true
		for _, i := range installers {
			pinned = pinned && (!i.command.MatchString(line) || i.needs.MatchString(line))
		}
		if pinned {
			t.Errorf("%q counts as pinned", line)
		}
	}
}

// TestLockFilesAreComplete: each package in a lock file has a sha512, and comes from the
// registry that npm is configured for.
func TestLockFilesAreComplete(t *testing.T) {
	locks, err := filepath.Glob(filepath.Join(root, "scripts/*/package-lock.json"))
	samples, err2 := filepath.Glob(filepath.Join(root, "examples/*/package-lock.json"))
	if err != nil || err2 != nil || len(locks) == 0 || len(samples) == 0 {
		t.Fatalf("found %d and %d lock files, %v, %v", len(locks), len(samples), err, err2)
	}
	for _, file := range append(locks, samples...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var lock struct {
			Packages map[string]struct {
				Version, Integrity, Resolved string
				InBundle                     bool // it is in the archive of the package around it, whose checksum counts
			}
		}
		if err := json.Unmarshal(data, &lock); err != nil || len(lock.Packages) < 2 {
			t.Fatalf("%s: %d packages, %v", file, len(lock.Packages), err)
		}
		for name, p := range lock.Packages {
			if name == "" || p.InBundle {
				continue
			}
			if !strings.HasPrefix(p.Integrity, "sha512-") || p.Version == "" || p.Resolved != "" {
				t.Errorf("%s: %s has the version %q, the checksum %q and the source %q",
					file, name, p.Version, p.Integrity, p.Resolved)
			}
		}
	}
}
