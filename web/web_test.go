package web_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/securecart/hub/web"
)

// summaryLine matches a line of node's summary in TAP: "# pass 84".
var summaryLine = regexp.MustCompile(`(?m)^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$`)

// TestBrowserModule runs the tests of the client and of the shop with node --test.
func TestBrowserModule(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("node is missing, and HUB_TEST_TOOLS requires it")
		}
		t.Skip("node is missing; install Node.js 20 or newer")
	}
	readInputs(t, ".", "../testdata/protocol", "../testdata/names.json", "../internal/local/catalogue/catalogue.json")
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
	if err != nil || n < 250 || summary["pass"] != summary["tests"] {
		t.Errorf("%s of %s tests passed, want all of 250 and more\n%s", summary["pass"], summary["tests"], out)
	}
}

// TestModuleIsBuilt builds the client again: the file in the repository must have the same
// bytes, and the types of its sources must be right.
func TestModuleIsBuilt(t *testing.T) {
	tools, err := filepath.Abs("../.tools/live")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules")); err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("esbuild is missing, and HUB_TEST_TOOLS requires it")
		}
		t.Skip("esbuild is missing; run scripts/ci-tools")
	}
	readInputs(t, "src", "build.mjs", "tsconfig.json", "package.json")
	out := t.TempDir()
	log, err := exec.CommandContext(t.Context(), "node", "build.mjs", tools, out).CombinedOutput()
	if err != nil {
		t.Fatalf("node build.mjs: %v\n%s", err, log)
	}
	t.Logf("%s", log)
	built, err := os.ReadFile(filepath.Join(out, "securecart-live.js"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(built, web.Module) {
		t.Error("dist/securecart-live.js is not what the sources make; run make client")
	}
}

// TestModuleSize: what a page loads does not grow unnoticed. docs/decisions/browser.md has the aim.
func TestModuleSize(t *testing.T) {
	const most = 24_850 // bytes with gzip
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(web.Module); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d with gzip", len(web.Module), packed.Len())
	if packed.Len() > most {
		t.Errorf("%d bytes with gzip, want at most %d", packed.Len(), most)
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
