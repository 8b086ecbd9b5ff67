package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/cost"
)

// echoFunction is the function of echoTemplate: it answers with the type of an event, or
// does what the message says.
func echoFunction(
	_ context.Context, e events.APIGatewayWebsocketProxyRequest,
) (events.APIGatewayProxyResponse, error) {
	body := e.RequestContext.EventType
	var message struct{ Do, Name string }
	_ = json.Unmarshal([]byte(e.Body), &message)
	switch message.Do {
	case "exit":
		os.Exit(3)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "env":
		body = os.Getenv(message.Name)
	case "print":
		fmt.Println(message.Name)
	case "post":
		url := strings.ReplaceAll(message.Name, "API_ID", e.RequestContext.APIID)
		body = postTo(url + "/@connections/" + e.RequestContext.ConnectionID)
	case "call":
		body = postTo(message.Name)
	}
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: body}, nil
}

// postTo posts to a URL as a program does that knows nothing of localhub.
func postTo(url string) string {
	resp, err := http.Post(url, "text/plain", strings.NewReader("posted"))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	return resp.Status
}

// echoTemplate is an API with one two-way route. The test binary is the bootstrap of its
// function.
const echoTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
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
      Timeout: 60
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

// echoWithin is echoTemplate with another timeout, in seconds.
func echoWithin(timeout int) string {
	return strings.Replace(echoTemplate, "Timeout: 60\n", fmt.Sprintf("Timeout: %d\n", timeout), 1)
}

// templateInstance is a localhub that serves a template.
type templateInstance struct {
	*instance
	stderr *logBuffer
}

// logBuffer keeps what a localhub writes to its standard error.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // closed at the next write
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.text.Write(p)
}

func (l *logBuffer) read() (text string, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.more
}

// waitFor waits until the log has a text.
func (l *logBuffer) waitFor(t *testing.T, want string) {
	t.Helper()
	limit := time.After(patience)
	for {
		text, more := l.read()
		if strings.Contains(text, want) {
			return
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("after %s the log does not have %q", patience, want) // serveTemplate prints it
		}
	}
}

// serveTemplate runs localhub -template in this process until the test ends.
func serveTemplate(t *testing.T, file string, args ...string) *templateInstance {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	stderr := &logBuffer{more: make(chan struct{})}
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := stderr.read()
			t.Logf("localhub's standard error:\n%s", text)
		}
	})
	args = append([]string{"-template", file, "-addr", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, args...)
	return &templateInstance{runInProcess(t, stderr, args...), stderr}
}

