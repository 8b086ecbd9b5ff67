package lambdaproc_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

// toolsVariable makes a missing interpreter a failure, as .ci/run sets it.
const toolsVariable = "HUB_TEST_TOOLS"

// needInterpreters skips a test on a machine without the interpreters.
func needInterpreters(t *testing.T) {
	t.Helper()
	for _, command := range []string{"node", "python3"} {
		if _, err := exec.LookPath(command); err != nil && os.Getenv(toolsVariable) != "required" {
			t.Skip(command + " is not installed")
		}
	}
}

// startManaged runs a function of a managed runtime, with these files in its folder.
func startManaged(t *testing.T, runtime, handler string, files map[string]string) *lambdaproc.Function {
	t.Helper()
	m := lambdaproc.Managed{Runtime: runtime, Handler: handler, Folder: t.TempDir(), Runtimes: t.TempDir(),
		Path: os.Getenv("PATH")}
	if err := lambdaproc.WriteRuntimes(m.Runtimes); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, m.Folder, files)
	needInterpreters(t)
	o, _, err := m.Find()
	if err != nil {
		t.Fatal(err)
	}
	o.Name, o.Environments, o.Timeout, o.Output = "talk", 1, 3*time.Second, testOutput{t}
	o.Env = []string{"_HANDLER=" + handler, "LAMBDA_TASK_ROOT=" + m.Folder, "PATH=" + m.Path,
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/talk", "AWS_LAMBDA_LOG_STREAM_NAME=local"}
	f, err := lambdaproc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func writeFiles(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// testOutput writes what functions print into the log of the test.
type testOutput struct{ t *testing.T }

func (o testOutput) Write(p []byte) (int, error) {
	o.t.Logf("function: %s", p)
	return len(p), nil
}

// managedTests are functions in Node.js and Python, and what they answer to the event
// {"n":1}.
var managedTests = map[string]struct {
	runtime, handler string
	files            map[string]string
	want             string // a regular expression of the whole response or error
}{
	"node promise": {"nodejs22.x", "app.handler", map[string]string{
		"app.mjs": `export const handler = async (event) => ({ n: event.n + 1 });`}, `\{"n":2\}`},
	"node CommonJS in a folder": {"nodejs18.x", "src/app.on.connect", map[string]string{
		"src/app.js": `exports.on = { connect: async () => "yes" };`}, `"yes"`},
	"node nothing": {"nodejs20.x", "app.handler", map[string]string{
		"app.mjs": `export const handler = async () => {};`}, `null`},
	"node context": {"nodejs20.x", "app.handler", map[string]string{"app.mjs": `export async function handler(event, c) {
		const left = c.getRemainingTimeInMillis();
		return [left > 0 && left <= 3000, c.functionName, c.functionVersion, c.memoryLimitInMB, c.invokedFunctionArn,
			c.awsRequestId.length > 8, c.logGroupName, c.logStreamName, c.callbackWaitsForEmptyEventLoop];
	}`}, `\[true,"talk","\$LATEST","1024","arn:aws:lambda:eu-central-1:123456789012:function:local",` +
		`true,"/aws/lambda/talk","local",true\]`},
	// A callback waits for what the function still does, here the timer, unless it says otherwise.
	"node callback waits": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = (event, context, callback) => {
			const answer = { done: false };
			setTimeout(() => { answer.done = true; }, 30);
			callback(null, answer);
		};`}, `\{"done":true\}`},
	"node callback does not wait": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = (event, context, callback) => {
			context.callbackWaitsForEmptyEventLoop = false;
			const answer = { done: false };
			setTimeout(() => { answer.done = true; }, 1000);
			callback(null, answer);
		};`}, `\{"done":false\}`},
	"node callback with an error": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = (event, context, callback) => callback(new TypeError("no table"));`},
		`TypeError: no table`},
	"node no callback": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = () => {};`}, `null`},
	"node throws": {"nodejs20.x", "app.handler", map[string]string{
		"app.mjs": `export const handler = async () => { throw new RangeError("no table"); };`}, `RangeError: no table`},
	"node throws later": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = () => { setTimeout(() => { throw new Error("late"); }, 1); };`}, `Error: late`},
	"node does not catch": {"nodejs20.x", "app.handler", map[string]string{
		"app.cjs": `exports.handler = () => { Promise.reject(new Error("lost")); };`},
		`Runtime.UnhandledPromiseRejection: lost`},
	"node cannot be loaded": {"nodejs20.x", "app.handler", map[string]string{
		"app.mjs": `throw new Error("no setting");`}, `Error: no setting`},
	"node has no such export": {"nodejs20.x", "app.handlers", map[string]string{
		"app.mjs": `export const handler = async () => {};`}, `Error: app.mjs exports no function handlers`},
	"node hangs": {"nodejs20.x", "app.handler", map[string]string{
		"app.mjs": `export const handler = () => new Promise(() => setInterval(() => {}, 1000));`},
		`: function talk timed out after 3s`},
	"python": {"python3.12", "app.handler", map[string]string{
		"app.py": "def handler(event, context):\n    return {'n': event['n'] + 1}\n"}, `\{"n": 2\}`},
	"python in a folder, with a module beside it": {"python3.13", "src/app.handler", map[string]string{
		"src/app.py": "from shared import word\n\ndef handler(event, context):\n    return word\n",
		"shared.py":  "word = 'yes'\n"}, `"yes"`},
	"python context": {"python3.12", "app.handler", map[string]string{"app.py": `
