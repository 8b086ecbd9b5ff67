package inspector_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/inspector"
)

func get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	inspector.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	r := w.Result()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

// Every file that a file of the page names is there, with the type that a browser needs.
func TestFilesOfThePage(t *testing.T) {
	names := regexp.MustCompile(`(?:href|src|from)[= ]["']([\w./-]+\.(?:js|css|svg))["']`)
	types := map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", "": "text/html"}
	seen := map[string]bool{}
	var read func(file string)
	read = func(file string) {
		if seen[file] {
			return
		}
		seen[file] = true
		r, body := get(t, inspector.Path+file)
		got, want := r.Header.Get("Content-Type"), types[path.Ext(file)]
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got status %d and type %q, want 200 and %s", file, r.StatusCode, got, want)
		}
		for _, m := range names.FindAllStringSubmatch(body, -1) {
			read(path.Join(path.Dir(file), m[1]))
		}
	}
	read("")
	if len(seen) < 40 {
		t.Errorf("got %d files, want all of the page", len(seen))
	}
}

func TestPolicyOfThePage(t *testing.T) {
	r, body := get(t, inspector.Path)
	policy := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("got the policy %q, want %s in it", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http:") || strings.Contains(policy, "https:") {
		t.Errorf("got the policy %q, want nothing unsafe and nothing from elsewhere", policy)
	}
	inline := regexp.MustCompile(`(?i)<script(>| [^>]*>[^<]+)|<style| style=| on\w+=|https?://`)
	if found := inline.FindString(body); found != "" {
		t.Errorf("the page has %q, want no inline script, no inline style and no other address", found)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
}

func TestUnknownFile(t *testing.T) {
	for _, file := range []string{"nothing.js", "test/log.js", "../inspector.go"} {
		if r, _ := get(t, inspector.Path+file); r.StatusCode == http.StatusOK {
			t.Errorf("%s: got status 200, want none", file)
		}
	}
}

// Folders are not listed.
func TestFolders(t *testing.T) {
	for _, folder := range []string{"screens/", "css/", "nothing/", "css//"} {
		if r, body := get(t, inspector.Path+folder); r.StatusCode != http.StatusNotFound || strings.Contains(body, ".css") {
			t.Errorf("%s: got status %d and %.80s, want 404", folder, r.StatusCode, body)
		}
	}
}

// What reads HTML or code, and where a page keeps things.
var forbidden = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|` +
	`localStorage|sessionStorage|indexedDB|document\.cookie`)

// No module reads HTML: all text of frames becomes text nodes. None keeps the token.
func TestNoHTML(t *testing.T) {
	for _, pattern := range []string{"page", "page/screens"} {
		files, err := os.ReadDir(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if path.Ext(file.Name()) != ".js" {
				continue
			}
			data, err := os.ReadFile(path.Join(pattern, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if found := forbidden.FindString(string(data)); found != "" {
				t.Errorf("%s/%s has %s", pattern, file.Name(), found)
			}
		}
	}
}

// TestModules runs the tests of the pure modules with node --test.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("HUB_TEST_TOOLS") == "required" {
			t.Fatal("node is missing, and HUB_TEST_TOOLS requires it")
		}
		t.Skip("node is missing; install Node.js 20 or newer")
	}
	files, err := filepath.Glob("page/test/*.test.js")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--test", "--test-reporter=tap"}, files...)
	out, err := exec.CommandContext(t.Context(), node, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	summary := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^# (tests|pass) (\d+)$`).FindAllStringSubmatch(string(out), -1) {
		summary[m[1]], _ = strconv.Atoi(m[2]) // the pattern has digits only
	}
	if n := summary["pass"]; n < 60 || n != summary["tests"] {
		t.Errorf("%d of %d tests passed, want all of 60 and more\n%s", n, summary["tests"], out)
	}
}
