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
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/local/catalogue"
)

// startEngine starts a DynamoDB until the test ends. Without an engine it skips the
// test.
func startEngine(t *testing.T) (endpoint string) {
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

// buildWithSDK builds localhub with the AWS SDK.
var buildWithSDK = sync.OnceValues(func() (program string, err error) {
	program = filepath.Join(buildDir, "localhub-dynamodb")
	return program, goBuild("-ldflags", "-s -w", "-tags", "dynamodb", "-o", program, "./localhub")
})

// withSDK is a localhub with the AWS SDK.
func withSDK(t *testing.T) (program string) {
	t.Helper()
	program, err := buildWithSDK()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// buildBootstraps builds the six functions for this machine.
var buildBootstraps = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Join(buildDir, "bootstraps")
	programs := filepath.Join(buildDir, "functions") + string(filepath.Separator)
	args := []string{"-ldflags", "-s -w", "-tags", "lambda.norpc", "-o", programs}
	names := []string{"connect", "disconnect", "message", "authorize", "broadcast", "rest"}
	for _, name := range names {
		args = append(args, "./"+name)
	}
	err = goBuild(args...)
	for _, name := range names {
		err = errors.Join(err,
			os.MkdirAll(filepath.Join(dir, name), 0o700),
			os.Rename(filepath.Join(programs, name), filepath.Join(dir, name, "bootstrap")))
	}
	return dir, err
})

// startEngineAndFunctions starts a DynamoDB, and then builds the functions: a test that has
// no DynamoDB skips before they are built, which takes long.
func startEngineAndFunctions(t *testing.T) (endpoint, bootstraps string) {
	t.Helper()
	endpoint = startEngine(t)
	bootstraps, err := buildBootstraps()
	if err != nil {
		t.Fatal(err)
	}
	return endpoint, bootstraps
}

// clearAWS removes the AWS settings of this process, as on a machine that never used
// AWS. env is the environment for the aws CLI there.
func clearAWS(t *testing.T) (env []string) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_PROFILE",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
}

// TestBootstrapsSession uses everything that localhub imitates: the gateway, the built
// bootstraps, a DynamoDB, its streams, and posts over HTTP, with the stock wscat.
func TestBootstrapsSession(t *testing.T) {
	path := findWscat(t)
	endpoint, bootstraps := startEngineAndFunctions(t)
	env := clearAWS(t)
	hub := startProgram(t, withSDK(t), "-dynamodb", endpoint, "-create-tables", "-lambda", bootstraps)

	waitForSeed(t, hub)
	guest := watchStock(t, path, hub)
	shareCart(t, path, hub)
	t.Run("100 uses of one ticket at once", func(t *testing.T) { testOneUseOfTicket(t, hub) })
	t.Run("the shop writes with the aws CLI", func(t *testing.T) {
		updateItem(t, hub, endpoint, env)
		guest.want(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":3,"state":"low","quantity":2}}}`)
	})
}

// waitForSeed waits until the stream records of the catalogue were handled: a client
// that subscribes earlier receives them as deltas, which repeat its snapshot.
func waitForSeed(t *testing.T, hub *instance) {
	t.Helper()
	want := fmt.Sprintf("\nstream_records_total{result=\"delivered\"} %d\n", len(catalogue.Builtin()))
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for {
		resp, err := http.Get("http://" + hub.adminAddress() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		metrics, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(metrics), want) {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("after %s the metrics do not have %q:\n%s", patience, want, metrics)
		}
	}
}

// testOneUseOfTicket opens connections with the same ticket: only one succeeds.
func testOneUseOfTicket(t *testing.T, hub *instance) {
	const uses = 100
	url := hub.socket + "?auth=required&ticket=" + issueTicket(t, hub)
	statuses := make(chan int, uses)
	var running sync.WaitGroup
	for range uses {
		running.Go(func() {
			conn, resp, err := websocket.Dial(t.Context(), url, nil)
			if err == nil {
				_ = conn.CloseNow()
			}
			if resp != nil {
				statuses <- resp.StatusCode
			}
		})
	}
	running.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusSwitchingProtocols] != 1 || count[http.StatusForbidden] != uses-1 {
		t.Errorf("got %v connections by status, want 1 with 101 and %d with 403", count, uses-1)
	}
}

