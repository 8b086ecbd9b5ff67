package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// endpoints are the ways in which handlers of the samples make the URL that they post to:
// by the domain name of the event, as written there, and by the id of the API.
var endpoints = map[string]struct{ byDomain, byID string }{
	"sam-node": {
		"`https://${domainName}/${stage}`",
		"`https://${event.requestContext.apiId}.execute-api.${process.env.AWS_REGION}.amazonaws.com/${stage}`",
	},
	"sam-python": {
		`f"https://{request['domainName']}/{request['stage']}"`,
		`f"https://{request['apiId']}.execute-api.{os.environ['AWS_REGION']}.amazonaws.com/{request['stage']}"`,
	},
}

// TestChat serves APIs of a common form, whose handlers know nothing of localhub: they are
// in Node.js and Python, with AWS's SDKs and a real DynamoDB. Two clients talk through the
// stock wscat.
func TestChat(t *testing.T) {
	wscatPath := findWscat(t)
	for sample, endpoint := range endpoints {
		for name, url := range map[string]string{"by domain name": endpoint.byDomain, "by API id": endpoint.byID} {
			t.Run(sample+" "+name, func(t *testing.T) {
				folder := copySample(t, sample)
				path := samplePath(t, sample, folder)
				replaceEndpoint(t, folder, endpoint.byDomain, url)
				t.Setenv("PATH", path)
				testChat(t, wscatPath, startEngine(t), filepath.Join(folder, "template.yaml"))
			})
		}
	}
}

// testChat is a conversation on the API of a template.
func testChat(t *testing.T, wscatPath, engine, template string) {
	table := newChatTable(t, engine)
	api := serveTemplate(t, template, "-env", "AWS_ENDPOINT_URL_DYNAMODB="+engine)
	if !strings.HasSuffix(api.socket, "/Prod") {
		t.Fatalf("got the socket %s, want one that ends in /Prod", api.socket)
	}
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
	limit := time.After(patience)
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
			w.t.Fatalf("%q did not come back in %s", text, patience)
		}
	}
}

// waitFor waits for a line, with ID in place of ids.
func (w *wscat) waitFor(text string) {
	w.t.Helper()
	for ids.ReplaceAllString(w.next(), "ID") != text {
	}
}

// copySample copies a sample into a folder of the test.
func copySample(t *testing.T, sample string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../examples/"+sample)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// samplePath gives the functions of a sample AWS's SDK, and returns the variable PATH that
// runs them. The test is skipped if scripts/ci-tools has not installed what it needs.
func samplePath(t *testing.T, sample, folder string) string {
	t.Helper()
	path := os.Getenv("PATH")
	if sample == "sam-python" {
		// cfn-lint depends on the SDK that examples/sam-python/requirements.txt names.
		return filepath.Dir(needTool(t, "cfn-lint/bin/python3")) + string(filepath.ListSeparator) + path
	}
	if _, err := exec.LookPath("node"); err != nil {
		skipMissing(t, "Node.js is not installed")
	}
	_ = os.RemoveAll(filepath.Join(folder, "node_modules")) // of a developer who has typed the tour
	if err := os.Symlink(needTool(t, "chat/node_modules"), filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return path
}

// needTool returns the path of what scripts/ci-tools installs.
func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../.tools", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		skipMissing(t, name+" is not installed; scripts/ci-tools installs it")
	}
	return path
}

// replaceEndpoint makes the handler of a sample post to another URL.
func replaceEndpoint(t *testing.T, folder, written, url string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "sendmessage", "app.*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got the files %v, %v, want 1", files, err)
	}
	source, err := os.ReadFile(files[0])
	if n := strings.Count(string(source), written); err != nil || n != 1 {
		t.Fatalf("%s: got %d times %s, %v, want 1", files[0], n, written, err)
	}
	source = []byte(strings.Replace(string(source), written, url, 1))
	if err := os.WriteFile(files[0], source, 0o600); err != nil {
		t.Fatal(err)
	}
}

const chatTableName = "chat_connections"

// chatTable is the table of connections of the samples.
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
	limit := time.After(patience)
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
