package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/devca"

	"github.com/securecart/hub/internal/local/account"
)

// bootstrapVariable makes this test binary be a function of a template.
const bootstrapVariable = "LOCALHUB_TEST_BOOTSTRAP"

// bootstrap answers a message with what it finds, or ends as it is told.
func bootstrap(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	body := e.RequestContext.EventType
	var message struct{ Do, Name string }
	_ = json.Unmarshal([]byte(e.Body), &message)
	switch message.Do {
	case "exit":
		os.Exit(3)
	case "hang":
		select {}
	case "env":
		body = os.Getenv(message.Name)
	case "say":
		fmt.Println(message.Name)
	}
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: body}, nil
}

// echoTemplate is an API with one two-way route; the function runs this test binary.
const echoTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Integration}"}
  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: live, AutoDeploy: true}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: echo-it
      CodeUri: echo/
      Handler: bootstrap
      Runtime: provided.al2023
      Timeout: 1
      Environment:
        Variables:
          LOCALHUB_TEST_BOOTSTRAP: "1"
          CALLBACK: !Sub https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live
          OWN: template
  Table: {Type: AWS::DynamoDB::Table}
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
  Second: {Type: AWS::SQS::Queue}
`

// desktop is a localhub that serves a template.
type desktop struct {
	greeting string
	socket   string // ws://…/STAGE
	log      *log
}

// log is what a localhub writes to its standard error, to be waited for.
type log struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed when there is more
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(p)
}

// shows waits until a line is in the log.
func (l *log) shows(t *testing.T, line string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		text, more := l.text.String(), l.more
		l.mu.Unlock()
		if strings.Contains(text, line) {
			return
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("the log does not show %q:\n%s", line, text)
		}
	}
}

// serveTemplate runs localhub -template in process until the test ends.
func serveTemplate(t *testing.T, file string, args ...string) *desktop {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	d := &desktop{log: &log{more: make(chan struct{})}}
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-template", file, "-addr", "127.0.0.1:0"}, args...), in, d.log)
		in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("localhub ended with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	var text strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Interrupt") {
			break
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	d.greeting = text.String()
	d.socket = regexp.MustCompile(`ws://\S+`).FindString(d.greeting)
	return d
}

// echo serves echoTemplate with this test binary as the bootstrap.
func echo(t *testing.T, args ...string) (d *desktop, folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "t.yaml"), []byte(echoTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "echo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program(t), filepath.Join(folder, "echo", "bootstrap")); err != nil {
		t.Fatal(err)
	}
	return serveTemplate(t, filepath.Join(folder, "t.yaml"), args...), folder
}