// writeTemplate writes a template and returns its file.
func writeTemplate(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// serveEcho serves echoTemplate. folder is where the template is.
func serveEcho(t *testing.T, args ...string) (api *templateInstance, folder string) {
	t.Helper()
	return serveEchoTemplate(t, echoTemplate, args...)
}

// serveEchoTemplate serves a form of echoTemplate.
func serveEchoTemplate(t *testing.T, text string, args ...string) (api *templateInstance, folder string) {
	t.Helper()
	file := writeTemplate(t, text)
	folder = filepath.Dir(file)
	err := errors.Join(
		os.Mkdir(filepath.Join(folder, "echo"), 0o700),
		os.Symlink(testBinary(t), filepath.Join(folder, "echo", "bootstrap")),
	)
	if err != nil {
		t.Fatal(err)
	}
	return serveTemplate(t, file, args...), folder
}

// dial connects a client until the test ends.
func dial(t *testing.T, url string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// ask sends a message and returns the answer, with ID in place of ids.
func ask(t *testing.T, c *websocket.Conn, message string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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
	api, folder := serveEcho(t, "-env", "OWN=all", "-env", "Echo.MORE=one", "-env", "AWS_REGION=given")
	c := dial(t, api.socket, nil)
	if got := ask(t, c, `{}`); got != "MESSAGE" {
		t.Errorf("got %s, want MESSAGE", got)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(api.socket, "ws://"), "/live")
	for name, want := range map[string]string{
		"CALLBACK": "http://" + host + "/live", "OWN": "all", "MORE": "one", "AWS_REGION": "given",
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": "http://" + host + "/live",
		"AWS_LAMBDA_FUNCTION_NAME":                 "echo-it",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE":          "128",
		"LAMBDA_TASK_ROOT":                         filepath.Join(folder, "echo"),
		"_HANDLER":                                 "bootstrap",
		"AWS_DEFAULT_REGION":                       "eu-central-1",
		"TZ":                                       ":UTC",
		"NODE_EXTRA_CA_CERTS":                      bundleFile(t),
		"AWS_CA_BUNDLE":                            bundleFile(t),
		"SSL_CERT_FILE":                            bundleFile(t),
		"HTTPS_PROXY":                              "http://" + host,
		"NO_PROXY":                                 "127.0.0.1,localhost,::1",
		"NODE_USE_ENV_PROXY":                       "1",
		"AWS_EXECUTION_ENV":                        "AWS_Lambda_provided.al2023",
		"HOME":                                     "",
	} {
		if got := ask(t, c, fmt.Sprintf(`{"do":"env","name":%q}`, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	ask(t, c, `{"do":"print","name":"words"}`)
	api.stderr.waitFor(t, "Echo | words\n")
}

// adminInBanner finds the URL of the admin API.
var adminInBanner = regexp.MustCompile(`http://\S+/admin/`)

// TestTemplateCost: the API of a template has a price, with the time that its functions took.
func TestTemplateCost(t *testing.T) {
	api, _ := serveEcho(t)
	c := dial(t, api.socket, nil)
	feed := dial(t, strings.Replace(adminInBanner.FindString(api.banner), "http", "ws", 1)+"tap", nil)
	for range 2 {
		ask(t, c, `{}`)
		readFeed(t, feed, "out") // the answer is counted when it is with the network
	}
	res, err := http.Get(adminInBanner.FindString(api.banner) + "cost")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var report cost.Report
	if err := json.NewDecoder(res.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	units := map[string]float64{}
	for _, l := range report.Lines {
		units[l.What] = l.Units
	}
	if got := units["messages of up to 32 KB, in and out"]; got != 4 || len(report.Lines) != 4 || report.Dollars == 0 {
		t.Errorf("%g messages, want 4: %+v", got, report.Lines)
	}
	if units["invocations of functions"] != 2 || units["GB-seconds of functions"] <= 0 {
		t.Errorf("want 2 invocations and their time: %+v", report.Lines)
	}
}

// authorityFile is where localhub keeps the certificate of the development CA.
func authorityFile() string {
	return filepath.Join(os.Getenv("XDG_CACHE_HOME"), "securecart-hub", "localhub-ca.pem")
}

// bundleFile is where localhub keeps the roots that functions of the one template trust.
func bundleFile(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(authorityFile()), "template-*", "localhub-ca-bundle.pem"))
	if err != nil || len(files) != 1 {
		t.Fatalf("bundles: %v, %v; want one", files, err)
	}
	return files[0]
}

// TestTemplateFunctionFails: the client gets the error frame of API Gateway, the log
// names the function, and the next message is served.
func TestTemplateFunctionFails(t *testing.T) {
	api, _ := serveEchoTemplate(t, echoWithin(5))
	c := dial(t, api.socket, nil)
	for do, line := range map[string]string{
		"exit": "Echo | failed: function echo-it: Runtime.ExitError: the runtime exited before it answered\n",
		"hang": "Echo | failed: function echo-it timed out after 5s\n",
	} {
		if got := ask(t, c, fmt.Sprintf(`{"do":%q}`, do)); got != errorFrame {
			t.Errorf("%s: got %s", do, got)
		}
		api.stderr.waitFor(t, line)
		if got := ask(t, c, `{}`); got != "MESSAGE" {
			t.Errorf("after %s: got %s", do, got)
		}
	}
}

// TestTemplateInterruptedWhileFunctionHangs: an interrupt waits for no function.
func TestTemplateInterruptedWhileFunctionHangs(t *testing.T) {
	var interrupted time.Time
	t.Run("serve", func(t *testing.T) {
		api, _ := serveEchoTemplate(t, echoWithin(900))
		c := dial(t, api.socket, nil)
		if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"do":"hang"}`)); err != nil {
			t.Fatal(err)
		}
		api.stderr.waitFor(t, "Echo | hanging\n")
		interrupted = time.Now() // the end of this test does it
	})
	if took := time.Since(interrupted); took > 2*time.Minute { // the function may take 15
		t.Errorf("the end took %v", took)
	}
}

// TestTemplateFunctionReplaced: a new build of a function runs without a restart.
func TestTemplateFunctionReplaced(t *testing.T) {
	api, folder := serveEcho(t)
	c := dial(t, api.socket, nil)
	if got := ask(t, c, `{"do":"env","name":"BUILD"}`); got != "" {
		t.Errorf("got %q", got)
	}
	path := filepath.Join(folder, "echo", "bootstrap")
	script := "#!/bin/sh\nBUILD=second exec " + testBinary(t) + "\n"
	if err := errors.Join(os.WriteFile(path+".new", []byte(script), 0o700), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, `{"do":"env","name":"BUILD"}`); got != "second" {
		t.Errorf("got %q", got)
	}
}

// TestTemplateBanner: the banner says what is served and what is not.
func TestTemplateBanner(t *testing.T) {
	api, folder := serveEcho(t)
	for _, want := range []string{
		"the WebSocket API Api of " + filepath.Join(folder, "t.yaml"),
		"  socket        " + api.socket + "\n  @connections  http" + strings.TrimPrefix(api.socket, "ws") + "/@connections\n",
		"  routes        $default\n",
		"  function      Echo  " + filepath.Join(folder, "echo", "bootstrap") + "\n",
		"\nnot imitated: AWS::DynamoDB::Table (1), AWS::SNS::Topic (1), AWS::SQS::Queue (2)\n",
		"\n  npx wscat -c " + api.socket + "\n",
	} {
		if !strings.Contains(api.banner, want) {
			t.Errorf("the banner lacks %q:\n%s", want, api.banner)
		}
	}
}

// TestTemplateIAM: if the template has AWS_IAM, unsigned handshakes are refused, and the
// banner has the access key.
func TestTemplateIAM(t *testing.T) {
	text := strings.Replace(echoTemplate, "  Echo:\n", `  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: AWS_IAM}
  Echo:
`, 1)
	api := serveTemplate(t, writeTemplate(t, text), "-function", "Echo=http://127.0.0.1:1")
	const want = "\nsign requests to @connections and handshakes " +
		"with AWS_ACCESS_KEY_ID=AKIALOCALHUB AWS_SECRET_ACCESS_KEY=localhub-secret\n"
	if !strings.Contains(api.banner, want) {
		t.Errorf("the banner lacks %q:\n%s", want, api.banner)
	}
	_, resp, err := websocket.Dial(t.Context(), api.socket, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v, want 403", resp, err)
	}
}

func TestTemplateRequireSigV4(t *testing.T) {
	api, _ := serveEcho(t, "-require-sigv4")
	c := dial(t, api.socket, nil)
	for name, want := range map[string]string{
		"AWS_ACCESS_KEY_ID": account.Credential.AccessKeyID, "AWS_SECRET_ACCESS_KEY": account.Credential.SecretAccessKey,
	} {
		if got := ask(t, c, fmt.Sprintf(`{"do":"env","name":%q}`, name)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	resp, err := http.Get("http" + strings.TrimPrefix(api.socket, "ws") + "/@connections/L0SM9cOFvHcCIhw=")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %s, want 403", resp.Status)
	}
	const want = "\nsign requests to @connections with AWS_ACCESS_KEY_ID=AKIALOCALHUB "
	if !strings.Contains(api.banner, want) {
		t.Errorf("the banner lacks %q:\n%s", want, api.banner)
	}
}
