package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/dynamotest"
)

// chatFunctions are those of testdata/chat, by their folders.
var chatFunctions = map[string]string{"OnConnectFunction": "onconnect", "OnDisconnectFunction": "ondisconnect", "SendMessageFunction": "sendmessage"}

// TestChat: an API in the shape that many begin with, whose handlers know nothing of
// us. Its functions are Node.js behind the Invoke API, with the AWS SDK for
// JavaScript and a real DynamoDB; two people talk through stock wscats. Handlers make
// the address that they post to in two ways.
func TestChat(t *testing.T) {
	const domain = "`https://${domainName}/${stage}`"
	t.Run("by domain name", func(t *testing.T) { chat(t, domain, domain) })
	t.Run("by API id", func(t *testing.T) {
		chat(t, domain, "`https://${event.requestContext.apiId}.execute-api.${process.env.AWS_REGION}.amazonaws.com/${stage}`")
	})
}

// chat is a talk, with a piece of the handler that posts replaced.
func chat(t *testing.T, old, with string) {
	wscatPath := findWscat(t)
	modules := chatModules(t)
	sender := filepath.Join(modules, "sendmessage", "app.mjs")
	source, err := os.ReadFile(sender)
	if err != nil || strings.Count(string(source), old) != 1 {
		t.Fatalf("%s has not one %s, %v", sender, old, err)
	}
	if err := os.WriteFile(sender, []byte(strings.Replace(string(source), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	table := chatTable(t, engine(t))

	nodeAddress := freeAddress(t)
	var args []string
	for name := range chatFunctions {
		args = append(args, "-function", name+"=http://"+nodeAddress)
	}
	d := serveTemplate(t, "../testdata/chat/template.yaml", args...)
	if want := "/Prod"; !strings.HasSuffix(d.socket, want) {
		t.Fatalf("got the socket %s, want one that ends in %s", d.socket, want)
	}
	startNode(t, modules, nodeAddress, append(exported(t, d.greeting),
		"AWS_ENDPOINT_URL_DYNAMODB="+table.endpoint, "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "TABLE_NAME=chat_connections"))

	alice := openTerminal(t, wscatPath, "-c", d.socket)
	alice.says("hello")
	bob := openTerminal(t, wscatPath, "-c", d.socket)
	bob.says("hello, Alice")
	alice.hears("hello, Alice")
	alice.says("how are you? ☕")
	bob.hears("how are you? ☕")
	alice.types("no JSON") // and there is no $default
	alice.hears(`{"message": "Forbidden", "connectionId":"ID", "requestId":"ID"}`)

	table.waitFor(t, 2)
	bob.kill()
	table.waitFor(t, 1) // $disconnect has run
	alice.says("gone?")

	// A connection that nobody forgot: its row goes with the first post.
	table.call(t, "PutItem", `{"TableName":"chat_connections","Item":{"connectionId":{"S":"L0SM9cOFvHcCIhw="}}}`)
	alice.says("still here")
	table.waitFor(t, 1)
}

// says types a message until everybody, and so oneself too, has it: without a screen
// wscat does not tell when it is connected, and what is typed too early is lost.
func (w *terminal) says(text string) {
	w.t.Helper()
	message, err := json.Marshal(map[string]string{"action": "sendmessage", "data": text})
	if err != nil {
		w.t.Fatal(err)
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for range 20 {
		w.types(string(message))
		for waiting := true; waiting; {
			select {
			case line, ok := <-w.lines:
				if !ok {
					w.t.Fatal("wscat has ended")
				}
				if line == text {
					return
				}
			case <-again.C:
				waiting = false
			}
		}
	}
	w.t.Fatalf("%q does not come back", text)
}

// hears waits for a line.
func (w *terminal) hears(want string) {
	w.t.Helper()
	for {
		if line := ids.ReplaceAllString(w.line(), "ID"); line == want {
			return
		}
	}
}

// chatModules returns a copy of testdata/chat with the packages that its handlers
// import, or skips.
func chatModules(t *testing.T) string {
	t.Helper()
	installed, err := filepath.Abs("../.tools/chat/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Stat(installed)
	if _, err := exec.LookPath("node"); err != nil {
		missing = err
	}
	switch {
	case missing != nil && os.Getenv(dynamotest.ToolsVariable) == "required":
		t.Fatalf("%v, and %s says it must be there", missing, dynamotest.ToolsVariable)
	case missing != nil:
		t.Skip("Node.js or what testdata/chat imports is not installed; scripts/ci-tools does the latter")
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../testdata/chat")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(installed, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// startNode runs the handlers until the test ends.
func startNode(t *testing.T, modules, address string, env []string) {
	t.Helper()
	script, err := filepath.Abs("../testdata/invoke.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	args := []string{script, port}
	for name, folder := range chatFunctions {
		args = append(args, name+"="+folder+"/app.mjs:handler")
	}
	cmd := exec.Command("node", args...)
	cmd.Dir = modules
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "http://"+address+"\n" {
		t.Fatalf("node said %q, %v", line, err)
	}
}

var export = regexp.MustCompile(`(?m)^  export (.+)$`)

// exported are the variables that the greeting gives to functions that are started
// elsewhere.
func exported(t *testing.T, greeting string) []string {
	t.Helper()
	m := export.FindStringSubmatch(greeting)
	if m == nil {
		t.Fatalf("the greeting exports nothing:\n%s", greeting)
	}
	return strings.Fields(m[1])
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// chatRows is the table of connections.
type chatRows struct{ endpoint string }

func chatTable(t *testing.T, endpoint string) chatRows {
	t.Helper()
	c := chatRows{endpoint}
	c.call(t, "CreateTable", `{"TableName":"chat_connections","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"connectionId","AttributeType":"S"}],"KeySchema":[{"AttributeName":"connectionId","KeyType":"HASH"}]}`)
	t.Cleanup(func() { c.call(t, "DeleteTable", `{"TableName":"chat_connections"}`) })
	return c
}

// call is an operation of DynamoDB.
func (c chatRows) call(t *testing.T, operation, body string) (answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("X-Amz-Date", "20260101T000000Z") // the engine looks at the shape of a signature
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", operation, resp.Status, answer, err)
	}
	return answer
}

// waitFor waits until the table has so many rows.
func (c chatRows) waitFor(t *testing.T, rows int) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(20 * time.Second)
	for {
		var page struct{ Count int }
		if err := json.Unmarshal(c.call(t, "Scan", `{"TableName":"chat_connections","ConsistentRead":true}`), &page); err != nil {
			t.Fatal(err)
		}
		if page.Count == rows {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("the table has %d rows, want %d", page.Count, rows)
		}
	}
}
