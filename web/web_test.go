package web_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// summaryLine matches a line of node's summary in TAP: "# pass 84".
var summaryLine = regexp.MustCompile(`(?m)^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$`)

// TestBrowserModule runs the tests of the browser module with node --test.
func TestBrowserModule(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("node is missing, and HUB_TEST_TOOLS requires it")
		}
		t.Skip("node is missing; install Node.js 20 or newer")
	}
	readInputs(t, ".", "../testdata/protocol", "../testdata/names.json")
	out, err := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=tap").CombinedOutput()
	summary := map[string]string{}
	var parts []string
	for _, m := range summaryLine.FindAllStringSubmatch(string(out), -1) {
		summary[m[1]] = m[2]
		parts = append(parts, m[1]+" "+m[2])
	}
	t.Log("node --test: " + strings.Join(parts, ", "))
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	// Skipped, cancelled and todo tests count as tests but not as passed.
	n, err := strconv.Atoi(summary["pass"])
	if err != nil || n < 100 || summary["pass"] != summary["tests"] {
		t.Errorf("%s of %s tests passed, want all of 100 and more\n%s", summary["pass"], summary["tests"], out)
	}
}

// readInputs opens each file, and each file of a folder. go test then runs node again
// when one of them changes, instead of reporting a cached result.
func readInputs(t *testing.T, paths ...string) {
	t.Helper()
	for _, root := range paths {
		files := 0
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			_, err = os.ReadFile(path)
			return err
		})
		if err != nil || files == 0 {
			t.Fatalf("read %d files of %s, %v", files, root, err)
		}
	}
}
