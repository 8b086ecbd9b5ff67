package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/dynamotest"
)

// goBuild builds a package of the repository.
func goBuild(t *testing.T, output string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-o", output}, args...)...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", output, err, out)
	}
}

// startProgram runs a built localhub until the test ends, and then interrupts it.
func startProgram(t *testing.T, program string, args ...string) *running {
	t.Helper()
	cmd := exec.Command(program, append([]string{"-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("localhub ended with %v", err)
		}
	})
	return readGreeting(t, stdout)
}

// engine starts a DynamoDB for the test.
func engine(t *testing.T) (endpoint string) {
	t.Helper()
	endpoint, stop, err := dynamotest.Start("..", os.Getenv)
	switch {
	case dynamotest.MaySkip(err, os.Getenv):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return endpoint
}

// awsLine is the command of the banner that changes stock in the table.
func (r *running) awsLine(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(r.greeting, "any write that raises the version\n")
	line, _, found := strings.Cut(rest, "\n\nInterrupt")
	if !found {
		t.Fatalf("the greeting has no line for the aws CLI:\n%s", r.greeting)
	}
	return line
}

// withoutAWS removes the AWS settings of this process, as on a newcomer's machine. env
// has a home without settings, for the CLI.
func withoutAWS(t *testing.T) (env []string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
}

// withSDK is a localhub with the AWS SDK, built once for all tests.
var withSDK = sync.OnceValues(func() (string, error) {
	program := filepath.Join(buildDir, "localhub-dynamodb")
	cmd := exec.Command("go", "build", "-tags", "dynamodb", "-o", program, "./localhub")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
})

// startWithSDK runs localhub on the tables of an engine.
func startWithSDK(t *testing.T, args ...string) *running {
	t.Helper()
	program, err := withSDK()
	if err != nil {
		t.Fatal(err)
	}
	return startProgram(t, program, args...)
}

// TestWithoutSDK: a localhub without the AWS SDK prints the command that has it.
func TestWithoutSDK(t *testing.T) {
	args := []string{"-dynamodb", "http://127.0.0.1:8000", "-limits", "user=5", "-hub-table", "it's mine"}
	err := run(t.Context(), args, io.Discard, io.Discard)
	var usage usageError
	want := `run: go run -tags dynamodb ./localhub -dynamodb http://127.0.0.1:8000 -limits user=5 -hub-table 'it'\''s mine'`
	if !errors.As(err, &usage) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want a usage error that ends with %s", err, want)
	}
}

// TestBootstrapsSession runs everything that localhub can imitate: wscat, the
// gateway, the built bootstraps, a DynamoDB, its streams, and posts over HTTP.
func TestBootstrapsSession(t *testing.T) {
	path, endpoint, dir := findWscat(t), engine(t), t.TempDir()
	newcomer := withoutAWS(t)
	for _, f := range []string{"connect", "disconnect", "message", "authorize", "broadcast", "ticket"} {
		goBuild(t, filepath.Join(dir, f, "bootstrap"), "-tags", "lambda.norpc", "./"+f)
	}
	hub := startWithSDK(t, "-dynamodb", endpoint, "-create-tables", "-lambda", dir)

	guest := wscat(t, path, hub.wscatLine(t, "a guest")...)
	guest.types("sub sku:TEE-RED-M")
	guest.sees(`{"type":"snapshot","epoch":"…","topics":{"sku:TEE-RED-M":{"version":1,"state":"in"}}}`)
	hub.curl(t, `{"available":3}`)
	guest.sees(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":2,"state":"low","quantity":3}}}`)

	phone := wscat(t, path, hub.wscatLine(t, "alice's phone")...)
	laptop := wscat(t, path, hub.wscatLine(t, "alice's laptop")...)
	laptop.types("sub cart")
	laptop.sees(`{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
	phone.types("add TEE-RED-M 2")
	phone.sees(`{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
	laptop.sees(`{"type":"delta","epoch":"…","topics":{"cart":{"from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)

	t.Run("one ticket, used a hundred times at once", func(t *testing.T) {
		_, token, _ := strings.Cut(hub.wscatLine(t, "alice's phone")[5], "Bearer ")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(hub.admin, "/admin/stock/TEE-RED-M", "/v1/tickets", 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var issued struct{ Ticket string }
		if err := json.NewDecoder(resp.Body).Decode(&issued); err != nil || resp.StatusCode != http.StatusCreated {
			t.Fatalf("got %s, %v, want a ticket", resp.Status, err)
		}
		statuses := make(chan int, 100)
		var opening sync.WaitGroup
		for range cap(statuses) {
			opening.Go(func() {
				conn, resp, err := websocket.Dial(t.Context(), hub.socket+"?auth=required&ticket="+issued.Ticket, nil)
				if err == nil {
					_ = conn.CloseNow()
				}
				if resp != nil {
					statuses <- resp.StatusCode
				}
			})
		}
		opening.Wait()
		close(statuses)
		count := map[int]int{}
		for s := range statuses {
			count[s]++
		}
		if count[http.StatusSwitchingProtocols] != 1 || count[http.StatusUnauthorized] != 99 {
			t.Errorf("got %v, want 101 once and 401 otherwise", count)
		}
	})

	t.Run("the shop writes with the aws CLI", func(t *testing.T) {
		if _, err := exec.LookPath("aws"); err != nil {
			if os.Getenv(dynamotest.ToolsVariable) == "required" {
				t.Fatal("the aws CLI is missing")
			}
			t.Skip("the aws CLI is not installed")
		}
		readme, err := os.ReadFile("../docs/localhub.md")
		if err != nil {
			t.Fatal(err)
		}
		words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
		line := hub.awsLine(t)
		if want := words(strings.Replace(line, endpoint, "http://127.0.0.1:8000", 1)); !strings.Contains(words(string(readme)), want) {
			t.Errorf("docs/localhub.md does not have the line that localhub prints: %s", want)
		}
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = newcomer
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		guest.sees(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":3,"state":"low","quantity":2}}}`)
	})
}

// TestMissingTables: without -create-tables, missing tables are an error.
func TestMissingTables(t *testing.T) {
	endpoint := engine(t)
	program, err := withSDK()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0", "-dynamodb", endpoint, "-inventory-table", "none").CombinedOutput()
	want := "localhub: dynamodb " + endpoint + ": table securecart-hub: there is no such table; -create-tables creates it\n"
	if err == nil || string(out) != want {
		t.Errorf("got %v, %q, want %q", err, out, want)
	}
}
