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
)

// chatFunctions are the folders of the functions of testdata/chat, by logical id.
var chatFunctions = map[string]string{
	"OnConnectFunction": "onconnect", "OnDisconnectFunction": "ondisconnect", "SendMessageFunction": "sendmessage",
}

// domainEndpoint is how the handler of testdata/chat makes the URL that it posts to.
const domainEndpoint = "`https://${domainName}/${stage}`"

// apiIDEndpoint is the other way, which is common too.
const apiIDEndpoint = "`https://${event.requestContext.apiId}." +
	"execute-api.${process.env.AWS_REGION}.amazonaws.com/${stage}`"

// TestChat serves an API of a common form, whose handlers know nothing of localhub:
// Node.js behind Lambda's Invoke API, with the AWS SDK for JavaScript and a real
// DynamoDB. Two clients talk through the stock wscat.
func TestChat(t *testing.T) {
	wscatPath := findWscat(t)
	requireChatModules(t)
	engine := startEngine(t)
	t.Run("by domain name", func(t *testing.T) { testChat(t, wscatPath, engine, domainEndpoint) })
	t.Run("by API id", func(t *testing.T) { testChat(t, wscatPath, engine, apiIDEndpoint) })
}

// testChat is a conversation with a handler that posts to an endpoint.
func testChat(t *testing.T, wscatPath, engine, endpoint string) {
	table := newChatTable(t, engine)
	nodeAddress := unusedAddress(t)
	var args []string
	for id := range chatFunctions {
		args = append(args, "-function", id+"=http://"+nodeAddress)
	}
	api := serveTemplate(t, "../testdata/chat/template.yaml", args...)
	if !strings.HasSuffix(api.socket, "/Prod") {
		t.Fatalf("got the socket %s, want one that ends in /Prod", api.socket)
	}
	startNode(t, copyChat(t, endpoint), nodeAddress, append(exportedVariables(t, api.banner),
		"AWS_ENDPOINT_URL_DYNAMODB="+engine, "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "TABLE_NAME="+chatTableName))

	alice := startWscat(t, wscatPath, "-c", api.socket)
	alice.chat("hello")
	bob := startWscat(t, wscatPath, "-c", api.socket)
	bob.chat("hello, Alice")
	alice.waitFor("hello, Alice")
	alice.chat("how are you? ☕")
	bob.waitFor("how are you? ☕")
	alice.send("not JSON") // the API has no $default
	alice.waitFor(`{"message": "Forbidden", "connectionId":"ID", "requestId":"ID"}`)

	table.waitFor(t, 2)
	bob.kill()
	table.waitFor(t, 1) // $disconnect has run
	alice.chat("gone?")

	// The handler removes the row of a connection that is gone at the first post to it.
	table.call(t, "PutItem",
		`{"TableName":"`+chatTableName+`","Item":{"connectionId":{"S":"L0SM9cOFvHcCIhw="}}}`)
	alice.chat("still here")
	table.waitFor(t, 1)
}

// chat sends a chat message until it comes back: wscat drops lines that it reads before
// it is connected.
func (w *wscat) chat(text string) {
	w.t.Helper()
	message, err := json.Marshal(map[string]string{"action": "sendmessage", "data": text})
	if err != nil {
		w.t.Fatal(err)
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	limit := time.After(20 * time.Second)
	w.send(string(message))
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("wscat ended")
			}
			if line == text {
				return
			}
		case <-again.C:
			w.send(string(message))
		case <-limit:
			w.t.Fatalf("%q did not come back in 20 s", text)
		}
	}
}

// waitFor waits for a line, with ID in place of ids.
func (w *wscat) waitFor(text string) {
	w.t.Helper()
	for ids.ReplaceAllString(w.next(), "ID") != text {
	}
}

// chatModules is where scripts/ci-tools installs the packages that the handlers import.
const chatModules = "../.tools/chat/node_modules"

// requireChatModules skips a test without Node.js or the packages.
func requireChatModules(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		skipMissing(t, "Node.js is not installed")
	}
	if _, err := os.Stat(chatModules); err != nil {
		skipMissing(t, "the packages of testdata/chat are not installed; scripts/ci-tools installs them")
	}
}

// copyChat is a copy of testdata/chat whose handler posts to an endpoint.
func copyChat(t *testing.T, endpoint string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../testdata/chat")); err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs(chatModules)
	if err == nil {
		err = os.Symlink(modules, filepath.Join(folder, "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "sendmessage", "app.mjs")
	source, err := os.ReadFile(file)
	if n := strings.Count(string(source), domainEndpoint); err != nil || n != 1 {
		t.Fatalf("%s: got %d times %s, %v, want 1", file, n, domainEndpoint, err)
	}
	source = []byte(strings.Replace(string(source), domainEndpoint, endpoint, 1))
	if err := os.WriteFile(file, source, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// startNode runs the handlers in a folder until the test ends.
func startNode(t *testing.T, folder, address string, env []string) {
	t.Helper()
	script, err := filepath.Abs("../testdata/invoke.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	args := []string{script, port}
	for id, name := range chatFunctions {
		args = append(args, id+"="+name+"/app.mjs:handler")
	}
	cmd := exec.Command("node", args...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	stdout := startCommand(t, cmd)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "http://"+address+"\n" {
		t.Fatalf("node printed %q, %v", line, err)
	}
}

var exportLine = regexp.MustCompile(`(?m)^  export (.+)$`)

// exportedVariables are the variables that the banner has for functions that the
// developer starts.
func exportedVariables(t *testing.T, banner string) []string {
	t.Helper()
	m := exportLine.FindStringSubmatch(banner)
	if m == nil {
		t.Fatalf("the banner has no variables for functions:\n%s", banner)
	}
	return strings.Fields(m[1])
}

const chatTableName = "chat_connections"

// chatTable is the table of connections of testdata/chat.
type chatTable struct{ endpoint string }

// newChatTable creates the table. It is deleted when the test ends.
func newChatTable(t *testing.T, endpoint string) chatTable {
	t.Helper()
	c := chatTable{endpoint}
	c.call(t, "CreateTable", `{"TableName":"`+chatTableName+`","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"connectionId","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"connectionId","KeyType":"HASH"}]}`)
	t.Cleanup(func() { c.call(t, "DeleteTable", `{"TableName":"`+chatTableName+`"}`) })
	return c
}

// call calls an operation of DynamoDB.
func (c chatTable) call(t *testing.T, operation, body string) (answer []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	// The engine checks only the form of a signature.
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0")
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

// waitFor waits until the table has n rows.
func (c chatTable) waitFor(t *testing.T, n int) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(20 * time.Second)
	for {
		answer := c.call(t, "Scan", `{"TableName":"`+chatTableName+`","ConsistentRead":true}`)
		var page struct{ Count int }
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatal(err)
		}
		if page.Count == n {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("the table has %d rows, want %d", page.Count, n)
		}
	}
}
