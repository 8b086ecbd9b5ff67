package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/handler"
)

// fakeAccount answers the AWS CLI like an account in which every request works and nothing is
// found, and keeps what it was asked.
type fakeAccount struct {
	mu       sync.Mutex
	requests []string // "DynamoDB_20120810.UpdateTable", "PUT /2017-10-31/functions/NAME/concurrency"
	invoked  []string // payloads of Lambda
}

// failedBatch are the records of a batch in the stream, as DynamoDB Streams returns them.
const failedBatch = `{"Records":[{"eventID":"1","eventName":"MODIFY","eventVersion":"1.1","awsRegion":"eu-central-1",
	"eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":1796083230,"SequenceNumber":"100",
	"StreamViewType":"NEW_AND_OLD_IMAGES","SizeBytes":50,"Keys":{"sku":{"S":"MUG"}},
	"OldImage":{"sku":{"S":"MUG"},"available":{"N":"9"},"version":{"N":"1"}},
	"NewImage":{"sku":{"S":"MUG"},"available":{"N":"3"},"version":{"N":"2"}}}}]}`

// stackResources are the resources of a stack, as CloudFormation returns them.
const stackResources = `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>
	<member><ResourceType>AWS::Lambda::Function</ResourceType><PhysicalResourceId>hub-Rest</PhysicalResourceId></member>
	<member><ResourceType>AWS::Logs::LogGroup</ResourceType><PhysicalResourceId>/hub/rest</PhysicalResourceId></member>
	</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`

func (a *fakeAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	what := r.Header.Get("X-Amz-Target")
	if what == "" {
		what = r.Method + " " + r.URL.Path
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, what)
	kind := r.Header.Get("Content-Type")
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocations"):
		a.invoked = append(a.invoked, string(body))
		_, _ = io.WriteString(w, `{"batchItemFailures":[]}`)
	case strings.HasSuffix(what, ".GetRecords"):
		_, _ = io.WriteString(w, failedBatch)
	case strings.HasSuffix(what, ".GetShardIterator"):
		_, _ = io.WriteString(w, `{"ShardIterator":"iterator"}`)
	case strings.Contains(r.URL.Path, "/aliases/"):
		_, _ = io.WriteString(w, `{"FunctionVersion":"3"}`)
	case strings.HasSuffix(r.URL.Path, "/versions") && r.URL.Query().Get("Marker") == "":
		_, _ = io.WriteString(w, `{"Versions":[{"Version":"$LATEST"},{"Version":"1"},{"Version":"2"}],"NextMarker":"2"}`)
	case strings.HasSuffix(r.URL.Path, "/versions"):
		_, _ = io.WriteString(w, `{"Versions":[{"Version":"3"}]}`)
	case strings.Contains(string(body), "Action=ListStackResources"):
		_, _ = io.WriteString(w, stackResources)
	case strings.HasSuffix(what, ".DescribeTable"):
		_, _ = io.WriteString(w, `{"Table":{"TableStatus":"ACTIVE"}}`)
	case strings.Contains(kind, "cbor"):
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		_, _ = w.Write([]byte{0xbf, 0xff}) // {}
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		_, _ = io.WriteString(w, "<Response><Result/></Response>")
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

// placeholders of commands in docs/operations.md, and values that the AWS CLI accepts.
var placeholders = strings.NewReplacer(
	"STREAM_ARN", "arn:aws:dynamodb:eu-central-1:account:table/stock/stream/2026-12-24T18:00:00.000",
	"SHARD_ID", "shardId-00000001541626099285-f35f62ef", "START", "100000000000000000001",
	"/admin/users/SUB/", "/admin/users/alice/",
)

// commandBlocks are the fenced blocks of a document that are commands for a shell.
func commandBlocks(doc string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)\n```\n(.*?)```\n").FindAllStringSubmatch(doc, -1) {
		isCommand := regexp.MustCompile(`(?m)^(\w+=\$\()?(aws|curl|openssl|for) `).MatchString(m[1])
		if isCommand && !strings.Contains(m[1], "go run ./localhub") { // TestDeprecations
			blocks = append(blocks, m[1])
		}
	}
	return blocks
}