func program(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// dial opens a client.
func dial(t *testing.T, url string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// asks sends a message and returns the answer, ids left out.
func asks(t *testing.T, c *websocket.Conn, message string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
	_, answer, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return ids.ReplaceAllString(string(answer), "ID")
}

var ids = regexp.MustCompile(`[A-Za-z0-9_-]{15}=`)

// errorFrame is what a client gets when a function fails (G-ERR-1).
const errorFrame = `{"message": "Internal server error", "connectionId":"ID", "requestId":"ID"}`

func TestTemplateFunction(t *testing.T) {
	d, folder := echo(t, "-env", "OWN=all", "-env", "Echo.MORE=one", "-env", "AWS_REGION=given")
	c := dial(t, d.socket, nil)
	if got := asks(t, c, `{}`); got != "MESSAGE" {
		t.Errorf("got %s", got)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(d.socket, "ws://"), "/live")
	for name, want := range map[string]string{
		"CALLBACK": "http://" + host + "/live", "OWN": "all", "MORE": "one", "AWS_REGION": "given",
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": "http://" + host + "/live",
		"AWS_LAMBDA_FUNCTION_NAME":                 "echo-it", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "_HANDLER": "bootstrap",
		"LAMBDA_TASK_ROOT": filepath.Join(folder, "echo"), "AWS_DEFAULT_REGION": "eu-central-1", "TZ": ":UTC",
		"NODE_EXTRA_CA_CERTS": filepath.Join(os.Getenv("XDG_CACHE_HOME"), "securecart-hub", "localhub-ca.pem"), "HOME": "",
	} {
		if got := asks(t, c, fmt.Sprintf(`{"do":"env","name":%q}`, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	asks(t, c, `{"do":"say","name":"words"}`)
	d.log.shows(t, "Echo | words\n")
}

// TestTemplateFunctionFails: the client sees the service's frame, the log names the
// function, and the next message is served.
func TestTemplateFunctionFails(t *testing.T) {
	d, _ := echo(t)
	c := dial(t, d.socket, nil)
	for do, line := range map[string]string{
		"exit": "Echo | failed: function echo-it: Runtime.ExitError: the runtime exited before it answered\n",
		"hang": "Echo | failed: function echo-it timed out: context deadline exceeded\n",
	} {
		if got := asks(t, c, fmt.Sprintf(`{"do":%q}`, do)); got != errorFrame {
			t.Errorf("%s: got %s", do, got)
		}
		d.log.shows(t, line)
		if got := asks(t, c, `{}`); got != "MESSAGE" {
			t.Errorf("after %s: got %s", do, got)
		}
	}
}

// TestTemplateFunctionReplaced: a new build is taken without a restart.
func TestTemplateFunctionReplaced(t *testing.T) {
	d, folder := echo(t)
	c := dial(t, d.socket, nil)
	if got := asks(t, c, `{"do":"env","name":"BUILD"}`); got != "" {
		t.Errorf("got %q", got)
	}
	path := filepath.Join(folder, "echo", "bootstrap")
	script := "#!/bin/sh\nBUILD=second exec " + program(t) + "\n"
	if err := errors.Join(os.WriteFile(path+".new", []byte(script), 0o700), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	if got := asks(t, c, `{"do":"env","name":"BUILD"}`); got != "second" {
		t.Errorf("got %q", got)
	}
}

// TestTemplateNoFunction: a function that its server does not know, or does not let
// us invoke, refuses the handshake with 500 (G-HANDSHAKE-8).
func TestTemplateNoFunction(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		defer server.Close()
		path := filepath.Join(t.TempDir(), "t.yaml")
		text := strings.Replace(echoTemplate, "RouteKey: $default", "RouteKey: $connect", 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d := serveTemplate(t, path, "-function", "Echo="+server.URL)
		_, resp, err := websocket.Dial(t.Context(), d.socket, nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("when Invoke answers %d: got %v, %v, want a handshake refused with 500", status, resp, err)
		}
	}
}

func TestTemplateEndpoint(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"statusCode":200,"body":"from `+r.URL.Path+`"}`)
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	d, _ := echo(t, "-function", "Echo="+address)
	c := dial(t, d.socket, nil)
	if got, want := asks(t, c, `{}`), "from /2015-03-31/functions/Echo/invocations"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_ = server.Close()
	<-served
	if got := asks(t, c, `{}`); got != errorFrame {
		t.Errorf("with the endpoint down: got %s", got)
	}
	d.log.shows(t, "Echo | failed: function Echo: ")
}

// TestTemplateGreeting: it says what is served and what is not.
func TestTemplateGreeting(t *testing.T) {
	d, folder := echo(t)
	for _, want := range []string{
		"the WebSocket API Api of " + filepath.Join(folder, "t.yaml"),
		"  socket        " + d.socket + "\n  @connections  http" + strings.TrimPrefix(d.socket, "ws") + "/@connections\n",
		"  routes        $default\n",
		"  function      Echo  " + filepath.Join(folder, "echo", "bootstrap") + "\n",
		"\nnot imitated: 4 resources: AWS::DynamoDB::Table (1), AWS::SNS::Topic (1), AWS::SQS::Queue (2)\n",
		"\n  npx wscat -c " + d.socket + "\n",
	} {
		if !strings.Contains(d.greeting, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, d.greeting)
		}
	}
}

// TestTemplateTLS: the same port speaks TLS, for handlers that post to
// https://domainName/stage.
func TestTemplateTLS(t *testing.T) {
	d, _ := echo(t)
	var trusted []byte
	for range 2 { // the authority outlives a localhub
		data, err := os.ReadFile(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "securecart-hub", "localhub-ca.pem"))
		if err != nil || trusted != nil && !bytes.Equal(trusted, data) {
			t.Fatalf("got another authority, %v", err)
		}
		trusted = data
		if _, err := devca.Open(); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	c := dial(t, "wss"+strings.TrimPrefix(d.socket, "ws"), &websocket.DialOptions{HTTPClient: client})
	if got := asks(t, c, `{}`); got != "MESSAGE" {
		t.Errorf("got %s", got)
	}
	resp, err := client.Post("https"+strings.TrimPrefix(d.socket, "ws")+"/@connections/L0SM9cOFvHcCIhw=", "text/plain", strings.NewReader("x"))
	if err != nil || resp.StatusCode != http.StatusGone {
		t.Fatalf("got %v, %v", resp, err)
	}
	resp.Body.Close()
}

// TestTemplateIAM: where the template has AWS_IAM, handshakes without a signature are
// refused, and the greeting tells the credentials.
func TestTemplateIAM(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.yaml")
	text := strings.Replace(echoTemplate, "  Echo:\n", `  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: AWS_IAM}
  Echo:
`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := serveTemplate(t, file, "-function", "Echo=http://127.0.0.1:1")
	if want := "\nsign requests to @connections and handshakes with AWS_ACCESS_KEY_ID=AKIALOCALHUB AWS_SECRET_ACCESS_KEY=localhub-secret\n"; !strings.Contains(d.greeting, want) {
		t.Errorf("the greeting lacks %q:\n%s", want, d.greeting)
	}
	_, resp, err := websocket.Dial(t.Context(), d.socket, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v, want 403", resp, err)
	}
}

func TestTemplateRequireSigV4(t *testing.T) {
	d, _ := echo(t, "-require-sigv4")
	c := dial(t, d.socket, nil)
	for name, want := range map[string]string{"AWS_ACCESS_KEY_ID": account.Credential.AccessKeyID, "AWS_SECRET_ACCESS_KEY": account.Credential.SecretAccessKey} {
		if got := asks(t, c, fmt.Sprintf(`{"do":"env","name":%q}`, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	resp, err := http.Get("http" + strings.TrimPrefix(d.socket, "ws") + "/@connections/L0SM9cOFvHcCIhw=")
	if err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("got %v, %v, want 403", resp, err)
	}
	resp.Body.Close()
	if !strings.Contains(d.greeting, "\nsign requests to @connections with AWS_ACCESS_KEY_ID=AKIALOCALHUB ") {
		t.Errorf("got the greeting\n%s", d.greeting)
	}
}

func TestTemplateCommandLine(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	folder := t.TempDir()
	good := filepath.Join(folder, "t.yaml")
	if err := os.WriteFile(good, []byte(echoTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	function := fmt.Sprintf("%s:%d:3: ", good, strings.Count(strings.Split(echoTemplate, "  Echo:")[0], "\n")+1)
	for name, tt := range map[string]struct {
		args   []string
		status int
		want   string // in the error
	}{
		"no file":                  {[]string{"-template"}, 2, "flag needs an argument: -template"},
		"an empty file name":       {[]string{"-template="}, 2, "-template needs a file"},
		"a file that is not there": {[]string{"-template", "/nowhere/t.yaml"}, 1, "-template: open /nowhere/t.yaml: no such file"},
		"a flag of the hub":        {[]string{"-template", good, "-seed", "x"}, 2, "flag provided but not defined: -seed"},
		"a parameter that is none": {[]string{"-template", good, "-parameter", "x"}, 2, "it must be NAME=VALUE, with each name once"},
		"a parameter twice":        {[]string{"-template", good, "-parameter", "x=1", "-parameter", "x=2"}, 2, "it must be NAME=VALUE, with each name once"},
		"an unknown parameter":     {[]string{"-template", good, "-parameter", "x=1"}, 1, "-parameter x: the template has no such parameter"},
		"nothing runs a function": {[]string{"-template", good}, 1, function + "nothing runs the function Echo (provided.al2023): put an executable for provided.al2023 as " +
			filepath.Join(folder, "echo", "bootstrap") + ", or start it behind Lambda's Invoke API and add -function Echo=http://127.0.0.1:9001"},
		"a URL that is none":             {[]string{"-template", good, "-function", "Echo=localhost:9001"}, 1, function + `lambdaproc: "localhost:9001" is not an http:// or https:// URL`},
		"a function that there is not":   {[]string{"-template", good, "-function", "Echo=http://127.0.0.1:1", "-function", "Eco=http://127.0.0.1:1"}, 1, "-function Eco: the API invokes no such function"},
		"a variable of no function":      {[]string{"-template", good, "-function", "Echo=http://127.0.0.1:1", "-env", "Eco.X=1"}, 1, "-env Eco.X: the API invokes no function Eco"},
		"a stage that there is not":      {[]string{"-template", good, "-stage", "dev", "-function", "Echo=http://127.0.0.1:1"}, 1, good + ": there is no stage dev"},
		"a life that is too long":        {[]string{"-template", good, "-max-age", "3h"}, 2, "-max-age 3h0m0s: it must be above zero and at most 2h0m0s"},
		"a log format that there is not": {[]string{"-template", good, "-log", "xml"}, 2, `-log "xml": it must be json or text`},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			args := slices.Concat(tt.args, []string{"-addr", "127.0.0.1:0"})
			if name == "no file" {
				args = tt.args
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			status := exitStatus(run(ctx, args, io.Discard, io.Discard), &stderr)
			if status != tt.status || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("got status %d, %s\nwant %d, %s", status, stderr.String(), tt.status, tt.want)
			}
		})
	}
}