// issueTicket gets a ticket with the banner's token of alice.
func issueTicket(t *testing.T, hub *instance) string {
	t.Helper()
	_, token, _ := strings.Cut(strings.Join(hub.wscatArgs(t, alicesDevices), " "), "Bearer ")
	url := strings.Replace(hub.socket, "ws://", "http://", 1) + "/tickets"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
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
	return issued.Ticket
}

// updateItem runs the banner's command for the aws CLI, which docs/localhub.md must
// have too.
func updateItem(t *testing.T, hub *instance, endpoint string, env []string) {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		skipMissing(t, "the aws CLI is not installed")
	}
	_, rest, _ := strings.Cut(hub.banner, "any write that raises the version\n")
	command, _, found := strings.Cut(rest, "\n\nInterrupt")
	if !found {
		t.Fatalf("the banner has no command for the aws CLI:\n%s", hub.banner)
	}
	doc, err := os.ReadFile("../docs/localhub.md")
	if err != nil {
		t.Fatal(err)
	}
	oneLine := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	want := oneLine(strings.Replace(command, endpoint, "http://127.0.0.1:8000", 1))
	if !strings.Contains(oneLine(string(doc)), want) {
		t.Errorf("docs/localhub.md does not have the command that localhub prints: %s", want)
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestMissingTables: without -create-tables, missing tables are an error.
func TestMissingTables(t *testing.T) {
	endpoint := startEngine(t)
	args := append(anyPort, "-dynamodb", endpoint, "-inventory-table", "none")
	out, err := exec.Command(withSDK(t), args...).CombinedOutput()
	want := "localhub: dynamodb " + endpoint +
		": table securecart-hub: there is no such table; -create-tables creates it\n"
	if err == nil || string(out) != want {
		t.Errorf("got %v, %q, want %q", err, out, want)
	}
}

// TestRestartOnTables: the keys are in the hub's table, so a second localhub knows the
// guests and the users of the first.
func TestRestartOnTables(t *testing.T) {
	endpoint := startEngine(t)
	clearAWS(t)
	args := []string{"-dynamodb", endpoint, "-create-tables", "-admin", freeAddress(t)}
	var guest, guestToken, alice, epoch string
	t.Run("first start", func(t *testing.T) {
		hub := startProgram(t, withSDK(t), args...)
		first := hub.answers(t, "", "hello", "add TEE-RED-M 2")
		guest, guestToken, epoch = field(t, first[0], "user"), field(t, first[0], "guestToken"), field(t, first[0], "epoch")
		alice = hub.token(t)
	})
	t.Run("second start", func(t *testing.T) {
		hub := startProgram(t, withSDK(t), args...)
		second := hub.answers(t, guestToken, "hello", "get cart")
		if got := field(t, second[0], "user"); got != guest || field(t, second[0], "epoch") != epoch {
			t.Errorf("got %s, want the user %q and the epoch %q", second[0], guest, epoch)
		}
		if !strings.Contains(second[1], `"TEE-RED-M":{"quantity":2`) {
			t.Errorf("got %s, want the guest's cart", second[1])
		}
		if got := field(t, hub.answers(t, alice, "hello")[0], "user"); got != "alice" {
			t.Errorf("got the user %q, want alice", got)
		}
	})
}

// TestDamagedKeysInTable: keys in the hub's table that cannot be read are an error that
// says where they are.
func TestDamagedKeysInTable(t *testing.T) {
	endpoint := startEngine(t)
	clearAWS(t)
	args := []string{"-dynamodb", endpoint, "-create-tables"}
	t.Run("first start", func(t *testing.T) { startProgram(t, withSDK(t), args...) })
	row := `{"TableName":"securecart-hub","Item":{"pk":{"S":"D"},"sk":{"S":"!"},"keys":{"B":"e30="}}}`
	req, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(row))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	// The engine keeps tables by region and key, and does not check the signature.
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, "+
		"SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("write the row: got %s %s", resp.Status, answer)
	}
	out, err := exec.Command(withSDK(t), append(anyPort, args...)...).CombinedOutput()
	const want = "localhub: row D of the hub's table: the development keys are damaged: "
	if err == nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("got %v, %q, want %q", err, out, want)
	}
}