// TestRunbook runs the commands of docs/operations.md: those for localhub against one, and
// those for AWS with the AWS CLI, which checks their arguments, against an account that
// takes everything.
func TestRunbook(t *testing.T) {
	cli, err := exec.LookPath("aws")
	if err != nil {
		skipMissing(t, "the AWS CLI is not installed")
	}
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	hub := start(t)
	conn := dial(t, hub.socket, &websocket.DialOptions{Subprotocols: []string{"securecart.v1"}})
	var open struct {
		Connections []struct{ ConnectionID string }
	}
	getAdmin(t, "http://"+hub.adminAddress()+"/admin/connections", &open)
	aws := new(fakeAccount)
	server := httptest.NewServer(aws)
	defer server.Close()

	// Version 1 behaves as version 2 does with --cli-binary-format raw-in-base64-out.
	home, bin := t.TempDir(), t.TempDir()
	raw := "--cli-binary-format) shift 2;;\n"
	if version, _ := exec.Command(cli, "--version").CombinedOutput(); strings.HasPrefix(string(version), "aws-cli/2") {
		raw = ""
	}
	script := "#!/bin/bash\nargs=(--endpoint-url " + server.URL + ")\nwhile [ $# -gt 0 ]; do case $1 in\n" + raw +
		"--endpoint-url) args[1]=$2; shift 2;;\n*) args+=(\"$1\"); shift;; esac; done\nexec " + cli + " \"${args[@]}\"\n"
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	addresses := strings.NewReplacer("http://127.0.0.1:8788", "http://"+hub.adminAddress(),
		"CALLBACK_URL", "http"+strings.TrimPrefix(hub.socket, "ws"), "QUEUE_URL", server.URL+"/queue",
		"-id ID\n", "-id "+open.Connections[0].ConnectionID+"\n")
	blocks := commandBlocks(string(doc))
	env := append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+home,
		"AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=SECRET", "AWS_DEFAULT_REGION=eu-central-1",
		"AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+filepath.Join(home, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "none"))
	t.Run("blocks", func(t *testing.T) {
		for n, block := range blocks {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				commands := addresses.Replace(placeholders.Replace(block))
				cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
				cmd.Dir, cmd.Env = t.TempDir(), env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("%s\n%v\n%s", block, err, out)
				}
				const versions = "hub-Rest: now 3, last: [\"2\",\"3\"]\n"
				if strings.Contains(block, "list-versions-by-function") && string(out) != versions {
					t.Errorf("%s\ngot %s, want %s", block, out, versions)
				}
			})
		}
	})
	if len(blocks) < 10 {
		t.Errorf("found %d blocks of commands only", len(blocks))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the connection: %v, want an end by the hub", err)
	}
	aws.mu.Lock()
	defer aws.mu.Unlock()
	for _, want := range []string{"DynamoDB_20120810.RestoreTableToPointInTime", "AmazonSQS.PurgeQueue"} {
		if !slices.Contains(aws.requests, want) {
			t.Errorf("nobody asked for %s: %q", want, aws.requests)
		}
	}
	checkRedriven(t, aws.invoked)
}

// checkRedriven fails unless the broadcast function was invoked with the records of the
// failed batch, as it can read them.
func checkRedriven(t *testing.T, payloads []string) {
	for _, payload := range payloads {
		var event handler.BroadcastEvent
		if err := json.Unmarshal([]byte(payload), &event); err != nil {
			t.Errorf("the function cannot read %s: %v", payload, err)
		}
		for _, r := range event.Records {
			got := fmt.Sprint(r.EventName, " ", r.Change.SequenceNumber, " ", len(r.Change.Keys), len(r.Change.OldImage),
				len(r.Change.NewImage), " ", strings.HasPrefix(r.EventSourceArn, "arn:aws:dynamodb:"))
			if got != "MODIFY 100 1 3 3 true" {
				t.Errorf("got the record %s of %s", got, payload)
			}
			return
		}
	}
	t.Errorf("no invocation has records: %q", payloads)
}

// logPattern matches the pattern of filter-log-events in docs/operations.md.
var logPattern = regexp.MustCompile(`--filter-pattern '\{ (.*) \}'`)

// TestLogPattern: the run-book's pattern finds errors, warnings and Lambda's own lines, which
// have no level. https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func TestLogPattern(t *testing.T) {
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	pattern := logPattern.FindStringSubmatch(string(doc))
	if pattern == nil {
		t.Fatal("docs/operations.md has no pattern for log lines")
	}
	for line, want := range map[string]bool{
		`{"level":"ERROR","msg":"runtime","error":"panic"}`:                        true,
		`{"level":"WARN","msg":"post failed"}`:                                     true,
		`{"level":"INFO","msg":"metrics","Changes":1}`:                             false,
		`{"type":"platform.report","record":{"requestId":"r","status":"timeout"}}`: true,
	} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		found := false
		for term := range strings.SplitSeq(pattern[1], " || ") {
			var name, value string
			if _, err := fmt.Sscanf(term, "$.%s = %q", &name, &value); err != nil {
				t.Fatalf("%s: %v", term, err)
			}
			text, _ := fields[name].(string)
			matched, err := path.Match(value, text)
			found = found || err == nil && matched
		}
		if found != want {
			t.Errorf("the pattern finds %s: %t, want %t", line, found, want)
		}
	}
}