def handler(event, c):
    left = c.get_remaining_time_in_millis()
    return [0 < left <= 3000, c.function_name, c.function_version, c.memory_limit_in_mb, c.invoked_function_arn,
            len(c.aws_request_id) > 8, c.log_group_name, c.log_stream_name, c.identity, c.client_context]
`}, `\[true, "talk", "\$LATEST", "1024", "arn:aws:lambda:eu-central-1:123456789012:function:local", ` +
		`true, "/aws/lambda/talk", "local", null, null\]`},
	"python raises": {"python3.12", "app.handler", map[string]string{
		"app.py": "def handler(event, context):\n    raise ValueError('no table')\n"}, `ValueError: no table`},
	"python answers no JSON": {"python3.12", "app.handler", map[string]string{
		"app.py": "def handler(event, context):\n    return {1, 2}\n"}, `TypeError: .*not JSON serializable`},
	"python decimals": {"python3.12", "app.handler", map[string]string{
		"app.py": "from decimal import Decimal\n\ndef handler(event, context):\n" +
			"    return [Decimal('7'), Decimal('1.5')]\n"}, `\[7, 1\.5\]`},
	"python cannot be loaded": {"python3.12", "app.handler", map[string]string{
		"app.py": "import nowhere\n"}, `ModuleNotFoundError: No module named 'nowhere'`},
	"python has no such function": {"python3.12", "app.handlers", map[string]string{
		"app.py": "handler = None\n"}, `AttributeError: .*handlers.*`},
}

// TestManaged: functions run as in Lambda's runtimes.
func TestManaged(t *testing.T) {
	for name, tt := range managedTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startManaged(t, tt.runtime, tt.handler, tt.files)
			for range 2 { // warm too
				response, err := f.Invoke(t.Context(), []byte(`{"n":1}`))
				got := string(response)
				var failed *lambdaproc.FunctionError
				if err != nil {
					got = ": " + err.Error()
				}
				if errors.As(err, &failed) {
					got = failed.Type + ": " + failed.Message
				}
				if !regexp.MustCompile(`^` + tt.want + `$`).MatchString(got) {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

// TestManagedVariables: what a function prints and its variables are Lambda's.
func TestManagedVariables(t *testing.T) {
	f := startManaged(t, "nodejs22.x", "app.handler", map[string]string{
		"app.mjs": `export const handler = async () => process.env;`})
	response, err := f.Invoke(t.Context(), []byte(`{}`))
	var env map[string]string
	if err != nil || json.Unmarshal(response, &env) != nil {
		t.Fatalf("%s, %v", response, err)
	}
	if env["AWS_LAMBDA_FUNCTION_NAME"] != "talk" || !strings.HasPrefix(env["_X_AMZN_TRACE_ID"], "Root=1-") {
		t.Errorf("got %v", env)
	}
}

// TestFindManaged: what cannot run is named.
func TestFindManaged(t *testing.T) {
	folder := t.TempDir()
	writeFiles(t, folder, map[string]string{"app.py": "", "app.mjs": "", "pkg/__init__.py": "", "ts.ts": ""})
	const nowhere = "/nowhere"
	for name, tt := range map[string]struct {
		m            lambdaproc.Managed
		module, want string
	}{
		"node":          {lambdaproc.Managed{Runtime: "nodejs22.x", Handler: "app.handler"}, "app.mjs", ""},
		"TypeScript":    {lambdaproc.Managed{Runtime: "nodejs22.x", Handler: "ts.handler"}, "ts.ts", ""},
		"python":        {lambdaproc.Managed{Runtime: "python3.12", Handler: "app.handler"}, "app.py", ""},
		"package":       {lambdaproc.Managed{Runtime: "python3.12", Handler: "pkg.handler"}, "pkg/__init__.py", ""},
		"no file":       {lambdaproc.Managed{Runtime: "nodejs22.x", Handler: "x.handler"}, "", "has the handler x.handler"},
		"no module":     {lambdaproc.Managed{Runtime: "python3.12", Handler: "app"}, "", "has the handler app"},
		"no handler":    {lambdaproc.Managed{Runtime: "nodejs22.x"}, "", "has the handler "},
		"no node":       {lambdaproc.Managed{Runtime: "nodejs22.x", Handler: "app.handler", Path: nowhere}, "", "no node"},
		"no python3":    {lambdaproc.Managed{Runtime: "python3.9", Handler: "app.handler", Path: nowhere}, "", "no python3"},
		"outside of it": {lambdaproc.Managed{Runtime: "nodejs22.x", Handler: "../app.handler"}, "", "has the handler"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.m.Folder = folder
			if tt.m.Path == "" {
				tt.m.Path = fakeInterpreters(t)
			}
			_, module, err := tt.m.Find()
			if tt.want == "" && (err != nil || module != filepath.Join(folder, filepath.FromSlash(tt.module))) {
				t.Errorf("got %s, %v, want %s", module, err, tt.module)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %s, %v, want %s", module, err, tt.want)
			}
		})
	}
}

// fakeInterpreters returns a folder with a node and a python3.
func fakeInterpreters(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"node", "python3"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
